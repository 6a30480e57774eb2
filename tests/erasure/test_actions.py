"""Erasing one person takes what was written about them, and leaves what leads to nobody."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.activities.together import recorded, visit
from tests.crowd import accept, offer, record_of
from tests.owner import owner
from tests.sealing.stolen import texts
from tests.world import World
from tsunagi import erasure
from tsunagi.db import ERASER_ROLE, PLATFORM_ROLE, Acting, Database, fetch
from tsunagi.erasure import actions, store
from tsunagi.erasure.actions import NotErasable
from tsunagi.erasure.rules import rules_in
from tsunagi.ids import PersonId
from tsunagi.ledger.rules import commitment
from tsunagi.sealing.keys import Keyring
from tsunagi.sealing.store import Sealed
from tsunagi.tables import metadata

RULES = rules_in((Path(erasure.__file__).parent / "retention.csv").read_text())
OVER = datetime(2033, 1, 1, tzinfo=UTC)
COMPLETED = "2027-04-01"
Rows = list[Any]


async def completed(world: World, number: int, *, key: str | None = None) -> dict[str, Any]:
    """A handover that has come to its end, and was read on the way by everybody who may."""
    found = await accept(world, await offer(world, number))
    await world.center.put(f"/v1/handovers/{found['id']}/assignee", {"assignee": "S-1"})
    await recorded(world.center, found, visit())
    world.on(COMPLETED)
    headers = {"Idempotency_Key": key} if key else {}
    withdrawal = {"withdrawnBy": {"kind": "person"}}
    await world.settlement.post(f"/v1/consents/{found['consentId']}/withdraw", withdrawal, **headers)
    for who in (world.settlement, world.center):
        assert (await who.get(f"/v1/handovers/{found['id']}")).json()["status"] == "completed"
        assert (await who.get("/v1/events")).status_code == 200
    world.on("2026-11-20")
    return found


async def erased(world: World, found: dict[str, Any], at: datetime = OVER, **told: Any) -> Any:
    told = {"ground": "request", "by": "運用 担当"} | told
    return await actions.erase(world.services.db, at, RULES, PersonId(UUID(found["personId"])), **told)


async def rows(db: Database, statement: str, *values: Any) -> Rows:
    async with owner(db) as tx:
        return await fetch(tx, statement, *values)


async def ledger_of(db: Database, stream: UUID) -> Rows:
    return await rows(
        db,
        "SELECT e.id, e.number, e.commitment, c.salt, c.body, c.action FROM ledger_entries e"
        " LEFT JOIN ledger_contents c ON c.id = e.id WHERE e.stream = $1 ORDER BY e.number",
        stream,
    )


async def stream_of(db: Database, person_id: str) -> UUID:
    ((stream,),) = await rows(db, "SELECT stream FROM people WHERE id = $1", UUID(person_id))
    return stream  # type: ignore[no-any-return]


async def test_what_was_written_is_gone_and_the_sides_find_nothing(world: World, db: Database) -> None:
    found, other = await completed(world, 1, key="again"), await completed(world, 2)
    sides = (world.settlement, world.center)
    before = {who.id: len((await who.get("/v1/handovers?limit=200")).json()["items"]) for who in sides}
    gone = await erased(world, found)
    assert {name: number > 0 for name, number in gone.items()} == {
        name: name not in ("legal_holds", "handover_drafts")
        for name in (*store.GOES, *store.EARLIER, "idempotent_answers", "ledger_contents")
    }
    for who in (world.settlement, world.center):
        for path in (
            f"/v1/handovers/{found['id']}",
            f"/v1/handovers/{found['id']}/versions/1",
            f"/v1/consents/{found['consentId']}",
            f"/v1/people/{found['personId']}/responsibility",
            f"/v1/people/{found['personId']}/milestones",
        ):
            answer = await who.get(path)
            absent = await who.get(
                path.replace(found["id"], str(uuid4())).replace(found["personId"], str(uuid4()))
            )
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
            assert absent.status_code == 404
        assert (await who.get(f"/v1/handovers/{other['id']}")).status_code == 200
        listed = (await who.get("/v1/handovers?limit=200")).json()["items"]
        assert len(listed) == before[who.id] - 1
        assert found["id"] not in (await who.get("/v1/handovers/export")).text
        assert found["id"] not in {
            one.get("handoverId") for one in (await who.get("/v1/events")).json()["items"][:-1]
        }


async def test_the_person_is_a_new_one_when_they_come_again(world: World) -> None:
    found = await completed(world, 1)
    await erased(world, found)
    again = await offer(world, 1)
    assert again["personId"] != found["personId"]


async def test_every_commitment_stays_and_the_chain_goes_on(world: World, db: Database) -> None:
    found = await completed(world, 1)
    stream = await stream_of(db, found["personId"])
    before = await ledger_of(db, stream)
    assert all(commitment(one["salt"], one["body"].encode()) == one["commitment"] for one in before)
    await erased(world, found)
    *kept, last = await ledger_of(db, stream)
    assert [(one["id"], one["number"], one["commitment"]) for one in kept] == [
        (one["id"], one["number"], one["commitment"]) for one in before
    ]
    assert all(one["body"] is None and one["salt"] is None for one in kept)
    assert (last["action"], last["number"]) == ("people:erase", len(before) + 1)
    assert commitment(last["salt"], last["body"].encode()) == last["commitment"]
    assert before[-1]["commitment"].hex() in last["body"], "a missing step would show"
    ids = [one["id"] for one in before]
    queue = await rows(db, "SELECT commitment FROM ledger_queue WHERE entry_id = ANY ($1)", ids)
    assert {one["commitment"] for one in queue} == {one["commitment"] for one in before}, (
        "the log gets all of them"
    )


async def test_the_auditor_still_sees_who_held_responsibility_for_a_pseudonym(world: World) -> None:
    found = await completed(world, 1)
    path = f"/v1/people/{found['personId']}/responsibility?asOf=2027-05-01"
    before = (await world.auditor.get(path)).json()
    await erased(world, found)
    answer = await world.auditor.get(path)
    assert answer.status_code == 200
    assert answer.json() | {"knownAt": ""} == before | {"knownAt": ""}
    assert any(one["holder"] for one in before["domains"])


async def test_the_rows_are_invisible_to_the_sides_by_the_database_alone(world: World, db: Database) -> None:
    found = await completed(world, 1)
    await erased(world, found)
    for who in (world.settlement, world.center):
        async with db.write(Acting(who.id, date(2027, 5, 1))) as tx:
            assert await fetch(tx, "SELECT 1 FROM handovers WHERE id = $1", UUID(found["id"])) == []
            assert await fetch(tx, "SELECT 1 FROM people WHERE id = $1", UUID(found["personId"])) == []
            change = "UPDATE handovers SET due_on = due_on WHERE id = $1 RETURNING 1"
            assert await fetch(tx, change, UUID(found["id"])) == []


async def test_nothing_is_left_that_a_key_would_open(world: World, db: Database) -> None:
    found, other = await completed(world, 1), await completed(world, 2)
    await erased(world, found)
    for table in (
        *("record_versions", "record_sections", "consents", "consent_access"),
        *("person_identities", "person_relations"),
    ):
        left = await rows(db, f"SELECT person_id FROM {table}")
        assert {one["person_id"] for one in left} == {UUID(other["personId"])}, table
    ((notes, key, erased_at),) = await rows(
        db, "SELECT notes, data_key, erased_at FROM handovers WHERE id = $1", UUID(found["id"])
    )
    assert (notes, key, erased_at) == (None, None, OVER)
    assert not await rows(db, "SELECT 1 FROM ledger_contents WHERE record_id = $1", found["id"])


async def test_records_of_provision_stay_until_their_own_end_and_name_nobody(
    world: World, db: Database
) -> None:
    found = await completed(world, 1)
    name = record_of(world, 1)["sections"]["identity"]["givenName"]
    who = world.settlement
    before = await who.get("/v1/provisions")
    assert name in before.text
    await erased(world, found)
    after = await who.get("/v1/provisions")
    assert after.status_code == 200
    assert len(after.json()["items"]) == len(before.json()["items"]) > 0
    assert name not in after.text
    ((until,),) = await rows(db, "SELECT max(retain_until) FROM provisions")
    at = datetime(until.year, until.month, until.day, tzinfo=UTC)
    assert await actions.forget_provisions(db, at - timedelta(days=1)) == 0
    assert await actions.forget_provisions(db, at) == len(before.json()["items"])


async def test_the_persons_report_is_of_nobody(world: World) -> None:
    found = await completed(world, 1)
    for part in ("disclosures", "report"):
        path = f"/v1/people/{found['personId']}/{part}"
        assert (await world.settlement.get(path)).status_code == 200
    await erased(world, found)
    for part in ("disclosures", "report"):
        path = f"/v1/people/{found['personId']}/{part}"
        assert (await world.settlement.get(path)).status_code == 404


async def readable(db: Database) -> bytes:
    """Whatever whoever has the database and all master keys can read in it: every sealed text, opened, and every
    column that lies open."""
    ring = db.keys
    assert isinstance(ring, Keyring)
    found = []
    for table in metadata.sorted_tables:
        for row in await rows(db, f'SELECT t.*, CAST(t AS text) AS "whole" FROM "{table.name}" t'):
            found.append(row["whole"].encode())
            where = (table.name, *(row[column.name] for column in table.primary_key.columns))
            column = next((one.name for one in table.c if isinstance(one.type, Sealed)), None)
            if column is None or row[column] is None:
                continue
            holder, wrapped = where, row.get("data_key")
            if wrapped is None:
                holder = ("record_versions", *where[1:3])
                key_of = "SELECT data_key FROM record_versions WHERE handover_id = $1 AND version = $2"
                ((wrapped,),) = await rows(db, key_of, *holder[1:])
            found.append(ring.opened(wrapped, *holder).unseal(row[column], *where))
    return b"\n".join(found)


async def test_whoever_has_the_database_and_every_master_key_reads_nothing_of_them(
    world: World, db: Database
) -> None:
    """Of the other person the same search finds everything."""
    await completed(world, 2)
    of_the_other = set(texts(record_of(world, 2)))
    own, record = "この人だけの言葉（架空）", record_of(world, 1)
    record["sections"]["support_plan"]["policy"] = own
    found = await accept(world, await offer(world, 1, sections=record["sections"]))
    path = f"/v1/handovers/{found['id']}"
    await world.center.get(path)
    world.on(COMPLETED)
    assert (await world.center.get(path)).json()["status"] == "completed"
    before = await readable(db)
    assert all(one.encode() in before for one in (own, *of_the_other))
    await erased(world, found)
    left = await readable(db)
    assert own.encode() not in left
    assert all(one.encode() in left for one in of_the_other)


async def test_erasing_again_takes_what_has_come_since_and_keeps_that_it_was_erased(
    world: World, db: Database
) -> None:
    found = await completed(world, 1)
    stream = await stream_of(db, found["personId"])
    await erased(world, found)
    assert sum((await erased(world, found)).values()) == 0
    assert [one["action"] for one in await ledger_of(db, stream) if one["action"]] == ["people:erase"] * 2


async def refused(world: World, found: dict[str, Any], at: datetime = OVER, **told: Any) -> str:
    with pytest.raises(NotErasable) as against:
        await erased(world, found, at, **told)
    return against.value.why


async def test_what_stands_against_it(world: World, db: Database) -> None:
    busy = await accept(world, await offer(world, 3))
    assert await refused(world, busy, early=True) == "under_way"
    found = await completed(world, 1)
    until = world.services.clock.now() + timedelta(days=4 * 365)
    assert await refused(world, found, until) == "retained"
    assert await refused(world, {"personId": str(uuid4())}) == "unknown"
    person = PersonId(UUID(found["personId"]))
    await actions.place(db, OVER, person, reason="訴訟のため（架空）", by="法務 担当")
    for early in (False, True):
        assert await refused(world, found, early=early) == "held"
    assert [(one.person_id, one.reason, one.by) for one in await actions.held(db)] == [
        (person, "訴訟のため（架空）", "法務 担当")
    ]
    assert await actions.release(db, OVER, person, by="法務 担当") == 1
    assert await actions.held(db) == []
    said = {one["action"] for one in await ledger_of(db, await stream_of(db, found["personId"]))}
    assert {"people:hold", "people:release"} <= said
    await erased(world, found, until, early=True)


async def test_due_are_those_whom_no_rule_and_no_hold_keeps(world: World, db: Database) -> None:
    found, held, busy = (
        await completed(world, 1),
        await completed(world, 2),
        await accept(world, await offer(world, 3)),
    )
    await actions.place(db, OVER, PersonId(UUID(held["personId"])), reason="架空", by="担当")

    async def due(at: datetime) -> set[str]:
        return {str(one.id) async for one in actions.due(db, at, RULES)}

    assert await due(datetime(2032, 3, 31, tzinfo=UTC)) == set()
    assert await due(datetime(2032, 4, 1, tzinfo=UTC)) == {found["personId"]}
    await erased(world, found)
    assert await due(OVER) == set()
    assert busy["personId"] not in await due(OVER)


async def test_what_the_ledger_says_is_taken_away_by_the_eraser_alone(world: World, db: Database) -> None:
    await offer(world, 1)
    delete = "DELETE FROM ledger_contents"
    for role, code in ((PLATFORM_ROLE, "42501"), ("none", "23001"), ("tsunagi_service", "42501")):
        with pytest.raises(asyncpg.PostgresError) as said:
            async with owner(db) as tx:
                await fetch(tx, f"SELECT set_config('role', '{role}', true)")
                await fetch(tx, delete)
        assert said.value.sqlstate == code, role
    for statement in (
        "UPDATE ledger_contents SET body = ''",
        "TRUNCATE ledger_contents CASCADE",
        "DELETE FROM ledger_entries",
        "DELETE FROM record_sections",
        "INSERT INTO ledger_contents SELECT * FROM ledger_contents",
    ):
        with pytest.raises(asyncpg.PostgresError) as said:
            async with owner(db) as tx:
                await fetch(tx, f"SELECT set_config('role', '{ERASER_ROLE}', true)")
                await fetch(tx, statement)
        assert said.value.sqlstate == "42501", statement
