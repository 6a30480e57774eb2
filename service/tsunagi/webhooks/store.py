"""Webhooks with their sealed secrets, and deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)

from tsunagi.db import ReadTx, WriteTx, columns, fetch, metadata
from tsunagi.ids import OrganizationId
from tsunagi.notifications.store import Event
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed
from tsunagi.webhooks.rules import TEST, Delivery, DeliveryStatus, Webhook, WebhookStatus

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column(
        "position", BigInteger, nullable=False, comment="in the feed: what is behind it is no delivery yet"
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("rotated_at", DateTime(timezone=True), nullable=True),
    Column("data_key", LargeBinary, nullable=False),
    Column(
        "secrets",
        Sealed,
        nullable=False,
        comment="sealed: what messages are signed with, and after a space what they were signed with before",
    ),
    CheckConstraint("status IN ('active', 'paused', 'disabled')", name="status"),
)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("webhook_id", Uuid, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column(
        "event_id",
        Uuid,
        ForeignKey("events.id", ondelete="CASCADE"),
        nullable=True,
        index=True,
        comment="null: a test",
    ),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False, index=True),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column(
        "leased_until",
        DateTime(timezone=True),
        nullable=True,
        comment="until then one process has it to send",
    ),
    Column("tried_at", DateTime(timezone=True), nullable=True),
    Column("outcome", Text, nullable=True),
    Column("answer", Integer, nullable=True, comment="the HTTP status"),
    CheckConstraint("status IN ('waiting', 'delivered', 'failed')", name="status"),
    Index("webhook_deliveries_webhook_id_idx", "webhook_id", "id"),
    Index(
        "webhook_deliveries_open_idx",
        "webhook_id",
        "status",
        "due_at",
        postgresql_where=text("status <> 'delivered'"),
    ),
)

_WEBHOOK = "w.id, w.organization_id, w.url, w.status, w.created_at, w.rotated_at"
_DELIVERY = (
    "d.id, d.webhook_id, coalesce(d.event_id, d.id), coalesce(e.type, '" + TEST + "'), d.status, d.attempts,"
    " d.created_at, d.due_at, d.tried_at, d.outcome, d.answer"
)
_FROM = "webhook_deliveries d LEFT JOIN events e ON e.id = d.event_id"


async def add(tx: WriteTx, webhook: Webhook, *, position: int, secret: str) -> None:
    key = keys(tx).fresh("webhooks", webhook.id)
    await fetch(
        tx,
        "INSERT INTO webhooks (id, organization_id, url, status, created_at, position, data_key, secrets)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(webhook.id, webhook.organization_id, webhook.url, webhook.status, webhook.created_at, position),
        *(key.wrapped, key.seal(secret.encode(), "webhooks", webhook.id)),
    )


async def of_organization(
    tx: ReadTx, organization_id: OrganizationId, webhook_id: UUID | None = None
) -> list[Webhook]:
    """The organization's webhooks, or the one of that id, the oldest first."""
    found = await fetch(
        tx,
        f"""
        SELECT {_WEBHOOK},
            (SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.status = 'waiting'),
            (SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.status = 'failed')
        FROM webhooks w WHERE w.organization_id = $1 AND ($2::uuid IS NULL OR w.id = $2) ORDER BY w.id
        """,  # noqa: S608  only names of ours
        organization_id,
        webhook_id,
    )
    return [Webhook(*row) for row in found]


async def change_status(tx: WriteTx, webhook_id: UUID, status: WebhookStatus) -> None:
    await fetch(tx, "UPDATE webhooks SET status = $2 WHERE id = $1", webhook_id, status)


async def change_secret(tx: WriteTx, webhook_id: UUID, secret: str, at: datetime) -> None:
    """The webhook has this secret, and its present one as the previous one."""
    ((data_key, sealed),) = await fetch(
        tx, "SELECT data_key, secrets FROM webhooks WHERE id = $1 FOR NO KEY UPDATE", webhook_id
    )
    present, *_ = _opened(tx, webhook_id, data_key, sealed)
    key = keys(tx).fresh("webhooks", webhook_id)
    await fetch(
        tx,
        "UPDATE webhooks SET data_key = $2, secrets = $3, rotated_at = $4 WHERE id = $1",
        *(webhook_id, key.wrapped, key.seal(f"{secret} {present}".encode(), "webhooks", webhook_id), at),
    )


