"""`python -m bench`: runs everything and writes bench/out/latest.json. See bench/README.md."""

import os
import platform
from datetime import UTC, datetime
from typing import Any

import asyncpg
import uvloop

from bench import pages, proving, sealing, verification
from bench.capture import listeners
from bench.floors import Floors, kinds
from bench.play import play
from bench.processes import OUT, apart, ground, own_database, postmaster, service, stack, write
from bench.rounds import Plan, Rounds
from bench.stage import in_the_log, staged
from bench.voices import Voices
from bench.watch import Watch
from tsunagi import logs
from tsunagi.cli.context import database
from tsunagi.settings import Settings

LATEST = OUT / "latest.json"
FULL = Plan(rounds=3, connections=(1, 16, 64), seconds=1.5)
QUICK = Plan(rounds=1, connections=(1, 16), seconds=0.8)
READY, READY_QUICK = 120_000, 30_000
AIMS = {
    "post@16": 0.40,
    "offer@16": 0.40,
    "both@16": 0.40,
    "read@16": 0.45,
    "list@16": 0.50,
    "export@1": 0.70,
}
"""Of the floor."""

P99_OF_P50 = 3.0


async def measured(ground: Settings, plan: Plan, ready: int) -> dict[str, Any]:
    """The results of a run in a database of its own."""
    async with own_database(ground) as settings:
        admin = await asyncpg.connect(settings.database_url)
        async with listeners() as sessions, database(settings) as db, play(settings, db) as acted:
            stage = await staged(admin, acted, ready=ready)
            await in_the_log(db, settings)
            await admin.execute("VACUUM (ANALYZE)")
            asked = await kinds(admin, acted, stage)
        await admin.execute("CHECKPOINT")
        watch = Watch(postmaster(await admin.fetchval("SELECT pg_backend_pid()")))
        of_service, of_floors = range(10, ready // 3), range(ready // 3, ready)
        floors = Floors(admin, sessions[-1], asked, of_floors)
        with service(settings) as served, stack() as (stack_port, stack_pid):
            watch.servers = [served, stack_pid]
            voices = Voices(stage, acted.cast, acted.tokens, acted.usual, iter(of_service))
            centers = [[acted.cast.center], acted.cast.others]
            ports = settings.port, stack_port
            rounds = Rounds(plan, watch, voices, floors, ports, centers)
            await floors.calibrate(one for one in plan.connections if one <= 16)
            await rounds.run()
        version = await admin.fetchval("SHOW server_version")
        await admin.close()
    results = rounds.results()
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "postgresql": version,
        },
        "quick": plan is QUICK,
        **results,
        "aims": {name: _aims(aim, results["ratios"][name]) for name, aim in AIMS.items()},
        "rows": {name: kind.rows for name, kind in asked.items()},
        "slowest_statements_ms": floors.slowest,
    }


def _aims(of_floor: float, reached: dict[str, float]) -> dict[str, Any]:
    aims = {"of_floor": of_floor, "p99_of_p50": P99_OF_P50}
    return {name: {"aim": aim, "reached": reached[name]} for name, aim in aims.items()}


def main() -> None:
    logs.configure("json", quiet=True)
    plan, ready = (QUICK, READY_QUICK) if os.environ.get("BENCH_QUICK") else (FULL, READY)
    with ground("tsunagi-bench-") as settings:
        results = uvloop.run(measured(settings, plan, ready))
    sizes = verification.SIZES[:2] if plan is QUICK else verification.SIZES
    results["verification"] = verification.measured(sizes)
    results["sealing"] = apart("sealing", sealing.measured)
    results["pages"] = apart("pages", pages.measured)
    share = proving.QUICK if plan is QUICK else proving.FULL
    results["proving"] = apart("proving", lambda own: proving.measured(own, share))
    write(LATEST, results)
    _print(results)


def _print(results: dict[str, Any]) -> None:
    for name, figures in results["service"].items():
        ratios = results["ratios"][name]
        print(
            f"{name:<18} {figures['rate']:>8.1f}/s  p50 {figures['p50_ms']:>8.2f} ms  p99 {figures['p99_ms']:>8.2f} ms"
            f"  CPU server {figures['server_cpu_ms']:>6.2f} database {figures['database_cpu_ms']:>6.2f} ms"
            + "".join(f"  {name.replace('_', ' ')} {ratio:.3f}" for name, ratio in ratios.items())
        )
    print(verification.said(results["verification"]))
    print(sealing.said(results["sealing"]))
    print(pages.said(results["pages"]))
    print(proving.said(results["proving"]))
    if disturbed := len(results["disturbed"]):
        print(f"disturbed: something else used the machine during {disturbed} of these; see {LATEST.name}")


if __name__ == "__main__":
    main()
