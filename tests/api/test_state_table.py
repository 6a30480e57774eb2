"""Every state, tried with every action by everybody: the table of the design is the oracle."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.states import listed, reach, standing, take, undone
from tests.world import EXAMPLES, World, settlement_record
from tsunagi.api.edge import Services
from tsunagi.db import Database

SENDER, RECEIVER = "sender", "receiver"
TABLE: dict[str, dict[str, dict[str, str]]] = {
    "draft": {SENDER: {"offer": "offered", "amend": "draft", "withdraw": "withdrawn"}, RECEIVER: {}},
    "offered": {
        SENDER: {"open": "offered", "amend": "offered", "withdraw": "withdrawn"},
        RECEIVER: {"receive": "received", "decline": "declined"},
    },
    "received": {
        SENDER: {"open": "received", "amend": "offered", "withdraw": "withdrawn"},
        RECEIVER: {
            "receive": "received",
            "accept": "accepted",
            "decline": "declined",
            "return": "returned",
        },
    },
    "returned": {
        SENDER: {"offer": "offered", "amend": "returned", "withdraw": "withdrawn"},
        RECEIVER: {},
    },
    "accepted": {SENDER: {"withdraw": "withdrawn"}, RECEIVER: {}},
    "overlapping": {SENDER: {}, RECEIVER: {}},
    "completed": {SENDER: {}, RECEIVER: {}},
    "declined": {SENDER: {}, RECEIVER: {}},
    "withdrawn": {SENDER: {}, RECEIVER: {}},
    "expired": {SENDER: {}, RECEIVER: {}},
}
ACTIONS = ("offer", "open", "amend", "withdraw", "receive", "accept", "decline", "return")


@pytest.mark.parametrize("status", TABLE)
async def test_what_is_not_in_the_table_is_refused_and_changes_nothing(world: World, status: str) -> None:
    handover_id = (await reach(world, status))["id"]
    sides = {SENDER: world.settlement} | ({} if status == "draft" else {RECEIVER: world.center})
    before = await standing(world.settlement, handover_id)
    for side, who in sides.items():
        for action in set(ACTIONS) - set(TABLE[status][side]):
            answer = await take(who, world, handover_id, action)
            assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state"), (side, action)
            assert answer.json()["handoverStatus"] == status
            assert set(answer.json()["availableActions"]) == set(TABLE[status][side])
    assert await standing(world.settlement, handover_id) == before


@pytest.mark.parametrize("status", TABLE)
async def test_what_is_in_the_table_leads_exactly_there(world: World, db: Database, status: str) -> None:
    handover_id = (await reach(world, status))["id"]
    for side, who in ((SENDER, world.settlement), (RECEIVER, world.center)):
        for action, after in TABLE[status][side].items():
            async with undone(db):
                answer = await take(who, world, handover_id, action)
                assert answer.status_code == 200, (side, action, answer.text)
                assert answer.json()["status"] == after, (side, action)
                assert set(answer.json()["availableActions"]) == set(TABLE[after][side])
                assert (await standing(world.settlement, handover_id))["status"] == after


@pytest.mark.parametrize("status", TABLE)
async def test_available_actions_in_the_list_are_those_of_the_table(world: World, status: str) -> None:
    handover_id = (await reach(world, status))["id"]
    for side, who in ((SENDER, world.settlement), (RECEIVER, world.center)):
        row = await listed(who, handover_id)
        if status == "draft" and side == RECEIVER:
            assert row is None
            continue
        assert row is not None
        assert (row["status"], row["direction"]) == (status, "outgoing" if side == SENDER else "incoming")
        assert set(row["availableActions"]) == set(TABLE[status][side])


@pytest.mark.parametrize("status", TABLE)
async def test_nobody_else_learns_that_the_handover_exists(world: World, status: str) -> None:
    handover_id = (await reach(world, status))["id"]
    others = [world.transition, world.other, world.auditor, *([world.center] if status == "draft" else [])]
    for who in others:
        assert await listed(who, handover_id) is None
        path = f"/v1/handovers/{handover_id}"
        codes = {(await who.get(path)).status_code, (await who.get(f"{path}/versions/1")).status_code}
        codes |= {(await take(who, world, handover_id, action)).status_code for action in ACTIONS}
        assert codes == {404}


async def test_a_state_is_changed_by_actions_alone(world: World) -> None:
    drafted = await world.draft()
    path = f"/v1/handovers/{drafted['id']}"
    record = settlement_record(world.center.id)
    for extra in ({"status": "accepted"}, {"version": 9}, {"sender": str(world.center.id)}):
        assert (await world.settlement.put(path, record | extra, If_Match="*")).status_code == 422
    token = (await world.settlement.get(path)).request.headers["Authorization"]
    for method in ("PATCH", "DELETE", "POST"):
        refused = await world.http.request(method, path, headers={"Authorization": token}, json={})
        assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
        assert set(refused.headers["allow"].replace(" ", "").split(",")) >= {"GET"}
    assert (await standing(world.settlement, drafted["id"]))["status"] == "draft"


async def test_an_absent_and_a_foreign_handover_answer_alike(world: World) -> None:
    drafted = await world.draft()
    absent = "01930000-0000-7000-8000-00000000dead"
    foreign = await world.other.get(f"/v1/handovers/{drafted['id']}", X_Request_Id="same")
    nothing = await world.other.get(f"/v1/handovers/{absent}", X_Request_Id="same")
    assert foreign.content == nothing.content
    assert sorted(foreign.headers) == sorted(nothing.headers)


async def test_a_refusal_says_whose_step_it_is(world: World) -> None:
    offered = await world.offered()
    for who, action, party in ((world.center, "offer", "提供元"), (world.settlement, "accept", "提供先")):
        problem = (await take(who, world, offered["id"], action)).json()
        assert party in problem["detail"]


def shown(node: Any) -> Iterator[dict[str, Any]]:
    """Every example of a handover that says what may be done with it."""
    states = isinstance(node, dict) and {"status", "handoverStatus"} & set(node)
    if states and isinstance(node.get("availableActions"), list):
        yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from shown(item)


def test_the_examples_of_the_contract_show_what_the_table_says(services: Services) -> None:
    files = [json.loads(path.read_text()) for path in sorted(EXAMPLES.rglob("valid/*.json"))]
    examples = [one for document in (services.contract.openapi, *files) for one in shown(document)]
    assert len(examples) > 20
    for one in examples:
        sides = TABLE[one.get("handoverStatus", one["status"])]
        closed = {action for action in sides[RECEIVER] if action == "decline"}
        possible = [set(sides[SENDER]), set(sides[RECEIVER]), closed]
        if "windowOpen" in one:
            incoming = set(sides[RECEIVER]) if one["windowOpen"] else closed
            possible = [incoming if one["direction"] == "incoming" else set(sides[SENDER])]
        assert set(one["availableActions"]) in possible, one
