"""`python -m bench.soak`: an hour of steady, mixed load, to see whether the service stays as it is. SOAK_MINUTES says
how long. Writes bench/out/soak.json and exits with 1 when memory grew.
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import linear_regression, median
from typing import Any

import asyncpg
import psutil
import uvloop

from bench import load
from bench.load import Talk
from bench.play import play
from bench.processes import OUT, ground, own_database, service, write
from bench.stage import in_the_log, staged
from bench.voices import Voices
from tsunagi import logs
from tsunagi.cli.context import database
from tsunagi.settings import Settings

CONNECTIONS = 8
SPAN_SECONDS = 10.0
"""Between two samples; tokens are fresh for each."""

RATE = 200
"""Requests in a second at most, all together: steady load, not all that the service bears."""

SHARES = {"read": 8, "list": 3, "responsibility": 3, "both": 1}
WARM_SHARE = 0.25
"""So much of the time memory may still grow: caches fill, the allocator finds its level."""

MAX_GROWN_MB = 5.0


@dataclass(frozen=True)
class Sample:
    """The service after one span of load."""

    minutes: float
    rss_mb: float
    database_connections: int
    sockets: int
    p50_ms: float
    p99_ms: float
    requests: int


async def soaked(ground: Settings, minutes: float) -> dict[str, Any]:
    handed_over = RATE * 60 * minutes * SHARES["both"] / sum(SHARES.values())
    ready = 1000 + int(handed_over)
    async with own_database(ground) as settings:
        admin = await asyncpg.connect(settings.database_url)
        async with database(settings) as db, play(settings, db) as acted:
            stage = await staged(admin, acted, ready=ready)
            await in_the_log(db, settings)
        await admin.execute("VACUUM (ANALYZE)")
        voices = Voices(stage, acted.cast, acted.tokens, acted.usual, iter(range(1, ready)))
        with service(settings) as pid:
            process, samples, began = psutil.Process(pid), [], time.monotonic()
            while (passed := (time.monotonic() - began) / 60) < minutes:
                samples.append(await _sample(settings.port, voices, process, admin, passed))
        await admin.close()
    return {"minutes": minutes, **verdict(samples), "samples": [asdict(one) for one in samples]}


async def _sample(
    port: int, voices: Voices, process: psutil.Process, admin: asyncpg.Connection, passed: float
) -> Sample:
    result = await load.run(
        port,
        mixed(voices),
        connections=CONNECTIONS,
        seconds=SPAN_SECONDS,
        pause=CONNECTIONS / RATE,
    )
    p50, p99 = result.percentiles_ms()
    sample = Sample(
        minutes=round(passed, 2),
        rss_mb=round(process.memory_info().rss / 1e6, 2),
        database_connections=await admin.fetchval(
            "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
        ),
        sockets=len(process.net_connections()),
        p50_ms=round(p50, 2),
        p99_ms=round(p99, 2),
        requests=len(result.times),
    )
    print(sample, file=sys.stderr)
    return sample


def mixed(voices: Voices) -> Callable[[], Talk]:
    """Connections that ask for one thing and another, each as often as its share says."""
    spoken = {name: (say(), per) for name, (say, per) in voices.all().items() if name in SHARES}
    names, shares = list(SHARES), list(SHARES.values())
    draws = random.Random(1)

    def talk() -> Talk:
        opened = {name: (one(), per) for name, (one, per) in spoken.items()}
        answers: dict[str, Any] = dict.fromkeys(names)
        while True:
            (name,) = draws.choices(names, shares)
            saying, per = opened[name]
            for _ in range(per):
                answers[name] = yield saying.send(answers[name])

    return talk


def verdict(samples: list[Sample]) -> dict[str, Any]:
    """Whether memory is flat once it is warm: the slope of all samples, and the last quarter against the first."""
    warm = samples[int(len(samples) * WARM_SHARE) :]
    quarter = max(1, len(warm) // 4)
    grown = median(one.rss_mb for one in warm[-quarter:]) - median(one.rss_mb for one in warm[:quarter])
    slope = linear_regression([one.minutes for one in warm], [one.rss_mb for one in warm]).slope
    return {
        "flat": grown <= MAX_GROWN_MB,
        "grown_mb": round(grown, 2),
        "slope_mb_per_hour": round(slope * 60, 2),
        "rss_mb": {"first": samples[0].rss_mb, "warm": warm[0].rss_mb, "last": samples[-1].rss_mb},
        "database_connections": max(one.database_connections for one in samples),
        "sockets": max(one.sockets for one in samples),
        "p99_ms": {"median": median(one.p99_ms for one in warm), "worst": max(one.p99_ms for one in warm)},
        "requests": sum(one.requests for one in samples),
    }


def main() -> None:
    logs.configure("json", quiet=True)
    minutes = float(os.environ.get("SOAK_MINUTES") or 60)
    with ground("tsunagi-soak-") as settings:
        results = uvloop.run(soaked(settings, minutes))
    write(OUT / "soak.json", results)
    print(json.dumps({name: found for name, found in results.items() if name != "samples"}, indent=2))
    sys.exit(not results["flat"])


if __name__ == "__main__":
    main()
