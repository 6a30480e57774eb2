"""The export: everything the caller may pull, line by line as reading it one by one would give it."""

import json
from typing import Any

from sqlalchemy import text

from tests.api.many import copies
from tests.api.states import take
from tests.world import Organization, World
from tsunagi.db import Database
from tsunagi.disclosure.actions import EXPORT_BATCH


async def lines(who: Organization) -> list[dict[str, Any]]:
    answer = await who.get("/v1/handovers/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == "application/x-ndjson"
    assert answer.text == "" or answer.text.endswith("\n")
    found = [json.loads(line) for line in answer.text.splitlines()]
    validator = who.services.contract.validator("https://tsunagi.example/schemas/handover.json")
    assert [error.message for line in found for error in validator.iter_errors(line)] == []
    return found


async def counted(db: Database, action: str) -> int:
    async with db.platform() as tx:
        query = text("SELECT count(*) FROM ledger_contents WHERE action = :action")
        return int(await tx.scalar(query, {"action": action}) or 0)


async def test_a_line_is_what_reading_the_handover_gives(world: World) -> None:
    received = await world.received()
    answer = await world.center.get("/v1/handovers/export")
    read = await world.center.get(f"/v1/handovers/{received['id']}")
    assert answer.text == read.text + "\n"


async def test_exporting_receives_what_was_on_offer(world: World, db: Database) -> None:
    offered = await world.offered()
    (line,) = await lines(world.center)
    assert (line["id"], line["status"]) == (offered["id"], "received")
    status = await world.settlement.get(f"/v1/handovers/{offered['id']}")
    assert (status.json()["status"], status.json()["receivedAt"]) == ("received", line["receivedAt"])
    assert (await counted(db, "handovers:export"), await counted(db, "handovers:receive")) == (1, 1)
    await lines(world.center)
    assert (await counted(db, "handovers:export"), await counted(db, "handovers:receive")) == (2, 1)
    person = f"/v1/people/{line['personId']}/responsibility"
    assert (await world.center.get(person)).status_code == 200


async def test_the_export_says_line_by_line_what_consent_allows_now(world: World) -> None:
    received = await world.received()
    await world.settlement.post(
        f"/v1/consents/{received['consentId']}/withdraw",
        {"withdrawnBy": {"kind": "person"}, "sections": ["medical"]},
    )
    (line,) = await lines(world.center)
    assert "medical" not in line["record"]["sections"]
    assert {"section": "medical", "reason": "consent_withdrawn"} in line["withheld"]


async def test_what_one_sends_and_what_comes_in_and_is_open_is_exported(world: World) -> None:
    received = await world.received()
    for who in (world.transition, world.other, world.auditor):
        assert await lines(who) == []
    for who in (world.settlement, world.center):
        assert [line["id"] for line in await lines(who)] == [received["id"]]
    await take(world.center, world, received["id"], "decline")
    assert await lines(world.center) == []


async def test_more_than_one_batch_streams_each_handover_once(world: World, db: Database) -> None:
    offered = await world.offered()
    known = {offered["id"], *await copies(db, offered["id"], 2 * EXPORT_BATCH + 52)}
    found = await lines(world.center)
    assert len(found) == 2 * EXPORT_BATCH + 53
    assert {line["id"] for line in found} == known
    assert {line["status"] for line in found} == {"received"}
    assert await counted(db, "handovers:export") == len(found)


async def test_an_early_opened_one_is_exported_before_its_day(world: World) -> None:
    world.on("2026-09-01")
    offered = await world.offered()
    assert await lines(world.center) == []
    await take(world.settlement, world, offered["id"], "open")
    assert [line["id"] for line in await lines(world.center)] == [offered["id"]]