def _opened(tx: ReadTx, webhook_id: UUID, data_key: bytes, sealed: bytes) -> list[str]:
    key = keys(tx).opened(data_key, "webhooks", webhook_id)
    return key.unseal(sealed, "webhooks", webhook_id).decode().split(" ")


async def remove(tx: WriteTx, webhook_id: UUID) -> None:
    await fetch(tx, "DELETE FROM webhooks WHERE id = $1", webhook_id)


async def add_test(tx: WriteTx, webhook: Webhook, delivery_id: UUID, at: datetime) -> None:
    await _add(tx, webhook.id, webhook.organization_id, [(delivery_id, None)], at)


async def _add(
    tx: WriteTx,
    webhook_id: UUID,
    organization_id: OrganizationId,
    new: Sequence[tuple[UUID, UUID | None]],
    at: datetime,
) -> None:
    await fetch(
        tx,
        "INSERT INTO webhook_deliveries (id, webhook_id, organization_id, event_id, status, created_at, due_at)"
        " SELECT n.id, $1, $2, n.event_id, 'waiting', $3, $3 FROM unnest($4::uuid[], $5::uuid[]) AS n (id, event_id)",
        *(webhook_id, organization_id, at, *columns(new)),
    )


async def of_webhook(
    tx: ReadTx, webhook_id: UUID, *, status: DeliveryStatus | None, before: UUID | None, limit: int
) -> list[Delivery]:
    """Deliveries, the newest first, from the one `before` which they were made."""
    found = await fetch(
        tx,
        f"SELECT {_DELIVERY} FROM {_FROM} WHERE d.webhook_id = $1 AND ($2::text IS NULL OR d.status = $2)"  # noqa: S608  only names of ours
        " AND ($3::uuid IS NULL OR d.id < $3) ORDER BY d.id DESC LIMIT $4",
        *(webhook_id, status, before, limit),
    )
    return [Delivery(*row) for row in found]


async def delivery(tx: ReadTx, webhook_id: UUID, delivery_id: UUID) -> Delivery | None:
    found = await fetch(
        tx,
        f"SELECT {_DELIVERY} FROM {_FROM} WHERE d.webhook_id = $1 AND d.id = $2",  # noqa: S608  only names of ours
        webhook_id,
        delivery_id,
    )
    return next((Delivery(*row) for row in found), None)


async def send_again(tx: WriteTx, delivery_id: UUID, at: datetime) -> None:
    """The delivery is due, as if it had never been tried. Whoever has it in hand keeps it until then."""
    await fetch(
        tx,
        "UPDATE webhook_deliveries SET status = 'waiting', attempts = 0, due_at = $2 WHERE id = $1",
        delivery_id,
        at,
    )


async def behind(tx: ReadTx, limit: int) -> list[UUID]:
    """Active webhooks whose organizations have events that are no deliveries yet."""
    found = await fetch(
        tx,
        """
        SELECT w.id FROM webhooks w WHERE w.status = 'active' AND (
            EXISTS (SELECT FROM events e WHERE e.organization_id = w.organization_id AND e.position IS NULL)
            OR EXISTS (SELECT FROM events e WHERE e.organization_id = w.organization_id AND e.position > w.position))
        LIMIT $1
        """,
        limit,
    )
    return [row["id"] for row in found]


async def held(tx: WriteTx, webhook_id: UUID) -> tuple[OrganizationId, int] | None:
    """Whose it is and how far its deliveries go, until `tx` ends nobody else's to change; None where somebody has it,
    or it is not active."""
    found = await fetch(
        tx,
        "SELECT organization_id, position FROM webhooks WHERE id = $1 AND status = 'active'"
        " FOR NO KEY UPDATE SKIP LOCKED",
        webhook_id,
    )
    return next(((OrganizationId(row[0]), row[1]) for row in found), None)


