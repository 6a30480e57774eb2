"""Several receivers pull everything at once, and what they pull concerns the same people. An export takes its time:
what others do meanwhile."""

import asyncio
import json

from sqlalchemy import text

from tests.api.many import copies
from tests.api.states import take
from tests.crowd import record_of
from tests.world import Organization, World, consent_for
from tsunagi.auth.rules import Caller
from tsunagi.db import Database
from tsunagi.disclosure.actions import EXPORT_BATCH, export
from tsunagi.handovers.steps import By
from tsunagi.ids import ClientId

PEOPLE, ROUNDS = 6, 3


async def on_offer(world: World, person: str, number: int, receiver: Organization) -> None:
    record = record_of(world, number, receiver=receiver, personId=person)
    created = await world.settlement.post("/v1/handovers", record)
    offered = await world.settlement.post(f"/v1/handovers/{created.json()['id']}/offer")
    assert offered.status_code == 200, offered.text


async def test_exports_that_meet_over_the_same_people_are_all_whole(world: World) -> None:
    receivers = (world.center, world.other, world.transition)
    people = []
    for number in range(PEOPLE):
        identity = record_of(world, number)["sections"]["identity"]
        person = (await world.settlement.post("/v1/people", {"identity": identity})).json()["personId"]
        consent = consent_for(person, *(one.id for one in receivers))
        await world.settlement.post("/v1/consents", consent)
        people.append(person)
    for of_round in range(1, ROUNDS + 1):
        for turn, receiver in enumerate(receivers):
            for step in range(PEOPLE):
                number = (step if turn % 2 else PEOPLE - 1 - step) % PEOPLE
                await on_offer(world, people[number], number, receiver)
        answers = await asyncio.gather(*(one.get("/v1/handovers/export") for one in receivers))
        for answer in answers:
            lines = [json.loads(line) for line in answer.text.splitlines()]
            assert len(lines) == PEOPLE * of_round
            assert {line["status"] for line in lines} == {"received"}


def reader(world: World) -> By:
    caller = Caller(world.center.id, ClientId("test-software"), world.center.scopes)
    return By(caller, world.services.clock.now(), "test")


async def test_what_changes_between_two_batches_is_neither_lost_nor_doubled(
    world: World, db: Database
) -> None:
    received = await world.received()
    known = {received["id"], *await copies(db, received["id"], 2 * EXPORT_BATCH + 5)}
    seen: list[str] = []
    async for batch in export(db, world.services.clock, reader(world)):
        seen += [str(one.reading.handover.id) for one in batch]
        if len(seen) == EXPORT_BATCH:
            await take(world.center, world, seen[0], "return")
            await take(world.center, world, max(known), "return")
            await world.settlement.post(f"/v1/handovers/{max(known)}/offer")
    assert sorted(seen) == sorted(known)


async def test_what_was_closed_meanwhile_is_left_out(world: World, db: Database) -> None:
    received = await world.received()
    known = {received["id"], *await copies(db, received["id"], 2 * EXPORT_BATCH + 5)}
    last = max(known)
    seen: list[str] = []
    async for batch in export(db, world.services.clock, reader(world)):
        seen += [str(one.reading.handover.id) for one in batch]
        if len(seen) == EXPORT_BATCH:
            await take(world.center, world, last, "decline")
    assert sorted(seen) == sorted(known - {last})


async def test_whoever_leaves_early_stops_it(world: World, db: Database) -> None:
    received = await world.received()
    await copies(db, received["id"], 10 * EXPORT_BATCH)
    batches = export(db, world.services.clock, reader(world))
    await anext(batches)
    await batches.aclose()
    async with db.platform() as tx:
        exported = await tx.scalar(
            text("SELECT count(*) FROM ledger_contents WHERE action = 'handovers:export'")
        )
    assert EXPORT_BATCH <= int(exported or 0) <= 2 * EXPORT_BATCH
