"""One pooled connection, rows of two organizations, and a look at what its next user sees."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tsunagi.db import SERVICE_ROLE, Acting, Database, ReadTx, fetch
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.notifications import store as notifications
from tsunagi.notifications.store import Event

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 3, tzinfo=UTC)
WHOSE = "SELECT organization_id FROM events ORDER BY at, id"
SETTINGS = """
    SELECT current_user::text, coalesce(current_setting('tsunagi.organization', true), ''),
        coalesce(current_setting('tsunagi.today', true), '')
"""


@dataclass(frozen=True)
class TwoOrganizations:
    """A database with one connection; each organization has an event."""

    db: Database
    a: Acting
    b: Acting

    @property
    def both(self) -> set[UUID]:
        return {self.a.organization_id, self.b.organization_id}

    async def seen_by(self, acting: Acting) -> set[UUID]:
        async with self.db.read(acting) as tx:
            return await seen(tx)

    async def check_next_user(self, *, bare: bool = True) -> None:
        """Whoever comes next sees its own, all if it is the platform, and nothing without the wrapper."""
        if bare:
            assert await self.seen_without_wrapper() == (set(), SERVICE_ROLE)
        assert await self.seen_by(self.b) == {self.b.organization_id}
        async with self.db.platform() as tx:
            assert await seen(tx) == self.both
        if bare:
            assert await self.seen_without_wrapper() == (set(), SERVICE_ROLE)
        assert await self.seen_by(self.a) == {self.a.organization_id}

    async def seen_without_wrapper(self) -> tuple[set[UUID], str]:
        """By the connection that the next transaction would be given."""
        for connection in self.db._idle:
            role = await connection.scalar(text("SELECT current_user::text"))
            return await seen(ReadTx(connection)), str(role)
        return set(), SERVICE_ROLE  # there is none: the next transaction opens one

    async def disconnect(self) -> None:
        for connection in self.db._idle:
            await connection.close()
        self.db._idle.clear()

    async def settings_without_wrapper(self) -> tuple[str, ...]:
        (connection,) = self.db._idle
        found = await connection.execute(text(SETTINGS))
        return tuple(found.one())


async def two_organizations(url: str) -> TwoOrganizations:
    db = Database(url, pool_size=1)
    async with db.platform() as tx:
        profiles = [OrganizationProfile(kind="center", name=name) for name in ("甲（架空）", "乙（架空）")]
        a, b = [await directory.add_organization(tx, one, at=NOON) for one in profiles]
        await notifications.append(tx, *(Event(one, "handover.offered", NOON) for one in (a, b)))
    return TwoOrganizations(db, Acting(a, DAY), Acting(b, DAY))


async def seen(tx: ReadTx) -> set[UUID]:
    """Whose events are there: asked both past SQLAlchemy and through it."""
    found = {row["organization_id"] for row in await fetch(tx, WHOSE)}
    assert found == set(await tx.scalars(text(WHOSE)))
    return found


class Interrupted:
    """Awaits some work and cancels it where it waits for the n-th time, as a client that goes away does."""

    def __init__(self, work: Callable[[], Awaitable[None]], at: int) -> None:
        self._work, self._at = work, at
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, None]:
        task = asyncio.current_task()
        assert task is not None
        inner, error = self._work().__await__(), None
        while True:
            try:
                waiting_for = inner.throw(error) if error else next(inner)
            except StopIteration:
                return
            self.waits, error = self.waits + 1, None
            if self.waits == self._at:
                asyncio.get_running_loop().call_soon(task.cancel)
            try:
                yield waiting_for
            except BaseException as thrown:
                error = thrown
