"""`python -m bench.growth`: the same figures as the country fills, and what the walls cost. GROWTH says up to how many
handovers. Writes bench/out/growth.json.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

import asyncpg
import uvloop

from bench.capture import listeners
from bench.crowd import READY_FROM, Crowd, crowd
from bench.floors import ONE_EACH, Floors, Kind, kinds
from bench.pgbench import BLOCK, Bench
from bench.play import play
from bench.processes import OUT, ground, own_database, postmaster, service, stack, write
from bench.rounds import Plan, Rounds
from bench.scripts import Script
from bench.stage import in_the_log
from bench.voices import Voices
from bench.watch import Watch
from tsunagi import logs
from tsunagi.cli.context import database
from tsunagi.db import Acting
from tsunagi.settings import Settings

STEPS = (10_000, 100_000, 300_000, 1_000_000)
WALLS_AT = 300_000
"""Where the cost of the walls is bounded; or at the last step, if that comes before."""

READY = 90_000
PEOPLE = range(READY_FROM, READY_FROM + READY)
PLAN = Plan(rounds=1, connections=(1, 16), seconds=2)
BOUNDS = {"read": 1.3, "list": 1.3, "responsibility": 1.3, "records of a page": 2.0}
"""How much longer a statement may take with row-level security: for the last, with consent section by section."""

RECORDS_OF_A_PAGE = """
SELECT h.id, v.header, s.section, s.document
FROM (
    SELECT id, version FROM handovers WHERE receiver_id = :c0::uuid AND offered_at IS NOT NULL
    ORDER BY due_on, id LIMIT 50
) h
JOIN record_versions v ON v.handover_id = h.id AND v.version = h.version
JOIN record_sections s ON s.handover_id = h.id AND s.version = h.version;
"""
"""What a list with its records comes to: to the owner of the tables by organization alone, to the service under its
policies, which ask for the consent to each section."""


async def grown(ground: Settings, most: int) -> dict[str, Any]:
    """The results of every step up to `most` handovers, in a database of its own."""
    async with own_database(ground) as settings:
        url = settings.database_url or ""
        admin = await asyncpg.connect(url)
        if ground.database_url is None:  # a server of our own
            await admin.execute("ALTER SYSTEM SET max_wal_size = '2GB'")
            await admin.execute("SELECT pg_reload_conf()")
        async with listeners() as sessions, database(settings) as db, play(settings, db) as acted:
            full = await crowd(admin, acted, db, ready=READY)
            filled = await _fill(full, STEPS[0], url)
            asked = await kinds(admin, acted, full.stage)
            floors = Floors(admin, sessions[-1], asked, PEOPLE[READY // 3 :])
            steps, walls, people = [], {}, iter(PEOPLE[10 : READY // 3])
            for handovers in [one for one in STEPS if one <= most]:
                filled = filled if handovers == full.handovers else await _fill(full, handovers, url)
                await in_the_log(db, settings)
                steps.append({**filled, **await _measured(settings, full, floors, people)})
                if handovers == min(WALLS_AT, most):
                    walls = await _walls(floors, full)
                write(OUT / "growth.json", {"steps": steps, "walls": walls})
                print(f"{handovers} handovers", file=sys.stderr)
        await admin.close()
    return {"steps": steps, "walls": walls}


async def _measured(settings: Settings, full: Crowd, floors: Floors, people: Iterator[int]) -> dict[str, Any]:
    for name, kind in floors.kinds.items():
        if not kind.uses_people:
            floors.kinds[name] = replace(kind, entity=full.stage.entity)
    watch = Watch(postmaster(await full.admin.fetchval("SELECT pg_backend_pid()")))
    cast, tokens = full.play.cast, full.play.tokens
    with service(settings) as served, stack() as (stack_port, stack_pid):
        watch.servers = [served, stack_pid]
        voices = Voices(full.stage, cast, tokens, full.play.usual, people)
        ports = settings.port, stack_port
        rounds = Rounds(PLAN, watch, voices, floors, ports, [[cast.center]])
        await floors.calibrate(PLAN.connections, verifying=full.handovers == STEPS[0])
        await rounds.run()
    return {
        **await _sizes(full.admin),
        **rounds.results(),
        "slowest_statements_ms": dict(floors.slowest),
    }


async def _fill(full: Crowd, handovers: int, url: str) -> dict[str, Any]:
    began = time.perf_counter()
    await full.grow(handovers, url)
    await full.admin.execute("VACUUM (ANALYZE)")
    await full.admin.execute("CHECKPOINT")
    return {
        "handovers": handovers,
        "organizations": 2 * full.organizations,
        "seconds_to_fill": round(time.perf_counter() - began, 1),
    }


async def _sizes(admin: asyncpg.Connection) -> dict[str, Any]:
    found = await admin.fetch("""
        SELECT relname, reltuples::bigint AS rows, pg_total_relation_size(oid) / 1000000 AS mb FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND reltuples > 0 ORDER BY 3 DESC LIMIT 8
    """)
    return {
        "database_mb": await admin.fetchval("SELECT pg_database_size(current_database()) / 1000000"),
        "tables": {row["relname"]: {"rows": row["rows"], "mb": row["mb"]} for row in found},
    }


async def _walls(floors: Floors, full: Crowd) -> dict[str, Any]:
    """What the statements take as the service, and as the owner of the tables, whom no policy holds."""
    center, today = full.play.cast.center, full.play.today
    begin = ["\\startpipeline", "BEGIN;", f"{Acting(center, today).sql};", "\\endpipeline"]
    page = Kind(Script([*begin, RECORDS_OF_A_PAGE, "COMMIT;"], {}, {"c0": str(center)}), ONE_EACH, {}, 0, 0)
    found = {}
    for name, bound in BOUNDS.items():
        kind = floors.kinds.get(name, page)
        walled, owner = kind.script, replace(kind.script, lines=[*map(_as_owner, kind.script.lines)])
        if walled.lines == owner.lines:
            raise ValueError(f"{name} names no role: nothing would be compared")
        taken: dict[bool, list[float]] = {True: [], False: []}
        for inside in (True, False) * 3:
            bench = Bench(floors.session, walled if inside else owner, kind.entity)
            floor = await bench.run(clients=1, base=floors.numbers(50 * BLOCK), blocks=50)
            taken[inside].append(sum(ms for text, ms in floor.statements.items() if text != "COMMIT;"))
        with_ms, without_ms = median(taken[True]), median(taken[False])
        found[name] = {
            "with_ms": round(with_ms, 3),
            "without_ms": round(without_ms, 3),
            "ratio": round(with_ms / without_ms, 3),
            "bound": bound,
        }
    return found


def _as_owner(line: str) -> str:
    """The statement that begins a transaction, without its role: it goes on as who has connected."""
    return re.sub(r"(?<=set_config\('role', ')\w+", "none", line)


def main() -> None:
    logs.configure("json", quiet=True)
    most = int(os.environ.get("GROWTH") or STEPS[-1])
    with ground("tsunagi-growth-") as settings:
        results = uvloop.run(grown(settings, most))
    for step in results["steps"]:
        for name, figures in step["service"].items():
            print(
                f"{step['handovers']:>9} {name:<18} {figures['rate']:>8.1f}/s  p99 {figures['p99_ms']:>8.2f} ms"
                f"  of floor {step['ratios'][name].get('of_floor', 0):.3f}"
            )
    for name, wall in results["walls"].items():
        print(f"row-level security, {name}: {wall['ratio']} times (bound {wall['bound']})")


if __name__ == "__main__":
    main()
