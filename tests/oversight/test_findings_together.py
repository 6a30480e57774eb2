"""What both sides record of conferences and of the employer's window counts for findings and milestones, from the
moment at which it was recorded."""

from typing import Any

from tests.activities.together import conference, recorded, taken_back, visit, window
from tests.crowd import offer, record_of
from tests.oversight.test_findings import findings, kinds
from tests.world import World


async def received(world: World, *, window: bool = True, conferences: bool = True) -> dict[str, Any]:
    """A handover whose record names no window, or no conference."""
    sections = record_of(world, 0)["sections"]
    if not window:
        del sections["employer_contacts"]["singlePointOfContact"]
    if not conferences:
        del sections["handover_plan"]["caseConferences"]
    offered = await offer(world, 0, sections=sections)
    await world.center.get(f"/v1/handovers/{offered['id']}")
    return offered


async def test_a_conference_that_the_receiver_records_is_no_longer_missing(world: World) -> None:
    handover = await received(world, conferences=False)
    assert await kinds(world.auditor) == ["conference_late"]
    await recorded(world.center, handover, visit())
    assert await kinds(world.auditor) == ["conference_late"]
    world.on("2026-12-01")
    noted = await recorded(world.center, handover, conference(world, "2026-09-15"))
    for who in (world.settlement, world.center, world.auditor):
        assert await kinds(who) == []
        assert await kinds(who, "&knownAt=2026-11-30T00:00:00Z") == ["conference_late"]
    world.on("2026-12-05")
    await taken_back(world.center, noted)
    (back,) = await findings(world.auditor)
    assert back["kind"] == "conference_late"
    assert {"handovers:record_activity", "handovers:withdraw_activity"} <= {
        one["action"] for one in back["evidence"]
    }
    assert await kinds(world.auditor, "&knownAt=2026-12-02T00:00:00Z") == []


async def test_a_conference_that_was_held_too_late_stays_late(world: World) -> None:
    handover = await received(world, conferences=False)
    await recorded(world.settlement, handover, conference(world, "2026-11-01"))
    assert await kinds(world.auditor) == ["conference_late"]


async def test_milestones_know_of_the_conference_from_when_it_was_recorded(world: World) -> None:
    handover = await received(world, conferences=False)
    path = f"/v1/people/{handover['personId']}/milestones"

    async def overdue(query: str = "") -> bool:
        found = (await world.settlement.get(path + query)).json()["milestones"]
        return next(bool(one.get("overdue")) for one in found if one["kind"] == "conference_due")

    assert await overdue()
    world.on("2026-12-01")
    await recorded(world.center, handover, conference(world, "2026-09-15"))
    assert not await overdue()
    assert await overdue("?knownAt=2026-11-30T00:00:00Z")


async def test_the_window_is_defined_when_both_agree_and_not_before(world: World) -> None:
    handover = await received(world, window=False)
    await recorded(world.settlement, handover, window(world.center))
    assert await kinds(world.auditor) == ["employer_window_undefined"]
    world.on("2026-12-01")
    said = await recorded(world.center, handover, window(world.settlement))
    (double,) = await findings(world.auditor)
    assert (double["kind"], double["since"]) == ("employer_window_double", "2026-12-01")
    assert await kinds(world.auditor, "&knownAt=2026-11-30T00:00:00Z") == ["employer_window_undefined"]
    world.on("2026-12-02")
    await recorded(world.center, handover, window(world.center))
    assert await kinds(world.auditor) == []
    assert await kinds(world.auditor, "&knownAt=2026-12-01T12:00:00Z") == ["employer_window_double"]
    assert said["side"] == "receiver"


async def test_what_both_agreed_counts_more_than_the_record(world: World) -> None:
    handover = await received(world)
    assert await kinds(world.auditor) == []
    for who in (world.settlement, world.center):
        await recorded(who, handover, window(world.settlement))
    assert await kinds(world.auditor) == []
