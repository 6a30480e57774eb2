"""On a real server, set up in every way that loses data: the service does not start, and says why."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from tests.conftest import run_sql
from tests.owner import owner
from tests.postgres import Postgres, environment, ground_for_servers, running
from tests.world import ROOT
from tsunagi.cli.context import database
from tsunagi.db import fetch
from tsunagi.migrating import migrate
from tsunagi.settings import Settings

BAD = {
    "fsync": "off",
    "full_page_writes": "off",
    "data_sync_retry": "on",
    "zero_damaged_pages": "on",
    "ignore_checksum_failure": "on",
    "synchronous_commit": "off",
}
AT_START = {"data_sync_retry"}
"""What a server takes only when it starts."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with ground_for_servers() as folder, running(folder / "postgres") as found:
        migrate(found.url, ROOT / "migrations")
        yield found


async def alter(server: Postgres, *statements: str, name: str) -> None:
    await run_sql(server.url, *statements)
    if name in AT_START:
        server.stop()
        server.start()
    else:
        await run_sql(server.url, "SELECT pg_reload_conf()")


async def refusal(server: Postgres) -> str:
    """What the service says instead of starting; nothing where it starts."""
    try:
        async with database(Settings(database_url=server.url)):
            return ""
    except SystemExit as said:
        return str(said)


async def heard(server: Postgres, expected: bool, of: str) -> str:
    """As `refusal`, once the server has read its new settings: it does so when it comes to it."""
    for _ in range(600):
        said = await refusal(server)
        if (of in said) is expected:
            return said
        await asyncio.sleep(0.1)
    raise AssertionError(f"{of}: {said or 'it starts'}")


@pytest.mark.parametrize("name", BAD)
async def test_the_service_does_not_start_on_a_server_that_loses_data(server: Postgres, name: str) -> None:
    assert await refusal(server) == ""
    await alter(server, f"ALTER SYSTEM SET {name} = {BAD[name]}", name=name)
    try:
        said = await heard(server, expected=True, of=f"{name} = {BAD[name]}")
        assert "起動しません" in said
        assert "not starting" in said
        assert "TSUNAGI_ALLOW_DATA_LOSS" in said
    finally:
        await alter(server, f"ALTER SYSTEM RESET {name}", name=name)
    await heard(server, expected=False, of=name)


@pytest.mark.parametrize(
    "whose", ["ROLE postgres", "DATABASE postgres", "ROLE postgres IN DATABASE postgres"]
)
async def test_nor_where_a_role_or_the_database_has_the_setting(server: Postgres, whose: str) -> None:
    await run_sql(server.url, f"ALTER {whose} SET synchronous_commit = off")
    try:
        assert "synchronous_commit = off" in await refusal(server)
    finally:
        await run_sql(server.url, f"ALTER {whose} RESET synchronous_commit")
    assert await refusal(server) == ""


@pytest.mark.parametrize("weak", ["local", "remote_write"])
async def test_a_commit_must_wait_for_the_standby_where_one_is_named(server: Postgres, weak: str) -> None:
    await run_sql(server.url, f"ALTER DATABASE postgres SET synchronous_commit = {weak}")
    try:
        assert await refusal(server) == ""
        # Nobody of this name ever comes: what commits from here on waits, and nothing here does.
        await run_sql(
            server.url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"
        )
        said = await heard(server, expected=True, of=f"synchronous_commit = {weak}")
        assert "standby" in said
    finally:
        await run_sql(
            server.url,
            "ALTER SYSTEM RESET synchronous_standby_names",
            "SELECT pg_reload_conf()",
            "SET synchronous_commit = local",
            "ALTER DATABASE postgres RESET synchronous_commit",
        )
    await heard(server, expected=False, of="synchronous_commit")


async def test_nor_with_a_table_that_a_crash_empties(server: Postgres) -> None:
    await run_sql(server.url, "ALTER TABLE idempotent_answers SET UNLOGGED")
    try:
        assert "UNLOGGED idempotent_answers" in await refusal(server)
    finally:
        await run_sql(server.url, "ALTER TABLE idempotent_answers SET LOGGED")


@pytest.fixture
async def careless(server: Postgres) -> AsyncIterator[None]:
    await run_sql(server.url, "ALTER ROLE postgres SET synchronous_commit = off")
    yield
    await run_sql(server.url, "ALTER ROLE postgres RESET synchronous_commit")


async def test_a_default_that_is_weakened_later_does_not_reach_the_service(server: Postgres) -> None:
    async with database(Settings(database_url=server.url)) as db:
        await run_sql(server.url, "ALTER ROLE postgres SET synchronous_commit = off")
        try:
            async with db.platform() as tx, owner(db) as raw:
                for one in (tx, raw):
                    assert (await fetch(one, "SHOW synchronous_commit"))[0][0] == "on"
        finally:
            await run_sql(server.url, "ALTER ROLE postgres RESET synchronous_commit")


@pytest.mark.usefixtures("careless")
async def test_it_starts_where_losing_is_allowed_and_says_so_at_every_start(server: Postgres) -> None:
    for _ in range(2):
        with structlog.testing.capture_logs() as logs:
            async with (
                database(Settings(database_url=server.url, allow_data_loss=True)) as db,
                db.platform() as tx,
            ):
                assert (await fetch(tx, "SHOW synchronous_commit"))[0][0] == "off"
        (said,) = [one for one in logs if "DATA LOSS" in one["event"]]
        assert said["log_level"] == "error"
        assert "synchronous_commit = off" in said["dangers"][0]


@pytest.mark.usefixtures("careless")
def test_the_command_itself_ends_with_the_reason(server: Postgres, tmp_path: Path) -> None:
    tsunagi = Path(sys.executable).parent / "tsunagi"
    settings = {"DATABASE_URL": server.url, "TSUNAGI_DATA_DIR": str(tmp_path), "TSUNAGI_METRICS_PORT": "0"}
    done = subprocess.run(
        [tsunagi, "serve"],
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert done.returncode == 1
    assert "synchronous_commit = off" in done.stderr
    assert "応答" in done.stderr
