"""`tsunagi staff`: what is printed is enough to sign in with."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from typer.testing import CliRunner

from tsunagi.cli import main
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.ids import OrganizationId
from tsunagi.sealing.keys import Keyring, provider
from tsunagi.settings import Settings
from tsunagi.staff.actions import Attempting, Code, sign_in
from tsunagi.staff.rules import Member, SignInRefused


@pytest.fixture
def opened(own_url: str, tmp_path: Path) -> Callable[[], Database]:
    def opened() -> Database:
        db = Database(own_url)
        db.keys = Keyring(provider(Settings(data_dir=tmp_path)))
        return db

    return opened


async def _organization(db: Database) -> OrganizationId:
    profile = OrganizationProfile(kind="center", name="障害者就業・生活支援センター みほん（架空）")
    async with db.platform() as tx:
        found = await directory.add_organization(tx, profile, at=datetime.now(UTC))
    await db.close()
    return found


async def _signed_in(db: Database, said: dict[str, str]) -> Member:
    now = datetime.now(UTC)
    attempting = Attempting(now, "192.0.2.1", "test")
    credentials = {"login": said["login"], "password": said["password"]}
    with pytest.raises(SignInRefused):
        await sign_in(db, attempting, factor=Code("000"), **credentials)
    member, _ = await sign_in(db, attempting, factor=Code(pyotp.TOTP(said["secret"]).at(now)), **credentials)
    await db.close()
    return member


# The command runs an event loop of its own: the test that calls it has none.


def test_whoever_was_added_can_sign_in(opened: Callable[[], Database], own_url: str, tmp_path: Path) -> None:
    organization_id = asyncio.run(_organization(opened()))
    runner = CliRunner(env={"DATABASE_URL": own_url, "TSUNAGI_DATA_DIR": str(tmp_path)})
    words = ["staff", "add", str(organization_id), "Ichiro@Center.example", "支援 一郎", "--role", "auditor"]
    printed = runner.invoke(main, words)
    assert printed.exit_code == 0, printed.output
    said = dict(line.split(maxsplit=1) for line in printed.output.splitlines()[:3])
    member = asyncio.run(_signed_in(opened(), said))
    assert (member.login, member.role) == ("ichiro@center.example", "auditor")
    assert member.organization_id == organization_id
    again = runner.invoke(main, words)
    assert again.exit_code == 1
    assert "cannot be used" in again.output
