"""Reading and writing handovers."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    Uuid,
    select,
    text,
    tuple_,
)

from tsunagi.db import ReadTx, Write, WriteTx, fetch, metadata, send
from tsunagi.handovers.rules import DomainState, Handover, Status
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed

handovers = Table(
    "handovers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Uuid, ForeignKey("people.id"), nullable=False),
    Column("stream", Uuid, nullable=False, comment="the person's pseudonym in the ledger"),
    Column("sender_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("receiver_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("handover_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="of the record"),
    Column(
        "offered_versions",
        ARRAY(Integer),
        nullable=False,
        comment="of the record: those that were ever on offer",
    ),
    Column("revision", Integer, nullable=False, comment="counts every change"),
    Column(
        "changed_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("now()"),
        comment="when it became this revision",
    ),
    Column("same_corporation", Boolean, nullable=False),
    Column("area_code", Text, nullable=True),
    Column("planned_date", Date, nullable=False),
    Column("service_ends_on", Date, nullable=True),
    Column("hired_on", Date, nullable=True),
    Column("first_conference_on", Date, nullable=True),
    Column("shared_on", Date, nullable=True),
    Column("continuing_need", Boolean, nullable=True, comment="null: nobody has judged yet"),
    Column("employer_window_missing", Boolean, nullable=False),
    Column("employer_window_id", Uuid, nullable=True),
    Column("overlap_from", Date, nullable=True),
    Column("overlap_to", Date, nullable=True),
    Column("follow_up_until", Date, nullable=True),
    Column("window_opens_on", Date, nullable=False),
    Column("window_opened_at", DateTime(timezone=True), nullable=True, comment="set when opened early"),
    Column("window_announced", Boolean, nullable=False),
    Column("answer_due_on", Date, nullable=True),
    Column("due_on", Date, nullable=False, comment="by when something is next expected of somebody"),
    Column("clock_on", Date, nullable=True, comment="when the clock next has something to do"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("offered_at", DateTime(timezone=True), nullable=True),
    Column("received_at", DateTime(timezone=True), nullable=True),
    Column("answered_at", DateTime(timezone=True), nullable=True),
    Column("completed_at", DateTime(timezone=True), nullable=True),
    Column("domains", Text, nullable=False, comment="JSON"),
    Column("erased_at", DateTime(timezone=True), nullable=True, comment="what is left is a tombstone"),
    Column("data_key", LargeBinary, nullable=True),
    Column(
        "notes",
        Sealed,
        nullable=True,
        comment="sealed JSON: who is in charge at the receiver, the reason of the last decline, return or"
        " withdrawal, and those of answers",
    ),
    CheckConstraint("(notes IS NULL) = (data_key IS NULL)", name="notes"),
    CheckConstraint("sender_id <> receiver_id", name="parties"),
    CheckConstraint(
        "status IN ('draft', 'offered', 'received', 'returned', 'accepted', 'overlapping', 'completed',"
        " 'declined', 'withdrawn', 'expired')",
        name="status",
    ),
    Index("handovers_receiver_idx", "receiver_id", "due_on", "id"),
    Index("handovers_sender_idx", "sender_id", "due_on", "id"),
    Index("handovers_person_id_idx", "person_id"),
    Index("handovers_area_idx", "area_code", "person_id", postgresql_where=text("offered_at IS NOT NULL")),
    Index("handovers_clock_idx", "clock_on", postgresql_where=text("clock_on IS NOT NULL")),
)

COLUMNS = tuple(handovers.c.keys())
_SAID = COLUMNS[:-3]
"""All but the notes, the key that they are sealed under, and whether they were erased."""

revisions = Table(
    "handover_revisions",
    metadata,
    *(
        Column(
            one.name,
            one.type,
            nullable=one.nullable,
            primary_key=one.name in ("id", "revision"),
            autoincrement=False,
        )
        for one in handovers.columns
        if one.name in _SAID
    ),
    Index("handover_revisions_person_idx", "person_id", "id", "revision"),
    comment="kept by a trigger, whatever changes a handover",
)
_DOMAIN = tuple(field.name for field in fields(DomainState) if field.name != "reason")
_DATES = ("starts_on", "sender_primary_since", "accepted_from")


def _values(tx: ReadTx, handover: Handover) -> list[Any]:
    """A whole row, in the order of COLUMNS."""
    values = {name: getattr(handover, name) for name in _SAID}
    values["domains"] = _written([_members(one) for one in handover.domains])
    notes = _notes(handover)
    if not notes:
        return [*values.values(), handover.erased_at, None, None]
    key = keys(tx).fresh("handovers", handover.id)
    sealed = key.seal(_written(notes).encode(), "handovers", handover.id)
    return [*values.values(), handover.erased_at, key.wrapped, sealed]


def _notes(handover: Handover) -> dict[str, Any]:
    """What somebody has said in words of their own, or named somebody by; empty where nothing."""
    reasons = {one.domain: one.reason for one in handover.domains if one.reason is not None}
    said = {"person_in_charge": handover.person_in_charge, "reason": handover.reason, "reasons": reasons}
    return {name: value for name, value in said.items() if value}


def _members(domain: DomainState) -> dict[str, Any]:
    return {name: value for name in _DOMAIN if (value := getattr(domain, name)) is not None}


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=date.isoformat)


def read_row(tx: ReadTx, row: Mapping[str, Any]) -> Handover:
    """The handover that a whole row of the table is."""
    return _handover(row, _opened(tx, row["id"], row["data_key"], row["notes"]) if row["notes"] else {})


def _opened(tx: ReadTx, handover_id: HandoverId, data_key: bytes, notes: bytes) -> dict[str, Any]:
    key = keys(tx).opened(data_key, "handovers", handover_id)
    found: dict[str, Any] = json.loads(key.unseal(notes, "handovers", handover_id))
    return found


def _handover(row: Mapping[str, Any], notes: dict[str, Any]) -> Handover:
    values = {name: row[name] for name in _SAID}
    reasons = notes.pop("reasons", {})
    values["domains"] = tuple(
        _domain(one, reasons.get(one["domain"])) for one in json.loads(values["domains"])
    )
    return Handover(**values, **notes, erased_at=row.get("erased_at"))


def _domain(members: dict[str, Any], reason: Mapping[str, str] | None) -> DomainState:
    for name in _DATES:
        if name in members:
            members[name] = date.fromisoformat(members[name])
    return DomainState(**members, reason=reason)


_KNOWN = f"""
    SELECT DISTINCT ON (id) {", ".join(_SAID)} FROM handover_revisions
    WHERE person_id = ANY ($1) AND changed_at <= $2 ORDER BY id, revision DESC
