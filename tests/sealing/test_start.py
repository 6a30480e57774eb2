"""A service starts with the keys of what its database holds, or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tsunagi.cli.context import database
from tsunagi.db import Database, fetch
from tsunagi.sealing import actions
from tsunagi.sealing.keys import KeyFile, Keyring, provider
from tsunagi.settings import Settings

NOW = datetime(2026, 11, 20, tzinfo=UTC)


async def test_the_first_start_makes_a_key_and_the_next_ones_find_it(own_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=own_url)
    for _ in range(2):
        async with database(settings) as db, db.platform() as tx:
            (needed,) = await fetch(tx, "SELECT id FROM master_keys")
        assert [key.id for key in Keyring(provider(settings))] == [needed["id"]]


async def test_without_the_key_of_what_is_there_nothing_starts_and_none_is_made(
    own_url: str, tmp_path: Path
) -> None:
    async with database(Settings(data_dir=tmp_path / "first", database_url=own_url)):
        pass
    elsewhere = Settings(data_dir=tmp_path / "second", database_url=own_url)
    with pytest.raises(
        SystemExit, match=r"sealed under the master key [0-9a-f]{8}, which is not in .*master\.keys"
    ):
        async with database(elsewhere):
            raise AssertionError("it started")
    assert not provider(elsewhere).path.exists()


async def test_a_key_of_another_installation_is_no_key_of_this_one(own_url: str, tmp_path: Path) -> None:
    async with database(Settings(data_dir=tmp_path / "first", database_url=own_url)):
        pass
    other = Settings(data_dir=tmp_path / "second", database_url=own_url)
    Keyring(provider(other)).add()
    with pytest.raises(SystemExit, match="is not in"):
        async with database(other):
            raise AssertionError("it started")


async def test_a_key_file_that_cannot_be_read_says_so_without_its_content(
    own_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "master.keys"
    path.write_text("0123 not a key\n")
    with pytest.raises(SystemExit, match="a line is no master key") as said:
        async with database(Settings(data_dir=tmp_path, database_url=own_url, master_keys=path)):
            raise AssertionError("it started")
    assert "not a key" not in str(said.value)


async def test_a_new_key_is_needed_from_then_on(own_database: Database, tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "master.keys")
    await actions.begin(own_database, NOW, Keyring(file))
    old = file.path.read_text()
    added = await actions.add(own_database, NOW, Keyring(file))
    assert Keyring(file).newest.id == added
    await actions.begin(own_database, NOW, Keyring(file))
    file.path.write_text(old)
    with pytest.raises(actions.MasterKeyMissing, match=added):
        await actions.begin(own_database, NOW, Keyring(file))
