"""`python -m bench.proving`: what the ledger costs whoever posts, and how soon an entry is under a signed checkpoint.
Writes bench/out/proving.json; `make bench` has the same under `proving`.

Two services over one database, one of them without a ledger (`unledgered.py`), are asked in turn. Commits take as long
as the disk does, or 5 ms more, as with a synchronous standby not far away.
"""

import asyncio
import bisect
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import asyncpg

from bench import load
from bench.play import play
from bench.processes import alone, service
from bench.stage import in_the_log, staged
from bench.voices import Voices
from tsunagi.cli.context import database
from tsunagi.cli.serving import free_port
from tsunagi.settings import Settings

WRITERS = (1, 8, 32)
STANDBY_MS = 5
READY = 60_000
LOOK_SECONDS = 0.02
AIMS = {"rate": 0.8, "p99": 1.3, "signed_p99_seconds": 1.0}
"""With the standby: the rate at 32 writers, how much longer the slowest wait, and what an entry waits at most."""


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    """Of each span."""


FULL, QUICK = Plan(5, 3.0), Plan(2, 1.5)


async def measured(settings: Settings, plan: Plan = FULL) -> dict[str, Any]:
    admin = await asyncpg.connect(settings.database_url)
    async with database(settings) as db, play(settings, db) as acted:
        stage = await staged(admin, acted, ready=READY, handovers=400)
        await in_the_log(db, settings)
        people = iter(range(10, READY))
        voices = Voices(stage, acted.cast, acted.tokens, acted.usual, people)
    await admin.execute("VACUUM (ANALYZE)")
    found = {
        "disk": await _compared(settings, voices, plan),
        "standby": await _standby(settings, admin, voices, plan),
    }
    await admin.close()
    return {"aims": _aims(found["standby"]), **found}


async def _standby(
    settings: Settings, admin: asyncpg.Connection, voices: Voices, plan: Plan
) -> dict[str, Any]:
    """As on the disk, each commit 5 ms longer. PostgreSQL lets commits that come meanwhile go along, as a standby
    does."""
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute(f"ALTER DATABASE {name} SET commit_delay = {STANDBY_MS * 1000}")
    await admin.execute(f"ALTER DATABASE {name} SET commit_siblings = 0")
    return await _compared(settings, voices, plan)


async def _compared(settings: Settings, voices: Voices, plan: Plan) -> dict[str, Any]:
    other = settings.model_copy(update={"port": free_port(), "sequencer": "none"})
    without = ("-m", "bench.unledgered")
    with service(settings), service(other, python=without):
        return {
            str(writers): await _rounds(settings, other.port, voices, writers, plan) for writers in WRITERS
        }


async def _rounds(settings: Settings, other: int, voices: Voices, writers: int, plan: Plan) -> dict[str, Any]:
    """Medians over the rounds, and of the ratios of what was measured side by side."""
    ours, theirs, waits = [], [], []
    for _ in range(plan.rounds):
        async with _looking(settings) as signed:
            ours.append(await _span(settings.port, voices, writers, plan))
        waits += await _waits(settings, signed)
        theirs.append(await _span(other, voices, writers, plan))
    cuts = quantiles(waits, n=100)
    return {
        "with": _median(ours),
        "without": _median(theirs),
        "rate": round(median(a["rate"] / b["rate"] for a, b in zip(ours, theirs, strict=True)), 3),
        "p99": round(median(a["p99_ms"] / b["p99_ms"] for a, b in zip(ours, theirs, strict=True)), 3),
        "signed_p50_seconds": round(cuts[49], 3),
        "signed_p99_seconds": round(cuts[98], 3),
    }


async def _span(port: int, voices: Voices, writers: int, plan: Plan) -> dict[str, float]:
    result = await load.run(port, voices.post(), connections=writers, seconds=plan.seconds)
    p50, p99 = result.percentiles_ms()
    return {"rate": result.rate, "p50_ms": p50, "p99_ms": p99}


def _median(spans: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(median(one[name] for one in spans), 2) for name in spans[0]}


Looked = list[tuple[int, float]]
"""How large the newest checkpoint was, and when that was seen."""


@asynccontextmanager
async def _looking(settings: Settings) -> AsyncIterator[Looked]:
    """Somebody looks at the newest checkpoint all the time, until everything that was written is under one."""
    found: Looked = []
    connection = await asyncpg.connect(settings.database_url)

    async def look() -> None:
        while True:
            size = await connection.fetchval("SELECT size FROM log_checkpoints ORDER BY id DESC LIMIT 1")
            found.append((size or 0, time.time()))
            await asyncio.sleep(LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield found
        await asyncio.sleep(2)
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await connection.close()


async def _waits(settings: Settings, looked: Looked) -> list[float]:
    """Seconds from the request that wrote an entry to the first look at a checkpoint that it is under."""
    connection = await asyncpg.connect(settings.database_url)
    rows = await connection.fetch(
        """
        SELECT l.position, extract(epoch FROM e.recorded_at)::float8 AS at
        FROM log_entries l JOIN ledger_entries e ON e.id = l.entry_id
        WHERE l.position >= $1 AND l.position < $2
        """,
        looked[0][0],
        looked[-1][0],
    )
    await connection.close()
    sizes = [size for size, _ in looked]
    return [looked[bisect.bisect_right(sizes, row["position"])][1] - row["at"] for row in rows]


def _aims(standby: dict[str, Any]) -> dict[str, Any]:
    reached = standby[str(WRITERS[-1])]
    return {name: {"aim": aim, "reached": reached[name]} for name, aim in AIMS.items()}


def said(results: dict[str, Any]) -> str:
    """A line for each number of writers."""
    return "\n".join(
        f"ledger, {name:<8} {writers:>3} writers  {one['with']['rate']:>7.1f}/s  of the rate without {one['rate']:.2f}"
        f"  p99 {one['p99']:.2f} times  signed after {one['signed_p50_seconds']:.2f} s,"
        f" p99 {one['signed_p99_seconds']:.2f} s"
        for name in ("disk", "standby")
        for writers, one in results[name].items()
    )


if __name__ == "__main__":
    print(said(alone("proving", measured)))
