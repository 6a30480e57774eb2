"""Readings that are all the first to show something: one of them is the provision, and nobody waits crosswise."""

import asyncio
from uuid import UUID

from tests.provisions.records import listed
from tests.world import World, consent_for
from tsunagi.handovers.store import lock, save
from tsunagi.ids import HandoverId

READINGS = 8


async def test_of_many_first_readings_one_is_recorded(world: World) -> None:
    offered = await world.offered(sections=["identity", "assessment", "support_plan"])
    path = f"/v1/handovers/{offered['id']}"
    await asyncio.gather(*(world.center.get(path) for _ in range(READINGS)))
    assert len(await listed(world.center)) == 1
    for number, section in enumerate(("medical", "disability", "employment"), 2):
        # From now on no reading holds the handover: only the record's own key tells them apart.
        await world.settlement.post(
            "/v1/consents", consent_for(offered["personId"], world.center.id, sections=[section])
        )
        export = world.center.get("/v1/handovers/export")
        answers = await asyncio.gather(*(world.center.get(path) for _ in range(READINGS)), export)
        assert {answer.status_code for answer in answers} == {200}
        records = await listed(world.settlement)
        assert len(records) == number
        assert section in records[-1]["sections"]


async def test_a_reading_does_not_wait_for_whoever_acts_on_the_handover(world: World) -> None:
    offered = await world.offered(sections=["identity", "assessment"])
    path = f"/v1/handovers/{offered['id']}"
    await world.center.get(path)
    await world.settlement.post(
        "/v1/consents", consent_for(offered["personId"], world.center.id, sections=["medical"])
    )
    async with world.services.db.platform() as tx:
        handover = await lock(tx, HandoverId(UUID(offered["id"])))
        assert handover
        await save(tx, world.services.clock.now(), handover)
        async with asyncio.timeout(4):  # a statement waits five seconds for a lock
            assert (await world.center.get(path)).status_code == 200
    assert len(await listed(world.center)) == 2
