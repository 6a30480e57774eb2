"""Entries with their place in the log. Row security decides which of them the acting organization sees."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from tsunagi.audit.rules import Kept
from tsunagi.db import ReadTx, fetch
from tsunagi.ids import HandoverId, OrganizationId, Stream
from tsunagi.ledger.rules import Action, Outcome

NOTHING, EVERYTHING = UUID(int=0), UUID(int=2**128 - 1)
"""Before every entry, and behind."""

MOST_OF_A_HANDOVER = 10_000

_COLUMNS = """
    e.id, e.recorded_at, e.stream, e.number, e.commitment, l.position, c.action, c.outcome, c.organization_id,
    c.salt, c.body, CAST(CAST(c.body AS json) #>> '{record,version}' AS integer) AS version
"""

_OF_HANDOVER = f"""
    SELECT {_COLUMNS}
    FROM ledger_contents c JOIN ledger_entries e ON e.id = c.id LEFT JOIN log_entries l ON l.entry_id = e.id
    WHERE c.record_id = $1 ORDER BY e.id LIMIT $2
"""  # noqa: S608  nothing but the names of columns is put in

Source = Literal["stream", "record", "organization", "everything"]

_SOURCES: Mapping[Source, str] = {
    "stream": "(SELECT * FROM ledger_entries WHERE stream = $8) e LEFT JOIN ledger_contents c ON c.id = e.id",
    "record": "(SELECT * FROM ledger_contents WHERE record_id = $8) c JOIN ledger_entries e ON e.id = c.id",
    "organization": """
        (SELECT * FROM ledger_contents WHERE organization_id = $8 AND id > $1) c
        JOIN ledger_entries e ON e.id = c.id
    """,
    "everything": """
        (SELECT * FROM ledger_entries WHERE id > $1 ORDER BY id LIMIT $8) e JOIN ledger_contents c ON c.id = e.id
    """,
}
_FOUND: Mapping[Source, str] = {
    name: f"""
        SELECT {_COLUMNS}
        FROM {source} LEFT JOIN log_entries l ON l.entry_id = e.id
        WHERE e.id > $1 AND e.id <= $9
            AND ($3::text IS NULL OR c.action = $3) AND ($4::text IS NULL OR c.outcome = $4)
            AND ($5::uuid IS NULL OR c.organization_id = $5)
            AND ($6::timestamptz IS NULL OR e.recorded_at >= $6)
            AND ($7::timestamptz IS NULL OR e.recorded_at < $7)
            AND ($10::text IS NULL OR c.record_id = $10)
        ORDER BY e.id LIMIT $2
    """  # noqa: S608  nothing but what stands above is put in
    for name, source in _SOURCES.items()
}
_NEWEST = "SELECT id FROM ledger_entries ORDER BY id DESC LIMIT 1"
_REACHED = """
    SELECT count(*) AS looked, (array_agg(id ORDER BY id DESC))[1] AS last
    FROM (SELECT id FROM ledger_entries WHERE id > $1 ORDER BY id LIMIT $2) AS batch
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of entries behind `after`, up to `last`; what is None is not asked for."""

    after: UUID
    last: UUID
    limit: int
    action: Action | None = None
    outcome: Outcome | None = None
    organization_id: OrganizationId | None = None
    since: datetime | None = None
    until: datetime | None = None
    record_id: str | None = None


async def of_handover(tx: ReadTx, handover_id: HandoverId) -> list[Kept]:
    """The entries about a handover, oldest first."""
    return [_kept(row) for row in await fetch(tx, _OF_HANDOVER, str(handover_id), MOST_OF_A_HANDOVER)]


async def find(tx: ReadTx, wanted: Wanted, source: Source, key: Any) -> list[Kept]:
    """Entries in the order in which they were written. `key`: the stream, record or organization; of everything, how
    many entries are looked at."""
    asked = (
        *(wanted.after, wanted.limit, wanted.action, wanted.outcome, wanted.organization_id),
        *(wanted.since, wanted.until, key, wanted.last, wanted.record_id),
    )
    return [_kept(row) for row in await fetch(tx, _FOUND[source], *asked)]


async def knows_stream(tx: ReadTx, stream: Stream) -> bool:
    """Whether it is of somebody whom the acting organization may look at."""
    return bool(await fetch(tx, "SELECT FROM people WHERE stream = $1", stream))


async def newest(tx: ReadTx) -> UUID:
    """The entry that was written last; NOTHING before the first."""
    return next((row["id"] for row in await fetch(tx, _NEWEST)), NOTHING)


async def reached(tx: ReadTx, after: UUID, batch: int) -> UUID | None:
    """The entry at which a look at so many ends; None where there is nothing behind it."""
    ((looked, last),) = await fetch(tx, _REACHED, after, batch)
    return last if looked == batch else None


def _kept(row: Mapping[str, Any]) -> Kept:
    return Kept(**dict(row))
