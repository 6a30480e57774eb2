"""Whoever steals the database, every file of it, finds nobody in it."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import httpx2
import pytest

from tests.conftest import run_sql
from tests.running import plain_url
from tests.sealing.stolen import dump, files, found, texts
from tests.world import ROOT, Organization, World
from tests.world_fixtures import built
from tsunagi import embedded
from tsunagi.app import create_app, create_services
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.migrating import migrate
from tsunagi.settings import Settings
from tsunagi.synthetic.cases import case
from tsunagi.synthetic.consents import consent, family_consent

TALKATIVE = (
    "ALTER SYSTEM SET log_statement = 'all'",
    "ALTER SYSTEM SET log_parameter_max_length = -1",
    "ALTER SYSTEM SET log_parameter_max_length_on_error = -1",
    "ALTER SYSTEM SET max_wal_size = '4GB'",  # nothing of it is written over
    "SELECT pg_reload_conf()",
)
UNCOMPRESSED = """
    DO $$ DECLARE c record; BEGIN
        FOR c IN SELECT attrelid::regclass AS t, attname AS a FROM pg_attribute JOIN pg_class k ON k.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT attisdropped AND attstorage = 'x'
        LOOP EXECUTE format('ALTER TABLE %s ALTER %I SET STORAGE EXTERNAL', c.t, c.a); END LOOP;
    END $$
