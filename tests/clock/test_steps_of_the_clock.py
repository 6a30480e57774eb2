"""What the calendar does to a handover, whoever notices first."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from tests.crowd import accept, events, offer
from tests.world import World
from tsunagi.handovers.steps import advance

Notice = Callable[[World, str], Awaitable[None]]


async def worker(world: World, _handover_id: str) -> None:
    await advance(world.services.db, world.services.clock.now())


async def sender(world: World, handover_id: str) -> None:
    assert (await world.settlement.get(f"/v1/handovers/{handover_id}")).status_code == 200


NOTICING: dict[str, Notice] = {"the worker": worker, "a request": sender}
noticed = pytest.mark.parametrize("notice", NOTICING.values(), ids=NOTICING.keys())


async def holders(world: World, person_id: str, day: str) -> set[str | None]:
    answer = await world.settlement.get(f"/v1/people/{person_id}/responsibility?asOf={day}")
    return {one["holder"] and one["holder"]["id"] for one in answer.json()["domains"]}


async def listed(world: World, handover_id: str) -> dict[str, object]:
    items = (await world.settlement.get("/v1/handovers?limit=200")).json()["items"]
    return next(one for one in items if one["id"] == handover_id)


@noticed
async def test_the_window_opens_on_its_day_and_both_sides_are_told(world: World, notice: Notice) -> None:
    world.on("2026-03-02")
    offered = await offer(world)
    assert (await world.center.get(f"/v1/handovers/{offered['id']}")).json()["notice"]
    world.on("2026-09-30")
    await notice(world, offered["id"])
    assert await events(world.center) == [("offered", "offered")]
    world.on("2026-10-01")
    await notice(world, offered["id"])
    for side in (world.center, world.settlement):
        assert await events(side) == [("offered", "offered"), ("window_opened", "offered")]
    read = await world.center.get(f"/v1/handovers/{offered['id']}")
    assert read.json()["status"] == "received"


@noticed
async def test_without_an_answer_it_expires_on_the_day_after_the_limit(world: World, notice: Notice) -> None:
    offered = await offer(world)
    due = (await world.settlement.get(f"/v1/handovers/{offered['id']}")).json()["answerDueOn"]
    assert due == "2026-12-20"
    world.on(due)
    await notice(world, offered["id"])
    assert (await listed(world, offered["id"]))["status"] == "offered"

    world.on("2026-12-21")
    await notice(world, offered["id"])
    ended = await listed(world, offered["id"])
    assert (ended["status"], ended["availableActions"]) == ("expired", [])
    for side in (world.center, world.settlement):
        assert (await events(side))[-1] == ("expired", "expired")
    for day in ("2026-12-21", "2027-04-01", "2040-01-01"):
        assert await holders(world, offered["personId"], day) == {str(world.settlement.id)}


@noticed
async def test_the_overlap_begins_and_the_handover_completes_on_their_days(
    world: World, notice: Notice
) -> None:
    accepted = await accept(world, await offer(world))
    assert accepted["status"] == "accepted"
    states = {}
    for day in ("2026-12-31", "2027-01-01", "2027-03-31", "2027-04-01", "2028-01-01"):
        world.on(day)
        await notice(world, accepted["id"])
        states[day] = (await listed(world, accepted["id"]))["status"]
    assert states == {
        "2026-12-31": "accepted",
        "2027-01-01": "overlapping",
        "2027-03-31": "overlapping",
        "2027-04-01": "completed",
        "2028-01-01": "completed",
    }
    for side in (world.center, world.settlement):
        told = await events(side)
        assert told[-2:] == [("overlapping", "overlapping"), ("completed", "completed")]


async def test_it_completes_when_the_last_domain_has_moved(world: World) -> None:
    accepted = await accept(world, await offer(world), daily_life={"from": "2027-07-01"})
    world.on("2027-06-30")
    await worker(world, accepted["id"])
    assert (await listed(world, accepted["id"]))["status"] == "overlapping"
    world.on("2027-07-01")
    await worker(world, accepted["id"])
    assert (await listed(world, accepted["id"]))["status"] == "completed"


async def test_an_answer_after_the_limit_comes_too_late_also_when_no_worker_ran(world: World) -> None:
    offered = await offer(world)
    path = f"/v1/handovers/{offered['id']}"
    await world.center.get(path)
    world.on("2026-12-21")
    answers = [{"domain": one["domain"], "decision": "accept"} for one in offered["domains"]]
    refused = await world.center.post(f"{path}/accept", {"domains": answers})
    assert refused.status_code == 409
    assert refused.json()["code"] == "wrong_state"
    assert refused.json()["handoverStatus"] == "expired"
    assert await holders(world, offered["personId"], "2027-04-01") == {str(world.settlement.id)}


@pytest.mark.parametrize("seen", [True, False], ids=["read", "unread"])
async def test_an_offer_that_has_lapsed_is_not_exported_also_when_no_worker_ran(
    world: World, seen: bool
) -> None:
    offered = await offer(world)
    if seen:
        await world.center.get(f"/v1/handovers/{offered['id']}")
    world.on("2026-12-21")
    assert (await world.center.get("/v1/handovers/export")).text == ""


async def test_an_export_tells_the_state_of_its_day_also_when_no_worker_ran(world: World) -> None:
    await accept(world, await offer(world))
    world.on("2027-04-01")
    assert (await world.center.get("/v1/handovers/export")).json()["status"] == "completed"


async def test_a_handover_that_overlaps_cannot_be_withdrawn_also_when_no_worker_ran(world: World) -> None:
    accepted = await accept(world, await offer(world))
    world.on("2027-01-01")
    reason = {"reason": {"code": "plan_changed"}}
    refused = await world.settlement.post(f"/v1/handovers/{accepted['id']}/withdraw", reason)
    assert refused.status_code == 409
    assert refused.json()["handoverStatus"] == "overlapping"


async def test_what_is_returned_waits_for_its_sender_without_end(world: World) -> None:
    offered = await offer(world)
    await world.center.get(f"/v1/handovers/{offered['id']}")
    reason = {"reason": {"code": "more_information", "text": "面談の記録をください"}}
    await world.center.post(f"/v1/handovers/{offered['id']}/return", reason)
    world.on("2030-01-01")
    assert await advance(world.services.db, world.services.clock.now()) == 0
    assert (await listed(world, offered["id"]))["status"] == "returned"


async def test_a_jump_over_years_passes_through_every_step_that_was_due(world: World) -> None:
    world.on("2026-03-02")
    silent, taken = await offer(world, 1), await offer(world, 2)
    await world.settlement.post(f"/v1/handovers/{taken['id']}/open")
    await accept(world, taken)
    before = len(await events(world.center))
    world.on("2041-01-01")
    assert await advance(world.services.db, world.services.clock.now()) == 2
    told = (await events(world.center))[before:]
    assert [one for one in told if one[1] in ("offered", "expired")] == [
        ("window_opened", "offered"),
        ("expired", "expired"),
    ]
    assert [one for one in told if one[1] in ("overlapping", "completed")] == [
        ("overlapping", "overlapping"),
        ("completed", "completed"),
    ]
    assert (await listed(world, silent["id"]))["status"] == "expired"
    assert (await listed(world, taken["id"]))["status"] == "completed"


async def test_nothing_overlaps_that_is_accepted_on_the_day_it_moves(world: World) -> None:
    offered = await offer(world, plannedDate="2026-12-01", serviceEndsOn="2026-11-30")
    await world.center.get(f"/v1/handovers/{offered['id']}")
    world.on("2026-12-01")
    accepted = await accept(world, offered)
    assert accepted["status"] == "completed"
    assert ("overlapping", "overlapping") not in await events(world.center)


async def test_a_window_that_an_amendment_moves_away_is_announced_when_it_opens_again(world: World) -> None:
    offered = await offer(world)
    assert ("window_opened", "offered") in await events(world.center)
    path = f"/v1/handovers/{offered['id']}"
    read = await world.settlement.get(path)
    later = read.json()["record"] | {"plannedDate": "2028-04-01", "serviceEndsOn": "2028-03-31"}
    amended = await world.settlement.put(path, later, If_Match=read.headers["etag"])
    assert amended.status_code == 200, amended.text
    assert (await world.center.get(path)).json()["notice"]
    before = len(await events(world.center))
    world.on("2027-10-01")
    await worker(world, offered["id"])
    assert (await events(world.center))[before:] == [("window_opened", "offered")]


async def test_the_limit_counts_from_today_while_a_window_opened_early_stays_open(world: World) -> None:
    world.on("2026-03-02")
    offered = await offer(world)
    path = f"/v1/handovers/{offered['id']}"
    await world.settlement.post(f"{path}/open")
    read = await world.settlement.get(path)
    amended = await world.settlement.put(path, read.json()["record"], If_Match=read.headers["etag"])
    assert amended.status_code == 200, amended.text
    assert (await world.settlement.get(path)).json()["answerDueOn"] == "2026-04-01"


async def test_the_clock_finds_nothing_twice(world: World) -> None:
    await accept(world, await offer(world))
    world.on("2027-01-01")
    now: datetime = world.services.clock.now()
    assert await advance(world.services.db, now) == 1
    told = await events(world.center)
    assert await advance(world.services.db, now) == 0
    assert await events(world.center) == told