"""  # noqa: S608  nothing but the names of columns is put in


async def known(tx: ReadTx, person_ids: Collection[PersonId], known_at: datetime) -> list[Handover]:
    """These people's handovers as they were at that moment, without their notes."""
    return [_handover(row, {}) for row in await fetch(tx, _KNOWN, list(person_ids), known_at)]


async def select_all(tx: ReadTx, query: Select[Any]) -> list[Handover]:
    """The handovers whose whole rows a query selects, without their notes: whoever asks for many looks at dates."""
    return [_handover(row, {}) for row in (await tx.execute(query)).mappings()]


_FIND = f"SELECT {', '.join(COLUMNS)} FROM handovers WHERE id = $1"  # noqa: S608  only names of ours


async def find(tx: ReadTx, handover_id: HandoverId) -> Handover | None:
    return next((read_row(tx, row) for row in await fetch(tx, _FIND, handover_id)), None)


async def lock(tx: WriteTx, handover_id: HandoverId) -> Handover | None:
    """The handover as it is now, held until the transaction ends: racing answers come one after another. Whoever only
    points to it, as a record of provision does, goes on: they hold the person's stream, which comes after it."""
    return next(
        (read_row(tx, row) for row in await fetch(tx, _FIND + " FOR NO KEY UPDATE", handover_id)), None
    )


