"""Recording, reading and withdrawing consent."""

import json
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.world import SECTIONS, World, consent_for
from tsunagi.db import Database

WITHDRAWAL = {"withdrawnBy": {"kind": "person"}}
NOT_GIVEN = ("givenBy", "givenOn", "method", "evidenceHash", "explainedBy")


def exception(person_id: str, world: World, **changes: Any) -> dict[str, Any]:
    """A provision under an exception of the law."""
    body = consent_for(person_id, world.center.id, **changes)
    for name in NOT_GIVEN:
        body.pop(name)
    return body | {
        "legalException": {"code": "life_protection", "reason": "連絡が取れず、生命の危険がある。"}
    }


async def ledger(db: Database, action: str) -> list[dict[str, Any]]:
    """The bodies of the ledger's entries of this kind."""
    async with db.platform() as tx:
        found = await tx.scalars(
            text("SELECT body FROM ledger_contents WHERE action = :action ORDER BY id"), {"action": action}
        )
        return [json.loads(body) for body in found]


async def person(world: World) -> str:
    return str((await world.draft())["personId"])


async def test_a_consent_comes_back_as_it_was_given(world: World) -> None:
    body = consent_for(await person(world), world.center.id, companyDisclosureScope="配慮の全般")
    answer = await world.settlement.post("/v1/consents", body)
    assert answer.status_code == 201
    kept = await world.settlement.get(answer.headers["location"])
    assert kept.json() == answer.json()
    assert kept.json() | body == kept.json()
    assert kept.json()["status"] == "active"


@pytest.mark.parametrize(
    ("days", "status"),
    [
        (("2026-01-01", "2026-11-20"), "ended"),
        (("2026-11-20", "2026-11-21"), "active"),
        (("2026-11-21", "2199-12-31"), "not_yet"),
    ],
)
async def test_a_consent_says_what_it_is_worth_today(
    world: World, days: tuple[str, str], status: str
) -> None:
    body = consent_for(await person(world), world.center.id, **dict(zip(("from", "to"), days, strict=True)))
    assert (await world.settlement.post("/v1/consents", body)).json()["status"] == status


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"from": "2026-05-01", "to": "2026-05-01"}, "consent.period_reversed", "/to"),
        ({"from": "2026-05-02", "to": "2026-05-01"}, "consent.period_reversed", "/to"),
        ({"givenOn": "2026-11-21"}, "consent.given_in_future", "/givenOn"),
        (
            {"subject": "family", "givenBy": {"kind": "family_member", "name": "例"}},
            "consent.family_sections",
            "/sections",
        ),
    ],
)
async def test_a_consent_that_breaks_a_rule_is_refused(
    world: World, changes: dict[str, Any], code: str, pointer: str
) -> None:
    body = consent_for(await person(world), world.center.id, **changes)
    answer = await world.settlement.post("/v1/consents", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "rule_violated")
    assert [(one["code"], one["pointer"]) for one in answer.json()["errors"]] == [(code, pointer)]


async def test_an_unknown_recipient_is_named_by_its_place(world: World) -> None:
    body = consent_for(await person(world), world.center.id)
    body["recipientIds"] += [str(uuid4()), str(world.other.id), str(uuid4())]
    answer = await world.settlement.post("/v1/consents", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "rule_violated")
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/recipientIds/1", "/recipientIds/3"]


async def test_a_recipient_named_in_two_spellings_is_one(world: World) -> None:
    body = consent_for(await person(world), world.center.id)
    body["recipientIds"].append(str(world.center.id).upper())
    answer = await world.settlement.post("/v1/consents", body)
    assert answer.status_code == 201, answer.text


async def test_a_person_in_no_relation_is_not_found(world: World) -> None:
    known = await person(world)
    for voice, person_id in ((world.settlement, str(uuid4())), (world.other, known), (world.center, known)):
        answer = await voice.post("/v1/consents", consent_for(person_id, world.transition.id))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "personId" in answer.json()["detail"]


async def test_only_the_giver_and_those_who_received_may_read_a_consent(world: World) -> None:
    received = await world.received()
    path = f"/v1/consents/{received['consentId']}"
    for voice, status in (
        (world.settlement, 200),
        (world.center, 200),
        (world.transition, 404),
        (world.other, 404),
        (world.auditor, 404),
    ):
        assert (await voice.get(path)).status_code == status


async def test_only_the_giver_withdraws(world: World, db: Database) -> None:
    received = await world.received()
    path = f"/v1/consents/{received['consentId']}/withdraw"
    for voice in (world.center, world.other, world.auditor):
        assert (await voice.post(path, WITHDRAWAL)).status_code == 404
    assert [entry["outcome"] for entry in await ledger(db, "consents:withdraw")] == ["deny"] * 3
    assert (await world.settlement.post(path, WITHDRAWAL)).status_code == 200


