"""Makes deliveries of the feeds' events, and sends those that are due: in any number of processes at once.

A delivery that is due is leased for longer than an attempt can take, sent outside of any transaction, and settled. Who
dies in between leaves a lease that ends: the message is sent again, under the same id.
"""

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge

from tsunagi.clock import JAPAN
from tsunagi.db import Database
from tsunagi.ids import ordered_id
from tsunagi.logs import fault
from tsunagi.notifications import store as notifications
from tsunagi.webhooks import store
from tsunagi.webhooks.delivery import SECONDS, Attempt, Message, Sender
from tsunagi.webhooks.rules import KEPT, TEST, tried
from tsunagi.webhooks.store import Leased

LEASE = timedelta(seconds=6 * SECONDS)
AT_ONCE, OF_EACH = 20, 4
"""How many messages a process sends at the same time, and how many of them to one webhook."""
EVENTS_AT_ONCE, WEBHOOKS_AT_ONCE = 200, 100

log = structlog.get_logger()

ATTEMPTS = Counter("tsunagi_webhook_attempts", "Messages sent to webhooks", ["outcome"])
DELIVERIES = Gauge("tsunagi_webhook_deliveries", "Deliveries that wait, and that have failed", ["status"])


async def keep_telling(db: Database, sender: Sender, interval_seconds: float) -> None:
    """Sends what is due, until cancelled. A failure is logged and tried again."""
    while True:
        sent = 0
        try:
            await distribute(db)
            sent = await send_due(db, sender)
        except Exception as error:  # the database may be away; the next round sees what this one missed
            log.warning("webhooks failed", **fault(error))
        if not sent:
            await asyncio.sleep(interval_seconds)


async def distribute(db: Database) -> None:
    """Every event behind an active webhook's place in the feed is a delivery."""
    async with db.platform() as tx:
        found = await store.behind(tx, WEBHOOKS_AT_ONCE)
    for webhook_id in found:
        async with db.platform() as tx:
            held = await store.held(tx, webhook_id)
            if held is None:
                continue
            organization_id, position = held
            events = await notifications.feed(tx, organization_id, after=position, limit=EVENTS_AT_ONCE)
            if events:
                await store.add_deliveries(
                    tx,
                    webhook_id,
                    organization_id,
                    [(ordered_id(), event.id) for event in events],
                    position=events[-1].position or position,
                    at=datetime.now(UTC),
                )


async def send_due(db: Database, sender: Sender) -> int:
    """How many deliveries were due, and have been tried."""
    now = datetime.now(UTC)
    async with db.platform() as tx:
        leased = await store.lease(tx, now, until=now + LEASE, limit=AT_ONCE, of_each=OF_EACH)
    await asyncio.gather(*(_send(db, sender, one, now + LEASE) for one in leased))
    return len(leased)


async def _send(db: Database, sender: Sender, one: Leased, leased_until: datetime) -> None:
    attempt = await sender.send(message(one, datetime.now(UTC)), datetime.now(UTC))
    ATTEMPTS.labels(outcome=attempt.outcome).inc()
    await _settle(db, one, attempt, leased_until)


async def _settle(db: Database, one: Leased, attempt: Attempt, leased_until: datetime) -> None:
    now = datetime.now(UTC)
    status, due_at = tried(one.attempts, attempt.outcome, now, random.random())  # noqa: S311  not for secrets
    async with db.platform() as tx:
        if attempt.outcome == "gone":
            await store.change_status(tx, one.webhook.id, "disabled")
        await store.settle(
            tx,
            one,
            leased_until=leased_until,
            status=status,
            due_at=due_at,
            outcome=attempt.outcome,
            answer=attempt.answer,
        )


def message(one: Leased, now: datetime) -> Message:
    """What is sent: the event as the feed has it, or a test. Signed with the previous secret, too, for a while."""
    document = one.event.document() if one.event else _test(one)
    both = one.webhook.previous_secret_until(now) is not None
    body = json.dumps(document, separators=(",", ":"))
    return Message(str(document["id"]), one.webhook.url, body, one.secrets if both else one.secrets[:1])


def _test(one: Leased) -> dict[str, object]:
    return {"id": str(one.id), "type": TEST, "at": one.created_at.astimezone(JAPAN).isoformat()}


async def keep_small(db: Database) -> None:
    """Deliveries that have long been over are gone; the gauges say how many are not."""
    async with db.platform() as tx:
        await store.forget(tx, datetime.now(UTC) - KEPT)
        found = await store.counted(tx)
    for status in ("waiting", "failed"):
        DELIVERIES.labels(status=status).set(found.get(status, 0))
