"""Two answers at once: one of them is the handover's, the other is told so."""

import asyncio
from typing import Any

import httpx2

from tests.crowd import events, offer
from tests.world import World
from tsunagi.handovers.steps import advance

ROUNDS = 8


def answer_to(received: dict[str, Any]) -> dict[str, Any]:
    return {"domains": [{"domain": one["domain"], "decision": "accept"} for one in received["domains"]]}


async def read(world: World, number: int) -> tuple[dict[str, Any], str]:
    """A handover that the center has read, and the entity tag it has for the center."""
    offered = await offer(world, number)
    response = await world.center.get(f"/v1/handovers/{offered['id']}")
    return offered, response.headers["etag"]


async def primaries(world: World, person_id: str, day: str) -> set[str]:
    answer = await world.settlement.get(f"/v1/people/{person_id}/responsibility?asOf={day}")
    return {one["holder"]["id"] for one in answer.json()["domains"]}


async def test_of_an_acceptance_and_a_refusal_at_once_one_wins(world: World) -> None:
    for number in range(ROUNDS):
        offered, _ = await read(world, number)
        path = f"/v1/handovers/{offered['id']}"
        calls = [
            world.center.post(f"{path}/accept", answer_to(offered)),
            world.center.post(f"{path}/decline", {"reason": {"code": "capacity"}}),
            world.center.post(f"{path}/return", {"reason": {"code": "dates_unclear", "text": "いつから?"}}),
        ]
        answers = await asyncio.gather(*(calls if number % 2 else reversed(calls)))
        won = [one for one in answers if one.status_code == 200]
        assert sorted(one.status_code for one in answers) == [200, 409, 409]
        state = won[0].json()["status"]
        assert {one.json()["handoverStatus"] for one in answers if one.status_code == 409} == {state}
        after = world.center if state == "accepted" else world.settlement
        assert await primaries(world, offered["personId"], "2027-04-01") == {str(after.id)}
        await check_told_once(world, offered, state)


async def check_told_once(world: World, offered: dict[str, Any], state: str) -> None:
    for side in (world.settlement, world.center):
        feed = (await side.get("/v1/events?limit=200")).json()["items"]
        mine = [one["type"] for one in feed if one.get("handoverId") == offered["id"]]
        assert mine.count(f"handover.{state}") == 1
        ends = {"handover.accepted", "handover.declined", "handover.returned", "handover.withdrawn"}
        assert len(ends & set(mine)) == 1


async def test_of_answers_to_what_both_sides_last_saw_one_wins(world: World) -> None:
    """With If-Match even a withdrawal does not follow an acceptance that its sender has not seen."""
    for number in range(ROUNDS):
        offered, receivers_tag = await read(world, number)
        path = f"/v1/handovers/{offered['id']}"
        senders_tag = (await world.settlement.get(path)).headers["etag"]
        calls = [
            world.center.post(f"{path}/accept", answer_to(offered), If_Match=receivers_tag),
            world.settlement.post(
                f"{path}/withdraw", {"reason": {"code": "plan_changed"}}, If_Match=senders_tag
            ),
            world.center.post(f"{path}/decline", {"reason": {"code": "capacity"}}, If_Match=receivers_tag),
        ]
        answers: list[httpx2.Response] = await asyncio.gather(*(calls if number % 2 else reversed(calls)))
        assert sorted(one.status_code for one in answers) == [200, 412, 412]
        state = next(one for one in answers if one.status_code == 200).json()["status"]
        after = world.center if state == "accepted" else world.settlement
        assert await primaries(world, offered["personId"], "2027-04-01") == {str(after.id)}
        await check_told_once(world, offered, state)


async def test_a_withdrawal_beside_an_acceptance_leaves_responsibility_with_the_sender(world: World) -> None:
    """The sender may withdraw what was accepted: whichever comes first, the end is the same."""
    for number in range(ROUNDS):
        offered, _ = await read(world, number)
        path = f"/v1/handovers/{offered['id']}"
        calls = [
            world.center.post(f"{path}/accept", answer_to(offered)),
            world.settlement.post(f"{path}/withdraw", {"reason": {"code": "plan_changed"}}),
        ]
        answers = await asyncio.gather(*(calls if number % 2 else reversed(calls)))
        accepted, withdrawn = answers if number % 2 else reversed(answers)
        assert withdrawn.status_code == 200
        assert accepted.status_code in (200, 409)
        assert (await world.settlement.get(path)).json()["status"] == "withdrawn"
        assert await primaries(world, offered["personId"], "2027-04-01") == {str(world.settlement.id)}


async def test_an_acceptance_and_the_clock_do_not_both_have_their_way(world: World) -> None:
    """On the last day the answer counts, on the next one the clock, however late it strikes."""
    for number, day in enumerate(["2026-12-20", "2026-12-21"] * 3):
        world.on("2026-11-20")
        offered, _ = await read(world, number)
        world.on(day)
        answer, moved = await asyncio.gather(
            world.center.post(f"/v1/handovers/{offered['id']}/accept", answer_to(offered)),
            advance(world.services.db, world.services.clock.now()),
        )
        state = (await world.settlement.get(f"/v1/handovers/{offered['id']}")).json()["status"]
        in_time = day == "2026-12-20"
        assert (answer.status_code, state) == ((200, "accepted") if in_time else (409, "expired"))
        assert moved <= 1
        after = world.center if in_time else world.settlement
        assert await primaries(world, offered["personId"], "2027-04-01") == {str(after.id)}


async def test_first_readings_at_once_receive_it_once(world: World) -> None:
    offered = await offer(world)
    path = f"/v1/handovers/{offered['id']}"
    answers = await asyncio.gather(
        *(world.center.get(path) for _ in range(6)), *(world.center.post(f"{path}/receive") for _ in range(3))
    )
    assert {one.status_code for one in answers} == {200}
    assert (await events(world.center)).count(("received", "received")) == 1


async def test_an_amendment_and_an_acceptance_of_the_version_before_do_not_both_count(world: World) -> None:
    for number in range(ROUNDS):
        offered, receivers_tag = await read(world, number)
        path = f"/v1/handovers/{offered['id']}"
        mine = await world.settlement.get(path)
        calls = [
            world.center.post(f"{path}/accept", answer_to(offered), If_Match=receivers_tag),
            world.settlement.put(path, mine.json()["record"], If_Match=mine.headers["etag"]),
        ]
        answers = await asyncio.gather(*(calls if number % 2 else reversed(calls)))
        assert sorted(one.status_code for one in answers) == [200, 412]


async def test_a_consent_withdrawn_beside_a_reading_is_seen_by_the_next_one(world: World) -> None:
    for number in range(ROUNDS):
        offered = await offer(world, number)
        path = f"/v1/handovers/{offered['id']}"
        await world.center.get(path)
        reading, withdrawn = await asyncio.gather(
            world.center.get(path),
            world.settlement.post(
                f"/v1/consents/{offered['consentId']}/withdraw", {"withdrawnBy": {"kind": "person"}}
            ),
        )
        assert (reading.status_code, withdrawn.status_code) == (200, 200)
        assert (await world.center.get(path)).json()["record"]["sections"] == {}
