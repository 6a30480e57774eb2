"""Reading and writing handovers."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from tsunagi.db import ReadTx, WriteTx, metadata
from tsunagi.handovers.rules import DomainState, Handover
from tsunagi.ids import HandoverId, OrganizationId

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
    Column("revision", Integer, nullable=False, comment="counts every change"),
    Column("same_corporation", Boolean, nullable=False),
    Column("area_code", Text, nullable=True),
    Column("planned_date", Date, nullable=False),
    Column("service_ends_on", Date, nullable=True),
    Column("hired_on", Date, nullable=True),
    Column("first_conference_on", Date, nullable=True),
    Column("shared_on", Date, nullable=True),
    Column("continuing_need", Boolean, nullable=False),
    Column("employer_window_missing", Boolean, nullable=False),
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
    Column("person_in_charge", Text, nullable=True, comment="JSON: at the receiver"),
    Column("reason", Text, nullable=True, comment="JSON: of the last decline, return or withdrawal"),
    CheckConstraint("sender_id <> receiver_id", name="parties"),
    CheckConstraint(
        "status IN ('draft', 'offered', 'received', 'returned', 'accepted', 'overlapping', 'completed',"
        " 'declined', 'withdrawn', 'expired')",
        name="status",
    ),
    Index("handovers_receiver_idx", "receiver_id", "due_on", "id"),
    Index("handovers_sender_idx", "sender_id", "due_on", "id"),
    Index("handovers_person_id_idx", "person_id"),
    Index("handovers_clock_idx", "clock_on", postgresql_where=text("clock_on IS NOT NULL")),
)

domains = Table(
    "handover_domains",
    metadata,
    Column("handover_id", Uuid, ForeignKey("handovers.id"), primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("receiver_role", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("sender_role_after", Text, nullable=False),
    Column("sender_primary_since", Date, nullable=True),
    Column("basis", Text, nullable=True),
    Column("decision", Text, nullable=False),
    Column("accepted_role", Text, nullable=True),
    Column("accepted_from", Date, nullable=True),
    Column("reason", Text, nullable=True, comment="JSON"),
    CheckConstraint("decision IN ('pending', 'accept', 'decline', 'left_with_sender')", name="decision"),
    CheckConstraint(
        "(decision = 'accept') = (accepted_role IS NOT NULL AND accepted_from IS NOT NULL)", name="accepted"
    ),
)


_JSON = ("person_in_charge", "reason")


def _columns(handover: Handover) -> dict[str, Any]:
    values = {name: getattr(handover, name) for name in handovers.c.keys()}  # noqa: SIM118  a column collection
    for name in _JSON:
        values[name] = None if values[name] is None else json.dumps(values[name], ensure_ascii=False)
    return values


def _handover(row: Any, domain_rows: Sequence[Any]) -> Handover:
    values = dict(row)
    for name in _JSON:
        values[name] = None if values[name] is None else json.loads(values[name])
    return Handover(**values, domains=tuple(_domain(one) for one in domain_rows))


def _domain(row: Any) -> DomainState:
    values = dict(row)
    values.pop("handover_id")
    values["reason"] = None if values["reason"] is None else json.loads(values["reason"])
    return DomainState(**values)


async def with_domains(tx: ReadTx, query: Select[Any]) -> list[Handover]:
    rows = (await tx.execute(query)).mappings().all()
    of: dict[HandoverId, list[Any]] = {row["id"]: [] for row in rows}
    if of:
        found = await tx.execute(
            select(domains).where(domains.c.handover_id.in_(of)).order_by(domains.c.domain)
        )
        for row in found.mappings():
            of[row["handover_id"]].append(row)
    return [_handover(row, of[row["id"]]) for row in rows]


async def find(tx: ReadTx, handover_id: HandoverId) -> Handover | None:
    found = await with_domains(tx, select(handovers).where(handovers.c.id == handover_id))
    return found[0] if found else None


async def lock(tx: WriteTx, handover_id: HandoverId) -> Handover | None:
    """The handover as it is now, held until the transaction ends: racing answers come one after another."""
    await tx.execute(select(handovers.c.id).where(handovers.c.id == handover_id).with_for_update())
    return await find(tx, handover_id)


async def hold(tx: WriteTx, handover_ids: Iterable[HandoverId]) -> None:
    """These handovers are held until the transaction ends, taken in one order, as whoever needs several does."""
    rows = select(handovers.c.id).where(handovers.c.id.in_(handover_ids)).order_by(handovers.c.id)
    await tx.execute(rows.with_for_update())


async def due(tx: WriteTx, today: date, *, after: tuple[date | None, HandoverId] | None) -> Handover | None:
    """The next handover, behind the key `after`, for which the clock has something to do; held until the
    transaction ends. Those that others hold are passed over."""
    query = select(handovers.c.id).where(handovers.c.clock_on <= today)
    if after is not None:
        query = query.where(tuple_(handovers.c.clock_on, handovers.c.id) > after)
    in_order = query.order_by(handovers.c.clock_on, handovers.c.id).limit(1)
    found = await tx.scalar(in_order.with_for_update(skip_locked=True))
    return await find(tx, HandoverId(found)) if found else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of an organization's handovers to list."""

    direction: str | None = None
    statuses: Sequence[str] = ()
    due_before: date | None = None
    window: str | None = None
    area: str | None = None


