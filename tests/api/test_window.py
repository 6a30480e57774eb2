"""Before its window opens, the receiver learns that something is coming, and nothing about the person."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

from tests.api.states import everything, listed, take
from tests.world import World, consent_for, settlement_record

BEFORE, OPENS = "2026-09-01", "2026-10-01"
NOTICE = {
    "areaCode",
    "availableActions",
    "direction",
    "domains",
    "dueOn",
    "handoverType",
    "id",
    "notice",
    "plannedDate",
    "receiver",
    "sender",
    "status",
    "version",
    "windowOpen",
    "windowOpensOn",
}


def said(value: Any) -> Iterator[str]:
    """Every text in a document that is of the person: no codes, and no dates of this century."""
    if isinstance(value, dict):
        for item in value.values():
            yield from said(item)
    elif isinstance(value, list):
        for item in value:
            yield from said(item)
    elif isinstance(value, str) and not value.isascii():
        yield from {value} - {"架空"}  # so are the organizations
    elif isinstance(value, str) and not value.startswith("20"):
        yield from {value} if "@" in value or sum(map(str.isdigit, value)) >= 8 else ()


def assert_silent(answer: httpx2.Response, handover: dict[str, Any], world: World) -> None:
    """Neither body nor headers hold anything of the record or the id of the person."""
    told = answer.text + json.dumps(dict(answer.headers))
    assert handover["personId"] not in told
    record = settlement_record(world.center.id)
    record.pop("receiverId")
    assert [text for text in said(record) if text in told] == []


async def coming(world: World) -> dict[str, Any]:
    world.on(BEFORE)
    return await world.offered()


async def test_the_receiver_gets_the_notice_and_no_more(world: World) -> None:
    offered = await coming(world)
    for path in (f"/v1/handovers/{offered['id']}", f"/v1/handovers/{offered['id']}/versions/1"):
        answer = await world.center.get(path)
        assert set(answer.json()) == NOTICE
        assert answer.json() | {"notice": True, "windowOpen": False, "windowOpensOn": OPENS} == answer.json()
        assert_silent(answer, offered, world)
    assert (await world.settlement.get(f"/v1/handovers/{offered['id']}")).json()["status"] == "offered"


async def test_the_list_shows_that_something_is_coming(world: World) -> None:
    offered = await coming(world)
    answer = await world.center.get("/v1/handovers")
    (row,) = answer.json()["items"]
    assert set(row) == NOTICE - {"notice"} | {"overlapStartsOn"}
    assert row["availableActions"] == ["decline"]
    assert_silent(answer, offered, world)
    assert await listed(world.center, offered["id"], "&window=open") is None
    assert await listed(world.center, offered["id"], "&window=closed") == row
    assert (await listed(world.settlement, offered["id"]) or {})["personId"] == offered["personId"]


async def test_the_export_and_the_feed_say_nothing(world: World) -> None:
    offered = await coming(world)
    export = await world.center.get("/v1/handovers/export")
    assert export.text == ""
    events = await world.center.get("/v1/events")
    assert [event["type"] for event in events.json()["items"]] == ["handover.offered"]
    assert_silent(events, offered, world)


@pytest.mark.parametrize("action", ["receive", "accept", "return"])
async def test_the_receiver_is_told_from_when_on(world: World, action: str) -> None:
    offered = await coming(world)
    answer = await take(world.center, world, offered["id"], action)
    assert (answer.status_code, answer.json()["code"]) == (409, "window_not_open")
    assert answer.json()["windowOpensOn"] == OPENS
    assert answer.json()["availableActions"] == ["decline"]
    assert_silent(answer, offered, world)


@pytest.mark.parametrize("action", ["offer", "open", "amend", "withdraw"])
async def test_the_senders_actions_stay_the_senders(world: World, action: str) -> None:
    offered = await coming(world)
    answer = await take(world.center, world, offered["id"], action)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


async def test_the_receiver_may_decline_without_having_seen_anything(world: World) -> None:
    offered = await coming(world)
    answer = await take(world.center, world, offered["id"], "decline")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["warnings"]) == ("declined", [])
    assert_silent(answer, offered, world)
    world.on(OPENS)
    for path in (f"/v1/handovers/{offered['id']}", "/v1/handovers"):
        assert_silent(await world.center.get(path), offered, world)


async def test_what_was_withdrawn_in_time_never_opens(world: World) -> None:
    offered = await coming(world)
    assert (await take(world.settlement, world, offered["id"], "withdraw")).status_code == 200
    world.on("2026-12-01")
    answer = await world.center.get(f"/v1/handovers/{offered['id']}")
    assert answer.json()["notice"] is True
    assert_silent(answer, offered, world)
    assert_silent(await world.center.get("/v1/handovers"), offered, world)
    answer = await take(world.center, world, offered["id"], "accept")
    assert answer.json()["code"] == "wrong_state"
    assert_silent(answer, offered, world)


async def test_the_person_cannot_be_found_by_the_receiver(world: World) -> None:
    offered = await coming(world)
    identity = settlement_record(world.center.id)["sections"]["identity"]
    kana = {name: identity[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
    certificate = {name: identity["certificate"][name] for name in ("municipalityCode", "number")}
    for body in ({"kana": kana}, {"certificate": certificate}):
        assert (await world.center.post("/v1/people/match", body)).status_code == 404
    person = f"/v1/people/{offered['personId']}"
    assert (await world.center.get(f"{person}/responsibility")).status_code == 404
    assert (await world.center.get(f"{person}/milestones")).status_code == 404
    consent = consent_for(offered["personId"], world.other.id)
    assert (await world.center.post("/v1/consents", consent)).status_code == 404


async def test_the_consent_that_waits_for_the_receiver_tells_it_nothing(world: World) -> None:
    offered = await coming(world)
    path = f"/v1/consents/{offered['consentId']}"
    assert (await world.center.get(path)).status_code == 404
    withdrawal = {"withdrawnBy": {"kind": "person"}, "sections": ["medical"]}
    assert (await world.settlement.post(f"{path}/withdraw", withdrawal)).status_code == 200
    assert_silent(await world.center.get("/v1/events"), offered, world)
    assert (await world.center.get(path)).status_code == 404
    world.on(OPENS)
    await world.center.get(f"/v1/handovers/{offered['id']}")
    assert (await world.center.get(path)).status_code == 200


async def test_the_window_opens_on_its_day_in_japan(world: World) -> None:
    offered = await coming(world)
    world.on("2026-09-30")
    assert (await world.center.get(f"/v1/handovers/{offered['id']}")).json()["notice"] is True
    world.on(OPENS)
    answer = (await world.center.get(f"/v1/handovers/{offered['id']}")).json()
    assert (answer["status"], answer["windowOpen"], answer["personId"]) == (
        "received",
        True,
        offered["personId"],
    )


async def test_the_day_begins_at_midnight_in_japan(world: World) -> None:
    offered = await coming(world)
    path, found = f"/v1/handovers/{offered['id']}", []
    for instant in ("2026-09-30T23:59:00+09:00", "2026-09-30T15:00:00+00:00"):
        world.services.clock.move_to(datetime.fromisoformat(instant))
        found.append((await world.center.get(path)).json()["windowOpen"])
    assert found == [False, True]


async def test_the_sender_may_open_it_early(world: World) -> None:
    offered = await coming(world)
    answer = await take(world.settlement, world, offered["id"], "open")
    assert answer.json()["status"] == "offered"
    row = await listed(world.center, offered["id"], "&window=open")
    assert row is not None
    assert (row["windowOpen"], row["windowOpensOn"], row["personId"]) == (True, OPENS, offered["personId"])
    assert set(row["availableActions"]) == {"receive", "decline"}
    lines = (await world.center.get("/v1/handovers/export")).text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [offered["id"]]
    answered = await world.center.post(f"/v1/handovers/{offered['id']}/accept", everything())
    assert answered.json()["status"] == "accepted"


async def test_opening_again_changes_nothing(world: World) -> None:
    offered = await coming(world)
    path = f"/v1/handovers/{offered['id']}"
    await world.settlement.post(f"{path}/open")
    before = await world.settlement.get(path)
    assert (await world.settlement.post(f"{path}/open")).headers["etag"] == before.headers["etag"]
    assert (await world.settlement.get(path)).json() == before.json()


async def test_a_later_planned_date_closes_the_window_again(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    later = settlement_record(world.center.id, plannedDate="2027-10-01", serviceEndsOn="2027-09-30")
    amended = await world.settlement.put(path, later, If_Match="*")
    assert amended.json()["status"] == "offered"
    answer = await world.center.get(path)
    assert answer.json()["notice"] is True
    assert (await world.center.post(f"{path}/receive")).json()["code"] == "window_not_open"
