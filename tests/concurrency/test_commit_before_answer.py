"""Nothing is acknowledged that has not been committed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.owner import owner
from tests.world import World, consent_for, settlement_record

SERIALIZATION_FAILURE, ANYTHING_ELSE = "40001", "P0001"


@asynccontextmanager
async def commits_fail(world: World, table: str, code: str) -> AsyncIterator[None]:
    """Every change of the table is taken until the moment of the commit, and refused then."""
    async with owner(world.services.db) as tx:
        await tx.execute(
            text(f"""
                CREATE FUNCTION refuse_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'too late' USING ERRCODE = '{code}'; END $$
            """)
        )
        await tx.execute(
            text(f"""
                CREATE CONSTRAINT TRIGGER refused AFTER INSERT OR UPDATE ON {table}
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_at_commit()
            """)
        )
    yield
    async with owner(world.services.db) as tx:
        await tx.execute(text("DROP FUNCTION refuse_at_commit() CASCADE"))


async def rows(world: World, *tables: str) -> int:
    async with world.services.db.platform() as tx:
        return sum([await tx.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables])


@pytest.mark.parametrize(("code", "status"), [(SERIALIZATION_FAILURE, 503), (ANYTHING_ELSE, 500)])
async def test_a_handover_whose_commit_fails_is_not_acknowledged(
    world: World, code: str, status: int
) -> None:
    key, record = str(uuid4()), settlement_record(world.center.id)
    everything = ("handovers", "people", "record_sections", "ledger_entries", "idempotent_answers", "events")
    async with commits_fail(world, "handovers", code):
        for _ in range(2):
            answer = await world.settlement.post("/v1/handovers", record, Idempotency_Key=key)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert ("retry-after" in answer.headers) == (status == 503)
        assert await rows(world, *everything) == 0
    again = await world.settlement.post("/v1/handovers", record, Idempotency_Key=key)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers
    assert await rows(world, "handovers") == 1


async def test_a_reading_whose_ledger_entry_fails_at_the_commit_shows_nothing(world: World) -> None:
    offered = await world.offered()
    async with commits_fail(world, "ledger_contents", ANYTHING_ELSE):
        answer = await world.center.get(f"/v1/handovers/{offered['id']}")
        assert answer.status_code == 500
        assert "record" not in answer.json()
        refused = await world.other.get(f"/v1/handovers/{offered['id']}")
        assert refused.status_code == 500
    assert (await world.center.get(f"/v1/handovers/{offered['id']}")).json()["status"] == "received"


async def test_steps_and_consents_whose_commit_fails_are_not_acknowledged(world: World) -> None:
    offered = await world.received()
    path = f"/v1/handovers/{offered['id']}"
    answers = {"domains": [{"domain": one["domain"], "decision": "accept"} for one in offered["domains"]]}
    consent = consent_for(offered["personId"], world.center.id)
    withdrawal = {"withdrawnBy": {"kind": "person"}}
    identity = settlement_record(world.center.id)["sections"]["identity"] | {"givenNameKana": "ベツジン"}
    del identity["certificate"]
    before = await rows(world, "ledger_entries", "consents", "people", "responsibility_versions")
    async with commits_fail(world, "ledger_entries", SERIALIZATION_FAILURE):
        for who, where, body in [
            (world.center, f"{path}/accept", answers),
            (world.center, f"{path}/decline", {"reason": {"code": "capacity"}}),
            (world.settlement, f"{path}/withdraw", {"reason": {"code": "plan_changed"}}),
            (world.settlement, "/v1/consents", consent),
            (world.settlement, f"/v1/consents/{offered['consentId']}/withdraw", withdrawal),
            (world.settlement, "/v1/people", {"identity": identity}),
        ]:
            assert (await who.post(where, body)).status_code == 503, where
    assert await rows(world, "ledger_entries", "consents", "people", "responsibility_versions") == before
    assert (await world.center.post(f"{path}/accept", answers)).status_code == 200
