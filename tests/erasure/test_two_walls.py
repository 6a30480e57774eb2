"""Tombstones are kept from the sides by the service and by the database, each by itself."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.crowd import accept, offer
from tests.isolation.sabotage import Sabotage
from tests.owner import owner
from tests.world import World
from tsunagi.erasure import actions
from tsunagi.erasure.rules import Rule
from tsunagi.ids import PersonId

AT_ONCE = [Rule(kind, None, 0, "架空") for kind in ("completed", "ended", "registered")]
Seen = Callable[[World, str], Awaitable[bool]]


async def by_a_step(world: World, handover_id: str) -> bool:
    reason = {"reason": {"code": "plan_changed"}}
    return (await world.settlement.post(f"/v1/handovers/{handover_id}/withdraw", reason)).status_code != 404


async def outgoing(world: World, handover_id: str) -> bool:
    return handover_id in (await world.settlement.get("/v1/handovers?direction=outgoing")).text


async def incoming(world: World, handover_id: str) -> bool:
    return handover_id in (await world.center.get("/v1/handovers?direction=incoming")).text


CHECKS: dict[str, tuple[Seen, Sabotage]] = {
    "which side one is on": (
        by_a_step,
        Sabotage("handovers.rules:Handover.side_of", "self.erased_at is not None", "False"),
    ),
    "what one has sent": (
        outgoing,
        Sabotage("disclosure.listing:_SIDES", "sender_id = $1 AND erased_at IS NULL", "sender_id = $1"),
    ),
    "what one has received": (
        incoming,
        Sabotage("disclosure.listing:_SIDES", "IS NOT NULL AND erased_at IS NULL", "IS NOT NULL"),
    ),
}


@pytest.mark.parametrize("name", CHECKS)
async def test_each_wall_holds_by_itself(world: World, name: str) -> None:
    seen, check = CHECKS[name]
    found = await completed(world)
    assert await seen(world, found["id"])
    person = PersonId(UUID(found["personId"]))
    later = datetime(2033, 1, 1, tzinfo=UTC)
    await actions.erase(world.services.db, later, AT_ONCE, person, ground="request", by="担当")
    assert not await seen(world, found["id"])
    with check.done():
        assert not await seen(world, found["id"]), "the database shows it"
    async with owner(world.services.db) as tx:
        await tx.execute(text("ALTER TABLE handovers DISABLE ROW LEVEL SECURITY"))
    assert not await seen(world, found["id"]), "the service shows it"
    with check.done():
        assert await seen(world, found["id"]), "this was no check"


async def completed(world: World) -> dict[str, Any]:
    found = await accept(world, await offer(world, 1))
    world.on("2027-04-01")
    await world.center.get(f"/v1/handovers/{found['id']}")
    return found
