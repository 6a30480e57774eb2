"""The dates that follow from a handover, as HTTP gives them."""

from typing import Any

import pytest

from tests.crowd import accept, offer, record_of
from tests.world import Organization, World


async def milestones(who: Organization, person_id: str) -> dict[str, Any]:
    answer = await who.get(f"/v1/people/{person_id}/milestones")
    assert answer.status_code == 200, answer.text
    found = answer.json()["milestones"]
    assert [one["date"] for one in found] == sorted(one["date"] for one in found)
    return {one["kind"]: one for one in found}


async def dates_of(world: World, *, hired: str, ends: str | None, planned: str) -> dict[str, str]:
    """The dates of a handover from settlement support to a center."""
    record = record_of(world, 0, plannedDate=planned)
    record["sections"]["employment"]["episodes"][0]["hiredOn"] = hired
    record["sections"]["handover_plan"].pop("overlap")
    del record["serviceEndsOn"]
    if ends:
        record["serviceEndsOn"] = ends
    for domain in record["domains"]:
        del domain["senderPrimarySince"]
    created = await world.settlement.post("/v1/handovers", record)
    assert created.status_code == 201, created.text
    found = await milestones(world.settlement, created.json()["personId"])
    return {kind: one["date"] for kind, one in found.items()}


async def test_a_hire_on_the_first_of_april_gives_the_known_dates(world: World) -> None:
    """The vectors on which the field agrees (hired 2026-04-01)."""
    world.on("2026-04-02")
    dates = await dates_of(world, hired="2026-04-01", ends="2029-09-30", planned="2029-10-01")
    assert dates == {
        "follow_up_ends": "2026-09-30",
        "settlement_starts": "2026-10-01",
        "settlement_ends": "2029-09-30",
        "service_ends": "2029-09-30",
        "conference_due": "2029-03-31",
        "sharing_due": "2029-06-30",
        "overlap_starts": "2029-07-01",
        "window_opens": "2029-04-01",
        "planned_date": "2029-10-01",
    }


@pytest.mark.parametrize(
    ("hired", "follow_up_ends"),
    [
        ("2026-08-31", "2027-02-28"),
        ("2028-08-29", "2029-02-28"),
        ("2028-08-30", "2029-02-28"),
        ("2028-08-31", "2029-02-28"),
        ("2027-08-29", "2028-02-28"),
        ("2027-08-30", "2028-02-29"),
        ("2027-08-31", "2028-02-29"),
    ],
)
async def test_six_months_after_a_hire_at_the_end_of_august(
    world: World, hired: str, follow_up_ends: str
) -> None:
    dates = await dates_of(world, hired=hired, ends=None, planned="2033-04-01")
    assert dates["follow_up_ends"] == follow_up_ends


async def overdue(world: World, person_id: str) -> set[str]:
    return {kind for kind, one in (await milestones(world.settlement, person_id)).items() if one["overdue"]}


async def test_only_what_was_to_be_done_and_is_not_done_is_overdue(world: World) -> None:
    world.on("2026-03-02")
    record = record_of(world, 0)
    record["sections"]["handover_plan"]["caseConferences"] = []
    del record["sections"]["continuing_needs"]["sharedOn"]
    offered = await offer(world, 0, sections=record["sections"])
    person = offered["personId"]
    found = {}
    for day in (
        "2026-09-30",
        "2026-10-01",
        "2026-10-31",
        "2026-11-01",
        "2026-12-31",
        "2027-01-01",
        "2027-04-02",
    ):
        world.on(day)
        found[day] = await overdue(world, person)
    assert found == {
        "2026-09-30": set(),
        "2026-10-01": {"conference_due"},
        "2026-10-31": {"conference_due"},
        "2026-11-01": {"answer_due"},
        "2026-12-31": {"answer_due"},
        "2027-01-01": {"answer_due"},
        "2027-04-02": {"answer_due"},
    }


async def test_what_an_accepted_handover_still_owes_is_overdue(world: World) -> None:
    record = record_of(world, 0)
    record["sections"]["handover_plan"]["caseConferences"] = []
    del record["sections"]["continuing_needs"]["sharedOn"]
    accepted = await accept(world, await offer(world, 0, sections=record["sections"]))
    world.on("2027-01-01")
    assert await overdue(world, accepted["personId"]) == {"conference_due", "sharing_due"}
    world.on("2027-04-01")
    assert await overdue(world, accepted["personId"]) == set()


async def test_what_was_done_late_is_no_longer_overdue(world: World) -> None:
    accepted = await accept(world, await offer(world))
    world.on("2027-01-01")
    assert await overdue(world, accepted["personId"]) == set()


async def test_a_draft_that_missed_its_day_is_overdue(world: World) -> None:
    drafted = await world.draft()
    world.on("2027-04-02")
    assert "planned_date" in await overdue(world, drafted["personId"])


async def test_a_receiver_learns_no_dates_of_what_it_may_not_read_yet(world: World) -> None:
    first = await world.received()
    path = "/v1/handovers"
    later = record_of(
        world, 0, personId=first["personId"], plannedDate="2029-04-01", serviceEndsOn="2029-03-31"
    )
    later["sections"]["identity"] = record_of(world, 0)["sections"]["identity"]
    created = await world.settlement.post(path, later)
    assert created.status_code == 201, created.text
    assert (await world.settlement.post(f"{path}/{created.json()['id']}/offer")).status_code == 200
    of_receiver = (await world.center.get(f"/v1/people/{first['personId']}/milestones")).json()["milestones"]
    of_sender = (await world.settlement.get(f"/v1/people/{first['personId']}/milestones")).json()[
        "milestones"
    ]
    of_auditor = (await world.auditor.get(f"/v1/people/{first['personId']}/milestones")).json()["milestones"]
    assert {one["handoverId"] for one in of_receiver} == {first["id"]}
    both = {first["id"], created.json()["id"]}
    assert {one["handoverId"] for one in of_sender} == {one["handoverId"] for one in of_auditor} == both
