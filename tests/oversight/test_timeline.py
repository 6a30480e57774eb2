"""Who held responsibility on which day, as known when, and who may ask."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.crowd import accept, offer
from tests.world import Organization, World

NOWHERE = "00000000-0000-4000-8000-00000000dead"


async def asked(who: Organization, person_id: str, **parameters: str) -> dict[str, Any]:
    query = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in parameters.items())
    answer = await who.get(f"/v1/people/{person_id}/responsibility?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def holders(timeline: dict[str, Any]) -> dict[str, str | None]:
    return {one["domain"]: one["holder"] and one["holder"]["id"] for one in timeline["domains"]}


def all_with(organization: Organization) -> dict[str, str]:
    return dict.fromkeys(("employment", "daily_life", "employer_liaison"), str(organization.id))


async def test_responsibility_moves_on_the_day_and_not_on_the_click(world: World) -> None:
    offered = await offer(world)
    person = offered["personId"]
    world.on("2026-12-01")
    await accept(world, offered)
    for day, holder in [
        ("2024-04-01", world.settlement),
        ("2026-12-01", world.settlement),
        ("2027-03-31", world.settlement),
        ("2027-04-01", world.center),
        ("2050-01-01", world.center),
    ]:
        assert holders(await asked(world.settlement, person, asOf=day)) == all_with(holder), day
    assert holders(await asked(world.settlement, person)) == all_with(world.settlement)
    world.on("2027-05-01")
    assert holders(await asked(world.settlement, person)) == all_with(world.center)


async def test_what_was_known_before_the_acceptance_stays_known(world: World) -> None:
    offered = await offer(world)
    person = offered["personId"]
    world.on("2026-12-01")
    await accept(world, offered)
    world.on("2027-05-01")
    before, after = "2026-11-30T23:59:59+09:00", "2026-12-02T00:00:00Z"
    known_then = await asked(world.settlement, person, asOf="2027-04-01", knownAt=before)
    assert holders(known_then) == all_with(world.settlement)
    assert known_then["knownAt"] == before
    known_later = await asked(world.settlement, person, asOf="2027-04-01", knownAt=after)
    assert holders(known_later) == all_with(world.center)
    nothing_yet = await asked(world.settlement, person, asOf="2027-04-01", knownAt="2026-01-01T00:00:00Z")
    assert nothing_yet["domains"] == []
    assert nothing_yet["findings"] == []


async def test_the_overlap_and_the_senders_part_afterwards_stand_beside_the_chain(world: World) -> None:
    accepted = await accept(world, await offer(world))
    timeline = await asked(world.auditor, accepted["personId"])
    employment = next(one for one in timeline["domains"] if one["domain"] == "employment")
    assert [(one["organization"]["id"], one["from"], one["to"]) for one in employment["segments"]] == [
        (str(world.settlement.id), "2024-04-01", "2027-04-01"),
        (str(world.center.id), "2027-04-01", None),
    ]
    assert {
        (one["organization"]["id"], one["role"], one["from"], one["to"]) for one in employment["support"]
    } == {
        (str(world.center.id), "co_support", "2027-01-01", "2027-04-01"),
        (str(world.settlement.id), "backup", "2027-04-01", "2027-10-01"),
    }


async def test_what_was_accepted_and_withdrawn_is_the_senders_again_and_known_as_it_was(world: World) -> None:
    accepted = await accept(world, await offer(world))
    world.on("2026-12-10")
    reason = {"reason": {"code": "plan_changed"}}
    await world.settlement.post(f"/v1/handovers/{accepted['id']}/withdraw", reason)
    person = accepted["personId"]
    assert holders(await asked(world.settlement, person, asOf="2027-04-01")) == all_with(world.settlement)
    known_then = await asked(world.settlement, person, asOf="2027-04-01", knownAt="2026-12-01T00:00:00Z")
    assert holders(known_then) == all_with(world.center)


async def status(who: Organization, person_id: str) -> int:
    answers = [await who.get(f"/v1/people/{person_id}/{what}") for what in ("responsibility", "milestones")]
    assert len({answer.status_code for answer in answers}) == 1
    return answers[0].status_code


async def test_only_those_in_relation_and_the_areas_auditor_may_look(world: World) -> None:
    world.on("2026-03-02")
    drafted = await world.consented()
    person, path = drafted["personId"], f"/v1/handovers/{drafted['id']}"
    assert await status(world.settlement, person) == 200
    assert await status(world.auditor, person) == 404
    await world.settlement.post(f"{path}/offer")
    assert await status(world.auditor, person) == 200
    assert await status(world.center, person) == 404
    world.on("2026-10-01")
    assert await status(world.center, person) == 404
    await world.center.get(path)
    assert await status(world.center, person) == 200
    await world.center.post(f"{path}/decline", {"reason": {"code": "capacity"}})
    assert await status(world.center, person) == 404
    for stranger in (world.other, world.transition):
        assert await status(stranger, person) == 404
    assert await status(world.settlement, NOWHERE) == 404


@pytest.mark.parametrize("end", ["expires", "is withdrawn"])
async def test_a_receiver_no_longer_looks_when_the_offer_has_ended(world: World, end: str) -> None:
    offered = await world.received()
    if end == "expires":
        world.on("2027-03-01")
        await world.settlement.get(f"/v1/handovers/{offered['id']}")
    else:
        reason = {"reason": {"code": "person_wish"}}
        await world.settlement.post(f"/v1/handovers/{offered['id']}/withdraw", reason)
    assert await status(world.center, offered["personId"]) == 404
    assert await status(world.settlement, offered["personId"]) == 200


async def test_a_receiver_looks_on_after_the_handover_is_complete(world: World) -> None:
    accepted = await accept(world, await offer(world))
    world.on("2028-01-01")
    assert await status(world.center, accepted["personId"]) == 200


async def test_an_auditor_of_another_area_sees_nobody(world: World) -> None:
    offered = await offer(world)
    async with world.services.db.platform() as tx:
        await tx.execute(text("UPDATE handovers SET area_code = '13-92'"))
    assert await status(world.auditor, offered["personId"]) == 404
    assert (await world.auditor.get("/v1/findings")).json()["items"] == []


async def test_organizations_are_called_as_they_were_on_the_day(world: World) -> None:
    accepted = await accept(world, await offer(world))
    async with world.services.db.platform() as tx:
        renamed = {"id": world.settlement.id, "name": "就労定着支援事業所 あらた（架空）"}
        await tx.execute(text("UPDATE organizations SET name = :name WHERE id = :id"), renamed)
        await tx.execute(
            text("""
                INSERT INTO organization_versions (organization_id, version, name, status, effective_on, recorded_at)
                VALUES (:id, 2, :name, 'active', '2027-01-01', '2027-01-05T00:00:00Z')
            """),
            renamed,
        )
    world.on("2027-02-01")
    for day, name in [
        ("2025-01-01", "就労定着支援事業所 みほん（架空）"),
        ("2026-12-31", "就労定着支援事業所 みほん（架空）"),
        ("2027-01-01", "就労定着支援事業所 あらた（架空）"),
    ]:
        timeline = await asked(world.center, accepted["personId"], asOf=day)
        assert {one["holder"]["name"] for one in timeline["domains"]} == {name}, day


@pytest.mark.parametrize(
    "query",
    [
        "asOf=2026-02-30",
        "asOf=0000-01-01",
        "asOf=tomorrow",
        "knownAt=2026-04-01",
        "knownAt=2026-04-01T25:00:00Z",
        "knownAt=2026-04-01T09:00:00",
        "knownAt=2016-12-31T23:59:60Z",
        "knownAt=9999-12-31T23:59:59-23:59",
        "knownAt=0001-01-01T00:00:00%2B23:59",
        "asof=2026-04-01",
    ],
)
async def test_days_and_instants_that_there_are_not_are_refused(world: World, query: str) -> None:
    offered = await offer(world)
    answer = await world.settlement.get(f"/v1/people/{offered['personId']}/responsibility?{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_parameter"


@pytest.mark.parametrize("day", ["1900-01-01", "2199-12-31"])
async def test_the_ends_of_the_calendar_are_days_like_others(world: World, day: str) -> None:
    offered = await offer(world)
    await asked(world.settlement, offered["personId"], asOf=day)
