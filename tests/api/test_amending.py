"""Amending what is a draft, on offer, received or returned; and offering it again."""

from typing import Any

import pytest

from tests.api.states import reach, take
from tests.world import World, consent_for, settlement_record


async def amend(world: World, handover_id: str, **changes: Any) -> Any:
    record = settlement_record(world.center.id, **changes)
    return await world.settlement.put(f"/v1/handovers/{handover_id}", record, If_Match="*")


async def read(world: World, handover_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await world.settlement.get(f"/v1/handovers/{handover_id}")).json()
    return found


async def test_an_amended_draft_stays_a_draft_that_nobody_knows_of(world: World) -> None:
    drafted = await world.consented()
    answer = (await amend(world, drafted["id"], plannedDate="2027-05-01", serviceEndsOn="2027-04-30")).json()
    assert (answer["status"], answer["version"], answer["plannedDate"]) == ("draft", 2, "2027-05-01")
    assert (await world.center.get("/v1/events")).json()["items"] == []
    assert (await world.center.get(f"/v1/handovers/{drafted['id']}")).status_code == 404


async def test_amending_what_was_received_asks_the_receiver_to_read_again(world: World) -> None:
    received = await world.received()
    answer = (await amend(world, received["id"], acquisitionContext="改めて")).json()
    assert (answer["status"], answer["version"]) == ("offered", 2)
    now = await read(world, received["id"])
    assert "receivedAt" not in now
    assert (await take(world.center, world, received["id"], "accept")).json()["handoverStatus"] == "offered"
    seen = (await world.center.get(f"/v1/handovers/{received['id']}")).json()
    assert (seen["status"], seen["version"]) == ("received", 2)
    assert seen["record"]["acquisitionContext"] == "改めて"
    assert (await take(world.center, world, received["id"], "accept")).json()["status"] == "accepted"


async def test_the_receiver_is_told_of_an_amendment(world: World) -> None:
    received = await world.received()
    await amend(world, received["id"])
    types = [event["type"] for event in (await world.center.get("/v1/events")).json()["items"]]
    assert types[-1] == "handover.amended"
    assert types.count("handover.offered") == 1


async def test_a_returned_record_is_amended_and_offered_again(world: World) -> None:
    returned = await reach(world, "returned")
    before = await read(world, returned["id"])
    assert before["reason"]["code"] == "more_information"
    assert "answerDueOn" not in before
    amended = (await amend(world, returned["id"])).json()
    assert (amended["status"], amended["version"]) == ("returned", 2)
    assert set(amended["availableActions"]) == {"offer", "amend", "withdraw"}
    kept = await read(world, returned["id"])
    assert (kept["reason"], kept["receivedAt"]) == (before["reason"], before["receivedAt"])
    types = [event["type"] for event in (await world.center.get("/v1/events")).json()["items"]]
    assert types[-1] == "handover.returned"
    offered = (await take(world.settlement, world, returned["id"], "offer")).json()
    assert offered["status"] == "offered"
    assert offered["reason"] == before["reason"]
    assert "answerDueOn" in await read(world, returned["id"])
    seen = (await world.center.get(f"/v1/handovers/{returned['id']}")).json()
    assert (seen["version"], seen["reason"]) == (2, before["reason"])
    assert "reason" not in (await take(world.center, world, returned["id"], "accept")).json()


async def test_amending_a_draft_asks_for_no_consent_yet(world: World) -> None:
    drafted = await world.draft()
    assert (await amend(world, drafted["id"])).json()["version"] == 2


async def test_amending_what_is_on_offer_needs_consent_still(world: World) -> None:
    offered = await world.offered()
    path = f"/v1/consents/{offered['consentId']}/withdraw"
    await world.settlement.post(path, {"withdrawnBy": {"kind": "person"}})
    answer = await amend(world, offered["id"])
    assert (answer.status_code, answer.json()["code"]) == (422, "consent_missing")
    assert (await read(world, offered["id"]))["version"] == 1


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"receiverId": "other"}, ["/receiverId"]),
        ({"personId": "01930000-0000-7000-8000-00000000dead"}, ["/personId"]),
        (
            {"receiverId": "other", "personId": "01930000-0000-7000-8000-00000000dead"},
            ["/personId", "/receiverId"],
        ),
    ],
)
async def test_person_and_receiver_stay_who_they_are(
    world: World, changes: dict[str, str], pointers: list[str]
) -> None:
    drafted = await world.draft()
    if "receiverId" in changes:
        changes = changes | {"receiverId": str(world.other.id)}
    answer = await amend(world, drafted["id"], **changes)
    assert (answer.status_code, answer.json()["code"]) == (422, "rule_violated")
    assert sorted(error["pointer"] for error in answer.json()["errors"]) == pointers
    assert (await amend(world, drafted["id"], personId=drafted["personId"])).status_code == 200


async def test_an_amendment_that_breaks_a_rule_leaves_everything_as_it_was(world: World) -> None:
    received = await world.received()
    before = await read(world, received["id"])
    answer = await amend(world, received["id"], plannedDate="2027-03-31")
    assert answer.json()["errors"][0]["code"] == "planned_date.not_after_service_end"
    assert await read(world, received["id"]) == before


async def test_new_dates_and_domains_hold_from_the_amendment_on(world: World) -> None:
    received = await world.received()
    domains = [{"domain": "employment", "receiverRole": "backup", "senderRoleAfter": "co_support"}]
    answer = await amend(
        world, received["id"], domains=domains, plannedDate="2027-05-01", serviceEndsOn="2027-04-30"
    )
    assert [(one["domain"], one["receiverRole"], one["from"]) for one in answer.json()["domains"]] == [
        ("employment", "backup", "2027-05-01")
    ]
    now = await read(world, received["id"])
    assert (now["plannedDate"], now["windowOpensOn"], now["serviceEndsOn"]) == (
        "2027-05-01",
        "2026-11-01",
        "2027-04-30",
    )


async def test_what_was_opened_early_stays_open_when_amended(world: World) -> None:
    world.on("2026-09-01")
    offered = await world.offered()
    await take(world.settlement, world, offered["id"], "open")
    due = (await read(world, offered["id"]))["answerDueOn"]
    await amend(world, offered["id"])
    now = await read(world, offered["id"])
    assert (now["windowOpen"], now["answerDueOn"]) == (True, due)
    assert (await world.center.get(f"/v1/handovers/{offered['id']}")).json()["status"] == "received"


async def test_offering_needs_the_sections_that_an_answer_needs(world: World) -> None:
    record = settlement_record(world.center.id)
    for section in ("assessment", "support_plan"):
        record["sections"].pop(section)
    drafted = (await world.settlement.post("/v1/handovers", record)).json()
    await world.settlement.post("/v1/consents", consent_for(drafted["personId"], world.center.id))
    answer = await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    assert [(one["code"], one["pointer"]) for one in answer.json()["errors"]] == [
        ("record.section_missing", "/sections/assessment"),
        ("record.section_missing", "/sections/support_plan"),
    ]


async def test_what_is_planned_for_the_past_cannot_be_offered(world: World) -> None:
    drafted = await world.consented()
    world.on("2027-04-02")
    answer = await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    assert answer.status_code == 422
    assert [(one["code"], one["pointer"]) for one in answer.json()["errors"]] == [
        ("planned_date.in_past", "/plannedDate")
    ]
    assert (await read(world, drafted["id"]))["status"] == "draft"
