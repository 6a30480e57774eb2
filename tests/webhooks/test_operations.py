"""What callers can do with webhooks, and what they are told."""

from dataclasses import replace

import pytest

from tests.ledger.entries import kept
from tests.webhooks.receiver import Receiver
from tests.webhooks.test_worker import added, deliveries, one_event, work
from tests.world import World
from tsunagi.auth.rules import Scope
from tsunagi.db import Database
from tsunagi.webhooks.rules import MOST_WEBHOOKS

NOWHERE = "00000000-0000-4000-8000-00000000dead"


async def test_the_secret_is_told_once(world: World, receiver: Receiver) -> None:
    webhook = await added(world.center, receiver)
    (listed,) = (await world.center.get("/v1/webhooks")).json()["items"]
    assert listed == (await world.center.get(f"/v1/webhooks/{webhook['id']}")).json()
    assert webhook == listed | {"secret": webhook["secret"]}


async def test_what_is_done_with_webhooks_is_on_the_ledger(world: World, receiver: Receiver) -> None:
    already = len(await kept(world.services.db))
    webhook = await added(world.center, receiver)
    path = f"/v1/webhooks/{webhook['id']}"
    for action in ("pause", "resume", "rotate"):
        assert (await world.center.post(f"{path}/{action}")).status_code == 200
    await world.center.call("DELETE", path)
    entries = [one.body for one in (await kept(world.services.db))[already:]]
    done = ["add", "pause", "resume", "rotate", "remove"]
    assert [one["action"] for one in entries] == [f"webhooks:{one}" for one in done]
    assert {one["record"]["id"] for one in entries} == {webhook["id"]}


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://10.0.0.1/", "webhook.address_refused"),
        ("https://user@software.example/", "webhook.url"),
    ],
)
async def test_a_url_that_cannot_be_sent_to_is_refused(world: World, url: str, code: str) -> None:
    answer = await world.center.post("/v1/webhooks", {"url": url})
    assert answer.status_code == 422
    assert [one["code"] for one in answer.json()["errors"]] == [code]
    assert url not in answer.text


async def test_there_are_so_many_and_no_more(world: World, receiver: Receiver) -> None:
    for _ in range(MOST_WEBHOOKS):
        await added(world.center, receiver)
    answer = await world.center.post("/v1/webhooks", {"url": receiver.url})
    assert [one["code"] for one in answer.json()["errors"]] == ["webhook.too_many"]
    assert (await world.settlement.post("/v1/webhooks", {"url": receiver.url})).status_code == 201


async def test_another_organizations_webhook_is_nobodys(world: World, receiver: Receiver) -> None:
    webhook = await added(world.center, receiver)
    test = (await world.center.post(f"/v1/webhooks/{webhook['id']}/test")).json()
    mine = await added(world.settlement, receiver)
    path = f"/v1/webhooks/{webhook['id']}"
    for method, where in [
        ("GET", path),
        ("DELETE", path),
        *(("POST", f"{path}/{action}") for action in ("pause", "resume", "rotate", "test")),
        ("GET", f"{path}/deliveries"),
        ("POST", f"{path}/deliveries/{test['id']}/resend"),
        ("POST", f"/v1/webhooks/{mine['id']}/deliveries/{test['id']}/resend"),
        ("GET", f"/v1/webhooks/{NOWHERE}"),
    ]:
        assert (await world.settlement.call(method, where)).status_code == 404, (method, where)
    assert (await world.center.get(path)).json()["status"] == "active"


async def test_reading_needs_one_scope_and_changing_another(world: World, receiver: Receiver) -> None:
    webhook = await added(world.center, receiver)
    reader = replace(world.center, scopes=frozenset({Scope.EVENTS_READ}))
    assert (await reader.get("/v1/webhooks")).status_code == 200
    assert (await reader.post(f"/v1/webhooks/{webhook['id']}/rotate")).status_code == 403
    writer = replace(world.center, scopes=frozenset({Scope.WEBHOOKS_WRITE}))
    assert (await writer.get("/v1/webhooks")).status_code == 403
    assert (await writer.post(f"/v1/webhooks/{webhook['id']}/pause")).status_code == 200


async def test_deliveries_are_paged_the_newest_first(world: World, db: Database, receiver: Receiver) -> None:
    webhook = await added(world.center, receiver)
    for number in range(5):
        await one_event(world, number)
    await work(db)
    whole = await deliveries(world.center, webhook)
    assert [one["id"] for one in whole] == sorted((one["id"] for one in whole), reverse=True)
    assert len(whole) == 5
    path = f"/v1/webhooks/{webhook['id']}/deliveries?limit=2"
    read, page = [], (await world.center.get(path)).json()
    while True:
        read += page["items"]
        if page["nextCursor"] is None:
            break
        page = (await world.center.get(f"{path}&cursor={page['nextCursor']}")).json()
    assert read == whole
    assert await deliveries(world.center, webhook, "?status=failed") == []
