"""The receiver reads exactly what consent covers today, and is told why the rest is withheld."""

import json
from typing import Any

import pytest

from tests.api.states import take
from tests.world import SECTIONS, Organization, World, consent_for

ALL = (*SECTIONS, "family")
FAMILY = {
    "subject": "family",
    "sections": ["family"],
    "givenBy": {"kind": "family_member", "name": "例原 早苗"},
}


async def consent(world: World, person_id: str, **changes: Any) -> str:
    """The center may see what `changes` say; returns the consent's id."""
    answer = await world.settlement.post("/v1/consents", consent_for(person_id, world.center.id, **changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def withdraw(world: World, consent_id: str, *sections: str) -> dict[str, Any]:
    body: dict[str, Any] = {"withdrawnBy": {"kind": "person"}} | (
        {"sections": [*sections]} if sections else {}
    )
    answer = await world.settlement.post(f"/v1/consents/{consent_id}/withdraw", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def seen(who: Organization, handover_id: str) -> tuple[set[str], dict[str, str]]:
    """The sections shown, and why the others are withheld."""
    answer = (await who.get(f"/v1/handovers/{handover_id}")).json()
    shown = set(answer["record"]["sections"])
    assert set(answer["sectionHashes"]) == shown
    return shown, {one["section"]: one["reason"] for one in answer["withheld"]}


async def test_exactly_the_consented_sections_are_shown(world: World) -> None:
    offered = await world.offered(sections=["identity", "employment"])
    shown, withheld = await seen(world.center, offered["id"])
    assert shown == {"identity", "employment"}
    assert withheld == dict.fromkeys(set(ALL) - shown, "not_consented")


async def test_every_single_section_can_be_the_only_one(world: World) -> None:
    drafted = await world.draft()
    await consent(world, drafted["personId"], sections=["handover_plan"])
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    previous = "handover_plan"
    for section in SECTIONS[:-1]:
        consent_id = await consent(world, drafted["personId"], sections=[section])
        assert (await seen(world.center, drafted["id"]))[0] == {"handover_plan", section}, previous
        await withdraw(world, consent_id)
        previous = section


async def test_a_section_that_is_not_in_the_record_is_not_withheld_either(world: World) -> None:
    drafted = await world.draft()
    record = (await world.settlement.get(f"/v1/handovers/{drafted['id']}")).json()["record"]
    for absent in ("medical", "support_history"):
        record["sections"].pop(absent)
    await world.settlement.put(f"/v1/handovers/{drafted['id']}", record, If_Match="*")
    await consent(world, drafted["personId"], sections=["identity", "medical"])
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    shown, withheld = await seen(world.center, drafted["id"])
    assert shown == {"identity"}
    assert set(withheld) == set(ALL) - {"identity", "medical", "support_history"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"from": "2026-12-01", "to": "2027-12-01"}, "consent_not_started"),
        ({"from": "2026-01-01", "to": "2026-11-20"}, "consent_ended"),
        ({"from": "2026-11-21", "to": "2026-11-22"}, "consent_not_started"),
        (None, "not_consented"),
    ],
)
async def test_the_reason_is_that_of_the_consent(
    world: World, changes: dict[str, str] | None, reason: str
) -> None:
    received = await world.received(sections=["identity"])
    if changes:
        await consent(world, received["personId"], sections=["medical"], **changes)
    assert (await seen(world.center, received["id"]))[1]["medical"] == reason


async def test_consent_holds_from_its_first_day_until_the_day_before_its_end(world: World) -> None:
    received = await world.received(sections=["identity"])
    await consent(
        world, received["personId"], sections=["medical"], **{"from": "2026-11-25", "to": "2026-11-27"}
    )
    found = {}
    for day in ("2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"):
        world.on(day)
        found[day] = "medical" in (await seen(world.center, received["id"]))[0]
    assert list(found.values()) == [False, True, True, False]


