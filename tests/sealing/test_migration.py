"""What was written before anything was sealed is sealed by the migration, and reads as before."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from alembic import command

from tests.conftest import run_sql
from tests.running import plain_url
from tests.world import ROOT
from tsunagi.cli.context import database
from tsunagi.consent import store as consents
from tsunagi.db import fetch
from tsunagi.handovers import store as handovers
from tsunagi.ids import ConsentId, HandoverId
from tsunagi.migrating import configuration
from tsunagi.records.store import opened
from tsunagi.sealing.keys import keys
from tsunagi.settings import Settings

NUMBER = 450
"""More than two batches."""

ORGANIZATIONS = """
    INSERT INTO organizations (id, kind, name, status, search_text, search_bigrams)
    SELECT id, 'center', '架空', 'active', '', '{}' FROM unnest($1::uuid[] || $2::uuid) AS u (id)
"""
PEOPLE = """
    INSERT INTO people (id, stream, registered_by, registered_at)
    SELECT id, id, id, now() FROM unnest($1::uuid[]) AS u (id)
"""
BEFORE = """
    INSERT INTO handovers (
        id, person_id, stream, sender_id, receiver_id, handover_type, status, version, offered_versions, revision,
        same_corporation, planned_date, continuing_need, employer_window_missing, window_opens_on, window_announced,
        due_on, recorded_at, domains, person_in_charge, reason)
    SELECT id, id, id, id, $5, 'settlement_to_center', 'accepted', 2,
        '{1,2}', 1, false, '2027-04-01', false, false, '2026-10-01', true, '2027-04-01', now(),
        $2, CASE WHEN n % 2 = 0 THEN $3 END, CASE WHEN n % 3 = 0 THEN $4 END
    FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, n);
"""
VERSIONS = """
    INSERT INTO record_versions (
        handover_id, version, person_id, sender_id, receiver_id, recorded_at, section_names, header, warnings)
    SELECT id, version, id, id, id, now(), '{identity,medical}', $2 || id, '[]'
    FROM unnest($1::uuid[]) AS u (id), generate_series(1, 2) AS v (version)
"""
SECTIONS = """
    INSERT INTO record_sections (handover_id, version, person_id, sender_id, receiver_id, section, document, hash)
    SELECT id, version, id, id, id, section, $2 || section || version || id, sha256(convert_to(section, 'UTF8'))
    FROM unnest($1::uuid[]) AS u (id), generate_series(1, 2) AS v (version),
        unnest('{identity,medical,extensions}'::text[]) AS s (section)
"""
CONSENTS = """
    INSERT INTO consents (
        id, person_id, giver_id, recipient_ids, sections, valid_from, valid_to, recorded_at, document)
    SELECT id, id, id, '{}', '{identity}', '2026-01-01', '2027-01-01', now(), $2 FROM unnest($1::uuid[]) AS u (id)
"""
WITHDRAWALS = """
    INSERT INTO consent_withdrawals (id, consent_id, sections, withdrawn_at, document)
    SELECT gen_random_uuid(), id, '{identity}', now(), $2 FROM unnest($1::uuid[]) AS u (id)
"""
ANSWERS = """
    INSERT INTO idempotent_answers (
        organization_id, client_id, key, request_hash, status, headers, body, recorded_at)
    SELECT id, 'software', id, $3, 201, '{"ETag":"1"}', $2, now() FROM unnest($1::uuid[]) AS u (id)
