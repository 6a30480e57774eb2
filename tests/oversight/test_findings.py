"""What needs attention: each kind of finding from what causes it to what puts it right."""

from typing import Any

import pytest

from tests.crowd import accept, offer, record_of
from tests.world import Organization, World


async def findings(who: Organization, query: str = "") -> list[dict[str, Any]]:
    answer = await who.get(f"/v1/findings?limit=200{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def kinds(who: Organization, query: str = "") -> list[str]:
    return [one["kind"] for one in await findings(who, query)]


async def test_a_handover_in_good_order_gives_none(world: World) -> None:
    await accept(world, await offer(world))
    for day in ("2026-11-20", "2027-01-01", "2027-04-01", "2030-01-01"):
        world.on(day)
        for who in (world.settlement, world.center, world.auditor):
            assert await kinds(who) == [], day


async def unclaimed(world: World) -> dict[str, Any]:
    """An offer whose sender does not say since when it has been responsible for one of the domains."""
    record = record_of(world, 0)
    del record["domains"][1]["senderPrimarySince"]
    return await offer(world, 0, domains=record["domains"])


async def test_a_domain_that_nobody_claims_is_nobodys_until_it_is_taken(world: World) -> None:
    offered = await unclaimed(world)
    (open_gap,) = await findings(world.settlement)
    assert open_gap["kind"] == "gap"
    assert (open_gap["domain"], open_gap["from"], open_gap["to"]) == ("daily_life", "2026-11-20", None)
    assert (open_gap["since"], open_gap["severity"]) == ("2026-11-20", "error")
    await accept(world, offered)
    (gap,) = await findings(world.auditor)
    assert (gap["domain"], gap["from"], gap["to"]) == ("daily_life", "2026-11-20", "2027-04-01")
    assert gap["personId"] == offered["personId"]
    timeline = (await world.center.get(f"/v1/people/{offered['personId']}/responsibility")).json()
    assert timeline["findings"] == [gap]
    nobody = {one["domain"]: one["holder"] for one in timeline["domains"]}
    assert nobody["daily_life"] is None
    assert nobody["employment"] is not None


async def test_the_findings_beside_a_timeline_are_of_what_was_known_then(world: World) -> None:
    offered = await unclaimed(world)
    world.on("2026-12-01")
    await accept(world, offered)
    where = f"/v1/people/{offered['personId']}/responsibility?knownAt=2026-11-30T00:00:00Z"
    known_then = (await world.settlement.get(where)).json()
    assert [one["to"] for one in known_then["findings"]] == [None]


async def test_silence_beyond_the_limit_is_a_finding_whether_or_not_the_clock_was_there(world: World) -> None:
    offered = await offer(world)
    world.on("2026-12-20")
    assert await kinds(world.settlement) == []
    world.on("2026-12-21")
    (silence,) = await findings(world.settlement)
    assert (silence["kind"], silence["since"], silence["handoverId"]) == (
        "no_answer",
        "2026-12-21",
        offered["id"],
    )
    assert silence["responsibleParty"] == "receiver"
    await world.settlement.get(f"/v1/handovers/{offered['id']}")
    (again,) = await findings(world.settlement)
    assert again | {"evidence": silence["evidence"]} == silence
    (seen_from_above,) = await findings(world.auditor)
    assert [one["action"] for one in seen_from_above["evidence"]] == ["handovers:offer", "handovers:expire"]
    assert await kinds(world.center) == []


async def test_a_conference_that_was_not_held_in_time_is_a_finding(world: World) -> None:
    world.on("2026-09-30")
    record = record_of(world, 0)
    record["sections"]["handover_plan"]["caseConferences"][0]["heldOn"] = "2026-10-01"
    offered = await offer(world, 0, sections=record["sections"])
    assert await kinds(world.settlement) == []
    world.on("2026-10-01")
    (late,) = await findings(world.settlement)
    assert (late["kind"], late["since"], late["severity"]) == ("conference_late", "2026-10-01", "warning")
    await world.settlement.post(
        f"/v1/handovers/{offered['id']}/withdraw", {"reason": {"code": "plan_changed"}}
    )
    assert await kinds(world.settlement) == []


@pytest.mark.parametrize("shared_on", [None, "2027-01-01"])
async def test_sharing_later_than_three_months_before_the_end_is_a_finding(
    world: World, shared_on: str | None
) -> None:
    record = record_of(world, 0)
    needs = record["sections"]["continuing_needs"]
    needs["sharedOn"] = shared_on
    if shared_on is None:
        del needs["sharedOn"]
    await accept(world, await offer(world, 0, sections=record["sections"]))
    world.on("2026-12-31")
    assert await kinds(world.settlement) == []
    world.on("2027-01-01")
    (late,) = await findings(world.settlement)
    assert (late["kind"], late["since"], late["severity"]) == ("sharing_late", "2027-01-01", "error")


async def test_nobody_who_needs_no_further_support_is_shared_late(world: World) -> None:
    record = record_of(world, 0)
    record["sections"]["continuing_needs"] = {"determination": "not_needed"}
    await accept(world, await offer(world, 0, sections=record["sections"]))
    world.on("2027-02-01")
    assert await kinds(world.settlement) == []


async def test_an_employer_without_one_organization_to_call_is_a_finding(world: World) -> None:
    record = record_of(world, 0)
    del record["sections"]["employer_contacts"]["singlePointOfContact"]
    offered = await offer(world, 0, sections=record["sections"])
    (undefined,) = await findings(world.settlement)
    assert (undefined["kind"], undefined["domain"]) == ("employer_window_undefined", "employer_liaison")
    assert undefined["since"] == "2026-11-20"
    path = f"/v1/handovers/{offered['id']}"
    whole = record_of(world, 0)
    amended = await world.settlement.put(path, whole, If_Match="*")
    assert amended.status_code == 200, amended.text
    assert await kinds(world.settlement) == []


async def test_an_overlap_that_goes_on_longer_than_agreed_is_a_finding(world: World) -> None:
    await accept(world, await offer(world), daily_life={"from": "2027-07-01"})
    asked = "&kind=overlap_too_long"
    world.on("2027-03-31")
    assert await kinds(world.settlement, asked) == []
    world.on("2027-04-01")
    for who in (world.settlement, world.center, world.auditor):
        (longer,) = await findings(who, asked)
        assert (longer["kind"], longer["from"], longer["to"], longer["since"]) == (
            "overlap_too_long",
            "2027-01-01",
            "2027-04-01",
            "2027-04-01",
        )
    world.on("2027-07-01")
    assert await kinds(world.settlement, asked) == []


async def test_findings_are_of_the_day_in_japan(world: World) -> None:
    record = record_of(world, 0)
    del record["sections"]["employer_contacts"]["singlePointOfContact"]
    world.on("2026-11-21")
    world.services.clock.move_to(world.services.clock.now().replace(hour=15, minute=30, day=20))
    await offer(world, 0, sections=record["sections"])
    (undefined,) = await findings(world.settlement)
    assert undefined["since"] == "2026-11-21"