async def test_withdrawing_in_steps_adds_up(world: World) -> None:
    offered = await world.offered()
    path = f"/v1/consents/{offered['consentId']}/withdraw"
    first = (await world.settlement.post(path, WITHDRAWAL | {"sections": ["medical"]})).json()
    assert (first["status"], first["withdrawnScope"]) == ("active", ["medical"])
    world.on("2026-11-21")
    second = (await world.settlement.post(path, WITHDRAWAL)).json()
    assert (second["status"], set(second["withdrawnScope"])) == ("withdrawn", set(SECTIONS))
    assert second["withdrawnAt"] > first["withdrawnAt"]
    (before, after) = second["withdrawals"]
    assert before == {"withdrawnAt": first["withdrawnAt"], "sections": ["medical"]}
    assert after == {
        "withdrawnAt": second["withdrawnAt"],
        "sections": [one for one in sorted(SECTIONS) if one != "medical"],
    }


async def test_withdrawing_what_was_never_given_changes_nothing(world: World) -> None:
    offered = await world.offered(sections=["identity"])
    path = f"/v1/consents/{offered['consentId']}"
    before = (await world.settlement.get(path)).json()
    answer = await world.settlement.post(f"{path}/withdraw", WITHDRAWAL | {"sections": ["medical"]})
    assert (answer.status_code, answer.json()) == (200, before)


async def test_a_withdrawal_is_told_to_giver_and_recipients(world: World) -> None:
    received = await world.received()
    await world.settlement.post(f"/v1/consents/{received['consentId']}/withdraw", WITHDRAWAL)
    for voice in (world.settlement, world.center):
        events = (await voice.get("/v1/events")).json()["items"]
        assert (events[-1]["type"], events[-1]["consentId"]) == ("consent.withdrawn", received["consentId"])
    assert (await world.other.get("/v1/events")).json()["items"] == []


async def test_an_exception_of_the_law_gives_access_and_says_so(world: World, db: Database) -> None:
    drafted = await world.draft()
    body = exception(drafted["personId"], world, sections=["identity", "medical"])
    answer = await world.settlement.post("/v1/consents", body)
    assert answer.status_code == 201, answer.text
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    read = (await world.center.get(f"/v1/handovers/{drafted['id']}")).json()
    assert set(read["record"]["sections"]) == {"identity", "medical"}
    assert read["consents"] == [{"id": answer.json()["id"]}]
    (entry,) = await ledger(db, "consents:except")
    assert (entry["code"], entry["outcome"]) == ("life_protection", "permit")
    assert entry["sections"] == ["identity", "medical"]
    assert await ledger(db, "consents:give") == []


async def test_an_exception_needs_its_reason_and_no_consent_beside_it(world: World) -> None:
    body = exception(await person(world), world)
    for broken in (
        body | {"givenOn": "2026-11-01"},
        body | {"legalException": {"code": "convenience", "reason": "急ぐため"}},
        body | {"legalException": {"code": "law"}},
    ):
        assert (await world.settlement.post("/v1/consents", broken)).status_code == 422


async def test_every_step_of_a_consent_is_on_the_ledger_without_its_words(world: World, db: Database) -> None:
    received = await world.received()
    path = f"/v1/consents/{received['consentId']}"
    await world.center.get(path)
    await world.settlement.post(f"{path}/withdraw", WITHDRAWAL | {"reason": "母に知られたくない。"})
    actions = ("consents:give", "consents:read", "consents:withdraw")
    entries = [entry for action in actions for entry in await ledger(db, action)]
    assert [entry["action"] for entry in entries] == list(actions)
    assert all(entry["record"]["id"] == received["consentId"] and entry["stream"] for entry in entries)
    told = json.dumps(entries, ensure_ascii=False)
    assert received["personId"] not in told
    assert "母" not in told
    assert "引継ぎのため" not in told


async def test_offering_without_consent_is_refused_and_says_what_to_do(world: World, db: Database) -> None:
    drafted = await world.draft()
    path = f"/v1/handovers/{drafted['id']}/offer"
    for changes in (
        None,
        {"recipientIds": [str(world.other.id)]},
        {"to": "2026-11-20"},
        {"from": "2026-11-21", "to": "2027-11-21"},
        {"sections": ["family"]},
    ):
        if changes:
            body = consent_for(drafted["personId"], world.center.id, **changes)
            assert (await world.settlement.post("/v1/consents", body)).status_code == 201
        answer = await world.settlement.post(path)
        assert (answer.status_code, answer.json()["code"]) == (422, "consent_missing"), changes
        assert "有効な同意を登録してください" in answer.json()["detail"]
    denials = [entry for entry in await ledger(db, "handovers:offer") if entry["outcome"] == "deny"]
    assert [entry["code"] for entry in denials] == ["consent_missing"] * 5


async def test_a_consent_that_begins_with_the_window_suffices_to_offer(world: World) -> None:
    world.on("2026-09-01")
    drafted = await world.draft()
    body = consent_for(drafted["personId"], world.center.id, givenOn="2026-09-01", **{"from": "2026-10-01"})
    assert (await world.settlement.post("/v1/consents", body)).status_code == 201
    assert (await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")).status_code == 200
