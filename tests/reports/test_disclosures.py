"""Who received what, as those in relation and auditors are told."""

import base64
import json
from typing import Any

import pytest

from tests.ledger.entries import kept
from tests.world import Organization, World, consent_for, settlement_record
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile

ABUSE = {"legalException": {"code": "abuse_report", "reason": "虐待の疑い"}}
EMERGENCY = {"legalException": {"code": "life_protection", "reason": "連絡が取れない"}}
CONSENTING = ("givenBy", "givenOn", "method", "evidenceHash", "explainedBy")


async def listed(who: Organization, person_id: str, query: str = "") -> list[dict[str, Any]]:
    answer = await who.get(f"/v1/people/{person_id}/disclosures{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def city(world: World) -> Organization:
    async with world.services.db.platform() as tx:
        profile = OrganizationProfile(kind="municipality", name="架空市 障害福祉課", serves=("12-91",))
        found = await directory.add_organization(tx, profile, at=world.services.clock.now())
    return Organization(found, world.http, world.services)


async def without_consent(
    world: World, person_id: str, receiver: Organization, said: dict[str, Any], *sections: str
) -> str:
    """What allows the receiver to see these sections without consent."""
    consent = consent_for(person_id, receiver.id, sections=list(sections), **said)
    body = {name: value for name, value in consent.items() if name not in CONSENTING}
    answer = await world.settlement.post("/v1/consents", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def reported(world: World, person_id: str, office: Organization) -> dict[str, Any]:
    """The settlement provider reports abuse to the city, which reads what it is given."""
    await without_consent(world, person_id, office, ABUSE, "identity", "medical")
    record = settlement_record(office.id, personId=person_id)
    handover = (await world.settlement.post("/v1/handovers", record)).json()
    answer = await world.settlement.post(f"/v1/handovers/{handover['id']}/offer")
    assert answer.status_code == 200, answer.text
    read = await office.get(f"/v1/handovers/{handover['id']}")
    assert set(read.json()["record"]["sections"]) == {"identity", "medical"}
    found: dict[str, Any] = handover
    return found


async def test_a_reading_is_told_with_sections_ground_consent_and_handover(world: World) -> None:
    handover = await world.received(sections=["identity", "employment"])
    (found,) = await listed(world.settlement, handover["personId"])
    assert found["outcome"] == "permit"
    assert found["organization"] == {
        "id": str(world.center.id),
        "name": "障害者就業・生活支援センター みほん（架空）",
    }
    assert found["giver"]["id"] == str(world.settlement.id)
    assert (found["handoverId"], found["version"]) == (handover["id"], 1)
    assert set(found["sections"]) == {"identity", "employment"}
    assert (found["ground"], found["consents"]) == ("consent", [handover["consentId"]])
    assert not found["exported"]


async def test_the_senders_own_reading_and_notices_are_not_told(world: World) -> None:
    handover = await world.offered()
    await world.settlement.get(f"/v1/handovers/{handover['id']}")
    assert await listed(world.settlement, handover["personId"]) == []


async def test_an_export_is_told_as_one(world: World) -> None:
    handover = await world.received()
    await world.center.get("/v1/handovers/export")
    found = await listed(world.center, handover["personId"])
    assert [one["exported"] for one in found] == [True, False]


async def test_who_is_in_no_relation_learns_nothing_and_that_is_kept(world: World) -> None:
    handover = await world.received()
    answer = await world.other.get(f"/v1/people/{handover['personId']}/disclosures")
    assert answer.status_code == 404
    last = (await kept(world.services.db))[-1].body
    assert (last["action"], last["outcome"], last["code"]) == ("disclosures:read", "deny", "not_found")


async def test_an_auditor_is_told_of_its_remit_without_content(world: World) -> None:
    handover = await world.received()
    found = await listed(world.auditor, handover["personId"])
    assert [one["handoverId"] for one in found] == [handover["id"]]
    entries = [one.body for one in await kept(world.services.db)]
    looks = [one for one in entries if one["action"] == "disclosures:read"]
    assert [one["actor"]["organization"] for one in looks] == [str(world.auditor.id)]


async def test_attempts_that_were_refused_are_told(world: World) -> None:
    handover = await world.received()
    for _ in range(2):
        assert (await world.other.get(f"/v1/handovers/{handover['id']}")).status_code == 404
    await world.other.get(f"/v1/people/{handover['personId']}/responsibility")
    refused = [
        one for one in await listed(world.settlement, handover["personId"]) if one["outcome"] == "deny"
    ]
    assert [(one["organization"]["id"], one["times"], one["code"]) for one in refused] == [
        (str(world.other.id), 1, "not_found"),
        (str(world.other.id), 2, "not_found"),
    ]


async def test_pages_follow_one_another_without_a_gap(world: World) -> None:
    handover = await world.received()
    for _ in range(6):
        await world.center.get(f"/v1/handovers/{handover['id']}/versions/1")
    whole = await listed(world.settlement, handover["personId"])
    paged: list[dict[str, Any]] = []
    path = f"/v1/people/{handover['personId']}/disclosures?limit=2"
    while path:
        answer = await world.settlement.get(path)
        assert len(answer.json()["items"]) <= 2
        paged += answer.json()["items"]
        path = answer.headers["link"].partition(">")[0].removeprefix("<") if "link" in answer.headers else ""
    assert len(whole) == 7
    assert [one["entryId"] for one in paged] == [one["entryId"] for one in whole]


@pytest.mark.parametrize("place", [10**30, -1, 0, 1.5, "1", True, None])
async def test_a_cursor_that_is_none_is_refused(world: World, place: object) -> None:
    handover = await world.received()
    cursor = base64.urlsafe_b64encode(json.dumps([place]).encode()).decode().rstrip("=")
    answer = await world.settlement.get(f"/v1/people/{handover['personId']}/disclosures?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


async def test_an_emergency_is_told_with_its_ground(world: World) -> None:
    handover = await world.offered(sections=["identity"])
    await without_consent(world, handover["personId"], world.center, EMERGENCY, "medical")
    await world.center.get(f"/v1/handovers/{handover['id']}")
    found = await listed(world.settlement, handover["personId"])
    assert {one["ground"]: one["sections"] for one in found} == {
        "consent": ["identity"],
        "life_protection": ["medical"],
    }


@pytest.mark.parametrize("who", ["settlement", "center", "auditor", "city"])
async def test_a_report_of_abuse_is_told_to_nobody_who_asks_for_the_person(world: World, who: str) -> None:
    handover = await world.received()
    office = await city(world)
    report = await reported(world, handover["personId"], office)
    asking = office if who == "city" else getattr(world, who)
    found = await listed(asking, handover["personId"])
    if who != "city":
        assert [one["handoverId"] for one in found] == [handover["id"]]
    written = json.dumps(found, ensure_ascii=False)
    assert report["id"] not in written
    assert str(office.id) not in written
    entries = [one.body for one in await kept(world.services.db)]
    (withheld,) = [one for one in entries if one["action"] == "people:withhold"]
    assert withheld["withheld"] == {"order_11_1": 1}
    assert "organization" not in withheld["actor"]


async def test_that_something_is_withheld_shows_in_nothing_but_a_sealed_count(world: World) -> None:
    """With and without a report of abuse a look leaves the same entries, so that the number of them says nothing."""
    handover = await world.received()
    await listed(world.settlement, handover["personId"])
    before = [one.body["action"] for one in await kept(world.services.db)][-2:]
    await reported(world, handover["personId"], await city(world))
    await listed(world.settlement, handover["personId"])
    after = [one.body["action"] for one in await kept(world.services.db)][-2:]
    assert before == after == ["disclosures:read", "people:withhold"]
