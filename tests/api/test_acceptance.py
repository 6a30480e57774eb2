"""Acceptance, domain by domain, and who is primary on each day that follows."""

from typing import Any

import pytest

from tests.api.states import DOMAINS, everything, take
from tests.ledger.entries import kept
from tests.world import Organization, World, consent_for, settlement_record

PLANNED = "2027-04-01"


async def accept(who: Organization, handover_id: str, *answers: dict[str, Any]) -> Any:
    return await who.post(f"/v1/handovers/{handover_id}/accept", {"domains": list(answers)})


def answers(**decisions: dict[str, Any]) -> list[dict[str, Any]]:
    """An answer for each domain; those not named are accepted as offered."""
    return [{"domain": one, "decision": "accept"} | decisions.get(one, {}) for one in DOMAINS]


async def primaries(world: World, person_id: str, *days: str) -> dict[str, list[str]]:
    """Who is primary for each domain on these days, as both sides are told."""
    names = {str(world.settlement.id): "sender", str(world.center.id): "receiver"}
    found: dict[str, list[str]] = {domain: [] for domain in DOMAINS}
    for day in days:
        path = f"/v1/people/{person_id}/responsibility?asOf={day}"
        told = (await world.settlement.get(path)).json()["domains"]
        assert (await world.center.get(path)).json()["domains"] == told
        for one in told:
            found[one["domain"]].append(names[one["holder"]["id"]] if one["holder"] else "nobody")
    return found


async def support(world: World, person_id: str, domain: str) -> set[tuple[str, str, str, str | None]]:
    """Who supports beside the primary: side, role, from, to."""
    names = {str(world.settlement.id): "sender", str(world.center.id): "receiver"}
    told = (await world.settlement.get(f"/v1/people/{person_id}/responsibility")).json()["domains"]
    return {
        (names[one["organization"]["id"]], one["role"], one["from"], one["to"])
        for chain in told
        if chain["domain"] == domain
        for one in chain["support"]
    }


async def test_responsibility_moves_on_the_effective_date_and_not_on_the_click(world: World) -> None:
    accepted = await world.accepted()
    found = await primaries(world, accepted["personId"], "2026-11-20", "2027-03-31", PLANNED, "2030-01-01")
    assert list(found.values()) == [["sender", "sender", "receiver", "receiver"]] * 3


async def test_before_an_answer_the_sender_stays_primary_for_ever(world: World) -> None:
    received = await world.received()
    found = await primaries(world, received["personId"], "2024-04-01", "2026-11-20", PLANNED, "2100-01-01")
    assert list(found.values()) == [["sender"] * 4] * 3


async def test_each_domain_may_have_a_day_of_its_own(world: World) -> None:
    received = await world.received()
    given = answers(employment={"from": "2027-05-01"}, daily_life={"from": "2026-11-20"})
    answer = await accept(world.center, received["id"], *given)
    assert answer.status_code == 200, answer.text
    assert {one["domain"]: one["acceptedFrom"] for one in answer.json()["domains"]} == {
        "employment": "2027-05-01",
        "daily_life": "2026-11-20",
        "employer_liaison": PLANNED,
    }
    assert answer.json()["status"] == "overlapping"
    days = ("2026-11-19", "2026-11-20", "2027-03-31", PLANNED, "2027-04-30", "2027-05-01")
    assert await primaries(world, received["personId"], *days) == {
        "employment": ["sender"] * 5 + ["receiver"],
        "daily_life": ["sender"] + ["receiver"] * 5,
        "employer_liaison": ["sender"] * 3 + ["receiver"] * 3,
    }
    world.on("2027-04-30")
    path = f"/v1/handovers/{received['id']}"
    assert (await world.center.get(path)).json()["status"] == "overlapping"
    world.on("2027-05-01")
    assert (await world.center.get(path)).json()["status"] == "completed"


