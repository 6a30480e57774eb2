"""Whose findings, which of them, and how many at a time."""

import base64
import json
import time
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from tests.crowd import offer, record_of
from tests.ledger.entries import kept
from tests.world import Organization, World

PEOPLE = 7


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


async def crowd(world: World) -> list[dict[str, Any]]:
    """Seven people; the one of number n has n findings, but no more than three."""
    found = []
    for number in range(PEOPLE):
        record = record_of(world, number)
        sections = record["sections"]
        if number > 0:
            del sections["employer_contacts"]["singlePointOfContact"]
        if number > 1:
            sections["handover_plan"]["caseConferences"] = []
        if number > 2:
            del record["domains"][2]["senderPrimarySince"]
        found.append(await offer(world, number, sections=sections, domains=record["domains"]))
    return found


async def pages(who: Organization, limit: int, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    where = f"/v1/findings?limit={limit}{query}"
    while True:
        answer = await who.get(where)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["nextCursor"] is None:
            assert "link" not in answer.headers
            return found
        where = f"/v1/findings?limit={limit}{query}&cursor={page['nextCursor']}"
        assert page["nextCursor"] in answer.headers["link"]


@pytest.mark.parametrize("limit", [1, 2, 4])
async def test_pages_join_up_without_loss_or_repetition(world: World, limit: int) -> None:
    await crowd(world)
    whole = await pages(world.settlement, 200)
    assert len(whole) == 1 + 2 + 3 * 4
    assert await pages(world.settlement, limit) == whole
    assert await pages(world.auditor, limit) == whole


@pytest.mark.parametrize("people_at_a_time", [1, 3, PEOPLE])
async def test_pages_join_up_however_many_people_are_looked_at_together(
    world: World, monkeypatch: pytest.MonkeyPatch, people_at_a_time: int
) -> None:
    await crowd(world)
    whole = await pages(world.settlement, 200)
    monkeypatch.setattr("tsunagi.oversight.actions.PEOPLE_BATCH", people_at_a_time)
    monkeypatch.setattr("tsunagi.oversight.actions.BATCHES_PER_PAGE", 2)
    assert await pages(world.settlement, 200) == whole
    assert await pages(world.settlement, 2) == whole


async def test_one_kind_can_be_asked_for_page_by_page(world: World) -> None:
    await crowd(world)
    whole = await pages(world.settlement, 200)
    for kind in ("gap", "conference_late", "employer_window_undefined", "no_answer"):
        assert await pages(world.settlement, 2, f"&kind={kind}") == [
            one for one in whole if one["kind"] == kind
        ]


async def test_one_area_can_be_asked_for(world: World) -> None:
    offered = await crowd(world)
    async with world.services.db.platform() as tx:
        moved = {"id": offered[-1]["id"]}
        await tx.execute(text("UPDATE handovers SET area_code = '13-92' WHERE id = :id"), moved)
    whole = await pages(world.settlement, 200)
    here = await pages(world.settlement, 200, "&area=12-91")
    there = await pages(world.settlement, 200, "&area=13-92")
    assert {one["personId"] for one in there} == {offered[-1]["personId"]}
    assert [one for one in whole if one not in there] == here
    assert await pages(world.settlement, 200, "&area=99-99") == []


async def test_one_person_can_be_asked_for(world: World) -> None:
    person_id = (await crowd(world))[-1]["personId"]
    whole = [one for one in await pages(world.settlement, 200) if one["personId"] == person_id]
    assert len(whole) == 3
    for who in (world.settlement, world.auditor):
        assert await pages(who, 2, f"&personId={person_id}") == whole
        assert await pages(who, 2, f"&personId={person_id}&kind=gap") == [
            one for one in whole if one["kind"] == "gap"
        ]
        newest = (await kept(world.services.db))[-1]
        assert newest.stream is not None
        assert (newest.body["action"], newest.body["asked"]) == ("findings:read", {"kind": "gap"})
    answer = await world.other.get(f"/v1/findings?personId={person_id}")
    assert answer.status_code == 404


async def test_others_find_nothing(world: World) -> None:
    await crowd(world)
    for stranger in (world.other, world.transition, world.center):
        assert await pages(stranger, 200) == []


async def test_a_cursor_of_ones_own_making_shows_nobody_else(world: World) -> None:
    offered = await crowd(world)
    gap = (await pages(world.settlement, 200, "&kind=gap"))[0]
    for person_id in (gap["personId"], offered[0]["personId"], "00000000-0000-0000-0000-000000000000"):
        for skipped in (0, -1):
            answer = await world.other.get(f"/v1/findings?cursor={cursor(person_id, skipped)}")
            assert answer.json()["items"] == []


@pytest.mark.parametrize(
    "bad", ["x", "e30", cursor(), cursor("a", 1), cursor("a"), cursor(1, 1), cursor(None, None), "%00", "é"]
)
async def test_a_cursor_that_is_none_is_refused(world: World, bad: str) -> None:
    answer = await world.settlement.get(f"/v1/findings?cursor={bad}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_parameter"


class Statements:
    """How many statements the database was sent."""

    def __init__(self) -> None:
        self.sent = 0

    def count(self, *_: object) -> None:
        self.sent += 1

    def __enter__(self) -> "Statements":
        event.listen(Engine, "before_cursor_execute", self.count)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self.count)


MANY = 2000
_multiply = [
    f"""
    CREATE TEMP TABLE many ON COMMIT DROP AS
    SELECT gen_random_uuid() AS handover_id, gen_random_uuid() AS person_id FROM generate_series(1, {MANY})
    """,
    """
    INSERT INTO people SELECT many.person_id, gen_random_uuid(), registered_by, registered_at FROM people, many
    """,
    """
    INSERT INTO person_relations SELECT many.person_id, organization_id, many.person_id, since
    FROM person_relations, many
    """,
    """
    INSERT INTO handovers SELECT (jsonb_populate_record(
        h, jsonb_build_object('id', many.handover_id, 'person_id', many.person_id))).* FROM handovers h, many
    """,
    *(
        f"""
        INSERT INTO responsibility_{table} SELECT (jsonb_populate_record(
            r, jsonb_build_object('person_id', many.person_id))).* FROM responsibility_{table} r, many
        """
        for table in ("versions", "segments")
    ),
]


async def count_pages(who: Organization) -> int:
    where, pages = "/v1/findings?area=12-91&limit=200", 1
    while following := (await who.get(where)).json()["nextCursor"]:
        where, pages = f"/v1/findings?area=12-91&limit=200&cursor={following}", pages + 1
    return pages


async def test_two_thousand_people_are_not_asked_about_one_by_one(world: World) -> None:
    await offer(world)
    async with world.services.db.platform() as tx:
        for statement in _multiply:
            await tx.execute(text(statement))
    with Statements() as of_nothing:
        began = time.perf_counter()
        assert await count_pages(world.auditor) == 2
        took = time.perf_counter() - began
    assert of_nothing.sent < MANY / 10
    assert took < 10
    world.on("2027-01-01")
    with Statements() as of_a_page:
        answer = await world.auditor.get("/v1/findings?area=12-91&limit=200")
    assert len(answer.json()["items"]) == 200
    assert of_a_page.sent < 40
    with Statements() as of_a_list:
        answer = await world.settlement.get("/v1/handovers?limit=200")
    assert len(answer.json()["items"]) == 200
    assert of_a_list.sent < 10
