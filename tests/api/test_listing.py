"""Lists of handovers: filters, order, pages."""

from typing import Any

import pytest

from tests.api.many import copies
from tests.api.states import listed, reach, take
from tests.world import Organization, World, settlement_record
from tsunagi.db import Database


async def pages(who: Organization, query: str) -> list[list[str]]:
    """The ids of all pages, following the Link header, which says the same as nextCursor."""
    found: list[list[str]] = []
    path: str | None = f"/v1/handovers?{query}"
    while path is not None:
        answer = await who.get(path)
        assert answer.status_code == 200, answer.text
        found.append([item["id"] for item in answer.json()["items"]])
        cursor, link = answer.json()["nextCursor"], answer.headers.get("link")
        assert (cursor is None) == (link is None)
        path = None
        if link is not None:
            assert link.startswith("<") and link.endswith('>; rel="next"')
            path = link[1:].partition(">")[0]
            assert f"cursor={cursor}" in path
    return found


async def ids(who: Organization, query: str = "") -> list[str]:
    return [one for page in await pages(who, query) for one in page]


async def another(world: World, sender: Organization, **changes: Any) -> dict[str, Any]:
    """A draft of another sender, to the center."""
    answer = await sender.post("/v1/handovers", settlement_record(world.center.id, **changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    "status", ["draft", "offered", "received", "returned", "accepted", "declined", "withdrawn"]
)
async def test_a_status_lists_those_in_it(world: World, status: str) -> None:
    found = await reach(world, status)
    for who in (world.settlement, world.center):
        known = [] if status == "draft" and who is world.center else [found["id"]]
        assert await ids(who, f"status={status}") == known
        assert await ids(who, f"status=expired,{status}") == known
        assert await ids(who, "status=expired,completed") == []


async def test_directions_are_told_apart(world: World) -> None:
    ours = await world.offered()
    theirs = await world.center.post("/v1/handovers", settlement_record(world.settlement.id))
    assert theirs.status_code == 201
    assert set(await ids(world.center)) == {ours["id"], theirs.json()["id"]}
    assert await ids(world.center, "direction=incoming") == [ours["id"]]
    assert await ids(world.center, "direction=outgoing") == [theirs.json()["id"]]
    assert await ids(world.settlement, "direction=incoming") == []


async def test_due_before_is_exclusive_and_leaves_out_what_has_ended(world: World) -> None:
    offered = await world.offered()
    row = await listed(world.center, offered["id"])
    assert row is not None
    due = row["dueOn"]
    assert await ids(world.center, f"dueBefore={due}") == []
    later = "2199-12-31"
    assert await ids(world.center, f"dueBefore={later}") == [offered["id"]]
    await take(world.center, world, offered["id"], "decline")
    assert await ids(world.center, f"dueBefore={later}") == []
    assert "dueOn" not in (await listed(world.center, offered["id"]) or {"dueOn": 1})


async def test_what_was_returned_is_due_by_the_day_of_sharing(world: World) -> None:
    returned = await reach(world, "returned")
    for _ in range(2):
        for side in (world.settlement, world.center):
            row = await listed(side, returned["id"])
            assert row is not None
            assert row["dueOn"] == row["sharingDueOn"] < row["plannedDate"]
        there = await world.settlement.get(f"/v1/handovers/{returned['id']}")
        record = there.json()["record"]
        amended = await world.settlement.put(
            f"/v1/handovers/{returned['id']}", record, If_Match=there.headers["etag"]
        )
        assert amended.json()["status"] == "returned", amended.text


async def test_what_has_ended_comes_last(world: World) -> None:
    ended = await reach(world, "declined")
    waiting = await another(world, world.settlement, plannedDate="2030-04-01", personId=ended["personId"])
    assert await ids(world.settlement) == [waiting["id"], ended["id"]]


async def test_the_area_is_that_of_the_record_or_else_of_the_receiver(world: World) -> None:
    named = await world.draft(areaCode="12-91")
    assert await ids(world.settlement, "area=12-91") == [named["id"]]
    assert await ids(world.settlement, "area=12-92") == []
    unnamed = await another(world, world.settlement, personId=named["personId"])
    assert set(await ids(world.settlement, "area=12-91")) == {named["id"], unnamed["id"]}


async def test_conditions_are_combined(world: World) -> None:
    offered = await world.offered()
    query = "direction=incoming&status=offered&window=open&area=12-91&dueBefore=2027-12-31"
    assert await ids(world.center, query) == [offered["id"]]
    for changed in (
        "direction=outgoing",
        "status=received",
        "window=closed",
        "area=x",
        "dueBefore=2026-01-01",
    ):
        name = changed.partition("=")[0]
        other = "&".join(changed if part.startswith(name + "=") else part for part in query.split("&"))
        assert await ids(world.center, other) == [], changed


async def test_pages_hold_every_row_once_where_all_are_due_on_one_day(world: World, db: Database) -> None:
    offered = await world.offered()
    all_ids = {offered["id"], *await copies(db, offered["id"], 22)}
    for who in (world.center, world.settlement):
        found = await pages(who, "limit=5&status=offered")
        assert [len(page) for page in found] == [5, 5, 5, 5, 3]
        flat = [one for page in found for one in page]
        assert len(flat) == len(set(flat)) == 23
        assert set(flat) == all_ids


async def test_the_last_full_page_has_no_next(world: World, db: Database) -> None:
    offered = await world.offered()
    await copies(db, offered["id"], 3)
    assert [len(page) for page in await pages(world.center, "limit=2")] == [2, 2]


async def test_rows_that_come_go_and_change_meanwhile_move_no_other(world: World, db: Database) -> None:
    offered = await world.offered()
    known = {offered["id"], *await copies(db, offered["id"], 11)}
    first = (await world.center.get("/v1/handovers?limit=4")).json()
    read = [item["id"] for item in first["items"]]
    for one in sorted(known)[3:9]:
        await world.center.get(f"/v1/handovers/{one}")
    await take(world.center, world, read[0], "decline")
    new = await copies(db, offered["id"], 2)
    cursor = first["nextCursor"]
    while cursor:
        answer = (await world.center.get(f"/v1/handovers?limit=4&cursor={cursor}")).json()
        read += [item["id"] for item in answer["items"]]
        cursor = answer["nextCursor"]
    moved = {read[0]}
    still = [one for one in read if one in known - moved]
    assert sorted(still) == sorted(known - moved)
    assert set(new) <= set(read)


async def test_the_nearest_due_date_comes_first(world: World) -> None:
    person = None
    for day in ("2028-04-01", "2027-06-01", "2029-04-01", "2027-06-01"):
        record = settlement_record(world.center.id, plannedDate=day)
        record.pop("serviceEndsOn")
        if person:
            record["personId"] = person
        person = (await world.settlement.post("/v1/handovers", record)).json()["personId"]
    items = (await world.settlement.get("/v1/handovers")).json()["items"]
    assert [item["dueOn"] for item in items] == ["2027-06-01", "2027-06-01", "2028-04-01", "2029-04-01"]


async def test_foreign_rows_are_never_listed(world: World, db: Database) -> None:
    await copies(db, (await world.offered())["id"], 3)
    for who in (world.transition, world.other, world.auditor):
        for query in (
            "",
            "direction=incoming",
            "direction=outgoing",
            "status=offered",
            "window=open",
            "area=12-91",
        ):
            assert await ids(who, query) == []


async def test_a_cursor_of_another_organization_opens_nothing(world: World, db: Database) -> None:
    offered = await world.offered()
    await copies(db, offered["id"], 3)
    cursor = (await world.center.get("/v1/handovers?limit=1")).json()["nextCursor"]
    answer = await world.other.get(f"/v1/handovers?cursor={cursor}")
    assert (answer.status_code, answer.json()["items"]) == (200, [])


async def test_a_type_lists_those_of_it(world: World) -> None:
    found = await world.offered()
    assert await ids(world.center, "handoverType=settlement_to_center") == [found["id"]]
    assert await ids(world.center, "handoverType=center_to_center") == []
    assert (await world.center.get("/v1/handovers?handoverType=unheard-of")).status_code == 400


async def test_a_row_says_by_when_there_is_sharing_and_overlap(world: World) -> None:
    await world.offered()
    (row,) = (await world.center.get("/v1/handovers")).json()["items"]
    assert row["windowOpensOn"] == "2026-10-01"
    assert row["sharingDueOn"] == "2026-12-31"
    assert row["overlapStartsOn"] == "2027-01-01"
    assert row["serviceEndsOn"] == "2027-03-31"
    assert "accepted" not in row
    milestones = (await world.settlement.get(f"/v1/people/{row['personId']}/milestones")).json()["milestones"]
    dates = {one["kind"]: one["date"] for one in milestones}
    assert (dates["sharing_due"], dates["overlap_starts"]) == (row["sharingDueOn"], row["overlapStartsOn"])


async def test_a_row_says_what_was_accepted_from_when(world: World) -> None:
    await world.accepted()
    for side in (world.center, world.settlement):
        rows = (await side.get("/v1/handovers?status=accepted")).json()["items"]
        (accepted,) = [one["accepted"] for one in rows]
        whole = (await side.get(f"/v1/handovers/{rows[0]['id']}")).json()["domains"]
        assert accepted == [
            {name: one[name] for name in ("domain", "acceptedRole", "acceptedFrom")} for one in whole
        ]


async def test_whose_handover_it_is_can_be_asked_where_it_is_known(world: World) -> None:
    world.on("2026-06-01")
    offered = await world.offered()
    query = f"personId={offered['personId']}"
    assert await ids(world.settlement, query) == [offered["id"]]
    assert await ids(world.center, query) == []
    world.on("2026-10-01")
    assert await ids(world.center, query) == [offered["id"]]
    assert await ids(world.other, query) == []
    reason = {"reason": {"code": "person_wish"}}
    answer = await world.settlement.post(f"/v1/handovers/{offered['id']}/withdraw", reason)
    assert answer.status_code == 200, answer.text
    assert await ids(world.settlement, query) == [offered["id"]]
    assert await ids(world.center, query) == []


async def test_before_the_window_opens_the_end_of_the_service_is_not_told(world: World) -> None:
    world.on("2026-06-01")
    await world.offered()
    (row,) = (await world.center.get("/v1/handovers")).json()["items"]
    assert row["overlapStartsOn"] == "2027-01-01"
    assert "serviceEndsOn" not in row
    assert "sharingDueOn" not in row
    (own,) = (await world.settlement.get("/v1/handovers")).json()["items"]
    assert own["serviceEndsOn"] == "2027-03-31"
