"""A pooled connection carries nothing from one organization to the next, however its transaction ended."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.conftest import run_sql
from tests.isolation.pooled import WHOSE, Interrupted, TwoOrganizations, seen, two_organizations
from tests.world import ROOT
from tsunagi.db import SERVICE_ROLE, fetch


class Broken(Exception):
    pass


@pytest.fixture
async def two(own_url: str) -> AsyncIterator[TwoOrganizations]:
    found = await two_organizations(own_url)
    yield found
    await found.db.close()


async def test_after_a_commit(two: TwoOrganizations) -> None:
    for acting in (two.a, two.b, two.a):
        async with two.db.write(acting) as tx:
            assert await seen(tx) == {acting.organization_id}
        await two.check_next_user()


async def test_after_a_rollback(two: TwoOrganizations) -> None:
    with pytest.raises(Broken):
        async with two.db.write(two.a) as tx:
            await tx.execute(text("SAVEPOINT one"))
            raise Broken
    with pytest.raises(DBAPIError):
        async with two.db.write(two.a) as tx:
            await tx.execute(text("SELECT 1/0"))
    await two.check_next_user()


@pytest.mark.parametrize("connected", [True, False])
async def test_after_a_cancellation_wherever_it_meets_the_transaction(
    two: TwoOrganizations, connected: bool
) -> None:
    async def work() -> None:
        async with two.db.write(two.a) as tx:
            await tx.execute(text("SELECT pg_sleep(0.001)"))
            assert await seen(tx) == {two.a.organization_id}

    for at in itertools.count(1):
        if not connected:
            await two.disconnect()
        interrupted = Interrupted(work, at)
        (ended,) = await asyncio.gather(_run(interrupted), return_exceptions=True)
        assert ended is None or isinstance(ended, asyncio.CancelledError), ended
        await two.check_next_user()
        if interrupted.waits < at:
            break
    assert at > (5 if connected else 10), "to connect, to begin, to ask, to commit: each waits"


async def _run(interrupted: Interrupted) -> None:
    await interrupted


async def test_after_the_connection_was_killed(two: TwoOrganizations, own_url: str) -> None:
    with pytest.raises(DBAPIError):
        async with two.db.write(two.a) as tx:
            ((pid,),) = await fetch(tx, "SELECT pg_backend_pid()")
            await run_sql(own_url, f"SELECT pg_terminate_backend({pid}, 5000)")
            await tx.execute(text(WHOSE))
    await two.check_next_user()


async def test_after_an_idle_connection_was_killed(two: TwoOrganizations, own_url: str) -> None:
    async with two.db.write(two.a) as tx:
        ((pid,),) = await fetch(tx, "SELECT pg_backend_pid()")
    await run_sql(own_url, f"SELECT pg_terminate_backend({pid}, 5000)")
    assert await two.seen_by(two.b) == {two.b.organization_id}
    await two.check_next_user()


@pytest.mark.parametrize(
    "left_behind",
    [
        "SET tsunagi.organization = '{a}'",
        "SELECT set_config('tsunagi.organization', '{a}', false)",
        "SET tsunagi.today = '1900-01-01'",
        "SET ROLE tsunagi_oversight",
        "SET ROLE tsunagi_platform",
        "SET ROLE NONE",
        "SELECT set_config('role', 'tsunagi_platform', false)",
    ],
)
async def test_a_setting_that_somebody_commits_does_not_reach_the_next_transaction(
    two: TwoOrganizations, left_behind: str
) -> None:
    """It does survive in the connection: the wrapper's first message sets everything anew."""
    async with two.db.write(two.a) as tx:
        await tx.execute(text(left_behind.format(a=two.a.organization_id)))
    assert await two.settings_without_wrapper() != (SERVICE_ROLE, "", "")
    await two.check_next_user(bare=False)


async def test_a_prepared_statement_serves_each_role_by_its_own_plan(two: TwoOrganizations) -> None:
    """The driver and SQLAlchemy keep statements by connection, the server keeps their plans."""
    for _ in range(7):  # PostgreSQL considers a generic plan from the sixth time on
        assert await two.seen_by(two.a) == {two.a.organization_id}
        assert await two.seen_by(two.b) == {two.b.organization_id}
        async with two.db.platform() as tx:
            assert await seen(tx) == two.both


async def test_many_users_of_a_few_connections_see_only_their_own(own_url: str) -> None:
    two = await two_organizations(own_url)

    async def ask(number: int) -> None:
        acting = two.a if number % 2 else two.b
        async with two.db.write(acting) as tx:
            assert await seen(tx) == {acting.organization_id}
            if number % 5 == 0:
                raise Broken

    ended = await asyncio.gather(*(ask(number) for number in range(60)), return_exceptions=True)
    assert {type(one) for one in ended} == {type(None), Broken}
    await two.db.close()


def test_nothing_reaches_the_database_but_through_the_wrapper() -> None:
    """Migrations run as the owner, before anything is served."""
    ways = ("create_async_engine", "create_engine", "_engine", "create_pool")
    users = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "service").rglob("*.py")
        if any(way in path.read_text() for way in ways)
    }
    assert users == {"service/tsunagi/db.py"}


def test_only_the_wrapper_sets_what_policies_read() -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "service").rglob("*.py")
        if any(
            word in path.read_text()
            for word in ("set_config", "tsunagi.organization'", "SET ROLE", "SET LOCAL")
        )
    }
    assert users == {"service/tsunagi/db.py"}
