"""The same person, registered by one organization several times at once."""

import asyncio

from tests.crowd import record_of
from tests.world import World


async def test_a_person_registered_at_once_is_one_person(world: World) -> None:
    identity = record_of(world, 0)["sections"]["identity"]
    answers = await asyncio.gather(
        *(world.settlement.post("/v1/people", {"identity": identity}) for _ in range(6)),
        *(world.settlement.post("/v1/handovers", record_of(world, 0)) for _ in range(3)),
    )
    assert sorted(one.status_code for one in answers) == [201] + [409] * 8
    created = next(one for one in answers if one.status_code == 201).json()["personId"]
    refused = [one.json() for one in answers if one.status_code == 409]
    assert {one["code"] for one in refused} == {"person_already_known"}
    assert {one["personId"] for one in refused} == {created}