async def listing(
    tx: ReadTx,
    organization_id: OrganizationId,
    wanted: Filter,
    *,
    today: date,
    after: tuple[date, HandoverId] | None,
    limit: int,
) -> list[Handover]:
    """The organization's handovers in the order in which something is due, behind the key `after`."""
    query = select(handovers).where(*_conditions(organization_id, wanted, today))
    if after is not None:
        query = query.where(tuple_(handovers.c.due_on, handovers.c.id) > after)
    return await with_domains(tx, query.order_by(handovers.c.due_on, handovers.c.id).limit(limit))


async def pullable(
    tx: ReadTx,
    organization_id: OrganizationId,
    statuses: Collection[str],
    *,
    today: date,
    after: HandoverId | None,
    limit: int,
) -> list[Handover]:
    """What the organization has sent, and what comes in to it in these states and is open; by id, behind `after`."""
    wanted = Filter(direction="incoming", statuses=sorted(statuses), window="open")
    incoming = and_(*_conditions(organization_id, wanted, today))
    query = select(handovers).where(or_(handovers.c.sender_id == organization_id, incoming))
    if after is not None:
        query = query.where(handovers.c.id > after)
    return await with_domains(tx, query.order_by(handovers.c.id).limit(limit))


def _conditions(organization_id: OrganizationId, wanted: Filter, today: date) -> list[Any]:
    incoming = and_(handovers.c.receiver_id == organization_id, handovers.c.offered_at.is_not(None))
    outgoing = handovers.c.sender_id == organization_id
    found: list[Any] = [
        {"incoming": incoming, "outgoing": outgoing}.get(wanted.direction or "", incoming | outgoing)
    ]
    if wanted.statuses:
        found.append(handovers.c.status.in_(wanted.statuses))
    if wanted.due_before is not None:
        found.append(handovers.c.due_on < wanted.due_before)
    if wanted.area is not None:
        found.append(handovers.c.area_code == wanted.area)
    if wanted.window is not None:
        is_open = or_(handovers.c.window_opens_on <= today, handovers.c.window_opened_at.is_not(None))
        found.append(is_open if wanted.window == "open" else ~is_open)
    return found


async def save(tx: WriteTx, handover: Handover) -> Handover:
    """The row and its domains are as given, one revision further."""
    saved = replace(handover, revision=handover.revision + 1)
    values = _columns(saved)
    await tx.execute(
        insert(handovers).values(values).on_conflict_do_update(index_elements=["id"], set_=values)
    )
    rows = [
        {
            "handover_id": saved.id,
            **{name: getattr(domain, name) for name in domains.c.keys() if name != "handover_id"},  # noqa: SIM118  a column collection
            "reason": None if domain.reason is None else json.dumps(domain.reason, ensure_ascii=False),
        }
        for domain in saved.domains
    ]
    await tx.execute(domains.delete().where(domains.c.handover_id == saved.id))
    await tx.execute(domains.insert(), rows)
    return saved