async def test_withdrawing_a_part_hides_that_part_on_the_next_request(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    tag = (await world.center.get(path)).headers["etag"]
    answer = await withdraw(world, received["consentId"], "medical", "disability")
    assert (answer["status"], sorted(answer["withdrawnScope"])) == ("active", ["disability", "medical"])
    again = await world.center.get(path, If_None_Match=tag)
    assert again.status_code == 200
    assert again.headers["etag"] != tag
    shown, withheld = await seen(world.center, received["id"])
    assert shown == set(SECTIONS) - {"medical", "disability"}
    assert (withheld["medical"], withheld["disability"]) == ("consent_withdrawn", "consent_withdrawn")


async def test_withdrawing_all_hides_all_everywhere(world: World) -> None:
    received = await world.received()
    answer = await withdraw(world, received["consentId"])
    assert (answer["status"], set(answer["withdrawnScope"])) == ("withdrawn", set(SECTIONS))
    path = f"/v1/handovers/{received['id']}"
    export = (await world.center.get("/v1/handovers/export")).text
    for told in (
        (await world.center.get(path)).text,
        (await world.center.get(f"{path}/versions/1")).text,
        export,
    ):
        assert json.loads(told)["record"]["sections"] == {}
        assert "直樹" not in told
    assert (await seen(world.settlement, received["id"]))[0] == set(ALL)


async def test_withdrawing_twice_changes_nothing(world: World) -> None:
    received = await world.received()
    first = await withdraw(world, received["consentId"], "medical")
    path = f"/v1/handovers/{received['id']}"
    tag = (await world.center.get(path)).headers["etag"]
    world.on("2026-11-21")
    assert await withdraw(world, received["consentId"], "medical") == first
    assert (await world.center.get(path)).headers["etag"] == tag
    events = (await world.center.get("/v1/events")).json()["items"]
    assert [event["type"] for event in events].count("consent.withdrawn") == 1


async def test_a_second_consent_still_shows_what_the_first_no_longer_does(world: World) -> None:
    received = await world.received()
    other = await consent(world, received["personId"], sections=["medical"])
    await withdraw(world, received["consentId"])
    answer = (await world.center.get(f"/v1/handovers/{received['id']}")).json()
    assert set(answer["record"]["sections"]) == {"medical"}
    assert answer["consents"] == [{"id": other}]


async def test_the_family_section_needs_the_person_and_the_family(world: World) -> None:
    received = await world.received(sections=["identity"])
    assert (await seen(world.center, received["id"]))[1]["family"] == "not_consented"
    family = await consent(world, received["personId"], **FAMILY)
    assert (await seen(world.center, received["id"]))[1]["family"] == "not_consented"
    await consent(world, received["personId"], sections=["family"])
    assert "family" in (await seen(world.center, received["id"]))[0]
    await withdraw(world, family)
    assert (await seen(world.center, received["id"]))[1]["family"] == "family_consent_missing"


async def test_the_persons_consent_alone_does_not_open_the_family_section(world: World) -> None:
    received = await world.received(sections=["identity", "family"])
    assert (await seen(world.center, received["id"]))[1]["family"] == "family_consent_missing"


async def test_consent_for_another_recipient_opens_nothing(world: World) -> None:
    received = await world.received(sections=["identity"])
    answer = await world.settlement.post("/v1/consents", consent_for(received["personId"], world.other.id))
    assert answer.status_code == 201
    assert (await seen(world.center, received["id"]))[0] == {"identity"}
    assert (await world.other.get(f"/v1/handovers/{received['id']}")).status_code == 404
    assert (await world.other.get(f"/v1/consents/{answer.json()['id']}")).status_code == 404


async def test_consent_to_another_givers_record_opens_nothing(world: World) -> None:
    received = await world.received(sections=["identity"])
    answer = await world.center.post("/v1/consents", consent_for(received["personId"], world.center.id))
    assert answer.status_code == 201
    assert (await seen(world.center, received["id"]))[0] == {"identity"}


async def test_warnings_about_withheld_sections_are_withheld(world: World) -> None:
    drafted = await world.draft()
    record = (await world.settlement.get(f"/v1/handovers/{drafted['id']}")).json()["record"]
    record["sections"]["continuing_needs"]["sharedOn"] = "2027-03-01"
    await world.settlement.put(f"/v1/handovers/{drafted['id']}", record, If_Match="*")
    await consent(world, drafted["personId"], sections=["identity"])
    offered = (await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")).json()
    codes = [warning["code"] for warning in offered["warnings"]]
    assert codes.count("consent.section_not_covered") == len(ALL) - 1
    assert "sharing.too_late" in codes
    receipt = (await world.center.post(f"/v1/handovers/{drafted['id']}/receive")).json()
    read = (await world.center.get(f"/v1/handovers/{drafted['id']}")).json()
    assert receipt["warnings"] == read["warnings"] == []


async def test_offering_again_says_anew_what_is_not_covered(world: World) -> None:
    received = await world.received(sections=["identity"])
    assert (await take(world.center, world, received["id"], "return")).status_code == 200
    await consent(world, received["personId"])
    answer = (await world.settlement.post(f"/v1/handovers/{received['id']}/offer")).json()
    uncovered = [one["pointer"] for one in answer["warnings"] if one["code"] == "consent.section_not_covered"]
    assert uncovered == ["/sections/family"]
