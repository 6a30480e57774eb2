"""What is sent again gets the same answer; what is only tried leaves nothing behind."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.states import REASONS, take
from tests.world import World, consent_for, settlement_record
from tsunagi.db import Database

ABSENT = "01930000-0000-7000-8000-00000000dead"


async def rows(db: Database) -> dict[str, int]:
    """How many rows each table has."""
    async with db.platform() as tx:
        names = await tx.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        )
        return {name: int(await tx.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0) for name in names}


async def body_for(world: World, path: str) -> dict[str, Any]:
    if path == "/v1/handovers":
        return settlement_record(world.center.id)
    if path == "/v1/people":
        return {"identity": settlement_record(world.center.id)["sections"]["identity"]}
    return consent_for((await world.draft())["personId"], world.center.id)


CREATING = ("/v1/handovers", "/v1/people", "/v1/consents")


@pytest.mark.parametrize("path", CREATING)
async def test_the_same_request_again_gets_the_same_answer(world: World, db: Database, path: str) -> None:
    body = await body_for(world, path)
    first = await world.settlement.post(path, body, Idempotency_Key="once")
    assert first.status_code == 201, first.text
    before = await rows(db)
    world.on("2027-02-01")
    again = await world.settlement.post(path, body, Idempotency_Key="once")
    assert (again.status_code, again.content) == (201, first.content)
    assert (again.headers["idempotency-replayed"], "idempotency-replayed" in first.headers) == ("true", False)
    for name in ("location", "etag"):
        assert again.headers.get(name) == first.headers.get(name)
    assert await rows(db) == before


@pytest.mark.parametrize("path", CREATING)
async def test_the_same_key_with_another_body_is_refused(world: World, path: str) -> None:
    body = await body_for(world, path)
    assert (await world.settlement.post(path, body, Idempotency_Key="once")).status_code == 201
    spaced = json.dumps(body, ensure_ascii=False, indent=3).encode()
    other = await world.settlement.post(path, spaced, Idempotency_Key="once")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_same_key_at_another_operation_is_refused(world: World) -> None:
    drafted = await world.draft()
    body = consent_for(drafted["personId"], world.center.id)
    assert (await world.settlement.post("/v1/consents", body, Idempotency_Key="once")).status_code == 201
    answer = await world.settlement.post(
        "/v1/handovers", settlement_record(world.center.id), Idempotency_Key="once"
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("path", CREATING)
async def test_a_creation_needs_a_key(world: World, path: str) -> None:
    token_only = {"Idempotency-Key": ""}
    answer = await world.settlement.call("POST", path, await body_for(world, path), headers=token_only)
    assert answer.status_code == 400
    sent = world.http.build_request("POST", path, json={})
    sent.headers["Authorization"] = answer.request.headers["Authorization"]
    missing = await world.http.send(sent)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_required")


async def test_each_organization_has_keys_of_its_own(world: World) -> None:
    record = settlement_record(world.center.id)
    ids = {
        (await who.post("/v1/handovers", record, Idempotency_Key="once")).json()["id"]
        for who in (world.settlement, world.transition, world.other)
    }
    assert len(ids) == 3


async def test_a_refusal_does_not_use_the_key_up(world: World) -> None:
    record = settlement_record(world.center.id)
    wrong = record | {"plannedDate": "2027-03-31"}
    for body in (wrong, {}):
        refused = await world.settlement.post("/v1/handovers", body, Idempotency_Key="once")
        assert refused.status_code == 422
    answer = await world.settlement.post("/v1/handovers", record, Idempotency_Key="once")
    assert answer.status_code == 201


async def test_a_repeated_step_is_answered_again_instead_of_refused(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}/decline"
    first = await world.center.post(path, REASONS["decline"], Idempotency_Key="once")
    again = await world.center.post(path, REASONS["decline"], Idempotency_Key="once")
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert (await take(world.center, world, received["id"], "decline")).status_code == 409


async def test_the_key_of_a_step_belongs_to_its_handover(world: World) -> None:
    received = await world.received()
    other = await world.transition.post("/v1/handovers", settlement_record(world.center.id))
    await world.center.post(f"/v1/handovers/{received['id']}/receive", Idempotency_Key="once")
    answer = await world.center.post(f"/v1/handovers/{other.json()['id']}/receive", Idempotency_Key="once")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_dry_run_says_what_would_be_and_keeps_nothing(world: World, db: Database) -> None:
    late = settlement_record(world.center.id)
    late["sections"]["continuing_needs"]["sharedOn"] = "2027-03-01"
    before = await rows(db)
    answer = await world.settlement.post("/v1/handovers?dryRun=true", late, Idempotency_Key="once")
    assert (answer.status_code, answer.json()["valid"]) == (200, True)
    assert [one["code"] for one in answer.json()["warnings"]] == ["sharing.too_late"]
    assert await rows(db) == before
    created = await world.settlement.post("/v1/handovers", late, Idempotency_Key="once")
    assert created.status_code == 201
    assert created.json()["warnings"] == answer.json()["warnings"]


async def test_a_dry_run_refuses_what_would_be_refused(world: World) -> None:
    drafted = await world.draft()
    record = settlement_record(world.center.id)
    for body, status, code in (
        ({}, 422, "schema_invalid"),
        (record | {"plannedDate": "2027-03-31"}, 422, "rule_violated"),
        (record | {"receiverId": ABSENT}, 422, "rule_violated"),
        (record | {"receiverId": str(world.settlement.id)}, 422, "rule_violated"),
        (record | {"personId": ABSENT}, 404, "not_found"),
        (record, 409, "person_already_known"),
    ):
        for query in ("?dryRun=true", ""):
            answer = await world.settlement.post(f"/v1/handovers{query}", body)
            assert (answer.status_code, answer.json()["code"]) == (status, code), (query, answer.text)
    known = record | {"personId": drafted["personId"]}
    assert (await world.settlement.post("/v1/handovers?dryRun=true", known)).status_code == 200


async def test_a_dry_amendment_is_checked_as_a_true_one_and_changes_nothing(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    before = (await world.settlement.get(path)).json()
    record = settlement_record(world.center.id)
    for body, status in (
        (record, 200),
        (record | {"receiverId": str(world.other.id)}, 422),
        (record | {"personId": ABSENT}, 422),
        (record | {"plannedDate": "2027-03-31"}, 422),
    ):
        answer = await world.settlement.put(f"{path}?dryRun=true", body, If_Match="*")
        assert answer.status_code == status, answer.text
    assert (await world.settlement.get(path)).json() == before
    await take(world.settlement, world, received["id"], "withdraw")
    answer = await world.settlement.put(f"{path}?dryRun=true", record, If_Match="*")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