@pytest.mark.parametrize("role", ["co_support", "backup"])
async def test_a_receiver_who_only_supports_leaves_the_sender_primary(world: World, role: str) -> None:
    received = await world.received()
    answer = await accept(world.center, received["id"], *answers(employment={"role": role}))
    assert answer.status_code == 200, answer.text
    person = received["personId"]
    assert (await primaries(world, person, "2026-11-20", PLANNED, "2030-01-01"))["employment"] == [
        "sender"
    ] * 3
    assert ("receiver", role, PLANNED, None) in await support(world, person, "employment")


async def test_what_is_declined_or_left_stays_with_the_sender(world: World) -> None:
    received = await world.received()
    given = answers(
        employment={"decision": "decline", "reason": {"code": "capacity"}},
        daily_life={"decision": "left_with_sender"},
    )
    answer = (await accept(world.center, received["id"], *given)).json()
    found = {one["domain"]: one for one in answer["domains"]}
    assert (found["employment"]["decision"], found["employment"]["reason"]) == (
        "decline",
        {"code": "capacity"},
    )
    assert found["daily_life"]["decision"] == "left_with_sender"
    assert "acceptedFrom" not in found["daily_life"]
    assert await primaries(world, received["personId"], PLANNED, "2030-01-01") == {
        "employment": ["sender"] * 2,
        "daily_life": ["sender"] * 2,
        "employer_liaison": ["receiver"] * 2,
    }


async def test_the_sender_keeps_the_role_it_offered_until_the_last_day_of_follow_up(world: World) -> None:
    record = settlement_record(world.center.id)
    record["sections"]["handover_plan"]["followUpUntil"] = "2027-09-30"
    record["sections"]["handover_plan"]["overlap"] = {"from": "2027-01-01", "to": PLANNED}
    drafted = (await world.settlement.post("/v1/handovers", record)).json()
    person = drafted["personId"]
    await world.settlement.post("/v1/consents", consent_for(person, world.center.id))
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    assert (await world.center.post(f"/v1/handovers/{drafted['id']}/receive")).status_code == 200
    assert (await accept(world.center, drafted["id"], *answers())).status_code == 200
    assert await support(world, person, "employment") == {
        ("receiver", "co_support", "2027-01-01", PLANNED),
        ("sender", "backup", PLANNED, "2027-10-01"),
    }
    assert await support(world, person, "daily_life") == {("receiver", "co_support", "2027-01-01", PLANNED)}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answers()[:2], "acceptance.domains_not_covered"),
        ([*answers()[:2], answers()[0]], "acceptance.domains_not_covered"),
        (everything("left_with_sender")["domains"], "acceptance.nothing_accepted"),
        (answers(employment={"from": "2026-11-19"}), "acceptance.effective_in_past"),
        (answers(daily_life={"from": "2020-01-01"}), "acceptance.effective_in_past"),
    ],
)
async def test_an_answer_that_cannot_stand_is_refused_whole(
    world: World, given: list[dict[str, Any]], code: str
) -> None:
    received = await world.received()
    answer = await accept(world.center, received["id"], *given)
    assert (answer.status_code, answer.json()["code"]) == (422, "rule_violated")
    (error,) = answer.json()["errors"]
    assert (error["code"], error["responsibleParty"]) == (code, "receiver")
    assert error["pointer"].startswith("/domains")
    assert (await world.center.get(f"/v1/handovers/{received['id']}")).json()["status"] == "received"
    assert (await primaries(world, received["personId"], PLANNED))["employment"] == ["sender"]


async def test_more_than_was_offered_cannot_be_taken(world: World) -> None:
    domains = [{"domain": "employment", "receiverRole": "backup", "senderRoleAfter": "none"}]
    drafted = await world.draft(domains=domains)
    await world.settlement.post("/v1/consents", consent_for(drafted["personId"], world.center.id))
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    await world.center.post(f"/v1/handovers/{drafted['id']}/receive")
    answer = await accept(world.center, drafted["id"], answers(employment={"role": "primary"})[0])
    assert answer.status_code == 422
    assert [(one["code"], one["pointer"]) for one in answer.json()["errors"]] == [
        ("acceptance.more_than_offered", "/domains/0/role")
    ]


