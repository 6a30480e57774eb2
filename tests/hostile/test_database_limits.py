"""A statement that is given up is not the caller's fault, nor a riddle: 503, and when to try again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text

from tests.owner import owner
from tests.world import World, settlement_record
from tsunagi.db import Database

GIVEN_UP = {
    "canceled": "PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(10)",
    "locked": "SET LOCAL lock_timeout = '10ms'; LOCK TABLE areas IN ACCESS EXCLUSIVE MODE",
}


@pytest.fixture
def db(own_database: Database) -> Database:
    return own_database


@asynccontextmanager
async def every_handover(db: Database, does: str) -> AsyncIterator[None]:
    async with owner(db) as tx:
        await tx.execute(
            text(f"""
                CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                BEGIN {does}; RETURN NEW; END $$
            """)
        )
        await tx.execute(
            text("CREATE TRIGGER gives_up BEFORE INSERT ON handovers FOR EACH ROW EXECUTE FUNCTION give_up()")
        )
    yield
    async with owner(db) as tx:
        await tx.execute(text("DROP FUNCTION give_up() CASCADE"))


@pytest.mark.parametrize("how", ["canceled", "locked"])
async def test_a_statement_that_was_given_up_may_be_repeated(world: World, own_url: str, how: str) -> None:
    record, key = settlement_record(world.center.id), "the-same-key"
    other = await asyncpg.connect(own_url)
    async with every_handover(world.services.db, GIVEN_UP[how]), other.transaction():
        await other.execute("LOCK TABLE areas IN ACCESS SHARE MODE")
        refused = await world.settlement.post("/v1/handovers", record, Idempotency_Key=key)
    await other.close()
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert (refused.headers["retry-after"], refused.json()["responsibleParty"]) == ("5", "platform")
    again = await world.settlement.post("/v1/handovers", record, Idempotency_Key=key)
    assert again.status_code == 201
