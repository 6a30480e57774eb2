"""Several receivers pull everything at once, and what they pull concerns the same people."""

import asyncio
import json

from tests.crowd import record_of
from tests.world import Organization, World, consent_for

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
