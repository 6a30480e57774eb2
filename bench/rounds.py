"""Measures everything in rounds that are interleaved, so that a slow minute of the machine meets all alike."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import repeat as forever
from statistics import median
from typing import Any

from bench import load
from bench.exporting import copied
from bench.floors import Floors
from bench.load import Result, Talk
from bench.voices import Voices
from bench.watch import DISTURBED, Spent, Watch
from tsunagi.ids import OrganizationId

Figures = dict[str, float]


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    connections: Sequence[int]
    seconds: float
    """Of each span; the stack's floor gets a third."""

    budget_seconds: float = 240.0
    """No round begins that would end behind it: a slow machine gets fewer."""

    @property
    def most(self) -> int:
        """Requests in a span of pgbench: people who are ready are not without number."""
        return int(2000 * self.seconds)


@dataclass
class Rounds:
    """All that was measured, by name and number of connections: one list entry for each round."""

    plan: Plan
    watch: Watch
    voices: Voices
    floors: Floors
    ports: tuple[int, int]
    """Of the service and of the bare stack."""

    exporting: Sequence[Sequence[OrganizationId]]
    """Centers that export everything at once."""

    service: dict[str, list[Figures]] = field(default_factory=lambda: defaultdict(list))
    pgbench: dict[str, list[Figures]] = field(default_factory=lambda: defaultdict(list))
    stack: dict[str, list[Figures]] = field(default_factory=lambda: defaultdict(list))

    async def run(self) -> None:
        began = time.monotonic()
        for turn in range(1, self.plan.rounds + 1):
            for connections in self.plan.connections:
                for name in self.voices.all():
                    await self._one(name, connections)
            await self._read_proven()
            for centers in self.exporting:
                await self._export(centers)
            print(f"round {turn} of {self.plan.rounds}", file=sys.stderr)
            if (time.monotonic() - began) / turn * (turn + 1) > self.plan.budget_seconds:
                break

    async def _one(self, name: str, connections: int) -> None:
        key, (say, per) = f"{name}@{connections}", self.voices.all()[name]
        self.service[key].append(
            await self._span(0, say(), connections=connections, seconds=self.plan.seconds, per=per)
        )
        await self._pgbench(name, connections)
        kind = self.floors.kinds[name]
        sent = load.request("POST", f"/{kind.answered}", body=b"x" * kind.sent)
        if per == 1:
            echo = load.repeat(forever(sent))
            self.stack[key].append(
                await self._span(1, echo, connections=connections, seconds=self.plan.seconds / 3)
            )

    async def _span(self, port: int, talk: Callable[[], Talk], *, connections: int, **named: Any) -> Figures:
        before = self.watch.moment()
        result = await load.run(self.ports[port], talk, connections=connections, **named)
        return _figures(result, self.watch.since(before))

    async def _pgbench(self, name: str, connections: int) -> None:
        before = self.watch.moment()
        floor = await self.floors.run(name, connections, seconds=self.plan.seconds, most=self.plan.most)
        spent = self.watch.since(before)
        self.pgbench[f"{name}@{connections}"].append(
            {
                "rate": floor.rate,
                "p50_ms": floor.p50_ms,
                "p99_ms": floor.p99_ms,
                "database_cpu_ms": spent.database / floor.requests * 1000,
                "others_cores": spent.others,
                "requests": floor.requests,
            }
        )

    async def _read_proven(self) -> None:
        """Reading with a DPoP proof at each request: what the figures of the sandbox's bearer tokens leave out."""
        say = self.voices.read_proven(f"http://127.0.0.1:{self.ports[0]}")
        figures = await self._span(0, say, connections=16, seconds=self.plan.seconds)
        self.service["read-dpop@16"].append(figures)

    async def _export(self, centers: Sequence[OrganizationId]) -> None:
        """These centers, each on a connection of its own, get all they have."""
        key = f"export@{len(centers)}"
        talks = iter([self.voices.export(one)() for one in centers])
        figures = await self._span(0, lambda: next(talks), connections=len(centers))
        self.service[key].append(figures)
        before = self.watch.moment()
        floor = await copied(self.floors.session, centers)
        self.pgbench[key].append(
            {
                "rate": len(centers) / floor.seconds,
                "mb_per_second": floor.bytes / floor.seconds / 1e6,
                "others_cores": self.watch.since(before).others,
            }
        )

    def results(self) -> dict[str, Any]:
        """Medians, and the ratios of what was measured side by side."""
        return {
            "rounds": max(len(one) for one in self.service.values()),
            "disturbed": sorted(
                f"{name} ({where})"
                for where, found in (
                    ("service", self.service),
                    ("floor", self.pgbench),
                    ("stack", self.stack),
                )
                for name, rounds in found.items()
                if median(one["others_cores"] for one in rounds) > DISTURBED
            ),
            "service": {name: _median(found) for name, found in self.service.items()},
            "floor": {name: _median(found) for name, found in self.pgbench.items()},
            "stack": {name: _median(found) for name, found in self.stack.items()},
            "ratios": {name: self._ratios(name) for name in self.service},
        }

    def _ratios(self, name: str) -> Figures:
        found = {}
        for what, floors in (("of_floor", self.pgbench), ("of_stack", self.stack)):
            pairs = zip(self.service[name], floors.get(name, ()), strict=False)
            if ratios := [ours["rate"] / floor["rate"] for ours, floor in pairs]:
                found[what] = round(median(ratios), 4)
        middle = _median(self.service[name])
        if floor := _median(self.pgbench[name]).get("database_cpu_ms") if name in self.pgbench else None:
            found["cpu_of_floor"] = round(floor / (middle["server_cpu_ms"] + middle["database_cpu_ms"]), 4)
        return found | {"p99_of_p50": round(middle["p99_ms"] / middle["p50_ms"], 2)}


def _figures(result: Result, spent: Spent) -> Figures:
    p50, p99 = result.percentiles_ms()
    units = len(result.times)
    return {
        "rate": result.rate,
        "p50_ms": p50,
        "p99_ms": p99,
        "server_cpu_ms": spent.server / units * 1000,
        "database_cpu_ms": spent.database / units * 1000,
        "generator_cpu_ms": result.generator_cpu / units * 1000,
        "mb_per_second": result.received / result.seconds / 1e6,
        "generator_cores": result.generator_cpu / result.seconds,
        "others_cores": spent.others,
        "requests": units,
    }


def _median(rounds: list[Figures]) -> Figures:
    """The middle of each figure, over the rounds."""
    return {name: round(median(one[name] for one in rounds), 4) for name in rounds[0]}
