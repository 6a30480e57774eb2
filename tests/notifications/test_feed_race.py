"""A reader that polls while others write, over real commits: nothing is missed and nothing told twice."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.responsibility.conftest import add_organizations
from tsunagi.db import Database
from tsunagi.ids import OrganizationId
from tsunagi.notifications import store
from tsunagi.notifications.store import Event

AT = datetime(2026, 11, 20, tzinfo=UTC)
WRITERS, EACH, READERS = 6, 15, 3


@pytest.fixture
async def organization(own_database: Database) -> OrganizationId:
    async with own_database.platform() as tx:
        return (await add_organizations(tx, 1))[0]


async def page(database: Database, organization: OrganizationId, after: int) -> Sequence[Event]:
    async with database.platform() as tx:
        return await store.feed(tx, organization, after=after, limit=7)


async def test_an_event_that_commits_late_comes_after_the_readers_cursor(
    own_database: Database, organization: OrganizationId
) -> None:
    early = Event(organization, "handover.offered", AT)
    late = Event(organization, "handover.received", AT)
    async with own_database.platform() as slow:
        await store.append(slow, early)
        async with own_database.platform() as quick:
            await store.append(quick, late)
        first = await page(own_database, organization, 0)
        assert [(one.position, one.id) for one in first] == [(1, late.id)]
    second = await page(own_database, organization, 1)
    assert [(one.position, one.id) for one in second] == [(2, early.id)]


async def test_what_was_rolled_back_takes_no_position(
    own_database: Database, organization: OrganizationId
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with own_database.platform() as tx:
            await store.append(tx, Event(organization, "handover.offered", AT))
            raise ZeroDivisionError
    kept = Event(organization, "handover.received", AT)
    async with own_database.platform() as tx:
        await store.append(tx, kept)
    assert [(one.position, one.id) for one in await page(own_database, organization, 0)] == [(1, kept.id)]


async def test_readers_that_poll_while_others_write_read_everything_once_and_alike(
    own_database: Database, organization: OrganizationId
) -> None:
    written: set[UUID] = set()
    done = asyncio.Event()

    async def write(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(EACH):
            new = [Event(organization, "handover.offered", AT) for _ in range(chance.randrange(1, 4))]
            async with own_database.platform() as tx:
                await store.append(tx, *new)
                await asyncio.sleep(chance.random() / 100)
            written.update(one.id for one in new)

    async def read() -> list[tuple[int | None, UUID]]:
        found: list[tuple[int | None, UUID]] = []
        while True:
            last = done.is_set()
            new = await page(own_database, organization, found[-1][0] or 0 if found else 0)
            found += [(one.position, one.id) for one in new]
            if last and not new:
                return found
            await asyncio.sleep(0)

    async def write_all() -> None:
        await asyncio.gather(*(write(seed) for seed in range(WRITERS)))
        done.set()

    _, *read_by = await asyncio.gather(write_all(), *(read() for _ in range(READERS)))
    for found in read_by:
        assert found == read_by[0]
    assert [position for position, _ in read_by[0]] == list(range(1, len(written) + 1))
    assert {event_id for _, event_id in read_by[0]} == written