@pytest.mark.parametrize(
    "answer",
    [
        {"domain": "employment", "decision": "decline"},
        {"domain": "employment", "decision": "decline", "reason": {"code": "capacity"}, "role": "backup"},
        {"domain": "employment", "decision": "left_with_sender", "from": PLANNED},
        {"domain": "employment", "decision": "accept", "reason": {"code": "capacity"}},
        {"domain": "employment", "decision": "perhaps"},
        {"domain": "housing", "decision": "accept"},
    ],
)
async def test_an_answer_that_says_too_little_or_too_much_has_no_shape(
    world: World, answer: dict[str, Any]
) -> None:
    received = await world.received()
    refused = await accept(world.center, received["id"], answer, *answers()[1:])
    assert (refused.status_code, refused.json()["code"]) == (422, "schema_invalid")


async def test_the_person_in_charge_is_told_to_the_sender(world: World) -> None:
    received = await world.received()
    who = {"name": "受入 春子", "role": "就業支援担当"}
    await world.center.post(f"/v1/handovers/{received['id']}/accept", everything() | {"personInCharge": who})
    assert (await world.settlement.get(f"/v1/handovers/{received['id']}")).json()["personInCharge"] == who


async def test_an_explicit_receipt_is_as_good_as_a_first_reading(world: World) -> None:
    offered = await world.offered()
    path = f"/v1/handovers/{offered['id']}"
    too_soon = await take(world.center, world, offered["id"], "accept")
    assert (too_soon.json()["code"], too_soon.json()["handoverStatus"]) == ("wrong_state", "offered")
    assert (await world.center.post(f"{path}/receive")).json()["status"] == "received"
    receipt = (await world.settlement.get(path)).json()["receivedAt"]
    world.on("2026-11-21")
    assert (await world.center.post(f"{path}/receive")).json()["status"] == "received"
    await world.center.get(path)
    assert (await world.settlement.get(path)).json()["receivedAt"] == receipt
    assert (await take(world.center, world, offered["id"], "accept")).json()["status"] == "accepted"


async def test_withdrawing_after_acceptance_restores_the_sender(world: World) -> None:
    accepted = await world.accepted()
    person = accepted["personId"]
    answer = await take(world.settlement, world, accepted["id"], "withdraw")
    assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
    path = f"/v1/people/{person}/responsibility"
    for day in ("2026-11-20", PLANNED, "2030-01-01"):
        told = (await world.settlement.get(f"{path}?asOf={day}")).json()["domains"]
        assert {one["holder"]["id"] for one in told} == {str(world.settlement.id)}
        assert all(one["support"] == [] for one in told)
    assert (await world.center.get(path)).status_code == 404


async def test_once_the_overlap_has_begun_nothing_can_be_withdrawn(world: World) -> None:
    accepted = await world.accepted()
    world.on("2027-02-01")
    answer = await take(world.settlement, world, accepted["id"], "withdraw")
    assert (answer.status_code, answer.json()["handoverStatus"]) == (409, "overlapping")
    assert (await primaries(world, accepted["personId"], PLANNED))["employment"] == ["receiver"]


async def test_offering_what_another_holds_is_refused_with_the_domain(world: World) -> None:
    accepted = await world.accepted()
    record = settlement_record(world.other.id, personId=accepted["personId"], plannedDate="2027-06-01")
    record.pop("serviceEndsOn")
    drafted = (await world.settlement.post("/v1/handovers", record)).json()
    await world.settlement.post("/v1/consents", consent_for(accepted["personId"], world.other.id))
    answer = await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    assert (answer.status_code, answer.json()["code"]) == (409, "responsibility_not_held")
    assert answer.json()["errors"][0]["message"].partition("：")[0] in ("就業支援", "生活支援", "企業窓口")


