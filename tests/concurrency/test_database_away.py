"""The database goes away in the middle of a request, or between two."""

import asyncio
from uuid import uuid4

import asyncpg
from sqlalchemy import text

from tests.world import World, settlement_record

_waiting = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
"""


async def kill_the_waiting(url: str) -> None:
    """Ends the one session that waits for a lock, as an administrator or a failover would."""
    connection = await asyncpg.connect(url)
    async with asyncio.timeout(20):
        while not (waiting := await connection.fetch(_waiting)):
            await asyncio.sleep(0.02)
    for row in waiting:
        await connection.execute("SELECT pg_terminate_backend($1)", row["pid"])
    await connection.close()


async def test_a_request_whose_connection_is_killed_may_be_sent_again(world: World, own_url: str) -> None:
    record, key = settlement_record(world.center.id), str(uuid4())
    async with world.services.db.platform() as holder:
        await holder.execute(text("LOCK TABLE handovers IN EXCLUSIVE MODE"))
        _, answer = await asyncio.gather(
            kill_the_waiting(own_url), world.settlement.post("/v1/handovers", record, Idempotency_Key=key)
        )
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    assert int(answer.headers["retry-after"]) > 0
    again = await world.settlement.post("/v1/handovers", record, Idempotency_Key=key)
    assert again.status_code == 201
    async with world.services.db.platform() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM handovers")) == 1


async def test_connections_that_died_in_the_pool_are_not_noticed_by_callers(
    world: World, own_url: str
) -> None:
    offered = await world.offered()
    connection = await asyncpg.connect(own_url)
    await connection.execute("""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """)
    await connection.close()
    assert (await world.center.get(f"/v1/handovers/{offered['id']}")).status_code == 200
