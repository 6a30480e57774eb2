"""The feed's table. An event is written with the change it tells of and numbered when its organization reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    select,
    text,
)

from tsunagi.clock import JAPAN
from tsunagi.db import Write, WriteTx, columns, metadata, send
from tsunagi.ids import ConsentId, HandoverId, OrganizationId, PersonId, ordered_id

EventType = Literal[
    "handover.offered",
    "handover.opened",
    "handover.amended",
    "handover.received",
    "handover.accepted",
    "handover.declined",
    "handover.returned",
    "handover.withdrawn",
    "handover.expired",
    "handover.overlapping",
    "handover.completed",
    "handover.window_opened",
    "handover.activity_recorded",
    "handover.activity_withdrawn",
    "consent.withdrawn",
    "responsibility.changed",
]

events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("position", BigInteger, nullable=True, comment="place in the organization's feed, from 1"),
    Column("type", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("handover_id", Uuid, nullable=True),
    Column("consent_id", Uuid, nullable=True),
    Column("person_id", Uuid, nullable=True, comment="where it is about no handover and no consent"),
    Column("status", Text, nullable=True, comment="the handover's status after the event"),
    UniqueConstraint("organization_id", "position"),
    Index("events_unnumbered_idx", "organization_id", postgresql_where=text("position IS NULL")),
)

# Numbers are given in the order of reading, under a lock of the organization's own: a feed has no holes and an
# event that commits late still comes after the reader's cursor.
_lock_feed = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('events:' || CAST(:organization AS uuid), 0))"
)
_number = text("""
    WITH newest AS (SELECT coalesce(max(position), 0) AS position FROM events WHERE organization_id = :organization),
         fresh AS (
             SELECT id, row_number() OVER (ORDER BY at, id) AS n FROM events
             WHERE organization_id = :organization AND position IS NULL
         )
    UPDATE events SET position = newest.position + fresh.n FROM newest, fresh WHERE events.id = fresh.id
""")


@dataclass(frozen=True, slots=True)
class Event:
    organization_id: OrganizationId
    type: EventType
    at: datetime
    handover_id: HandoverId | None = None
    consent_id: ConsentId | None = None
    person_id: PersonId | None = None
    status: str | None = None
    id: UUID = field(default_factory=ordered_id)
    position: int | None = None

    def document(self) -> dict[str, object]:
        """As its organization is told of it (`schemas/event.json`)."""
        members = {
            "position": self.position,
            "id": str(self.id),
            "type": self.type,
            "at": self.at.astimezone(JAPAN).isoformat(),
            "handoverId": self.handover_id and str(self.handover_id),
            "consentId": self.consent_id and str(self.consent_id),
            "personId": self.person_id and str(self.person_id),
            "status": self.status,
        }
        return {name: value for name, value in members.items() if value is not None}


_TELL = """
    INSERT INTO events (id, organization_id, type, at, handover_id, consent_id, person_id, status)
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[])
"""


async def append(tx: WriteTx, *new: Event) -> None:
    """Each organization finds its events in its feed once `tx` has committed."""
    if new:
        await send(tx, telling(new))


def telling(new: Iterable[Event]) -> Write:
    rows = [
        (
            *(one.id, one.organization_id, one.type, one.at),
            *(one.handover_id, one.consent_id, one.person_id, one.status),
        )
        for one in new
    ]
    return Write(_TELL, columns(rows))


async def newest(tx: WriteTx, organization_id: OrganizationId) -> int:
    """The position of the organization's newest event; 0 where there is none."""
    await _number_all(tx, organization_id)
    found = await tx.scalar(
        select(func.max(events.c.position)).where(events.c.organization_id == organization_id)
    )
    return found or 0


async def feed(tx: WriteTx, organization_id: OrganizationId, *, after: int, limit: int) -> Sequence[Event]:
    """The organization's events behind position `after`, oldest first."""
    await _number_all(tx, organization_id)
    rows = await tx.execute(
        select(events)
        .where(events.c.organization_id == organization_id, events.c.position > after)
        .order_by(events.c.position)
        .limit(limit)
    )
    return [Event(**row._mapping) for row in rows]


async def _number_all(tx: WriteTx, organization_id: OrganizationId) -> None:
    await tx.execute(_lock_feed, {"organization": organization_id})
    await tx.execute(_number, {"organization": organization_id})
