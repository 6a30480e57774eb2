"""What the sides of a handover record, as tests send it."""

from typing import Any

from tests.world import Organization, World, example

Activity = dict[str, Any]


def conference(world: World, held_on: str = "2026-09-15", **members: Any) -> Activity:
    """Held by both sides of a handover from the settlement provider to the center."""
    found = example("activity/valid/case-conference.json")
    found["caseConference"] |= {"heldOn": held_on} | members
    return found


def visit(visited_on: str = "2026-11-10", **members: Any) -> Activity:
    found = example("activity/valid/joint-visit.json")
    found["jointVisit"] |= {"visitedOn": visited_on} | members
    return found


def window(whose: Organization, from_day: str = "2027-04-01") -> Activity:
    said = {"organizationId": str(whose.id), "from": from_day}
    return {"kind": "employer_window", "employerWindow": said}


async def recorded(who: Organization, handover: Activity, activity: Activity) -> Activity:
    answer = await who.post(f"/v1/handovers/{handover['id']}/activities", activity)
    assert answer.status_code == 201, answer.text
    found: Activity = answer.json()
    return found


async def refused(who: Organization, handover: Activity, activity: Activity) -> Activity:
    answer = await who.post(f"/v1/handovers/{handover['id']}/activities", activity)
    assert answer.status_code >= 400
    found: Activity = answer.json()
    return found


async def taken_back(who: Organization, activity: Activity) -> Activity:
    path = f"/v1/handovers/{activity['handoverId']}/activities/{activity['id']}/withdraw"
    answer = await who.post(path)
    assert answer.status_code == 200, answer.text
    found: Activity = answer.json()
    return found


async def listed(who: Organization, handover: Activity) -> Activity:
    answer = await who.get(f"/v1/handovers/{handover['id']}/activities")
    assert answer.status_code == 200, answer.text
    found: Activity = answer.json()
    return found