async def add_deliveries(
    tx: WriteTx,
    webhook_id: UUID,
    organization_id: OrganizationId,
    new: Sequence[tuple[UUID, UUID]],
    *,
    position: int,
    at: datetime,
) -> None:
    """Deliveries of these events, by their ids; the webhook's go as far as `position`."""
    await _add(tx, webhook_id, organization_id, new, at)
    await fetch(tx, "UPDATE webhooks SET position = $2 WHERE id = $1", webhook_id, position)


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that this process has to send."""

    id: UUID
    webhook: Webhook
    secrets: list[str]
    attempts: int
    """With the one that begins now."""
    event: Event | None
    """None: a test."""
    created_at: datetime


# Of each webhook a few, so that one that answers nobody does not hold up the others.
_LEASE = f"""
    WITH due AS (
        SELECT d.id, d.webhook_id, d.event_id FROM webhooks w CROSS JOIN LATERAL (
            SELECT id, webhook_id, event_id, due_at FROM webhook_deliveries
            WHERE webhook_id = w.id AND status = 'waiting' AND due_at <= $1
                AND (leased_until IS NULL OR leased_until <= $1)
            ORDER BY due_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED
        ) d
        WHERE w.status = 'active' ORDER BY d.due_at LIMIT $3
    )
    UPDATE webhook_deliveries d SET leased_until = $2, attempts = d.attempts + 1, tried_at = $1
    FROM due JOIN webhooks w ON w.id = due.webhook_id LEFT JOIN events e ON e.id = due.event_id
    WHERE d.id = due.id
    RETURNING d.id, d.attempts, d.created_at, {_WEBHOOK}, w.data_key, w.secrets,
        e.organization_id, e.type, e.at, e.handover_id, e.consent_id, e.person_id, e.status, e.id, e.position
"""  # noqa: S608  only names of ours


async def lease(tx: WriteTx, now: datetime, *, until: datetime, limit: int, of_each: int) -> list[Leased]:
    """Deliveries that are due, the oldest first; until then no other process gets them. Their attempt counts from now
    on: whoever dies while sending has used it up."""
    found = await fetch(tx, _LEASE, now, until, limit, of_each)
    return [_leased(tx, *row) for row in found]


def _leased(tx: ReadTx, delivery_id: UUID, attempts: int, created_at: datetime, *rest: Any) -> Leased:
    webhook, (data_key, sealed), event = Webhook(*rest[:6]), rest[6:8], rest[8:]
    told = Event(*event) if event[0] else None
    return Leased(delivery_id, webhook, _opened(tx, webhook.id, data_key, sealed), attempts, told, created_at)


async def settle(
    tx: WriteTx,
    one: Leased,
    *,
    leased_until: datetime,
    status: DeliveryStatus,
    due_at: datetime,
    outcome: str,
    answer: int | None,
) -> None:
    """What came of the attempt is known, unless the delivery has passed on to somebody else. Where it was asked for
    again meanwhile, it is still due, but for what has arrived."""
    await fetch(
        tx,
        """
        UPDATE webhook_deliveries SET outcome = $5, answer = $6, leased_until = NULL,
            status = CASE WHEN attempts = $7 OR $3::text = 'delivered' THEN $3::text ELSE status END,
            due_at = CASE WHEN attempts = $7 THEN $4 ELSE due_at END
        WHERE id = $1 AND leased_until = $2
        """,
        *(one.id, leased_until, status, due_at, outcome, answer, one.attempts),
    )


async def forget(tx: WriteTx, before: datetime) -> None:
    """Deliveries that were made before, and are over, are gone."""
    await fetch(tx, "DELETE FROM webhook_deliveries WHERE created_at < $1 AND status <> 'waiting'", before)


async def counted(tx: ReadTx) -> dict[str, int]:
    """How many deliveries wait, and have failed."""
    found = await fetch(
        tx,
        "SELECT status, count(*) AS number FROM webhook_deliveries WHERE status <> 'delivered' GROUP BY status",
    )
    return {row["status"]: row["number"] for row in found}
