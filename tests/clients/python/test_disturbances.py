"""Lost answers, refused tokens and many callers at once, against the running service."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.clients.python.faces import Line, Software, done, items
from tests.world import consent_for
from tsunagi_client import AsyncTsunagi, ConnectionFailed, Retry, Staff, Tsunagi, errors

SOON = Retry(first_wait_seconds=0.01)


async def close(client: Tsunagi | AsyncTsunagi) -> None:
    if isinstance(client, AsyncTsunagi):
        await client.aclose()
    else:
        client.close()


def lose_the_first(line: Line, method: str, end: str) -> None:
    """The first answer to such a request is lost after the service has given it."""
    lost: list[httpx2.Request] = []

    def lose(request: httpx2.Request) -> bool:
        if lost or request.method != method or not request.url.path.endswith(end):
            return False
        lost.append(request)
        return True

    line.lose = lose


async def test_a_creation_whose_answer_was_lost_happens_once(software: Software) -> None:
    client = software.client(retry=SOON)
    lose_the_first(software.line, "POST", "/v1/handovers")
    draft = await done(client.handovers.create(software.record()))
    assert draft.replayed
    keys = {one.headers["idempotency-key"] for one in software.line.sent if one.url.path == "/v1/handovers"}
    assert len(keys) == 1
    assert software.line.count("POST", "/v1/handovers") == 2
    assert [one["id"] for one in await items(client.handovers.list())] == [draft.data["id"]]


async def test_a_step_whose_answer_was_lost_is_not_out_of_turn(software: Software) -> None:
    client = software.client(retry=SOON)
    draft = await done(client.handovers.create(software.record()))
    await done(client.consents.create(consent_for(draft.data["personId"], software.receiving)))
    lose_the_first(software.line, "POST", "/offer")
    offered = await done(client.handovers.offer(draft.data["id"], if_match=draft.etag))
    assert (offered.data["status"], offered.replayed) == ("offered", True)


async def test_an_amendment_whose_answer_was_lost_says_so(software: Software) -> None:
    client = software.client(retry=SOON)
    record = software.record()
    draft = await done(client.handovers.create(record))
    lose_the_first(software.line, "PUT", draft.data["id"])
    with pytest.raises(errors.PreconditionFailed) as caught:
        await done(
            client.handovers.amend(
                draft.data["id"], record | {"personId": draft.data["personId"]}, if_match=draft.etag
            )
        )
    assert "may have done it" in caught.value.__notes__[0]
    assert (await done(client.handovers.get(draft.data["id"]))).data["version"] == 2


async def test_a_call_may_be_repeated_after_a_crash_with_its_own_key(software: Software) -> None:
    client, record, key = software.client(), software.record(), str(uuid4())
    first = await done(client.handovers.create(record, idempotency_key=key))
    second = await done(client.handovers.create(record, idempotency_key=key))
    assert (first.replayed, second.replayed) == (False, True)
    assert first.data == second.data


async def test_nobody_there_is_a_failed_connection(software: Software) -> None:
    client = software.face(
        "http://127.0.0.1:9", client_id="any", key=software.key, retry=Retry(attempts=2, first_wait_seconds=0)
    )
    with pytest.raises(ConnectionFailed) as caught:
        await done(client.consents.get("any"))
    assert caught.value.unsent
    await close(client)


async def test_a_token_that_is_no_longer_taken_is_replaced(software: Software) -> None:
    client = software.client()
    await items(client.areas.list())
    spoiled: list[httpx2.Request] = []

    def spoil(request: httpx2.Request) -> None:
        if not spoiled and request.url.path == "/v1/areas":
            spoiled.append(request)
            request.headers["authorization"] = "DPoP e30.e30.e30"

    software.line.disturb = spoil
    assert await items(client.areas.list()) is not None
    assert software.line.tokens() == 2
    assert software.line.count("GET", "/v1/areas") == 3


async def test_a_fresh_token_that_is_refused_too_is_the_end(software: Software) -> None:
    client = software.client()

    def spoil(request: httpx2.Request) -> None:
        if "authorization" in request.headers:
            request.headers["authorization"] = "DPoP e30.e30.e30"

    software.line.disturb = spoil
    with pytest.raises(errors.Unauthenticated):
        await items(client.areas.list())
    assert software.line.tokens() == 2


async def test_a_token_is_asked_for_once_and_used_by_all(software: Software) -> None:
    client = software.client()
    if isinstance(client, AsyncTsunagi):
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(items(client.areas.list())) for _ in range(20)]
        answers = [call.result() for call in calls]
    else:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: list(client.areas.list()), range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert software.line.count("GET", "/v1/areas") == 20
    assert software.line.tokens() == 1
    assert software.line.count("GET", "/.well-known/oauth-authorization-server") == 1


async def test_the_same_creation_sent_by_many_at_once_happens_once(software: Software) -> None:
    client, record, key = software.client(retry=Retry(attempts=8)), software.record(), str(uuid4())

    def create() -> Any:
        return client.handovers.create(record, idempotency_key=key)

    if isinstance(client, Tsunagi):
        with ThreadPoolExecutor(4) as pool:
            drafts = list(pool.map(lambda _: create(), range(4)))
    else:
        drafts = await asyncio.gather(*(create() for _ in range(4)))
    assert len({one.data["id"] for one in drafts}) == 1
    assert sum(not one.replayed for one in drafts) == 1


async def test_each_organization_and_member_of_staff_has_a_token_of_its_own(software: Software) -> None:
    sender = software.client(staff=Staff("s-1", "試験 花子"))
    receiver = sender.acting(organization=str(software.receiving))
    colleague = sender.acting(staff=Staff("s-2"))
    draft = await done(sender.handovers.create(software.record()))
    with pytest.raises(errors.NotFound):
        await done(receiver.handovers.get(draft.data["id"]))
    assert (await done(colleague.handovers.get(draft.data["id"]))).data["id"] == draft.data["id"]
    assert software.line.tokens() == 3


async def test_pages_are_turned_until_there_are_no_more(software: Software) -> None:
    client = software.client()
    made = {(await done(client.handovers.create(software.record()))).data["id"] for _ in range(5)}
    before = software.line.count("GET", "/v1/handovers")
    listed = [one["id"] for one in await items(client.handovers.list(status="draft", page_size=2))]
    assert len(listed) == 5
    assert set(listed) == made
    assert software.line.count("GET", "/v1/handovers") - before == 3


async def test_the_feed_is_read_on_from_where_it_was_left(software: Software) -> None:
    client = software.client()
    offered = await software.offered(client)
    first = await items(client.events.list(page_size=1))
    assert first[0]["type"] == "handover.offered"
    assert await items(client.events.list(after=first[-1]["position"])) == []
    await done(client.handovers.withdraw(offered["id"], "person_wish"))
    later = await items(client.events.list(after=first[-1]["position"]))
    assert [(one["type"], one["handoverId"]) for one in later] == [("handover.withdrawn", offered["id"])]
