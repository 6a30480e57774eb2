"""A country full of handovers: every state there is, over organizations of which a few are large and most are not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from bench.multiply import Rows, copy_sql, multiply, observed
from bench.play import LEAD, Play
from bench.stage import Case, Stage, case
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.handovers.steps import advance
from tsunagi.synthetic.organizations import HOME

SLOTS = 20
"""Copy n is of the state that has n modulo so many: the shares below add up to it."""

EACH_TENTH = 10
"""Every tenth of the first LARGE copies is between the two large organizations."""

LARGE = 100_000
WHOLE = f"(n <= 20000 OR (n <= {LARGE} AND n % {EACH_TENTH} = 0))"
"""Which copies are as the service left them: the large organizations', and the first ones. The others are thin, so
that a million fit on a small disk: see `thin`."""

LONG = 300
"""From so many characters on, a text is content: what makes rows large, and no query looks into."""

KEPT_ROWS = 1

HANDOVERS_EACH = 50
"""Of an organization, on average."""

READY_FROM = 10**9
"""Where the numbers of people begin who are ready to be handed over."""


@dataclass
class Crowd:
    """What is multiplied, and how far that has come."""

    admin: asyncpg.Connection
    play: Play
    ready: Case
    states: dict[str, tuple[Case, range]]
    """Of each state, its case and its slots."""

    sender: Rows
    center: Rows
    handovers: int = 0
    organizations: int = 0
    """Of each kind."""

    @property
    def stage(self) -> Stage:
        copies = min(self.handovers, LARGE) // SLOTS
        return Stage(self.ready, self.states["received"][0], SLOTS, copies, READY_FROM)

    async def grow(self, handovers: int, url: str) -> None:
        """There are so many afterwards, with as many organizations as that takes."""
        organizations = max(20, handovers // HANDOVERS_EACH)
        new = f"generate_series({self.organizations + 1}, {organizations}::bigint) g(n)"
        await multiply(self.admin, self.sender, new)
        await multiply(self.admin, self.center, new)
        half = (self.handovers + handovers) // 2
        await asyncio.gather(  # a connection uses one core
            self._fill(url, self.handovers + 1, half, organizations),
            self._fill(url, half + 1, handovers, organizations),
        )
        self.handovers, self.organizations = handovers, organizations

    async def _fill(self, url: str, first: int, last: int, organizations: int) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("SET session_replication_role = replica")
        for one, slots in self.states.values():
            instead = {str(self.play.cast.sender): "g.sender", str(self.play.cast.center): "g.center"}
            numbers = self._numbers(first, last, slots, organizations)
            await multiply(connection, one.rows, f"{numbers} AND {WHOLE}) g", instead=instead)
            await multiply(connection, thin(one.rows), f"{numbers} AND NOT {WHOLE}) g", instead=instead)
        await connection.close()

    def _numbers(self, first: int, last: int, slots: range, organizations: int) -> str:
        """The copies of one state, and between whom each is: the lower its number, the larger an organization.
        A subquery that is still open, for one condition more."""
        share = "(hashint8(n # {salt}) & 65535) / 65536.0"
        nth = f"(1 + floor({organizations} * power({share}, 2)))::bigint"
        large = f"n % {EACH_TENTH} = 0 AND n <= {LARGE}"
        sender = copy_sql(_id(self.sender), nth.format(salt=1))
        center = copy_sql(_id(self.center), nth.format(salt=2))
        return f"""(
            SELECT n,
                CASE WHEN {large} THEN '{self.play.cast.sender}'::uuid ELSE {sender} END AS sender,
                CASE WHEN {large} THEN '{self.play.cast.center}'::uuid ELSE {center} END AS center
            FROM generate_series({first}, {last}::bigint) n
            WHERE n % {SLOTS} BETWEEN {slots.start} AND {slots.stop - 1}"""


def thin(rows: Rows) -> Rows:
    """The same without its long texts, and with few rows of each table; but the ledger's entries are all there."""
    return Rows(
        {
            name: [_short(row) for row in (kept if name.startswith("ledger_") else kept[:KEPT_ROWS])]
            for name, kept in rows.tables.items()
        },
        rows.ids,
        rows.ring,
    )


def _short(row: dict[str, str | None]) -> dict[str, str | None]:
    return {name: "{}" if text is not None and len(text) >= LONG else text for name, text in row.items()}


def _id(of: Rows) -> str:
    found = of.tables["organizations"][0]["id"]
    assert found is not None
    return found


async def crowd(admin: asyncpg.Connection, play: Play, db: Database, *, ready: int) -> Crowd:
    """One case of each state, made through the service at times that fit, and so many people who are ready."""
    now = datetime.now(UTC)
    states: dict[str, tuple[Case, range]] = {}

    async def state(name: str, days_ago: int, share: range, making: Callable[[], Awaitable[str]]) -> None:
        async def made() -> str:
            play.clock.move_to(now - timedelta(days=days_ago))
            handover_id = await making()
            play.clock.move_to(now)
            await advance(db, now)
            return handover_id

        states[name] = await case(admin, play, made()), share

    record, sender, center = _records(play), play.cast.sender, play.cast.center
    await state("received", 0, range(1), lambda: play.received(record()))
    await state("accepted", 10, range(1, 3), lambda: play.accepted(record()))
    await state("draft", 0, range(3, 4), lambda: play.drafted(record()))
    await state("offered", 0, range(4, 6), lambda: play.offered(record(days=300)))
    await state("expired", 200, range(6, 7), lambda: play.offered(record()))
    await state("declined", 30, range(7, 8), lambda: play.ended(record(), center, "decline", "capacity"))
    await state("withdrawn", 30, range(8, 9), lambda: play.ended(record(), sender, "withdraw", "person_wish"))
    await state("consent withdrawn", 250, range(9, 10), lambda: play.withdrawn_consent(record()))
    await state("completed", 400, range(10, SLOTS), lambda: play.looked_at(record()))
    async with observed(admin, shared=play.cast.organizations, ring=play.ring) as rows:
        person_id = await play.ready(play.usual)
    await admin.execute("SET session_replication_role = replica")
    await multiply(
        admin, rows, f"generate_series({READY_FROM}, {READY_FROM + ready}::bigint) g(n)", alike=True
    )
    await admin.execute("RESET session_replication_role")
    organizations = [await _organization(admin, db, kind) for kind in ("settlement", "center")]
    return Crowd(admin, play, Case(rows, person_id, ""), states, *organizations)


def _records(play: Play) -> Callable[..., dict[str, Any]]:
    number = 20_000

    def record(*, days: int = LEAD.days) -> dict[str, Any]:
        nonlocal number
        number += 1
        return play.record(number, planned=play.today + timedelta(days=days))

    return record


async def _organization(admin: asyncpg.Connection, db: Database, kind: Any) -> Rows:
    profile = OrganizationProfile(kind=kind, name="架空の機関", serves=(HOME.code,))
    async with observed(admin, shared=()) as rows, db.platform() as tx:
        await directory.add_organization(tx, profile, at=datetime.now(UTC))
    return rows
