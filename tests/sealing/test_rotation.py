"""A new master key takes over from an old one, while people are handed over."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from tests.api.states import take
from tests.crowd import accept, offer
from tests.web.visitors import visitor
from tests.world import World
from tsunagi.cli import main
from tsunagi.db import Acting, Database, fetch
from tsunagi.drafts.actions import begin
from tsunagi.sealing import actions
from tsunagi.sealing.keys import KeyFile, Keyring
from tsunagi.sealing.store import key_tables

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TABLES = (
    "consent_withdrawals",
    "consents",
    "handover_activities",
    "handover_drafts",
    "handovers",
    "idempotent_answers",
    "legal_holds",
    "openid_providers",
    "record_versions",
    "staff_members",
    "webhooks",
)


@pytest.fixture
async def lived(world: World) -> list[str]:
    """Handovers, and whatever else is sealed."""
    await visitor(world.center, signed_in=False)
    webhook = await world.center.post("/v1/webhooks", {"url": "https://hooks.example.jp/tsunagi"})
    assert webhook.status_code == 201, webhook.text
    async with world.services.db.write(Acting(world.center.id, NOW.date())) as tx:
        secret = world.services.match_secret
        await begin(tx, NOW, world.center.id, secret, by="試験 太郎", overview={"plannedDate": "2027-04-01"})
    accepted = await accept(world, await offer(world, 1), employment={"decision": "accept"})
    declined = await offer(world, 2)
    await world.center.get(f"/v1/handovers/{declined['id']}")
    assert (await take(world.center, world, declined["id"], "decline")).status_code == 200
    withdrawal = {"withdrawnBy": {"kind": "person"}}
    await world.settlement.post(f"/v1/consents/{declined['consentId']}/withdraw", withdrawal)
    return [accepted["id"], declined["id"]]


async def read(world: World, handover_ids: list[str]) -> list[Any]:
    return [(await world.settlement.get(f"/v1/handovers/{one}")).json() for one in handover_ids]


async def sealed(db: Database) -> dict[str, list[Any]]:
    """The sealed texts themselves."""
    async with db.platform() as tx:
        return {
            "sections": await fetch(tx, "SELECT document FROM record_sections ORDER BY document"),
            "headers": await fetch(tx, "SELECT header FROM record_versions ORDER BY header"),
            "notes": await fetch(tx, "SELECT notes FROM handovers ORDER BY notes"),
        }


async def rotated(db: Database, ring: Keyring) -> int:
    return sum([number async for number in actions.rotate(db, ring)])


def test_every_room_that_seals_takes_part() -> None:
    assert tuple(sorted(one.name for one in key_tables())) == TABLES


async def test_every_data_key_moves_and_no_text_does(world: World, db: Database, lived: list[str]) -> None:
    ring = db.keys
    assert isinstance(ring, Keyring)
    await actions.begin(db, NOW, ring)
    before, texts, used = await read(world, lived), await sealed(db), await actions.uses(db)
    (old,) = used
    new = await actions.add(db, NOW, ring)
    assert await rotated(db, ring) == used[old]
    assert await actions.uses(db) == {new: used[old]}
    assert await sealed(db) == texts
    assert await read(world, lived) == before
    assert await actions.retire(db, ring) == [old]
    assert await rotated(db, ring) == 0


async def test_what_was_broken_off_is_taken_up_again(
    world: World, db: Database, lived: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "BATCH", 1)
    ring = db.keys
    assert isinstance(ring, Keyring)
    await actions.begin(db, NOW, ring)
    before, whole = await read(world, lived), sum((await actions.uses(db)).values())
    new = await actions.add(db, NOW, ring)
    steps = actions.rotate(db, ring)
    for _ in range(3):
        await anext(steps)
    await steps.aclose()
    assert (await actions.uses(db))[new] == 3
    assert await actions.retire(db, ring) == []
    assert await read(world, lived) == before
    assert await rotated(db, ring) == whole - 3
    assert set(await actions.uses(db)) == {new}


async def test_rows_that_somebody_holds_are_come_back_to(own_database: Database, tmp_path: Path) -> None:
    ring = own_database.keys = Keyring(KeyFile(tmp_path / "master.keys"))
    await actions.begin(own_database, NOW, ring)
    async with own_database.platform() as tx:
        for key in ("one", "two"):
            where = (uuid4(), "software", key)
            kept = ring.fresh("idempotent_answers", *where).wrapped
            await fetch(tx, "INSERT INTO idempotent_answers VALUES ($1, $2, $3, now(), $4, '')", *where, kept)
    new = await actions.add(own_database, NOW, ring)
    async with own_database.platform() as tx:
        await fetch(tx, "SELECT FROM idempotent_answers WHERE key = 'two' FOR UPDATE")
        steps = actions.rotate(own_database, ring)
        assert await anext(steps) == 1
    assert sum([number async for number in steps]) == 1
    assert await actions.uses(own_database) == {new: 2}


def test_the_commands_do_it(own_url: str, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": own_url, "TSUNAGI_DATA_DIR": str(tmp_path)}
    runs = [
        CliRunner(env=settings).invoke(main, ["keys", *words])
        for words in (["list"], ["add"], ["rotate"], ["list"])
    ]
    assert [one.exit_code for one in runs] == [0] * 4, runs
    old, new = (line.split()[0] for line in (tmp_path / "keys" / "master.keys").read_text().splitlines()[1:])
    assert old in runs[0].output
    assert new in runs[1].output
    assert f"{old} is needed no more" in runs[2].output
    assert new in runs[3].output
