"""Adding, pausing and removing webhooks, and asking for something to be sent."""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tsunagi.db import ReadTx, WriteTx
from tsunagi.errors import NotFound
from tsunagi.ids import OrganizationId, ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Actor, Entry, Record
from tsunagi.notifications import store as notifications
from tsunagi.webhooks import store
from tsunagi.webhooks.rules import MOST_WEBHOOKS, Delivery, Webhook, WebhookStatus, check_url, too_many

SECRET_BYTES = 32
"""Standard Webhooks, "Signature scheme": between 24 and 64."""


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, and when."""

    organization_id: OrganizationId
    actor: Actor
    at: datetime


async def add(tx: WriteTx, by: By, url: str, *, to_loopback: bool) -> tuple[Webhook, str]:
    """What happens from now on is sent there; and the secret, which nobody is told again. Raises RuleViolated."""
    check_url(url, to_loopback=to_loopback)
    position = await notifications.newest(tx, by.organization_id)  # holds whoever adds another one
    if len(await store.of_organization(tx, by.organization_id)) >= MOST_WEBHOOKS:
        raise too_many()
    webhook = Webhook(ordered_id(), by.organization_id, url, "active", by.at)
    secret = _new_secret()
    await store.add(tx, webhook, position=position, secret=secret)
    await _enter(tx, by, "webhooks:add", webhook.id)
    return webhook, secret


async def present(tx: ReadTx, organization_id: OrganizationId, webhook_id: UUID) -> Webhook:
    """Raises NotFound."""
    found = await store.of_organization(tx, organization_id, webhook_id)
    if not found:
        raise NotFound
    return found[0]


async def pause(tx: WriteTx, by: By, webhook_id: UUID) -> Webhook:
    """Nothing is sent until it is resumed. Raises NotFound."""
    return await _change(tx, by, webhook_id, "paused", "webhooks:pause")


async def resume(tx: WriteTx, by: By, webhook_id: UUID) -> Webhook:
    """It goes on where it stopped. Raises NotFound."""
    return await _change(tx, by, webhook_id, "active", "webhooks:resume")


async def _change(tx: WriteTx, by: By, webhook_id: UUID, status: WebhookStatus, action: Action) -> Webhook:
    await present(tx, by.organization_id, webhook_id)
    await store.change_status(tx, webhook_id, status)
    await _enter(tx, by, action, webhook_id)
    return await present(tx, by.organization_id, webhook_id)


async def rotate(tx: WriteTx, by: By, webhook_id: UUID) -> tuple[Webhook, str]:
    """Messages are signed with a new secret, and for a day with the present one as well. Raises NotFound."""
    await present(tx, by.organization_id, webhook_id)
    secret = _new_secret()
    await store.change_secret(tx, webhook_id, secret, datetime.now(UTC))
    await _enter(tx, by, "webhooks:rotate", webhook_id)
    return await present(tx, by.organization_id, webhook_id), secret


async def remove(tx: WriteTx, by: By, webhook_id: UUID) -> None:
    """Raises NotFound."""
    await present(tx, by.organization_id, webhook_id)
    await store.remove(tx, webhook_id)
    await _enter(tx, by, "webhooks:remove", webhook_id)


async def send_test(tx: WriteTx, by: By, webhook_id: UUID) -> Delivery:
    """A message that says nothing waits to be sent. Raises NotFound."""
    webhook = await present(tx, by.organization_id, webhook_id)
    delivery_id = ordered_id()
    await store.add_test(tx, webhook, delivery_id, datetime.now(UTC))
    return await _delivery(tx, webhook_id, delivery_id)


async def send_again(tx: WriteTx, by: By, webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """The delivery waits to be sent at once. Raises NotFound."""
    await present(tx, by.organization_id, webhook_id)
    await _delivery(tx, webhook_id, delivery_id)
    await store.send_again(tx, delivery_id, datetime.now(UTC))
    return await _delivery(tx, webhook_id, delivery_id)


async def _delivery(tx: ReadTx, webhook_id: UUID, delivery_id: UUID) -> Delivery:
    found = await store.delivery(tx, webhook_id, delivery_id)
    if found is None:
        raise NotFound
    return found


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


async def _enter(tx: WriteTx, by: By, action: Action, webhook_id: UUID) -> None:
    await ledger.append(tx, Entry(action, by.at, by.actor, record=Record("webhook", webhook_id)))
