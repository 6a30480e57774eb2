"""The service as docs/operations.md tells operators to run it: migrated by an owner that is no superuser, and logged
in as a role that owns nothing and inherits nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from tests.conftest import run_sql
from tests.isolation.runbook import sql_of
from tests.owner import owner
from tests.running import plain_url
from tests.world import ROOT, World
from tsunagi.cli.context import database
from tsunagi.db import Database
from tsunagi.migrating import configuration, migrate
from tsunagi.settings import Settings

OF_BEFORE = (
    "SET session_replication_role = replica",  # none of those it names are there
    """
    INSERT INTO handovers (
        id, person_id, stream, sender_id, receiver_id, handover_type, status, version, revision, same_corporation,
        planned_date, continuing_need, employer_window_missing, window_opens_on, window_announced, due_on,
        recorded_at, domains)
    SELECT handover, handover, handover, handover, gen_random_uuid(), 'settlement_to_center', 'returned', 3, 1, false,
        '2027-04-01', false, false, '2026-10-01', true, '2027-04-01', now(), '[]'
    FROM gen_random_uuid() AS handover
    """,
    """
    INSERT INTO record_versions (
        handover_id, version, person_id, sender_id, receiver_id, recorded_at, section_names, header, warnings,
        offered_at)
    SELECT id, version.number, person_id, sender_id, receiver_id, now(), '{}', '{}', '[]', version.offered_at
    FROM handovers, (VALUES (1, NULL), (2, now()), (3, NULL)) AS version (number, offered_at)
    """,
)
"""A handover as it was kept before it said itself which versions of its record were on offer."""


@dataclass(frozen=True)
class Installed:
    """A database by the book, as its owner and as the service reach it."""

    url: str
    """As the superuser has it."""
    owner_url: str
    login_url: str


def as_role(url: str, role: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{role}:secret@{parts.netloc.rpartition('@')[2]}"))


@pytest.fixture(scope="module")
async def installed(server_url: str, template_url: str) -> AsyncIterator[Installed]:
    """Made with the very statements of docs/operations.md; the names are the test's own."""
    run = uuid4().hex[:8]
    names = {
        "tsunagi_owner": f"owner_{run}",
        "tsunagi_login": f"login_{run}",
        "DATABASE tsunagi": f"DATABASE d_{run}",
    }

    def own(statement: str) -> str:
        for name, instead in names.items():
            statement = statement.replace(name, instead)
        return statement.replace("…", "secret")

    first, then, look = ([own(one) for one in block] for block in sql_of("Database roles"))
    await run_sql(server_url, *first)
    url = plain_url(server_url, f"d_{run}")
    as_owner = as_role(url, f"owner_{run}")
    files = ROOT / "migrations"
    await asyncio.to_thread(command.upgrade, configuration(as_owner, files), "0012_rate_limits")
    await run_sql(url, *OF_BEFORE)
    await asyncio.to_thread(migrate, as_owner, files)
    await run_sql(server_url, *then)
    connection = await asyncpg.connect(url)
    assert [await connection.fetch(one) for one in look] == [[], []]
    await connection.close()
    yield Installed(url, as_owner, as_role(url, f"login_{run}"))
    await run_sql(server_url, f"DROP DATABASE d_{run} WITH (FORCE)", f"DROP ROLE owner_{run}, login_{run}")


@pytest.fixture
async def db(installed: Installed) -> AsyncIterator[Database]:
    """Of every test in this file, instead of the one that is rolled back."""
    async with database(Settings(database_url=installed.login_url)) as found:
        yield found


async def test_a_login_that_owns_nothing_serves_what_its_owner_cannot_see(
    world: World, installed: Installed
) -> None:
    accepted = await world.accepted()
    timeline = await world.auditor.get(f"/v1/people/{accepted['personId']}/responsibility")
    assert timeline.status_code == 200
    assert (await world.other.get(f"/v1/handovers/{accepted['id']}")).status_code == 404
    connection = await asyncpg.connect(installed.owner_url)
    if connection.get_server_version().major >= 16:  # before, whoever made a role also has what it may see
        assert await connection.fetchval("SELECT count(*) FROM handovers") == 0
    await connection.close()


async def test_what_was_on_offer_before_the_handover_said_so_still_is(installed: Installed) -> None:
    connection = await asyncpg.connect(installed.url)
    found = await connection.fetchval("SELECT offered_versions FROM handovers WHERE status = 'returned'")
    await connection.close()
    assert found == [2]


async def test_a_statement_that_falls_back_to_the_login_may_do_nothing(db: Database) -> None:
    assert not await db.login_passes()
    async with owner(db) as tx:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await tx.execute(text("SELECT 1 FROM handovers"))


async def test_the_login_can_neither_lift_the_walls_nor_migrate(installed: Installed) -> None:
    connection = await asyncpg.connect(installed.login_url)
    for statement in (
        "ALTER TABLE handovers DISABLE ROW LEVEL SECURITY",
        "DROP POLICY service_select ON handovers",
        "CREATE TABLE public.of_mine (id int)",
        "CREATE TEMPORARY TABLE handovers (id uuid)",
        "UPDATE alembic_version SET version_num = ''",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_an_owner_that_serves_is_told_that_it_should_not(own_url: str, installed: Installed) -> None:
    async with database(Settings(database_url=own_url)) as db:
        assert await db.login_passes()
