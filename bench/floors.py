"""The database's floor: the statements that the service sent for a request, and proof that they do the same work."""

import asyncio
import math
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from bench.capture import Session, Statement, listening
from bench.multiply import copy_of
from bench.pgbench import BLOCK, Bench, Floor
from bench.play import Play, as_bytes
from bench.scripts import Script, scripts
from bench.stage import Stage, counted

COMPARED = (1, 2, 3)
"""The copies for which a request is listened to; for each it is made once more often than for the one before, since
what counts must differ too."""

ONE_EACH = "{x}"
"""The entity of what is asked once about each copy."""

CALIBRATING = 4
"""Blocks of each client after the warm-up."""

SHOWN = 6


class NotTheSameWork(AssertionError):
    """A floor left other rows than the service does."""


@dataclass
class Kind:
    """One thing that is asked, as the database sees it."""

    script: Script
    entity: str
    rows: dict[str, int]
    """How many more rows each table has after one of it, where that is not none."""

    sent: int
    answered: int
    """Bytes of the bodies of a request and its answer."""

    @property
    def uses_people(self) -> bool:
        return self.entity == ONE_EACH


async def kinds(admin: asyncpg.Connection, play: Play, stage: Stage) -> dict[str, Kind]:
    """Everything that is asked, listened to in this process."""
    post, offer = await _handing_over(admin, play, stage)
    both = {name: post.rows.get(name, 0) + offer.rows.get(name, 0) for name in post.rows | offer.rows}
    return {
        "post": post,
        "offer": offer,
        "both": Kind(post.script + offer.script, ONE_EACH, both, post.sent, post.answered + offer.answered),
        "read": await _looking(admin, play, stage, lambda n: f"/v1/handovers/{stage.handover(n)}"),
        "list": await _looking(admin, play, stage, lambda _n: "/v1/handovers?limit=50"),
        "responsibility": await _looking(
            admin, play, stage, lambda n: f"/v1/people/{stage.person(n)}/responsibility"
        ),
    }


async def _handing_over(admin: asyncpg.Connection, play: Play, stage: Stage) -> tuple[Kind, Kind]:
    sender, series = play.cast.sender, []
    numbers = [stage.people + turn for turn in COMPARED]
    for number in (stage.people, *numbers):
        record = play.usual | {"personId": copy_of(stage.ready.person_id, number)}
        before = await counted(admin)
        post, draft = await _listened(play, play.call(sender, "POST", "/v1/handovers", record))
        posted = await counted(admin)
        path = f"/v1/handovers/{draft['id']}/offer"
        offer, answer = await _listened(play, play.call(sender, "POST", path))
        after = await counted(admin)
        series.append([post, offer])
    written = scripts(series[1:], numbers, stage.ready.rows.ids)
    return (
        Kind(written[0], ONE_EACH, _more(before, posted), len(as_bytes(record)), len(as_bytes(draft))),
        Kind(written[1], ONE_EACH, _more(posted, after), 0, len(as_bytes(answer))),
    )


async def _looking(admin: asyncpg.Connection, play: Play, stage: Stage, path: Any) -> Kind:
    numbers, series = [stage.step * turn for turn in COMPARED], []
    warming = stage.step * (COMPARED[-1] + 1)
    for turn, number in zip((0, *COMPARED), (warming, *numbers), strict=True):
        for _ in range(turn):
            await play.call(play.cast.center, "GET", path(number))
        before = await counted(admin)
        statements, answer = await _listened(play, play.call(play.cast.center, "GET", path(number)))
        after = await counted(admin)
        series.append([statements])
    written = scripts(series[1:], numbers, stage.received.rows.ids)
    return Kind(written[0], stage.entity, _more(before, after), 0, len(as_bytes(answer)))


async def _listened(play: Play, asking: Coroutine[Any, Any, Any]) -> tuple[list[Statement], Any]:
    """What the service sends for a request, without what it looks up once a second."""
    await play.call(play.cast.sender, "GET", "/v1/organizations?limit=1")
    with listening() as statements:
        answer = await asking
    return statements, answer


def _more(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: rows - before[name] for name, rows in after.items() if rows != before[name]}


@dataclass
class Floors:
    """Runs the floors. `people` are the numbers of the copies that are ready for them, once each."""

    admin: asyncpg.Connection
    session: Session
    kinds: dict[str, Kind]
    people: range
    rates: dict[str, float] = field(default_factory=dict)
    """Requests in a second, by name and number of clients, as last measured."""

    slowest: dict[str, dict[str, float]] = field(default_factory=dict)
    """The statements of each that take longest, in milliseconds, when one client is alone."""

    _next: int = 10**12
    _posted: tuple[int, int] = (0, 0)
    """Where the last span of posts began, and how many blocks each client ran."""

    async def calibrate(self, clients: Iterable[int], *, verifying: bool = True) -> None:
        """The rates are known roughly, and each floor has been seen to leave the rows that the service leaves.

        Raises NotTheSameWork.
        """
        for number in clients:
            for name, kind in self.kinds.items():
                before = await counted(self.admin) if verifying else {}
                floor = await self._run(name, number, CALIBRATING)
                if verifying:
                    found = _more(before, await counted(self.admin))
                    expected = {table: rows * floor.requests for table, rows in kind.rows.items()}
                    if found != expected:
                        raise NotTheSameWork(f"{name}: {found} instead of {expected}")
                if number == 1:
                    longest = sorted(floor.statements.items(), key=lambda one: -one[1])[:SHOWN]
                    self.slowest[name] = {text[:120]: round(taken, 3) for text, taken in longest}

    def numbers(self, runs: int) -> int:
        """The first of so many numbers that no run has had, and no copy."""
        self._next += runs
        return self._next - runs

    async def run(self, name: str, clients: int, *, seconds: float, most: int) -> Floor:
        """About so many seconds of it after the warm-up, and about as many requests at most."""
        guess = self.rates.get(f"{name}@{clients}") or self.rates[f"{name}@{min(clients, 16)}"]
        wanted = min(guess * seconds, most) / clients / BLOCK
        return await self._run(name, clients, max(2, math.ceil(wanted)))

    async def _run(self, name: str, clients: int, blocks: int) -> Floor:
        kind = self.kinds[name]
        bench = Bench(self.session, kind.script, kind.entity)
        blocks += bench.warm
        if name == "offer":  # of what was posted just before
            base, blocks = self._posted
        elif kind.uses_people:
            base = self.people.start
            self._posted = base, blocks
            self.people = self.people[clients * blocks * BLOCK :]
            if not self.people:
                raise ValueError("not enough people are ready for so many requests")
        else:
            base = self.numbers(clients * blocks * BLOCK)
        floor = await bench.run(clients=clients, base=base, blocks=blocks)
        self.rates[f"{name}@{clients}"] = floor.rate
        await asyncio.sleep(0.05)  # until its connections have ended, and their processor time counts
        return floor
