"""From what happens to what arrives: signed, again and again until it is taken, never by two at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import WebhookVerificationError

from tests.crowd import accept, offer
from tests.ledger.entries import personal
from tests.webhooks.receiver import Receiver
from tests.world import Organization, World, settlement_record
from tsunagi.db import Database, fetch
from tsunagi.webhooks.delivery import Sender
from tsunagi.webhooks.rules import BOTH_SECRETS, DELAYS, JITTER, KEPT
from tsunagi.webhooks.worker import distribute, keep_small, keep_telling, send_due

SENDER = Sender(to_loopback=True)


async def one_event(world: World, number: int = 0) -> None:
    """Something is offered whose window opens a month later."""
    world.on("2026-09-01")
    await offer(world, number)


async def added(who: Organization, receiver: Receiver) -> dict[str, Any]:
    answer = await who.post("/v1/webhooks", {"url": receiver.url})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def shown(who: Organization, webhook: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await who.get(f"/v1/webhooks/{webhook['id']}")).json()
    return found


async def deliveries(who: Organization, webhook: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answer = await who.get(f"/v1/webhooks/{webhook['id']}/deliveries{query}")
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def work(db: Database) -> int:
    await distribute(db)
    return await send_due(db, SENDER)


async def pass_time(db: Database, by: timedelta) -> None:
    """As if all that is kept of deliveries had been written so much earlier."""
    async with db.platform() as tx:
        await tx.execute(
            text(
                "UPDATE webhook_deliveries SET due_at = due_at - CAST(:by AS interval),"
                " leased_until = leased_until - CAST(:by AS interval), created_at = created_at - CAST(:by AS interval)"
            ),
            {"by": by},
        )


async def test_what_happens_arrives_as_the_feed_has_it(
    world: World, db: Database, receiver: Receiver
) -> None:
    await offer(world, 1)
    webhook = await added(world.center, receiver)
    accepted = await accept(world, await offer(world, 2))
    while await work(db):
        pass
    feed = (await world.center.get("/v1/events")).json()["items"]
    of_second = [one for one in feed if one["handoverId"] == accepted["id"]]
    got = sorted(
        (one.verified(webhook["secret"]) for one in receiver.received), key=lambda one: one["position"]
    )
    assert got == of_second
    assert sorted(one.id for one in receiver.received) == sorted(one["id"] for one in of_second)
    told = b"".join(one.body for one in receiver.received).decode()
    assert not {marker for marker in personal(settlement_record(world.center.id)) if marker in told}
    assert {one["status"] for one in await deliveries(world.center, webhook)} == {"delivered"}


async def test_nobody_else_is_told(world: World, db: Database, receiver: Receiver) -> None:
    await added(world.other, receiver)
    await one_event(world)
    await work(db)
    assert receiver.received == []


async def test_what_is_not_taken_is_sent_again_under_the_same_id(
    world: World, db: Database, receiver: Receiver
) -> None:
    webhook = await added(world.center, receiver)
    await one_event(world)
    receiver.answers(500)
    before = datetime.now(UTC)
    assert await work(db) == 1
    (waiting,) = await deliveries(world.center, webhook)
    assert (waiting["status"], waiting["attempts"]) == ("waiting", 1)
    assert waiting["lastAttempt"]["outcome"] == "refused"
    assert waiting["lastAttempt"]["httpStatus"] == 500
    wait = datetime.fromisoformat(waiting["nextAttemptAt"]) - before
    assert DELAYS[0] * (1 - JITTER) <= wait <= DELAYS[0] * (1 + JITTER) + timedelta(seconds=5)
    assert await work(db) == 0
    await pass_time(db, wait)
    receiver.answers(200)
    assert await work(db) == 1
    assert len({one.id for one in receiver.received}) == 1
    assert len(receiver.received) == 2
    assert (await deliveries(world.center, webhook))[0]["status"] == "delivered"


async def test_after_three_days_it_has_failed_and_can_be_sent_again(
    world: World, db: Database, receiver: Receiver
) -> None:
    webhook = await added(world.center, receiver)
    await one_event(world)
    receiver.answers(503)
    for _ in range(len(DELAYS) + 1):
        assert await work(db) == 1
        await pass_time(db, DELAYS[-1] * 2)
    assert await work(db) == 0
    assert (await shown(world.center, webhook))["failed"] == 1
    (failed,) = await deliveries(world.center, webhook, "?status=failed")
    assert failed["attempts"] == len(DELAYS) + 1
    receiver.answers(200)
    path = f"/v1/webhooks/{webhook['id']}/deliveries/{failed['id']}/resend"
    assert (await world.center.post(path)).json()["status"] == "waiting"
    assert await work(db) == 1
    assert len({one.id for one in receiver.received}) == 1
    assert (await shown(world.center, webhook))["failed"] == 0


async def test_a_410_ends_it_until_it_is_resumed(world: World, db: Database, receiver: Receiver) -> None:
    webhook = await added(world.center, receiver)
    await one_event(world, 1)
    receiver.answers(410)
    assert await work(db) == 1
    assert (await shown(world.center, webhook))["status"] == "disabled"
    await one_event(world, 2)
    assert await work(db) == 0
    receiver.answers(200)
    assert (await world.center.post(f"/v1/webhooks/{webhook['id']}/resume")).json()["status"] == "active"
    assert await work(db) == 1
    assert len(receiver.received) == 2


async def test_what_happens_during_a_pause_is_sent_afterwards(
    world: World, db: Database, receiver: Receiver
) -> None:
    webhook = await added(world.center, receiver)
    assert (await world.center.post(f"/v1/webhooks/{webhook['id']}/pause")).json()["status"] == "paused"
    await one_event(world)
    assert await work(db) == 0
    await world.center.post(f"/v1/webhooks/{webhook['id']}/resume")
    assert await work(db) == 1


async def test_who_dies_between_sending_and_saying_so_has_it_sent_again(
    world: World, db: Database, receiver: Receiver
) -> None:
    webhook = await added(world.center, receiver)
    await one_event(world)
    await distribute(db)
    receiver.open.clear()
    dying = asyncio.create_task(send_due(db, SENDER))
    async with asyncio.timeout(10):
        while not receiver.received:
            await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    receiver.open.set()
    assert await work(db) == 0, "somebody may still be sending it"
    await pass_time(db, timedelta(minutes=2))
    assert await work(db) == 1
    first, second = receiver.received
    assert first.id == second.id
    assert first.verified(webhook["secret"]) == second.verified(webhook["secret"])


async def test_what_is_asked_for_again_while_it_is_sent_is_sent_once_more(
    world: World, db: Database, receiver: Receiver
) -> None:
    webhook = await added(world.center, receiver)
    path = f"/v1/webhooks/{webhook['id']}"
    test = (await world.center.post(f"{path}/test")).json()
    receiver.open.clear()
    receiver.answers(500)
    sending = asyncio.create_task(send_due(db, SENDER))
    async with asyncio.timeout(10):
        while not receiver.received:
            await asyncio.sleep(0.01)
    await world.center.post(f"{path}/deliveries/{test['id']}/resend")
    assert await send_due(db, SENDER) == 0, "it is in somebody's hands"
    receiver.open.set()
    assert await sending == 1
    receiver.answers(200)
    assert await send_due(db, SENDER) == 1
    assert (await deliveries(world.center, webhook))[0]["status"] == "delivered"


async def test_two_workers_never_send_one_delivery_at_once(
    world: World, db: Database, own_url: str, receiver: Receiver
) -> None:
    webhook = await added(world.center, receiver)
    for _ in range(24):
        await world.center.post(f"/v1/webhooks/{webhook['id']}/test")
    other = Database(own_url, pool_size=5)
    other.keys = db.keys

    async def worker(of: Database) -> int:
        return sum([await send_due(of, SENDER) for _ in range(12)])

    sent = await asyncio.gather(*(worker(of) for of in (db, other, db, other)))
    await other.close()
    ids = [one.id for one in receiver.received]
    assert len(ids) == len(set(ids)) == sum(sent) == 24


async def test_a_new_secret_signs_at_once_and_the_old_one_for_a_day(
    world: World, db: Database, receiver: Receiver
) -> None:
    webhook = await added(world.center, receiver)
    path = f"/v1/webhooks/{webhook['id']}"
    rotated = (await world.center.post(f"{path}/rotate")).json()
    assert rotated["secret"] != webhook["secret"]
    await world.center.post(f"{path}/test")
    await work(db)
    async with db.platform() as tx:
        await fetch(tx, "UPDATE webhooks SET rotated_at = rotated_at - $1::interval", BOTH_SECRETS)
    await world.center.post(f"{path}/test")
    await work(db)
    early, late = receiver.received
    assert early.verified(rotated["secret"]) == early.verified(webhook["secret"])
    assert late.verified(rotated["secret"])["type"] == "webhook.test"
    with pytest.raises(WebhookVerificationError):
        late.verified(webhook["secret"])


async def test_one_that_answers_nobody_does_not_hold_up_the_others(
    world: World, db: Database, receiver: Receiver
) -> None:
    dead = (await world.center.post("/v1/webhooks", {"url": "http://127.0.0.1:9/"})).json()
    webhook = await added(world.center, receiver)
    for _ in range(30):
        await world.center.post(f"/v1/webhooks/{dead['id']}/test")
    await world.center.post(f"/v1/webhooks/{webhook['id']}/test")
    await work(db)
    assert len(receiver.received) == 1


async def test_what_was_removed_is_sent_no_more(world: World, db: Database, receiver: Receiver) -> None:
    webhook = await added(world.center, receiver)
    await world.center.post(f"/v1/webhooks/{webhook['id']}/test")
    answer = await world.center.call("DELETE", f"/v1/webhooks/{webhook['id']}")
    assert answer.status_code == 204
    assert await work(db) == 0
    assert (await world.center.get("/v1/webhooks")).json()["items"] == []


async def test_what_is_over_is_forgotten_after_a_month(
    world: World, db: Database, receiver: Receiver
) -> None:
    webhook = await added(world.center, receiver)
    path = f"/v1/webhooks/{webhook['id']}"
    await world.center.post(f"{path}/test")
    await work(db)
    await keep_small(db)
    assert len(await deliveries(world.center, webhook)) == 1
    await world.center.post(f"{path}/test")
    await pass_time(db, KEPT)
    await keep_small(db)
    assert [one["status"] for one in await deliveries(world.center, webhook)] == ["waiting"]


async def test_the_worker_goes_on_by_itself(world: World, db: Database, receiver: Receiver) -> None:
    webhook = await added(world.center, receiver)
    worker = asyncio.create_task(keep_telling(db, SENDER, 0.05))
    await one_event(world)
    async with asyncio.timeout(10):
        while not receiver.received:
            await asyncio.sleep(0.02)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert receiver.received[0].verified(webhook["secret"])["type"] == "handover.offered"