"""
"""What is compressed would not be found: as if that were the reason why nothing is."""


@dataclass
class Heard(Organization):
    """An organization all of whose documents are remembered."""

    said: ClassVar[list[Any]] = []

    async def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> httpx2.Response:
        self.said.append(body)
        return await super().call(method, path, body, **kwargs)


@dataclass
class Stolen:
    folder: Path
    url: str
    said: list[Any]
    places: list[tuple[str, bytes]]
    """What lay there before anything was done about it."""


@pytest.fixture(scope="module")
async def stolen() -> AsyncIterator[Stolen]:
    """A server of the test's own, after people were handed over in every way there is."""
    with tempfile.TemporaryDirectory(prefix="tsunagi-stolen-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(folder.chmod, 0o755)
        server = embedded.start(folder / "database")
        await run_sql(server, *TALKATIVE, "CREATE DATABASE stolen")
        url = plain_url(server, "stolen")
        await asyncio.to_thread(migrate, url, ROOT / "migrations")
        await run_sql(url, UNCOMPRESSED)
        db = Database(url)
        services = create_services(Settings(data_dir=folder / "data"), db, Clock(), Contract(ROOT))
        transport = httpx2.ASGITransport(app=create_app(services, work=False))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as http:
            world = await built(services, http, db, Heard)
            Heard.said.clear()
            for number in range(6):
                await handed_over(world, number)
        await db.close()
        yield Stolen(folder / "database", url, Heard.said, await everything(folder / "database", url))
        embedded.stop(folder / "database")


async def everything(folder: Path, url: str) -> list[tuple[str, bytes]]:
    await run_sql(url, "CHECKPOINT")
    return [*files(folder), await dump(url)]


def record_of(world: World, number: int) -> dict[str, Any]:
    return case(
        number,
        handover_type="settlement_to_center",
        planned_date=date(2027, 4, 1),
        receiver_id=world.center.id,
        written_on=date(2026, 11, 20),
        size="large" if number == 0 else "usual",
    ) | {"extensions": {"vendor.example": {"備考": f"拡張の覚え書き その{number}"}}}


REASON = {"code": "other", "text": "本人が通えないと話しているため"}
IN_CHARGE = {"name": "架空 三郎", "role": "架空の就業支援担当"}


async def handed_over(world: World, number: int) -> None:
    """A person is registered, consents, is handed over, comes back, is taken over or declined; everybody looks."""
    sender, center = world.settlement, world.center
    record = record_of(world, number)
    identity = record["sections"]["identity"]
    person = (await sender.post("/v1/people", {"identity": identity})).json()["personId"]
    kana = {name: identity[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
    assert (await sender.post("/v1/people/match", {"kana": kana})).status_code == 200
    documents = [consent(record, person, [center.id], given_on=date(2026, 11, 1))]
    if "family" in record["sections"]:
        documents.append(family_consent(record, person, [center.id], given_on=date(2026, 11, 1)))
    given = [(await sender.post("/v1/consents", one)).json()["id"] for one in documents]
    key = {"Idempotency_Key": f"again-{number}"}
    drafts = [await sender.post("/v1/handovers", record | {"personId": person}, **key) for _ in range(2)]
    assert [one.status_code for one in drafts] == [201, 201]
    path = f"/v1/handovers/{drafts[0].json()['id']}"
    assert (await sender.post(f"{path}/offer")).status_code == 200
    assert (await center.get(path)).json()["status"] == "received"
    assert (
        await center.post(f"{path}/return", {"reason": REASON | {"code": "more_information"}})
    ).status_code == 200
    amended = record | {"acquisitionContext": "本人との面談で聞き取り、もう一度確かめた"}
    assert (await sender.put(path, amended, If_Match="*")).status_code == 200
    assert (await sender.post(f"{path}/offer")).status_code == 200
    assert (await center.get(path)).status_code == 200
    if number % 2:
        assert (await center.post(f"{path}/decline", {"reason": REASON})).status_code == 200
    else:
        answers = [{"domain": one["domain"], "decision": "accept"} for one in record["domains"]]
        answers[-1] = {"domain": answers[-1]["domain"], "decision": "decline", "reason": REASON}
        accepted = await center.post(f"{path}/accept", {"domains": answers, "personInCharge": IN_CHARGE})
        assert accepted.status_code == 200, accepted.text
    for given_id in given:
        withdrawal = {"withdrawnBy": {"kind": "person", "name": "架空 四郎"}, "reason": "気が変わったため"}
        answer = await sender.post(f"/v1/consents/{given_id}/withdraw", withdrawal)
        assert answer.status_code == 200, answer.text
    for who in (sender, center):
        assert (await who.get("/v1/handovers/export")).status_code == 200
        await who.get(f"/v1/people/{person}/responsibility")
    await sender.post("/v1/handovers", record | {"personId": person, "plannedDate": "2026-01-01"})  # refused


async def test_nothing_that_anybody_wrote_is_in_any_file_of_the_database(stolen: Stolen) -> None:
    wanted = set(texts(stolen.said))
    assert len(wanted) > 500
    names = {name for name, _ in stolen.places}
    assert {name.partition("/")[0] for name in names} == {"postgres", "pg_dump"}
    assert any("pg_wal/" in name and len(data) > 10**6 for name, data in stolen.places)
    assert any(
        b"INSERT INTO record_versions" in data for name, data in stolen.places if name == "postgres/log"
    )
    assert found(wanted, stolen.places) == set()


async def test_what_would_lie_there_unsealed_would_be_found(stolen: Stolen) -> None:
    """The same search, of a record that is not sealed: in the dump, the tables, the write-ahead log and the log."""
    record = next(one for one in stolen.said if one and "sections" in one)
    wanted = set(texts(record))
    connection = await asyncpg.connect(stolen.url)
    await connection.execute("CREATE TABLE unsealed (document text STORAGE EXTERNAL)")
    await connection.execute("INSERT INTO unsealed VALUES ($1)", json.dumps(record, ensure_ascii=False))
    await connection.close()
    places = await everything(stolen.folder, stolen.url)
    assert {name for name, _ in places} >= {name for name, _ in stolen.places[-1:]}
    everywhere = found(wanted, places)
    assert {text for text, name in everywhere if name == "pg_dump"} == wanted
    for part in ("base/", "pg_wal/", "/log"):
        seen = {text for text, name in everywhere if part in name}
        assert len(seen) > 0.9 * len(wanted), f"{part}: some may lie across the end of a page, not so many"
