"""Export against COPY: the texts of the same records out of the same tables, by the same role, in one statement each.

This is the one place that names tables: COPY has no counterpart among the service's statements.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from bench.capture import Session
from tsunagi.clock import civil_date
from tsunagi.db import Acting
from tsunagi.ids import OrganizationId

RECORDS = """
    SELECT v.header FROM handovers h JOIN record_versions v ON v.handover_id = h.id AND v.version = h.version
    WHERE h.receiver_id = '{receiver}'
    UNION ALL
    SELECT s.document FROM handovers h JOIN record_sections s ON s.handover_id = h.id AND s.version = h.version
    WHERE h.receiver_id = '{receiver}'
"""


@dataclass(frozen=True)
class Copied:
    bytes: int
    seconds: float


async def copied(session: Session, receivers: Sequence[OrganizationId]) -> Copied:
    """Each receiver's records by COPY, all at once, each on a connection of its own."""
    connections = [await session.connect() for _ in receivers]
    began = time.perf_counter()
    sizes = await asyncio.gather(*map(_copy, connections, receivers))
    seconds = time.perf_counter() - began
    for one in connections:
        await one.close()
    return Copied(sum(sizes), seconds)


async def _copy(connection: asyncpg.Connection, receiver: OrganizationId) -> int:
    size = 0

    async def count(data: bytes) -> None:
        nonlocal size
        size += len(data)

    await connection.execute(f"BEGIN; {Acting(receiver, civil_date(datetime.now(UTC))).sql}")
    await connection.copy_from_query(RECORDS.format(receiver=receiver), output=count, format="binary")
    await connection.execute("COMMIT")
    return size
