"""The same request, sent many times at once."""

import asyncio
from uuid import uuid4

from sqlalchemy import text

from tests.world import World, consent_for, settlement_record

AT_ONCE = 10


async def count(world: World, table: str) -> int:
    async with world.services.db.platform() as tx:
        return await tx.scalar(text(f"SELECT count(*) FROM {table}")) or 0


async def test_ten_posts_with_one_key_make_one_handover(world: World) -> None:
    record, key = settlement_record(world.center.id), str(uuid4())
    answers = await asyncio.gather(
        *(world.settlement.post("/v1/handovers", record, Idempotency_Key=key) for _ in range(AT_ONCE))
    )
    created = [one for one in answers if one.status_code == 201]
    refused = [one for one in answers if one.status_code != 201]
    assert len([one for one in created if "idempotency-replayed" not in one.headers]) == 1
    assert len({one.json()["id"] for one in created}) == 1
    assert {(one.status_code, one.json()["code"]) for one in refused} <= {(409, "idempotency_in_flight")}
    assert await count(world, "handovers") == await count(world, "people") == 1
    replay = await world.settlement.post("/v1/handovers", record, Idempotency_Key=key)
    assert replay.headers["idempotency-replayed"] == "true"
    assert replay.content == created[0].content
    assert replay.headers["etag"] == created[0].headers["etag"]


async def test_one_key_with_different_bodies_makes_one_and_refuses_the_others(world: World) -> None:
    drafted = await world.draft()
    key = str(uuid4())
    bodies = [
        consent_for(drafted["personId"], world.center.id, purpose=f"引継ぎのため（{number}）")
        for number in range(AT_ONCE)
    ]
    answers = await asyncio.gather(
        *(world.settlement.post("/v1/consents", body, Idempotency_Key=key) for body in bodies)
    )
    assert sorted(one.status_code for one in answers)[0] == 201
    assert len([one for one in answers if one.status_code == 201]) == 1
    codes = {one.json()["code"] for one in answers if one.status_code != 201}
    assert codes <= {"idempotency_in_flight", "idempotency_key_reused"}
    assert await count(world, "consents") == 1


async def test_the_same_key_of_another_organization_is_another_key(world: World) -> None:
    record, key = settlement_record(world.center.id), str(uuid4())
    answers = await asyncio.gather(
        *(
            who.post("/v1/handovers", record, Idempotency_Key=key)
            for who in (world.settlement, world.transition)
        )
    )
    assert [one.status_code for one in answers] == [201, 201]
    assert len({one.json()["id"] for one in answers}) == 2


async def test_a_step_repeated_with_its_key_is_answered_as_the_first_time(world: World) -> None:
    received = await world.received()
    path, key = f"/v1/handovers/{received['id']}/accept", str(uuid4())
    body = {"domains": [{"domain": one["domain"], "decision": "accept"} for one in received["domains"]]}
    answers = await asyncio.gather(
        *(world.center.post(path, body, Idempotency_Key=key) for _ in range(AT_ONCE))
    )
    assert {one.status_code for one in answers} <= {200, 409}
    taken = [one for one in answers if one.status_code == 200]
    assert {one.json()["status"] for one in taken} == {"accepted"}
    assert {one.json()["code"] for one in answers if one.status_code == 409} <= {"idempotency_in_flight"}
    async with world.services.db.platform() as tx:
        accepted = await tx.scalar(text("SELECT count(*) FROM events WHERE type = 'handover.accepted'"))
    assert accepted == 2
