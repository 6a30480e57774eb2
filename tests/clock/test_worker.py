"""The worker: nothing is lost or done twice when it stops, fails, or is not alone."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import structlog
from sqlalchemy import text

from tests.crowd import accept, events, offer
from tests.world import World
from tsunagi.app import keep_time
from tsunagi.db import Database, WriteTx
from tsunagi.handovers.steps import advance


class Failing(Database):
    """A database whose writes of these numbers, counted from 1, fail."""

    def __init__(self, behind: Database, failures: Mapping[int, type[BaseException]]) -> None:
        self.behind = behind
        self.failures = failures
        self.writes = 0

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[WriteTx]:
        self.writes += 1
        if self.writes in self.failures:
            raise self.failures[self.writes]
        async with self.behind.platform() as tx:
            yield tx

    async def close(self) -> None:
        """Whoever made the database behind closes it."""


async def five_that_overlap(world: World) -> list[str]:
    ids = [(await accept(world, await offer(world, number)))["id"] for number in range(5)]
    world.on("2027-01-01")
    return ids


async def states(world: World) -> list[str]:
    async with world.services.db.platform() as tx:
        return list(await tx.scalars(text("SELECT status FROM handovers ORDER BY status")))


async def test_a_run_that_is_cut_off_is_finished_by_the_next_one(world: World) -> None:
    await five_that_overlap(world)
    now, before = world.services.clock.now(), len(await events(world.center))
    with pytest.raises(ConnectionResetError):
        await advance(Failing(world.services.db, {3: ConnectionResetError}), now)
    assert await states(world) == ["accepted"] * 3 + ["overlapping"] * 2
    assert await advance(world.services.db, now) == 3
    assert await states(world) == ["overlapping"] * 5
    assert (await events(world.center))[before:] == [("overlapping", "overlapping")] * 5


async def test_a_handover_that_fails_does_not_hold_up_the_others(world: World) -> None:
    broken = (await five_that_overlap(world))[0]
    async with world.services.db.platform() as tx:
        await tx.execute(text("UPDATE handovers SET domains = '[]' WHERE id = :id"), {"id": broken})
    with structlog.testing.capture_logs() as logs:
        assert await advance(world.services.db, world.services.clock.now()) == 4
    assert await states(world) == ["accepted"] + ["overlapping"] * 4
    assert [one["event"] for one in logs] == ["handover stands still"]


async def test_nothing_due_means_nothing_moved(world: World) -> None:
    assert await advance(world.services.db, world.services.clock.now()) == 0


async def test_the_worker_goes_on_after_a_round_that_failed(world: World) -> None:
    await accept(world, await offer(world))
    world.on("2027-01-01")
    ends = {1: ConnectionResetError, 2: ConnectionResetError, 9: asyncio.CancelledError}
    services = replace(
        world.services,
        db=Failing(world.services.db, ends),
        settings=world.services.settings.model_copy(update={"worker_interval_seconds": 0.0}),
    )
    with structlog.testing.capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await keep_time(services)
    assert [(one["event"], one.get("kind"), one.get("moved")) for one in logs] == [
        ("clock failed", "ConnectionResetError", None),
        ("clock failed", "ConnectionResetError", None),
        ("clock", None, 1),
    ]
    assert await states(world) == ["overlapping"]
