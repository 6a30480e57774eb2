"""What each organization is told of a handover's way."""

from typing import Any

import pytest

from tests.crowd import accept, events, offer, whole_feed
from tests.ledger.entries import personal
from tests.world import World, consent_for, settlement_record
from tsunagi.handovers.steps import advance

OF_AN_EVENT = {"position", "id", "type", "at", "handoverId", "consentId", "status"}


async def test_a_draft_and_its_amendment_are_nobodys_news(world: World) -> None:
    drafted = await world.consented()
    await world.settlement.put(
        f"/v1/handovers/{drafted['id']}", settlement_record(world.center.id), If_Match="*"
    )
    await world.settlement.post(
        f"/v1/handovers/{drafted['id']}/withdraw", {"reason": {"code": "plan_changed"}}
    )
    assert await events(world.settlement) == []
    assert await events(world.center) == []


async def test_both_sides_can_follow_every_step(world: World) -> None:
    world.on("2026-03-02")
    offered = await offer(world)
    path = f"/v1/handovers/{offered['id']}"
    await world.settlement.post(f"{path}/open")
    await world.center.get(path)
    await world.center.post(f"{path}/return", {"reason": {"code": "dates_unclear", "text": "開始日は?"}})
    read = await world.settlement.get(path)
    await world.settlement.put(path, read.json()["record"], If_Match="*")
    await world.settlement.post(f"{path}/offer")
    await world.settlement.put(path, read.json()["record"], If_Match="*")
    await accept(world, offered)
    withdrawal = {"withdrawnBy": {"kind": "person"}}
    await world.settlement.post(f"/v1/consents/{offered['consentId']}/withdraw", withdrawal)
    world.on("2027-05-01")
    await advance(world.services.db, world.services.clock.now())
    for side in (world.settlement, world.center):
        assert await events(side) == [
            ("offered", "offered"),
            ("opened", "offered"),
            ("received", "received"),
            ("returned", "returned"),
            ("offered", "offered"),
            ("amended", "offered"),
            ("received", "received"),
            ("accepted", "accepted"),
            ("responsibility.changed", "accepted"),
            ("consent.withdrawn", None),
            ("overlapping", "overlapping"),
            ("completed", "completed"),
        ]
    last = (await whole_feed(world.center))[-3]
    assert last["consentId"] == offered["consentId"]
    assert "handoverId" not in last


@pytest.mark.parametrize("action", ["decline", "withdraw"])
async def test_both_sides_learn_how_an_offer_ended(world: World, action: str) -> None:
    offered = await offer(world)
    whose = world.center if action == "decline" else world.settlement
    code = "capacity" if action == "decline" else "plan_changed"
    await whose.post(f"/v1/handovers/{offered['id']}/{action}", {"reason": {"code": code}})
    ended = {"decline": "declined", "withdraw": "withdrawn"}[action]
    for side in (world.settlement, world.center):
        assert (await events(side))[-1] == (ended, ended)


async def test_withdrawing_what_was_accepted_tells_that_responsibility_changed_back(world: World) -> None:
    accepted = await accept(world, await offer(world))
    reason = {"reason": {"code": "plan_changed"}}
    await world.settlement.post(f"/v1/handovers/{accepted['id']}/withdraw", reason)
    told = await events(world.center)
    assert set(told[-2:]) == {("responsibility.changed", "withdrawn"), ("withdrawn", "withdrawn")}


async def test_every_recipient_of_a_consent_learns_of_its_withdrawal(world: World) -> None:
    drafted = await world.draft()
    consent = consent_for(drafted["personId"], world.center.id, world.transition.id)
    given = (await world.settlement.post("/v1/consents", consent)).json()
    withdraw = f"/v1/consents/{given['id']}/withdraw"
    part = {"withdrawnBy": {"kind": "person"}, "sections": ["medical"]}
    await world.settlement.post(withdraw, part)
    await world.settlement.post(withdraw, part)
    for told in (world.settlement, world.center, world.transition):
        assert await events(told) == [("consent.withdrawn", None)]


async def test_others_are_told_nothing(world: World) -> None:
    await accept(world, await offer(world))
    for other in (world.other, world.auditor, world.transition):
        assert await events(other) == []


async def test_a_feed_holds_no_personal_data(world: World) -> None:
    accepted = await accept(world, await offer(world))
    await world.settlement.post(
        f"/v1/consents/{accepted['consentId']}/withdraw",
        {"withdrawnBy": {"kind": "person", "name": "架空 直樹"}},
    )
    answer = await world.center.get("/v1/events")
    record: Any = settlement_record(world.center.id)
    assert not {marker for marker in personal(record) if marker in answer.text}
    assert accepted["personId"] not in answer.text
    assert {name for one in answer.json()["items"] for name in one} <= OF_AN_EVENT


async def test_positions_count_from_one_and_pages_join_up(world: World) -> None:
    await accept(world, await offer(world))
    whole = (await world.center.get("/v1/events")).json()
    assert [one["position"] for one in whole["items"]] == list(range(1, len(whole["items"]) + 1))
    assert whole["next"] == len(whole["items"])
    read, after = [], 0
    while True:
        page = (await world.center.get(f"/v1/events?after={after}&limit=2")).json()
        assert len(page["items"]) <= 2
        if not page["items"]:
            break
        read += page["items"]
        after = page["next"]
    assert read == whole["items"]


@pytest.mark.parametrize("after", [0, 7, 9007199254740991])
async def test_behind_the_end_there_is_nothing_and_the_cursor_stays(world: World, after: int) -> None:
    answer = await world.other.get(f"/v1/events?after={after}")
    assert answer.json() == {"items": [], "next": after}
