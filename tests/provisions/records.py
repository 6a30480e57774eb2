"""Reading handovers, and what both sides find recorded of it."""

from typing import Any

import httpx2

from tests.world import Organization, World


async def read(world: World, handover: dict[str, Any], *, version: int | None = None) -> httpx2.Response:
    """The center reads it."""
    path = f"/v1/handovers/{handover['id']}" + (f"/versions/{version}" if version else "")
    answer = await world.center.get(path)
    assert answer.status_code == 200, answer.text
    return answer


async def export(world: World) -> None:
    answer = await world.center.get("/v1/handovers/export")
    assert answer.status_code == 200, answer.text


async def listed(who: Organization, query: str = "") -> list[dict[str, Any]]:
    answer = await who.get(f"/v1/provisions?limit=200{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def both(world: World) -> list[dict[str, Any]]:
    """The giver's records, which in everything but whose they are equal the receiver's."""
    given, received = await listed(world.settlement), await listed(world.center)
    assert {one["role"] for one in given} <= {"giver"}
    assert {one["role"] for one in received} <= {"receiver"}
    # What stands in the handover's record the receiver is told as long as it may read that.
    differing = ("role", "personName", "acquisitionStatement")
    assert [_without(one, *differing) for one in given] == [_without(one, *differing) for one in received]
    return given


def _without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}
