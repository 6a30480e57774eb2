"""Keys that are taken elsewhere answer as keys that nobody has, whatever the application forgets to ask: of a
statement that names somebody else's row, the database says what it says of one that names nothing."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.world import World, consent_for, settlement_record
from tsunagi.clock import civil_date
from tsunagi.db import Acting, Database, WriteTx, fetch

INSERTS: dict[str, str] = {
    "a consent for a person": """
        INSERT INTO consents (
            id, person_id, giver_id, recipient_ids, sections, valid_from, valid_to, recorded_at, document)
        VALUES (gen_random_uuid(), $1, $2, '{}', '{}', '2026-01-01', '2027-01-01', now(), '{}')
    """,
    "access to a person's sections": """
        INSERT INTO consent_access (
            person_id, organization_id, giver_id, section, consent_id, subject, valid_from, valid_to)
        VALUES ($1, $2, $2, 'medical', gen_random_uuid(), 'person', '2026-01-01', '2027-01-01')
    """,
    "a version of a person's responsibility": """
        INSERT INTO responsibility_versions (
            person_id, domain, version, recorded_at, recorded_by, reason, effective_on, open_end)
        VALUES ($1, 'employment', 1, now(), $2, 'opened', '2026-01-01', 'infinity')
    """,
    "a relation by a handover that was never received": """
        INSERT INTO person_relations (person_id, organization_id, through, since)
        VALUES ($1, $2, gen_random_uuid(), now()) ON CONFLICT DO NOTHING
    """,
    "a withdrawal of a consent": """
        INSERT INTO consent_withdrawals (id, consent_id, sections, withdrawn_at, document)
        SELECT gen_random_uuid(), $1, '{}', now(), '{}' WHERE $2::uuid IS NOT NULL
    """,
    "a record of provision from a handover that was never offered": """
        INSERT INTO provisions (
            id, handover_id, version, digest, person_id, stream, giver_id, receiver_id, giver, receiver,
            same_corporation, provided_at, provided_on, means, ground, sections, consent_ids, acquisition, entry_id,
            retain_until)
        VALUES (gen_random_uuid(), $1, 1, '', $1, $1, $2, $2, '{}', '{}', false, now(), '2026-01-01', 'read',
            'consent', '{}', '{}', 'stated', $1, '2032-01-01')
    """,
    "an event for the other side": """
        INSERT INTO events (id, organization_id, type, at, handover_id)
        SELECT gen_random_uuid(), sender_id, 'handover.offered', now(), $1
        FROM (VALUES ($2::uuid, gen_random_uuid())) AS sides (mine, sender_id)
    """,
}
"""What an organization ($2) might try with an id ($1) that it has heard of. Each is refused by a policy, which looks
before any constraint does."""

TOUCHES: dict[str, str] = {
    "handovers": "UPDATE handovers SET status = 'withdrawn' WHERE id = $1 RETURNING id",
    "handovers, held": "SELECT id FROM handovers WHERE id = $1 FOR UPDATE",
    "record_versions": "UPDATE record_versions SET warnings = '[]' WHERE handover_id = $1 RETURNING version",
    "record_sections": "SELECT document FROM record_sections WHERE handover_id = $1",
    "consents": "SELECT document FROM consents WHERE id = $1 FOR UPDATE",
    "consent_access": "UPDATE consent_access SET withdrawn_at = now() WHERE person_id = $1 RETURNING section",
    "people": "SELECT stream FROM people WHERE id = $1",
    "person_identities": "SELECT kana_birth_key FROM person_identities WHERE person_id = $1",
    "person_relations": "DELETE FROM person_relations WHERE person_id = $1 RETURNING organization_id",
    "events": "SELECT type FROM events WHERE handover_id = $1",
    "idempotent_answers": "SELECT answer FROM idempotent_answers WHERE $1::uuid IS NOT NULL",
    "provisions": "SELECT id FROM provisions WHERE handover_id = $1",
    "responsibility_segments": "SELECT organization_id FROM responsibility_segments WHERE person_id = $1",
}
"""Statements that ask for a row by an id, without a word about whose it is."""


@pytest.fixture
async def ids(world: World) -> dict[str, UUID]:
    """Of everything that one handover brought about, between two organizations."""
    accepted = await world.accepted()
    return {
        name: UUID(accepted[key])
        for name, key in (("handover", "id"), ("person", "personId"), ("consent", "consentId"))
    }


@pytest.fixture
async def other(world: World, db: Database) -> AsyncIterator[WriteTx]:
    """A transaction of an organization that has nothing to do with it."""
    acting = Acting(world.other.id, civil_date(world.services.clock.now()))
    async with db.write(acting) as tx:
        yield tx


async def refusal(tx: WriteTx, statement: str, *values: Any) -> tuple[str, ...]:
    """What the database says: code, message and every detail that it adds."""
    savepoint = await tx.begin_nested()
    try:
        rows = await fetch(tx, statement, *values)
    except asyncpg.PostgresError as error:
        await savepoint.rollback()
        told = [error.sqlstate, error.message, error.detail, error.hint, error.constraint_name]
        return tuple(str(one) for one in told)
    await savepoint.rollback()
    return ("done", str(rows))


@pytest.mark.parametrize("what", INSERTS)
async def test_an_insert_says_the_same_of_a_foreign_and_of_no_row(
    world: World, ids: dict[str, UUID], other: WriteTx, what: str
) -> None:
    of_absent = await refusal(other, INSERTS[what], uuid4(), world.other.id)
    assert of_absent[0] == "42501"
    for known in ids.values():
        assert await refusal(other, INSERTS[what], known, world.other.id) == of_absent


@pytest.mark.parametrize("what", TOUCHES)
async def test_a_foreign_row_is_no_row(ids: dict[str, UUID], other: WriteTx, what: str) -> None:
    for known in ids.values():
        assert await refusal(other, TOUCHES[what], known) == await refusal(other, TOUCHES[what], uuid4())
        assert await refusal(other, TOUCHES[what], known) == ("done", "[]")


async def test_nobody_registers_a_person_who_is_somebody_elses(
    world: World, ids: dict[str, UUID], other: WriteTx
) -> None:
    """The foreign key is of those whom the organization itself has registered: another's is refused as nobody's is."""
    relate = """
        INSERT INTO person_relations (person_id, organization_id, through, since) VALUES ($1, $2, $1, now())
        ON CONFLICT DO NOTHING
    """
    codes = {(await refusal(other, relate, one, world.other.id))[0] for one in (ids["person"], uuid4())}
    assert codes == {"23503"}


async def test_a_handover_keeps_its_sides_and_its_person(
    world: World, db: Database, ids: dict[str, UUID]
) -> None:
    for voice in (world.settlement, world.center):
        acting = Acting(voice.id, civil_date(world.services.clock.now()))
        async with db.write(acting) as tx:
            for column in ("person_id", "stream", "sender_id", "receiver_id"):
                change = f"UPDATE handovers SET {column} = $2 WHERE id = $1"
                assert (await refusal(tx, change, ids["handover"], uuid4()))[0] == "42501"


async def test_the_receiver_cannot_say_what_is_the_senders(world: World, db: Database) -> None:
    world.on("2026-08-01")
    offered = UUID((await world.offered())["id"])
    today = civil_date(world.services.clock.now())
    opening = "UPDATE handovers SET window_opened_at = now() WHERE id = $1"
    async with db.write(Acting(world.center.id, today)) as tx:
        assert (await refusal(tx, opening, offered))[0] == "42501"
        assert (await refusal(tx, "UPDATE handovers SET due_on = due_on WHERE id = $1", offered)) == (
            "done",
            "[]",
        )
    async with db.write(Acting(world.settlement.id, today)) as tx:
        assert await refusal(tx, opening, offered) == ("done", "[]")


@pytest.mark.parametrize("overseeing", [True, False])
async def test_the_remit_is_seen_from_above_alone(
    world: World, db: Database, ids: dict[str, UUID], overseeing: bool
) -> None:
    acting = Acting(world.auditor.id, civil_date(world.services.clock.now()), overseeing=overseeing)
    async with db.read(acting) as tx:
        for table in ("handovers", "people", "responsibility_versions"):
            assert bool(await fetch(tx, f"SELECT 1 FROM {table} LIMIT 1")) is overseeing


@pytest.mark.parametrize(
    "table", ["record_versions", "record_sections", "consents", "section FROM consent_access", "events"]
)
async def test_from_above_there_are_no_records(world: World, db: Database, table: str) -> None:
    """Not even one's own: whoever looks at timelines reads nothing else meanwhile. Of a consent's access it sees when
    it began and ended, not to what."""
    await world.accepted()
    today = civil_date(world.services.clock.now())
    for voice in (world.auditor, world.center, world.settlement):
        async with db.write(Acting(voice.id, today, overseeing=True)) as tx:
            wanted = table if " FROM " in table else f"1 FROM {table}"
            assert (await refusal(tx, f"SELECT {wanted}"))[0] == "42501"


@pytest.mark.parametrize(
    ("day", "readable"),
    [("2026-09-30", False), ("2026-10-01", True), ("2026-10-31", True), ("2026-11-01", False)],
)
async def test_the_wall_knows_the_calendar(world: World, db: Database, day: str, readable: bool) -> None:
    """It opens with the window, and closes behind an offer that nobody answered, before the clock comes by."""
    world.on("2026-08-01")
    offered = UUID((await world.offered())["id"])
    async with db.read(Acting(world.center.id, date.fromisoformat(day))) as tx:
        for table in ("record_versions", "record_sections"):
            found = await fetch(tx, f"SELECT 1 FROM {table} WHERE handover_id = $1", offered)
            assert bool(found) is readable


@pytest.mark.parametrize("named", ["person", "nobody"])
async def test_a_person_of_others_is_nobody_to_every_request(
    world: World, ids: dict[str, UUID], named: str
) -> None:
    person = str(ids["person"] if named == "person" else uuid4())
    consent = await world.other.post("/v1/consents", consent_for(person, world.center.id))
    draft = await world.other.post("/v1/handovers", settlement_record(world.center.id, personId=person))
    timeline = await world.other.get(f"/v1/people/{person}/responsibility")
    assert [one.status_code for one in (consent, draft, timeline)] == [404, 404, 404]
    assert {one.json()["code"] for one in (consent, draft, timeline)} == {"not_found"}


async def test_an_idempotency_key_of_another_organization_is_a_new_one(world: World) -> None:
    body = settlement_record(world.center.id)
    first = await world.settlement.post("/v1/handovers", body, Idempotency_Key="one-and-the-same")
    second = await world.other.post("/v1/handovers", body, Idempotency_Key="one-and-the-same")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["personId"] != second.json()["personId"]
    assert "Idempotency-Replayed" not in second.headers
