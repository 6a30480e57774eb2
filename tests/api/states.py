"""Ways to bring a handover, for real, into each of its states; and each action with a body that is in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.world import Organization, World, settlement_record
from tsunagi.db import Database

REASONS: dict[str, Any] = {
    "withdraw": {"reason": {"code": "plan_changed"}},
    "decline": {"reason": {"code": "capacity"}},
    "return": {"reason": {"code": "more_information", "text": "通勤経路を教えてください"}},
}
DOMAINS = ("employment", "daily_life", "employer_liaison")
AFTER_THE_LIMIT = "2027-03-01"
IN_THE_OVERLAP = "2027-02-01"
COMPLETED = "2027-04-01"


def everything(decision: str = "accept") -> dict[str, Any]:
    return {"domains": [{"domain": domain, "decision": decision} for domain in DOMAINS]}


async def take(who: Organization, world: World, handover_id: str, action: str) -> httpx2.Response:
    """The action, with a body that is in order for it."""
    path = f"/v1/handovers/{handover_id}"
    if action == "amend":
        return await who.put(path, settlement_record(world.center.id), If_Match="*")
    body = everything() if action == "accept" else REASONS.get(action)
    return await who.post(f"{path}/{action}", body)


async def reach(world: World, status: str) -> dict[str, Any]:
    """A handover from the settlement provider to the center that is in this state."""
    if status == "draft":
        return await world.consented()
    if status in ("offered", "expired"):
        found = await world.offered()
    elif status in ("accepted", "overlapping", "completed"):
        found = await world.accepted()
    else:
        found = await world.received()
    for action, who in {"returned": ("return", world.center), "declined": ("decline", world.center)}.items():
        if status == action:
            answer = await take(who[1], world, found["id"], who[0])
            assert answer.status_code == 200, answer.text
    if status == "withdrawn":
        assert (await take(world.settlement, world, found["id"], "withdraw")).status_code == 200
    days = {"expired": AFTER_THE_LIMIT, "overlapping": IN_THE_OVERLAP, "completed": COMPLETED}
    if status in days:
        world.on(days[status])
    assert (await standing(world.settlement, found["id"]))["status"] == status
    return found


async def standing(who: Organization, handover_id: str) -> dict[str, Any]:
    """The handover as its sender reads it: the calendar's steps are taken, nothing else changes."""
    found: dict[str, Any] = (await who.get(f"/v1/handovers/{handover_id}")).json()
    return found


async def listed(who: Organization, handover_id: str, query: str = "") -> dict[str, Any] | None:
    """The handover's row in the list of one who may see it, else None. Listing changes nothing."""
    items = (await who.get(f"/v1/handovers?limit=200{query}")).json()["items"]
    return next((item for item in items if item["id"] == handover_id), None)


@asynccontextmanager
async def undone(db: Database) -> AsyncIterator[None]:
    """What happens inside has not happened afterwards."""
    async with db.platform() as tx:
        savepoint = await tx.begin_nested()
        try:
            yield
        finally:
            await savepoint.rollback()
