"""A backup is one moment of the database, says what it is, and comes back whole, walls and all."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from tests.conftest import run_sql
from tests.crowd import offer
from tests.postgres import DEBIAN_15, EMBEDDED, Postgres, ground_for_servers, running
from tests.world import ROOT, World
from tsunagi.cli import main
from tsunagi.cli.keeping import ANOTHER_LOG, MISSING
from tsunagi.db import Database
from tsunagi.migrating import migrate
from tsunagi.safekeeping import store, tools
from tsunagi.transparency import store as log
from tsunagi.transparency.actions import LogForked, Sequencer
from tsunagi.transparency.keys import FileKeys
from tsunagi.transparency.notes import Checkpoint, signed

ORIGIN = "backup.invalid/ledger"
OWNER = "tsunagi_owner"


@dataclass
class Kept:
    """A server with the database that is backed up, and another one that it is restored to."""

    server: Postgres
    folder: Path
    db: Database

    @property
    def keys(self) -> FileKeys:
        return FileKeys(self.folder / "data" / "ledger-keys", ORIGIN)

    async def sequence(self) -> str:
        """Every entry is in the log; the checkpoint."""
        sequencer = Sequencer(self.db, self.keys, ORIGIN)
        await sequencer.sequence(datetime.now(UTC))
        async with self.db.platform() as tx:
            found = await log.newest(tx)
        assert found is not None
        return found.note

    async def run(self, database: str, *arguments: str | Path, user: str = "postgres") -> Result:
        settings = {
            "DATABASE_URL": self.server.url_of(database, user),
            "TSUNAGI_DATA_DIR": str(self.folder / "data"),
            "TSUNAGI_LEDGER_ORIGIN": ORIGIN,
        }
        return await asyncio.to_thread(
            CliRunner().invoke, main, [str(one) for one in arguments], env=settings, catch_exceptions=False
        )


@pytest.fixture(scope="module", params=[EMBEDDED, DEBIAN_15], ids=["18", "15"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Postgres]:
    if not request.param.exists():
        pytest.skip(f"there is no {request.param}")
    with ground_for_servers() as folder, running(folder / "postgres", tools=request.param) as found:
        await run_sql(found.url, f"CREATE ROLE {OWNER} CREATEROLE", "CREATE ROLE seer LOGIN")
        yield found


@pytest.fixture
async def db(server: Postgres) -> AsyncIterator[Database]:
    """Of the world: a database with real commits."""
    await run_sql(server.url, "DROP DATABASE IF EXISTS tsunagi WITH (FORCE)", "CREATE DATABASE tsunagi")
    await asyncio.to_thread(migrate, server.url_of("tsunagi"), ROOT / "migrations")
    found = Database(server.url_of("tsunagi"))
    yield found
    await found.close()


@pytest.fixture
async def kept(world: World, server: Postgres, db: Database, tmp_path: Path) -> Kept:
    """The database has two handovers, and a log that is signed for."""
    here = Kept(server, tmp_path, db)
    for number in range(2):
        await offer(world, number)
    await here.sequence()
    await run_sql(
        server.url, "DROP DATABASE IF EXISTS restored WITH (FORCE)", f"CREATE DATABASE restored OWNER {OWNER}"
    )
    return here


async def schema_of(kept: Kept, database: str) -> list[str]:
    """Tables, policies, triggers, grants, functions and defaults, as PostgreSQL writes them down."""
    said = await asyncio.to_thread(
        kept.server.run, "pg_dump", "--schema-only", "--no-owner", kept.server.url_of(database)
    )
    # A condition that is read back loses the parentheses that mean nothing.
    plain = re.sub("[()]", "", said.replace(f"FOR ROLE {OWNER}", "FOR ROLE postgres"))
    return [line for line in plain.splitlines() if not line.startswith(("--", "\\"))]


async def copied(kept: Kept) -> Path:
    """A backup of the database as it is now."""
    folder = kept.folder / "copy"
    made = await kept.run("tsunagi", "backup", folder)
    assert made.exit_code == 0, made.output
    return folder


async def test_what_comes_back_is_what_was_there(kept: Kept) -> None:
    outside = kept.folder / "kept.txt"
    outside.write_text(await kept.sequence())
    folder = await copied(kept)
    back = await kept.run("restored", "restore", folder, "--checkpoint", outside, "--owner", OWNER)
    assert back.exit_code == 0, back.output
    assert "unaltered" in back.output
    assert await schema_of(kept, "restored") == await schema_of(kept, "tsunagi")
    async with store.all_rows(kept.server.url_of("tsunagi")) as tx:
        expected = await store.counts(tx)
    async with store.all_rows(kept.server.url_of("restored")) as tx:
        assert await store.counts(tx) == expected
        assert set(await tx.scalars(OWNERS)) == {OWNER}
        assert not await tx.scalar(TEMPORARY)
    assert expected["handovers"] == 2


OWNERS = text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
TEMPORARY = text("SELECT has_database_privilege('tsunagi_service', current_database(), 'TEMPORARY')")


async def test_the_manifest_says_what_is_in_it_and_what_is_not(kept: Kept) -> None:
    note = await kept.sequence()
    folder = await copied(kept)
    assert {one.name for one in folder.iterdir()} == {"manifest.json", "manifest.sha256", "database.dump"}
    said = json.loads((folder / "manifest.json").read_text())
    assert said["schema_revision"].startswith("00")
    assert said["tables"]["handovers"] == 2
    assert said["ledger"]["checkpoint"] == note
    assert said["ledger"]["size"] == said["ledger"]["entries"] == int(note.splitlines()[1])
    dump = (folder / "database.dump").read_bytes()
    assert said["files"] == {
        "database.dump": {"bytes": len(dump), "sha256": hashlib.sha256(dump).hexdigest()}
    }
    assert "鍵" in said["not_here"]


async def test_no_key_is_in_a_backup(kept: Kept, data_dir: Path) -> None:
    """Neither as it lies in its file, nor as text."""
    folder = await copied(kept)
    plain = await tools.run(kept.server.tools / "pg_restore", "--file=-", folder / "database.dump")
    keys = [*(kept.folder / "data" / "ledger-keys").glob("*.pem"), *(data_dir / "keys").iterdir()]
    assert len(keys) >= 3
    for path in keys:
        secret = path.read_bytes()
        if path.suffix == ".pem":
            secret = base64.b64decode(b"".join(secret.splitlines()[1:-1]))
        for written in (
            secret.hex(),
            base64.b64encode(secret).decode(),
            path.read_bytes().decode(errors="ignore"),
        ):
            assert written not in plain or not written


async def test_nothing_is_overwritten(kept: Kept) -> None:
    folder = await copied(kept)
    again = await kept.run("tsunagi", "backup", folder)
    assert again.exit_code == 1
    assert "上書きしません" in again.output
    full = await kept.run("tsunagi", "restore", folder)
    assert full.exit_code == 1
    assert "nothing is overwritten" in full.output
    assert {one.name for one in kept.folder.iterdir()} == {"copy", "data"}


async def test_a_role_that_sees_less_makes_no_backup(kept: Kept) -> None:
    said = await kept.run("tsunagi", "backup", kept.folder / "copy", user="seer")
    assert said.exit_code == 1
    assert "BYPASSRLS" in said.output
    assert not [one for one in kept.folder.iterdir() if "copy" in one.name]


@pytest.mark.parametrize("name", ["database.dump", "manifest.json"])
async def test_a_damaged_backup_is_refused_before_anything_is_written(kept: Kept, name: str) -> None:
    folder = await copied(kept)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    back = await kept.run("restored", "restore", folder)
    assert back.exit_code == 1, back.output
    async with store.all_rows(kept.server.url_of("restored")) as tx:
        assert await store.is_empty(tx)


async def test_what_is_missing_since_is_said_and_the_log_does_not_fork(kept: Kept, world: World) -> None:
    folder = await copied(kept)
    before = int((await kept.sequence()).splitlines()[1])
    await offer(world, 3)
    outside = kept.folder / "kept.txt"
    outside.write_text(await kept.sequence())
    after = int(outside.read_text().splitlines()[1])
    back = await kept.run("restored", "restore", folder, "--checkpoint", outside)
    assert back.exit_code == MISSING, back.output
    assert (
        f"{after - before} are missing: positions {before} to {after - 1}, recorded after 20" in back.output
    )
    db = Database(kept.server.url_of("restored"))
    sequencer = Sequencer(db, kept.keys, ORIGIN)
    try:
        with pytest.raises(LogForked, match=f"{after} entries were signed for, and {before} are here"):
            await sequencer.sequence(datetime.now(UTC))
        kept.keys.forget()
        await sequencer.sequence(datetime.now(UTC))
    finally:
        await db.close()


@pytest.mark.parametrize("smaller", [0, 3])
async def test_a_log_that_is_another_one_is_told(kept: Kept, smaller: int) -> None:
    """The checkpoint is signed, and this is not its log."""
    size = int((await kept.sequence()).splitlines()[1]) - smaller
    folder, outside = await copied(kept), kept.folder / "kept.txt"
    outside.write_text(signed(Checkpoint(ORIGIN, size, bytes(32)).text(), *kept.keys.signers()))
    back = await kept.run("restored", "restore", folder, "--checkpoint", outside)
    assert back.exit_code == ANOTHER_LOG, back.output


async def test_a_checkpoint_that_nobody_signed_stops_before_anything_is_written(kept: Kept) -> None:
    folder, outside = await copied(kept), kept.folder / "kept.txt"
    outside.write_text((await kept.sequence()).replace("\n\n", "\nextension\n\n", 1))
    back = await kept.run("restored", "restore", folder, "--checkpoint", outside)
    assert back.exit_code == 1
    async with store.all_rows(kept.server.url_of("restored")) as tx:
        assert await store.is_empty(tx)


async def test_an_entry_that_was_altered_in_the_database_does_not_pass_for_whole(kept: Kept) -> None:
    """By a superuser, past the triggers, before the backup."""
    await run_sql(
        kept.server.url_of("tsunagi"),
        "SET session_replication_role = replica",
        "UPDATE ledger_contents SET body = replace(body, 'permit', 'deny')",
    )
    back = await kept.run("restored", "restore", await copied(kept))
    assert back.exit_code == 1
    assert "committed" in back.output