"""
TEXT = "見本 花子（架空）の記録、封をする前のもの。" * 20
DOMAINS = [
    {"domain": "employment", "receiver_role": "primary", "starts_on": "2027-04-01", "sender_role_after": "none",
     "decision": "decline", "reason": {"code": "other", "text": TEXT}},
    {"domain": "daily_life", "receiver_role": "primary", "starts_on": "2027-04-01", "sender_role_after": "none",
     "decision": "pending"},
]  # fmt: skip


def document(**members: Any) -> str:
    return json.dumps({"text": TEXT} | members, ensure_ascii=False)


@dataclass
class Old:
    url: str
    settings: Settings
    ids: list[UUID]


@pytest.fixture
async def old(server_url: str, tmp_path: Path) -> AsyncIterator[Old]:
    """A database as it was before, with rows in every table that holds what was said about people."""
    name = f"tsunagi_old_{uuid4().hex[:8]}"
    await run_sql(server_url, f"CREATE DATABASE {name}")
    url = plain_url(server_url, name)
    config = configuration(url, ROOT / "migrations")
    await asyncio.to_thread(command.upgrade, config, "0014_lighter_policies")
    ids = [uuid4() for _ in range(NUMBER)]
    connection = await asyncpg.connect(url)
    receiver, written = uuid4(), json.dumps(DOMAINS, ensure_ascii=False)
    await connection.execute(ORGANIZATIONS, ids, receiver)
    await connection.execute(PEOPLE, ids)
    await connection.execute(BEFORE, ids, written, document(name="担当"), document(code="other"), receiver)
    for statement in (VERSIONS, SECTIONS, CONSENTS, WITHDRAWALS):
        await connection.execute(statement, ids, document())
    await connection.execute(ANSWERS, ids, document(), b"h" * 32)
    await connection.close()
    yield Old(url, Settings(data_dir=tmp_path, database_url=url), ids)
    await run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


async def pages(url: str) -> bytes:
    """The files of every table as they lie on the disk, with what is out of line."""
    connection = await asyncpg.connect(url)
    await connection.execute("CHECKPOINT")
    found = await connection.fetch("""
        SELECT pg_read_binary_file(pg_relation_filepath(c.oid)) AS data FROM pg_class c
        WHERE relkind IN ('r', 't') AND pg_relation_filepath(c.oid) LIKE 'base/%'
            AND (relnamespace = 'public'::regnamespace OR relname LIKE 'pg_toast%')
    """)
    await connection.close()
    return b"".join(row["data"] for row in found)


async def test_rows_of_before_are_sealed_and_read_as_before(old: Old) -> None:
    needle = "封をする前のもの".encode()
    assert needle in await pages(old.url)
    async with database(old.settings) as db, db.platform() as tx:
        for number, one in enumerate(old.ids, 1):
            handover = await handovers.find(tx, HandoverId(one))
            assert handover is not None
            assert handover.person_in_charge == (
                json.loads(document(name="担当")) if number % 2 == 0 else None
            )
            assert handover.reason == (json.loads(document(code="other")) if number % 3 == 0 else None)
            assert [one.reason for one in handover.domains] == [DOMAINS[0]["reason"], None]
            consent = await consents.find(tx, ConsentId(one))
            assert consent is not None
            assert consent.document == json.loads(document())
        await read_records(tx, old.ids)
        await read_rest(tx)
    assert needle not in await pages(old.url)


VERSION = "SELECT data_key, header FROM record_versions WHERE handover_id = $1 AND version = $2"
PARTS = "SELECT section, document FROM record_sections WHERE handover_id = $1 AND version = $2"


async def read_records(tx: Any, ids: list[UUID]) -> None:
    for one in ids[:: NUMBER // 10]:
        for version in (1, 2):
            (row,) = await fetch(tx, VERSION, one, version)
            parts = await fetch(tx, PARTS, one, version)
            found = opened(
                tx, HandoverId(one), version, row["data_key"], row["header"], dict(map(tuple, parts))
            )
            assert found.header == document() + str(one)
            assert found.texts == {
                name: f"{document()}{name}{version}{one}" for name in ("identity", "medical", "extensions")
            }
            assert found.hashes == {name: hashlib.sha256(name.encode()).digest() for name in found.texts}


async def read_rest(tx: Any) -> None:
    for row in await fetch(tx, "SELECT * FROM consent_withdrawals"):
        key = keys(tx).opened(row["data_key"], "consent_withdrawals", row["id"])
        assert key.unseal(row["document"], "consent_withdrawals", row["id"]).decode() == document()
    for row in await fetch(tx, "SELECT * FROM idempotent_answers"):
        where = ("idempotent_answers", row["organization_id"], row["client_id"], row["key"])
        text = keys(tx).opened(row["data_key"], *where).unseal(row["answer"], *where)
        head, _, body = text[32:].partition(b"\n")
        assert (text[:32], json.loads(head), body.decode()) == (b"h" * 32, [201, {"ETag": "1"}], document())


async def test_the_database_knows_which_key_it_needs(old: Old) -> None:
    async with database(old.settings):
        pass
    elsewhere = old.settings.model_copy(update={"data_dir": old.settings.data_dir / "other"})
    with pytest.raises(SystemExit, match="could not be read"):
        async with database(elsewhere):
            raise AssertionError("it started")