async def test_of_two_receivers_the_second_cannot_take_what_the_first_has(world: World) -> None:
    accepted = await world.received()
    person = accepted["personId"]
    record = settlement_record(world.other.id, personId=person)
    drafted = (await world.settlement.post("/v1/handovers", record)).json()
    await world.settlement.post("/v1/consents", consent_for(person, world.other.id))
    assert (await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")).status_code == 200
    assert (await take(world.center, world, accepted["id"], "accept")).status_code == 200
    await world.other.get(f"/v1/handovers/{drafted['id']}")
    answer = await take(world.other, world, drafted["id"], "accept")
    assert (answer.status_code, answer.json()["code"]) == (409, "responsibility_not_held")
    assert (await primaries(world, person, PLANNED))["employment"] == ["receiver"]


async def test_an_offer_says_where_nobody_is_primary_until_the_handover(world: World) -> None:
    record = settlement_record(world.center.id)
    del record["domains"][0]["senderPrimarySince"]
    drafted = (await world.settlement.post("/v1/handovers", record)).json()
    await world.settlement.post("/v1/consents", consent_for(drafted["personId"], world.center.id))
    offered = (await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")).json()
    said = [one["message"] for one in offered["warnings"] if one["code"] == "responsibility.nobody_primary"]
    assert len(said) == 1
    assert said[0].startswith("就業支援：")


async def test_a_step_that_is_not_possible_says_whose_turn_it_is(world: World) -> None:
    offered = await world.offered()
    path = f"/v1/handovers/{offered['id']}"
    reason = {"reason": {"code": "more_information", "text": "面談の記録がほしい"}}
    waiting = await world.settlement.post(f"{path}/offer")
    assert (waiting.status_code, waiting.json()["responsibleParty"]) == (409, "receiver")
    await world.center.get(path)
    assert (await world.center.post(f"{path}/return", reason)).status_code == 200
    returned = await world.center.post(f"{path}/return", reason)
    assert (returned.status_code, returned.json()["responsibleParty"]) == (409, "sender")


async def test_a_dry_run_foresees_what_acceptance_then_does_and_keeps_nothing(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    body = {
        "domains": answers(employment={"from": "2027-05-01"}, daily_life={"decision": "left_with_sender"})
    }
    entries = len(await kept(world.services.db))
    foreseen = await world.center.post(f"{path}/accept?dryRun=true", body)
    assert foreseen.status_code == 200, foreseen.text
    assert len(await kept(world.services.db)) == entries
    assert (await world.center.get(path)).json()["status"] == "received"
    before = (await world.center.get(f"/v1/people/{received['personId']}/responsibility")).json()
    assert (await world.center.post(f"{path}/accept", body)).status_code == 200
    after = (await world.center.get(f"/v1/people/{received['personId']}/responsibility")).json()

    def without_times(told: Any) -> list[Any]:
        return [one | {"recordedAt": None} for one in told["domains"]]

    assert without_times(foreseen.json()) == without_times(after)
    assert without_times(before) != without_times(after)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"domains": answers(employment={"from": "2026-01-01"})}, "acceptance.effective_in_past"),
        ({"domains": answers()[:1]}, "acceptance.domains_not_covered"),
    ],
)
async def test_a_dry_run_refuses_what_acceptance_would(world: World, body: Any, code: str) -> None:
    received = await world.received()
    answer = await world.center.post(f"/v1/handovers/{received['id']}/accept?dryRun=true", body)
    assert answer.status_code == 422
    assert code in {one["code"] for one in answer.json()["errors"]}


async def test_a_dry_run_says_no_where_acceptance_would(world: World) -> None:
    accepted = await world.accepted()
    path = f"/v1/handovers/{accepted['id']}/accept?dryRun=true"
    assert (await world.center.post(path, {"domains": answers()})).status_code == 409
    assert (await world.settlement.post(path, {"domains": answers()})).status_code == 409
    assert (await world.other.post(path, {"domains": answers()})).status_code == 404