async def hold(tx: WriteTx, handover_ids: Iterable[HandoverId]) -> None:
    """These handovers are held until the transaction ends, taken in one order, as whoever needs several does."""
    rows = select(handovers.c.id).where(handovers.c.id.in_(handover_ids)).order_by(handovers.c.id)
    await tx.execute(rows.with_for_update(key_share=True))


async def due(tx: WriteTx, today: date, *, after: tuple[date | None, HandoverId] | None) -> Handover | None:
    """The next handover, behind the key `after`, for which the clock has something to do; held until the
    transaction ends. Those that others hold are passed over."""
    query = select(handovers.c.id).where(handovers.c.clock_on <= today)
    if after is not None:
        query = query.where(tuple_(handovers.c.clock_on, handovers.c.id) > after)
    in_order = query.order_by(handovers.c.clock_on, handovers.c.id).limit(1)
    found = await tx.scalar(in_order.with_for_update(key_share=True, skip_locked=True))
    return await find(tx, HandoverId(found)) if found else None


_PULLABLE = """
    SELECT coalesce(array_agg(id), '{}') AS ids FROM (
        SELECT id FROM handovers WHERE sender_id = $1 AND erased_at IS NULL
        UNION ALL
        SELECT id FROM handovers
        WHERE receiver_id = $1 AND erased_at IS NULL AND offered_at IS NOT NULL AND status = ANY ($2)
            AND (window_opens_on <= $3 OR window_opened_at IS NOT NULL)
    ) AS sides
"""


async def pullable(
    tx: ReadTx, organization_id: OrganizationId, statuses: Collection[str], *, today: date
) -> list[HandoverId]:
    """What the organization has sent, and what comes in to it in these states and is open."""
    ((ids,),) = await fetch(tx, _PULLABLE, organization_id, sorted(statuses), today)
    return ids  # type: ignore[no-any-return]  # asyncpg is not typed


class Pulled(NamedTuple):
    """What must be known of a handover before its content is looked at. Members are named as the columns."""

    id: HandoverId
    stream: Stream
    status: Status
    receiver_id: OrganizationId


_PULLED = f"""
    SELECT {", ".join(Pulled._fields)} FROM handovers WHERE id = ANY ($1)
"""  # noqa: S608  nothing but the names of columns is put in


async def pulled(tx: ReadTx, handover_ids: Sequence[HandoverId]) -> list[Pulled]:
    return [Pulled._make(row) for row in await fetch(tx, _PULLED, handover_ids)]


_PLACES = [f"${place}" for place in range(1, len(COLUMNS) + 1)]
_INSERT = f"INSERT INTO handovers ({', '.join(COLUMNS)}) VALUES ({', '.join(_PLACES)})"  # noqa: S608  only names of ours
# Without the key: a statement that names it holds the row even against those who only point to it.
_UPDATE = f"UPDATE handovers SET ({', '.join(COLUMNS[1:])}) = ROW ({', '.join(_PLACES[1:])}) WHERE id = $1"  # noqa: S608  only names of ours


def inserting(tx: ReadTx, handover: Handover) -> Write:
    """A new row."""
    return Write(_INSERT, tuple(_values(tx, handover)))


def saving(tx: ReadTx, at: datetime, handover: Handover) -> tuple[Handover, Write]:
    """The handover one revision further, and what makes the row so."""
    saved = replace(handover, revision=handover.revision + 1, changed_at=at)
    return saved, Write(_UPDATE, tuple(_values(tx, saved)))


async def save(tx: WriteTx, at: datetime, handover: Handover) -> Handover:
    """The row is as given, one revision further; what it was until then is kept."""
    saved, write = saving(tx, at, handover)
    await send(tx, write)
    return saved
