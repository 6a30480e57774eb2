"""`python -m bench.pages`: what a page takes, and how many times what the contract's own answer takes that it shows.
Writes bench/out/pages.json.

The application answers in this process, without a client around it; a center has 10,000 open handovers.
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
import uvloop

from bench.play import play
from bench.processes import ROOT, ground, own_database, write
from bench.sealing import Asking
from bench.stage import Stage, staged
from tsunagi import logs
from tsunagi.cli.context import database
from tsunagi.db import Database
from tsunagi.ids import OrganizationId, ordered_id
from tsunagi.settings import Settings
from tsunagi.staff import store
from tsunagi.staff.rules import Member

OUT = ROOT / "bench" / "out" / "pages.json"
HANDOVERS = 10_000
WITHIN_MS = 100.0
ROUNDS, EACH = 15, 5
TOKEN = "session-of-the-bench"


async def measured(settings: Settings) -> dict[str, Any]:
    admin = await asyncpg.connect(settings.database_url)
    async with database(settings) as db, play(settings, db) as acted:
        stage = await staged(admin, acted, ready=4, handovers=HANDOVERS)
        await admin.execute("VACUUM (ANALYZE)")
        asking = Asking(acted, acted.http._transport.app)  # type: ignore[attr-defined]  # httpx2 has no public name for it
        await _signed_in(db, OrganizationId(UUID(str(acted.cast.center))))
        found = {
            name: await _compared(asking, acted.cast.center, page, operation)
            for name, (page, operation) in _pages(stage).items()
        }
    await admin.close()
    return found


def _pages(stage: Stage) -> dict[str, tuple[str, str]]:
    """Each page with the operation whose answer it shows."""
    numbers = stage.spread()
    handover = stage.handover(next(numbers))
    return {
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


async def run(settings: Settings) -> dict[str, Any]:
    async with own_database(settings) as own:
        return await measured(own)


def said(results: dict[str, Any]) -> str:
    """A line for each page."""
    return "\n".join(
        f"page, {name}: {one['page_ms']} ms (within {one['within_ms']}), {one['ratio']} times its operation's answer"
        for name, one in results.items()
    )


def main() -> None:
    logs.configure("json", quiet=True)
    with ground("tsunagi-pages-") as settings:
        results = uvloop.run(run(settings))
    write(OUT, results)
    print(said(results))
    sys.exit(any(figures["page_ms"] > WITHIN_MS for figures in results.values()))


if __name__ == "__main__":
    main()
