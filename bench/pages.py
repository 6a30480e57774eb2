"""`python -m bench.pages`: what a page takes, and how many times what the contract's own answer takes that it shows.
Writes bench/out/pages.json; `make bench` has the same under `pages`.

The application answers in this process, without a client around it; a center has 10,000 open handovers, and a person
1,000 intervals.
"""

import gc
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg

from bench.asking import Asking
from bench.play import play
from bench.processes import alone
from bench.stage import Stage, staged
from tsunagi.cli.context import database
from tsunagi.db import Database
from tsunagi.ids import OrganizationId, ordered_id
from tsunagi.settings import Settings
from tsunagi.staff import store
from tsunagi.staff.rules import Member

HANDOVERS, INTERVALS = 10_000, 1_000
WITHIN_MS = 100.0
ROUNDS, EACH = 15, 5
TOKEN = "session-of-the-bench"


async def measured(settings: Settings) -> dict[str, Any]:
    admin = await asyncpg.connect(settings.database_url)
    async with database(settings) as db, play(settings, db) as acted:
        stage = await staged(admin, acted, ready=4, handovers=HANDOVERS)
        person_id = await _long_life(admin, stage)
        await admin.execute("VACUUM (ANALYZE)")
        asking = Asking(acted)
        await _signed_in(db, OrganizationId(UUID(str(acted.cast.center))))
        found = {
            name: await _compared(asking, acted.cast.center, page, operation)
            for name, (page, operation) in _pages(stage, person_id).items()
        }
    await admin.close()
    return found


async def _long_life(admin: asyncpg.Connection, stage: Stage) -> UUID:
    """The person of a handover has been held by two organizations in turn, INTERVALS times; who that is."""
    person_id = UUID(stage.person(next(stage.spread())))
    await admin.execute("SET session_replication_role = replica")
    await admin.execute(_ONE_VERSION_MORE, person_id, INTERVALS)
    await admin.execute("RESET session_replication_role")
    return person_id


_ONE_VERSION_MORE = """
    WITH newest AS (
        SELECT v.*, h.sender_id, h.receiver_id FROM responsibility_versions v
        JOIN handovers h ON h.person_id = v.person_id
        WHERE v.person_id = $1 AND v.domain = 'employment' ORDER BY v.version DESC LIMIT 1
    ), added AS (
        INSERT INTO responsibility_versions (person_id, domain, version, previous_version, recorded_at, recorded_by,
            reason, effective_on, open_end)
        SELECT person_id, domain, version + 1, version, now(), recorded_by, 'opened', '2024-04-01', 'infinity'
        FROM newest
    )
    INSERT INTO responsibility_segments (person_id, domain, version, valid_from, valid_to, previous_to, organization_id)
    SELECT person_id, domain, version + 1, date '2024-04-01' + 3 * n,
        CASE WHEN n < $2 - 1 THEN date '2024-04-01' + 3 * (n + 1) ELSE 'infinity' END,
        CASE WHEN n > 0 THEN date '2024-04-01' + 3 * n END,
        CASE n % 2 WHEN 0 THEN sender_id ELSE receiver_id END
    FROM newest, generate_series(0, $2::integer - 1) n
"""


def _pages(stage: Stage, person_id: UUID) -> dict[str, tuple[str, str]]:
    """Each page with the operation whose answer it shows."""
    numbers = stage.spread()
    handover = stage.handover(next(numbers))
    return {
        "timeline": (f"/people/{person_id}/responsibility", f"/v1/people/{person_id}/responsibility"),
        "coming": ("/coming", "/v1/handovers?direction=incoming&limit=50"),
        "record": (f"/handovers/{handover}", f"/v1/handovers/{handover}"),
    }


async def _signed_in(db: Database, organization_id: OrganizationId) -> None:
    now = datetime.now(UTC)
    member = Member(ordered_id(), organization_id, "worker@bench.example", "計測", "worker")
    async with db.platform() as tx:
        await store.add(tx, now, member, password_hash="none", code_secret="none")
        await store.begin(tx, now, member, TOKEN)


async def _compared(asking: Asking, who: Any, page: str, operation: str) -> dict[str, Any]:
    """Both in turn, so that whatever else the machine does is shared."""
    pages, operations = [], []
    for _ in range(ROUNDS):
        gc.collect()
        gc.disable()
        pages.append(await _seconds(lambda: asking.look(TOKEN, page)))
        operations.append(await _seconds(lambda: asking.ask(who, "GET", operation)))
        gc.enable()
    ratios = [one / other for one, other in zip(pages, operations, strict=True)]
    return {
        "page_ms": round(median(pages) * 1000, 2),
        "operation_ms": round(median(operations) * 1000, 2),
        "ratio": round(median(ratios), 2),
        "within_ms": WITHIN_MS,
    }


async def _seconds(asked: Callable[[], Awaitable[bytes]]) -> float:
    began = time.perf_counter()
    for _ in range(EACH):
        await asked()
    return (time.perf_counter() - began) / EACH


def said(results: dict[str, Any]) -> str:
    """A line for each page."""
    return "\n".join(
        f"page, {name}: {one['page_ms']} ms (within {one['within_ms']}), {one['ratio']} times its operation's answer"
        for name, one in results.items()
    )


if __name__ == "__main__":
    results = alone("pages", measured)
    print(said(results))
    sys.exit(any(figures["page_ms"] > WITHIN_MS for figures in results.values()))
