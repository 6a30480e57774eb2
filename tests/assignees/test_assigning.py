"""Who is in charge of a handover: each side says so for itself, and the other never learns of it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.api.states import reach
from tests.ledger.entries import kept
from tests.world import Organization, World
from tsunagi.auth.rules import Scope

OPEN = ("draft", "offered", "received", "returned", "accepted", "overlapping")
ENDED = ("completed", "declined", "withdrawn", "expired")


async def assign(who: Organization, handover_id: str, assignee: Any) -> Any:
    return await who.put(f"/v1/handovers/{handover_id}/assignee", {"assignee": assignee})


async def listed(who: Organization, query: str = "") -> list[Any]:
    return (await who.get(f"/v1/handovers?{query}")).json()["items"]


async def shown(who: Organization, handover_id: str) -> list[str | None]:
    """Who is in charge, by the list and by the handover itself."""
    (row,) = [one for one in await listed(who) if one["id"] == handover_id]
    return [one.get("assignee") for one in (row, (await who.get(f"/v1/handovers/{handover_id}")).json())]


async def test_each_side_sees_its_own_and_nothing_of_the_other_s(world: World) -> None:
    found = await world.accepted()
    assert (await assign(world.center, found["id"], "S-0012")).json() == {"assignee": "S-0012"}
    assert await shown(world.settlement, found["id"]) == [None, None]
    await assign(world.settlement, found["id"], "a.sato_3")
    assert await shown(world.settlement, found["id"]) == ["a.sato_3"] * 2
    assert await shown(world.center, found["id"]) == ["S-0012"] * 2
    await assign(world.settlement, found["id"], None)
    assert await shown(world.settlement, found["id"]) == [None, None]
    assert await shown(world.center, found["id"]) == ["S-0012"] * 2


async def test_versions_and_exports_carry_it_too(world: World) -> None:
    found = await world.accepted()
    await assign(world.center, found["id"], "S-1")
    version = await world.center.get(f"/v1/handovers/{found['id']}/versions/1")
    export = await world.center.get("/v1/handovers/export")
    assert version.json()["assignee"] == export.json()["assignee"] == "S-1"


async def test_before_the_window_opens_the_notice_has_it(world: World) -> None:
    world.on("2026-06-01")
    found = await world.offered()
    assert (await assign(world.center, found["id"], "S-1")).status_code == 200
    assert await shown(world.center, found["id"]) == ["S-1", "S-1"]


@pytest.mark.parametrize("status", OPEN)
async def test_while_it_is_open_each_side_may_say_so(world: World, status: str) -> None:
    found = await reach(world, status)
    assert (await assign(world.settlement, found["id"], "S-1")).status_code == 200
    expected = 404 if status == "draft" else 200  # of a draft the receiver knows nothing
    assert (await assign(world.center, found["id"], "S-1")).status_code == expected


@pytest.mark.parametrize("status", ENDED)
async def test_once_it_is_over_it_stays_as_it_was(world: World, status: str) -> None:
    found = await reach(world, "received" if status != "expired" else "offered")
    await assign(world.settlement, found["id"], "S-1")
    days = {"completed": "2027-04-01", "expired": "2027-03-01"}
    body = {"domains": [{"domain": one["domain"], "decision": "accept"} for one in found["domains"]]}
    match status:
        case "completed":
            await world.center.post(f"/v1/handovers/{found['id']}/accept", body)
        case "declined":
            await world.center.post(f"/v1/handovers/{found['id']}/decline", {"reason": {"code": "capacity"}})
        case "withdrawn":
            await world.settlement.post(
                f"/v1/handovers/{found['id']}/withdraw", {"reason": {"code": "plan_changed"}}
            )
    if status in days:
        world.on(days[status])
    refused = await assign(world.settlement, found["id"], "S-2")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert refused.json()["handoverStatus"] == status
    assert await shown(world.settlement, found["id"]) == ["S-1", "S-1"]


async def test_neither_version_nor_entity_tag_nor_feed_changes(world: World) -> None:
    found = await world.accepted()
    path = f"/v1/handovers/{found['id']}"
    before = await world.center.get(path)
    events = [(await who.get("/v1/events")).json() for who in (world.center, world.settlement)]
    await assign(world.center, found["id"], "S-1")
    after = await world.center.get(path)
    assert after.headers["etag"] == before.headers["etag"]
    assert after.json() == before.json() | {"assignee": "S-1"}
    assert [(await who.get("/v1/events")).json() for who in (world.center, world.settlement)] == events


async def test_it_is_on_the_ledger_once_and_without_the_reference(world: World) -> None:
    found = await world.offered()
    already = len(await kept(world.services.db))
    for assignee in ("S-1", "S-1", "S-2", None, None):
        await assign(world.center, found["id"], assignee)
    entries = [one.body for one in (await kept(world.services.db))[already:]]
    assert [one["action"] for one in entries] == ["handovers:assign"] * 3
    assert [(one["change"]["from"], one["change"]["to"]) for one in entries] == [
        ("unassigned", "assigned"),
        ("assigned", "assigned"),
        ("assigned", "unassigned"),
    ]
    assert {one["actor"]["organization"] for one in entries} == {str(world.center.id)}
    assert all(one["record"]["id"] == found["id"] and "stream" in one for one in entries)
    assert "S-1" not in str(entries)


async def test_the_receipt_says_nothing_of_it(world: World) -> None:
    found = await world.accepted()
    await assign(world.center, found["id"], "S-1")
    receipt = await world.settlement.get(f"/v1/handovers/{found['id']}/receipt")
    assert "assign" not in receipt.text


async def test_lists_are_of_somebody_of_nobody_or_of_anybody(world: World) -> None:
    first = await world.offered()
    second = await world.draft(plannedDate="2027-05-01", personId=first["personId"])
    await assign(world.settlement, first["id"], "none")
    await assign(world.center, first["id"], "S-1")
    for query, expected in {
        "assignee=none": [first],
        "assignee=S-1": [],
        "unassigned=true": [second],
        "unassigned=false": [first],
        "assignee=none&unassigned=true": [],
        "assignee=none&direction=outgoing&status=offered": [first],
        "assignee=none&direction=incoming": [],
    }.items():
        found = [one["id"] for one in await listed(world.settlement, query)]
        assert found == [one["id"] for one in expected], query
    assert [one["id"] for one in await listed(world.center, "assignee=S-1")] == [first["id"]]
    assert await listed(world.center, "assignee=none") == []


@pytest.mark.parametrize("assignee", ["見本 花子", "a b", "", "x" * 65, "S-1\n", 12, ["S-1"]])
async def test_a_name_is_not_taken_and_not_repeated(world: World, assignee: Any) -> None:
    found = await world.offered()
    refused = await assign(world.center, found["id"], assignee)
    assert (refused.status_code, refused.json()["code"]) == (422, "schema_invalid")
    assert {one["pointer"] for one in refused.json()["errors"]} == {"/assignee"}
    assert "見本" not in refused.text
    asked = await world.center.get("/v1/handovers?assignee=%E8%A6%8B%E6%9C%AC")
    assert (asked.status_code, asked.json()["code"]) == (400, "invalid_parameter")


async def test_it_has_a_scope_of_its_own(world: World) -> None:
    found = await world.offered()
    reader = replace(world.center, scopes=frozenset(Scope) - {Scope.HANDOVERS_ASSIGN})
    refused = await assign(reader, found["id"], "S-1")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


async def test_who_is_no_side_of_it_finds_nothing(world: World) -> None:
    found = await world.offered()
    refused = await assign(world.other, found["id"], "S-1")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    last = (await kept(world.services.db))[-1].body
    assert (last["action"], last["outcome"]) == ("handovers:assign", "deny")
