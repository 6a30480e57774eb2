"""Both sides record what they do together, see it, take it back; and nobody else learns of it."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from tests.activities.together import conference, listed, recorded, refused, taken_back, visit, window
from tests.api.states import reach
from tests.ledger.entries import kept
from tests.owner import owner
from tests.world import World
from tsunagi.activities.rules import MOST
from tsunagi.auth.rules import Scope

STATES = (
    *("draft", "offered", "received", "returned", "accepted", "overlapping"),
    *("completed", "declined", "withdrawn", "expired"),
)
TOGETHER = {"received", "returned", "accepted", "overlapping"}


async def test_what_one_side_records_the_other_reads(world: World) -> None:
    handover = await world.received()
    ours = await recorded(world.center, handover, conference(world))
    theirs = await recorded(world.settlement, handover, visit())
    assert (ours["side"], theirs["side"]) == ("receiver", "sender")
    for who, mine in ((world.center, ours), (world.settlement, theirs)):
        found = await listed(who, handover)
        assert [one["id"] for one in found["items"]] == [ours["id"], theirs["id"]]
        assert found["items"][0]["caseConference"] == conference(world)["caseConference"]
        assert found["items"][1]["jointVisit"] == visit()["jointVisit"]
        assert [one["id"] for one in found["items"] if one["availableActions"]] == [mine["id"]]
        assert (found["withheld"], found["availableActions"]) == ([], ["record"])
    for stranger in (world.other, world.auditor, world.transition):
        for method, path in (("GET", ""), ("POST", ""), ("POST", f"/{ours['id']}/withdraw")):
            body = None if method == "GET" or path else visit()
            answer = await stranger.call(method, f"/v1/handovers/{handover['id']}/activities{path}", body)
            assert answer.status_code == 404


async def test_the_window_is_agreed_when_the_newest_of_both_name_the_same(world: World) -> None:
    handover = await world.accepted()
    assert (await listed(world.center, handover))["employerWindow"] == {
        "sender": None,
        "receiver": None,
        "agreed": None,
    }
    await recorded(world.settlement, handover, window(world.settlement, "2027-03-01"))
    said = await recorded(world.center, handover, window(world.center, "2027-04-01"))
    found = (await listed(world.center, handover))["employerWindow"]
    assert (found["sender"]["organizationId"], found["receiver"]["organizationId"], found["agreed"]) == (
        str(world.settlement.id),
        str(world.center.id),
        None,
    )
    await recorded(world.settlement, handover, window(world.center, "2027-03-15"))
    for who in (world.settlement, world.center):
        agreed = (await listed(who, handover))["employerWindow"]["agreed"]
        assert agreed == {"organizationId": str(world.center.id), "from": "2027-04-01"}
    await taken_back(world.center, said)
    assert (await listed(world.settlement, handover))["employerWindow"]["agreed"] is None


async def test_a_mistake_is_taken_back_by_who_made_it_and_stays_to_be_seen(world: World) -> None:
    handover = await world.received()
    mistake = await recorded(world.center, handover, visit())
    path = f"/v1/handovers/{handover['id']}/activities/{mistake['id']}/withdraw"
    assert (await world.settlement.post(path)).status_code == 404
    first = await taken_back(world.center, mistake)
    assert first["withdrawnAt"]
    entries = len(await kept(world.services.db))
    assert await taken_back(world.center, mistake) == first
    assert len(await kept(world.services.db)) == entries
    (seen,) = (await listed(world.settlement, handover))["items"]
    assert seen["withdrawnAt"] == first["withdrawnAt"]
    assert seen["jointVisit"] == visit()["jointVisit"]


async def test_also_when_the_handover_is_over(world: World) -> None:
    handover = await world.received()
    mistake = await recorded(world.center, handover, visit())
    reason = {"reason": {"code": "capacity"}}
    assert (await world.center.post(f"/v1/handovers/{handover['id']}/decline", reason)).status_code == 200
    assert (await taken_back(world.center, mistake))["availableActions"] == []


@pytest.mark.parametrize("status", STATES)
async def test_each_side_records_while_it_takes_part(world: World, status: str) -> None:
    handover = await reach(world, status)
    for who, states in ((world.settlement, TOGETHER | {"offered"}), (world.center, TOGETHER)):
        answer = await who.post(f"/v1/handovers/{handover['id']}/activities", visit("2026-11-01"))
        if status in states:
            assert answer.status_code == 201, answer.text
        elif status == "draft" and who is world.center:
            assert answer.status_code == 404
        else:
            assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
            assert answer.json()["handoverStatus"] == status
        if status != "draft" or who is world.settlement:
            may = ["record"] if status in states else []
            assert (await listed(who, handover))["availableActions"] == may


async def test_before_the_window_opens_the_receiver_neither_reads_nor_records(world: World) -> None:
    world.on("2026-09-01")  # it opens on 2026-10-01
    handover = await world.offered()
    await recorded(world.settlement, handover, conference(world, "2026-08-20"))
    found = await listed(world.center, handover)
    assert (found["items"], found["availableActions"], "employerWindow" in found) == ([], [], False)
    answer = await refused(world.center, handover, conference(world, "2026-08-20"))
    assert (answer["code"], answer["windowOpensOn"]) == ("window_not_open", "2026-10-01")


async def test_without_consent_the_receiver_reads_its_own_alone(world: World) -> None:
    handover = await world.received()
    own = await recorded(world.center, handover, visit())
    await recorded(world.settlement, handover, conference(world))
    await recorded(world.settlement, handover, window(world.settlement))
    body = {"withdrawnBy": {"kind": "person"}, "sections": ["handover_plan"]}
    path = f"/v1/consents/{handover['consentId']}/withdraw"
    assert (await world.settlement.post(path, body)).status_code == 200
    found = await listed(world.center, handover)
    assert [one["id"] for one in found["items"]] == [own["id"]]
    assert found["withheld"] == [{"section": "handover_plan", "reason": "consent_withdrawn"}]
    assert (found["availableActions"], "employerWindow" in found) == ([], False)
    assert (await refused(world.center, handover, visit()))["code"] == "consent_missing"
    assert len((await listed(world.settlement, handover))["items"]) == 3
    await recorded(world.settlement, handover, visit())


@pytest.mark.parametrize(
    ("activity", "code", "pointer"),
    [
        (lambda w: conference(w, "2026-11-21"), "activity.in_future", "/caseConference/heldOn"),
        (lambda w: visit("2026-11-21"), "activity.in_future", "/jointVisit/visitedOn"),
        (lambda w: visit("2025-11-19"), "activity.too_early", "/jointVisit/visitedOn"),
        (lambda w: window(w.other), "employer_window.not_a_side", "/employerWindow/organizationId"),
        (lambda w: window(w.center, "2028-04-02"), "employer_window.too_late", "/employerWindow/from"),
        (lambda w: window(w.center, "2025-11-19"), "activity.too_early", "/employerWindow/from"),
    ],
)
async def test_what_cannot_be_is_refused(world: World, activity: Any, code: str, pointer: str) -> None:
    handover = await world.received()
    answer = await refused(world.center, handover, activity(world))
    assert answer["code"] == "rule_violated"
    assert [(one["code"], one["pointer"]) for one in answer["errors"]] == [(code, pointer)]
    assert answer["responsibleParty"] == "sender" or answer["errors"][0]["responsibleParty"] == "client"
    assert (await listed(world.center, handover))["items"] == []


async def test_a_conference_of_one_side_alone_is_noticed(world: World) -> None:
    handover = await world.received()
    both = conference(world)["caseConference"]["participants"]
    only = await recorded(world.settlement, handover, conference(world, participants=both[:1]))
    assert [one["code"] for one in only["warnings"]] == ["conference.receiver_missing"]
    for who in (world.settlement, world.center):
        (seen,) = (await listed(who, handover))["items"]
        assert [one["code"] for one in seen["warnings"]] == ["conference.receiver_missing"]
    assert (await recorded(world.center, handover, conference(world)))["warnings"] == []


async def test_each_side_records_so_many_and_no_more(world: World) -> None:
    handover = await world.received()
    first = await recorded(world.center, handover, visit())
    async with owner(world.services.db) as tx:
        names = (
            "handover_id, recorded_by, kind, on_day, window_id, recorded_at, withdrawn_at, data_key, document"
        )
        copies = f"SELECT gen_random_uuid(), {names} FROM handover_activities, generate_series(2, :most)"
        await tx.execute(text(f"INSERT INTO handover_activities (id, {names}) {copies}"), {"most": MOST})
    answer = await refused(world.center, handover, visit())
    assert [one["code"] for one in answer["errors"]] == ["activity.too_many"]
    assert first["id"]
    await recorded(world.settlement, handover, visit())  # it is no matter of the other side


async def test_sent_again_it_is_recorded_once(world: World) -> None:
    handover = await world.received()
    path = f"/v1/handovers/{handover['id']}/activities"
    first = await world.center.post(path, visit(), Idempotency_Key="again")
    again = await world.center.post(path, visit(), Idempotency_Key="again")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await listed(world.center, handover))["items"]) == 1


async def test_both_sides_are_told_and_the_ledger_says_by_whom(world: World) -> None:
    handover = await world.received()
    already = len(await kept(world.services.db))
    noted = await recorded(world.center, handover, conference(world))
    await taken_back(world.center, noted)
    await listed(world.settlement, handover)
    for who in (world.settlement, world.center):
        events = (await who.get("/v1/events")).json()["items"]
        told = [(one["type"], one["handoverId"]) for one in events][-2:]
        assert told == [
            ("handover.activity_recorded", handover["id"]),
            ("handover.activity_withdrawn", handover["id"]),
        ]
    entries = (await kept(world.services.db))[already:]
    assert [one.body["action"] for one in entries] == [
        "handovers:record_activity",
        "handovers:withdraw_activity",
        "handovers:read_activities",
    ]
    assert entries[0].body["asked"] == {"activityId": noted["id"]}
    assert entries[0].body["code"] == "case_conference"
    assert "職場" not in str([one.body for one in entries])


async def test_reading_makes_no_record_of_provision(world: World) -> None:
    handover = await world.received()
    before = (await world.center.get("/v1/provisions")).json()["items"]
    await recorded(world.settlement, handover, conference(world))
    await listed(world.center, handover)
    assert (await world.center.get("/v1/provisions")).json()["items"] == before


async def test_it_takes_the_scope_for_it(world: World) -> None:
    handover = await world.received()
    reader = replace(world.center, scopes=frozenset(Scope) - {Scope.ACTIVITIES_WRITE})
    assert (await refused(reader, handover, visit()))["code"] == "scope_missing"
    assert (await listed(reader, handover))["items"] == []
