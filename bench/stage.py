"""What lies in the database before anything is measured: a few cases, made through the service, and their copies."""

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import asyncpg

from bench.multiply import Rows, copy_of, multiply, observed, tables
from bench.play import Play
from tsunagi.db import Database
from tsunagi.settings import Settings
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys
from tsunagi.transparency.store import log_checkpoints, log_entries, log_nodes

HANDOVERS = 10_000
"""As many has the large center, and as many all others together."""

OTHERS = 1_000_000
"""Where the numbers of the copies begin that other centers have."""

CASES = 4
"""Different records among the handovers: copy n is of case n modulo so many."""


STRIDE = 1009

SEQUENCED = {"ledger_queue", *(table.name for table in (log_entries, log_nodes, log_checkpoints))}


@dataclass(frozen=True)
class Case:
    """What some requests wrote about one person."""

    rows: Rows
    person_id: str
    handover_id: str


@dataclass(frozen=True)
class Stage:
    ready: Case
    """Somebody who is registered, and has consented to being handed over."""

    received: Case
    """A handover that the large center has received: copies of it are looked at, those numbered by `step`."""

    step: int
    copies: int
    people: int = 1
    """The number of the first copy that is ready."""

    @property
    def entity(self) -> str:
        """The number of a copy that is looked at, as an SQL expression over {x}."""
        return f"{self.step} * (1 + {{x}} * {STRIDE} % {self.copies})"

    def spread(self) -> Iterator[int]:
        """The same numbers, neighbors lying far apart; again and again."""
        for turn in count():
            yield self.step * (1 + turn * STRIDE % self.copies)

    def handover(self, number: int) -> str:
        return copy_of(self.received.handover_id, number)

    def person(self, number: int) -> str:
        return copy_of(self.received.person_id, number)


async def case(admin: asyncpg.Connection, play: Play, making: Awaitable[str]) -> Case:
    """What comes of making a handover, which `making` answers the id of."""
    async with observed(admin, shared=play.cast.organizations, ring=play.ring) as rows:
        handover_id = await making
    return Case(rows, await play.person_of(handover_id), handover_id)


async def staged(
    admin: asyncpg.Connection, play: Play, *, ready: int, handovers: int = HANDOVERS, checked: bool = False
) -> Stage:
    """So many people are ready, and the large center and all others have so many received handovers.

    Unless `checked`, the database does not verify foreign keys meanwhile: copies keep what their originals keep.
    """

    async with observed(admin, shared=play.cast.organizations, ring=play.ring) as rows:
        ready_person = await play.ready(play.usual)
    received = [await case(admin, play, play.assigned(play.record(n))) for n in range(CASES)]
    await admin.execute(f"SET session_replication_role = {'origin' if checked else 'replica'}")
    await multiply(admin, rows, f"generate_series(1, {ready}::bigint) g(n)", alike=True)
    others = ", ".join(f"'{one}'::uuid" for one in play.cast.others)
    another = f"(ARRAY[{others}])[1 + g.n % {len(play.cast.others)}]"
    for number, one in enumerate(received):
        step = f"SELECT n FROM generate_series(1, {handovers}::bigint) n WHERE n % {CASES} = {number}"
        await multiply(admin, one.rows, f"({step}) g")
        elsewhere = f"(SELECT n + {OTHERS} FROM ({step}) m) g(n)"
        await multiply(admin, one.rows, elsewhere, instead={str(play.cast.center): another})
    await admin.execute("RESET session_replication_role")
    return Stage(Case(rows, ready_person, ""), received[0], CASES, handovers // CASES)


async def in_the_log(db: Database, settings: Settings) -> None:
    """Every entry has its place: the sequencer has nothing to catch up with while something else is measured."""
    sequencer = Sequencer(db, FileKeys(settings.log_keys, settings.log_origin), settings.log_origin)
    while await sequencer.sequence(datetime.now(UTC)):
        pass


async def counted(admin: asyncpg.Connection) -> dict[str, int]:
    """How many rows each table has, but for those that the sequencer moves."""
    return {
        one.name: await admin.fetchval(f'SELECT count(*) FROM "{one.name}"')
        for one in await tables(admin)
        if one.name not in SEQUENCED
    }
