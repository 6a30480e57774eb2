"""A primary that waits for its standby, and what can be done to the two."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.postgres import PATIENCE_SECONDS, Postgres

NAME = "standby"

_FOLLOWS = (
    "SELECT count(*) FROM pg_stat_replication WHERE application_name = $1 AND sync_state = ANY ($2::text[])"
)
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@dataclass
class Pair:
    """`synchronous`: commits wait for the standby, as they do by the book."""

    folder: Path
    primary: Postgres
    standby: Postgres
    synchronous: bool = True
    generation: int = 0

    @classmethod
    async def of(cls, folder: Path, primary: Postgres, *, synchronous: bool = True) -> "Pair":
        """The primary runs; a standby follows it afterwards."""
        pair = cls(folder, primary, primary, synchronous)
        await pair.follow()
        return pair

    async def follow(self) -> None:
        """Another standby follows the primary, and commits wait for it."""
        self.generation += 1
        self.standby = Postgres(self.folder / f"standby-{self.generation}")
        await asyncio.to_thread(self.standby.copy_of, self.primary, NAME)
        await asyncio.to_thread(self.standby.start)
        if self.synchronous:
            self.primary.set(synchronous_standby_names=NAME)
            await asyncio.to_thread(self.primary.reload)
        await until(self.primary.url, _FOLLOWS, NAME, ["sync"] if self.synchronous else ["async"])

    async def commits_wait(self) -> None:
        """At least one commit waits for the standby, which is frozen."""
        await until(self.primary.url, _WAITING)

    async def promote(self) -> Postgres:
        """The primary is gone for good, the standby has taken its place."""
        await asyncio.to_thread(self.primary.kill)
        if self.standby.processes():
            self.standby.thaw()
        else:
            await asyncio.to_thread(self.standby.start)
        await asyncio.to_thread(self.standby.promote)
        self.primary = self.standby
        return self.primary

    def stop(self) -> None:
        for one in (self.standby, self.primary):
            one.stop()


async def until(url: str, query: str, *parameters: object) -> None:
    """The query counts something."""
    connection = await asyncpg.connect(url)
    try:
        for _ in range(PATIENCE_SECONDS * 20):
            if await connection.fetchval(query, *parameters):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never: {query}")
    finally:
        await connection.close()
