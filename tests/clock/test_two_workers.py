"""Two processes whose clocks strike at once, over real commits."""

import asyncio

import pytest
from sqlalchemy import text

from tests.crowd import accept, events, offer
from tests.world import World
from tsunagi.db import Database
from tsunagi.handovers.steps import advance


@pytest.fixture
def db(own_database: Database) -> Database:
    return own_database


async def test_two_workers_move_each_handover_once(world: World) -> None:
    for number in range(12):
        await accept(world, await offer(world, number))
    before = len(await events(world.center))
    world.on("2027-01-01")
    now = world.services.clock.now()
    moved = await asyncio.gather(*(advance(world.services.db, now) for _ in range(2)))
    assert sum(moved) == 12
    assert (await events(world.center))[before:] == [("overlapping", "overlapping")] * 12
    assert (await events(world.settlement))[-12:] == [("overlapping", "overlapping")] * 12
    async with world.services.db.platform() as tx:
        entries = await tx.scalar(
            text("SELECT count(*) FROM ledger_contents WHERE action = 'handovers:overlap'")
        )
    assert entries == 12


async def test_a_handover_that_a_request_holds_is_left_to_it(world: World) -> None:
    held, free = [await accept(world, await offer(world, number)) for number in range(2)]
    world.on("2027-01-01")
    now = world.services.clock.now()
    async with world.services.db.platform() as tx:
        await tx.execute(text("SELECT FROM handovers WHERE id = :id FOR UPDATE"), {"id": held["id"]})
        async with asyncio.timeout(10):
            assert await advance(world.services.db, now) == 1
    free_now = await world.settlement.get(f"/v1/handovers/{free['id']}")
    assert free_now.json()["status"] == "overlapping"
    assert await advance(world.services.db, now) == 1
