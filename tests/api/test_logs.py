"""What the operator sees of requests: enough to find them again, nothing about people."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from tests.conftest import silent_logs
from tests.crowd import accept, offer, record_of
from tests.ledger.entries import personal
from tests.owner import owner
from tests.world import World
from tsunagi import logs
from tsunagi.web.site import pages
from tsunagi.webhooks.rules import DeliveryStatus, Outcome

MEMBERS = {
    "event",
    "level",
    "timestamp",
    "request_id",
    "operation",
    "client",
    "organization",
    "method",
    "status",
    "milliseconds",
}

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """The log as the service writes it: the lines since it was last read."""
    written = io.StringIO()
    handlers, level = logging.root.handlers[:], logging.root.level
    with monkeypatch.context() as here:
        here.setattr("sys.stderr", written)
        logs.configure("json")

    def read() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in written.getvalue().splitlines()]
        written.seek(0)
        written.truncate()
        return found

    yield read
    silent_logs()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


async def test_a_request_is_one_line_with_its_id_its_operation_and_who_asked(
    world: World, lines: Lines
) -> None:
    offered = await offer(world)
    lines()
    answer = await world.center.get(f"/v1/handovers/{offered['id']}", X_Request_Id="from-the-vendor-1")
    assert answer.headers["x-request-id"] == "from-the-vendor-1"
    (line,) = lines()
    assert line.keys() == MEMBERS
    assert line["event"] == "request"
    assert line["request_id"] == "from-the-vendor-1"
    assert line["operation"] == "getHandover"
    assert line["client"] == "test-software"
    assert line["organization"] == str(world.center.id)
    assert (line["method"], line["status"]) == ("GET", 200)


async def test_whoever_is_not_let_in_leaves_no_trace_of_somebody_else(world: World, lines: Lines) -> None:
    await world.center.get("/v1/handovers")
    lines()
    await world.http.get("/v1/handovers", headers={"Authorization": "Bearer forged"})
    (line,) = lines()
    assert line["status"] == 401
    assert "organization" not in line


async def test_a_whole_journey_and_its_refusals_tell_nothing_about_the_person(
    world: World, lines: Lines
) -> None:
    record = record_of(world, 0)
    offered = await accept(world, await offer(world))
    path, person = f"/v1/handovers/{offered['id']}", f"/v1/people/{offered['personId']}"
    identity = record["sections"]["identity"]
    kana = {name: identity[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
    await world.settlement.post("/v1/people/match", {"kana": kana})
    await world.settlement.post("/v1/people", {"identity": identity})
    await world.center.post(
        f"{path}/decline", {"reason": {"code": "capacity", "text": identity["givenName"]}}
    )
    await world.other.get(f"{person}/responsibility?asOf=1994-07-21")
    await world.settlement.post("/v1/handovers", record | {identity["familyName"]: identity["email"]})
    await world.settlement.get(f"/v1/handovers?{identity['familyNameKana']}={identity['phone']}")
    await world.http.get(f"/{identity['email']}")
    whole = [json.dumps(line, ensure_ascii=False) for line in lines()]
    assert len(whole) > 10
    told = personal(record) | {identity["birthDate"]}
    told |= {offered["id"], offered["personId"], offered["consentId"]}
    for line in whole:
        assert not {one for one in told if one in line}, line


async def test_a_fault_is_logged_with_its_place_and_without_what_was_submitted(
    world: World, lines: Lines
) -> None:
    record = record_of(world, 0)
    async with owner(world.services.db) as tx:
        await tx.execute(text("ALTER TABLE record_sections RENAME COLUMN document TO text"))
    lines()
    answer = await world.settlement.post("/v1/handovers", record)
    assert answer.status_code == 500
    assert answer.json().keys() <= {"type", "title", "status", "code", "responsibleParty", "requestId"}
    fault, request = lines()
    assert (fault["event"], request["status"]) == ("unhandled", 500)
    assert fault["request_id"] == request["request_id"] == answer.json()["requestId"]
    assert any(where.startswith("api/idempotency.py:") for where in fault["where"])
    written = json.dumps([fault, request], ensure_ascii=False)
    assert not {one for one in personal(record) if one in written}


async def break_a_record(world: World, handover_id: str) -> None:
    async with world.services.db.platform() as tx:
        await tx.execute(
            text("UPDATE record_versions SET warnings = '{}{' WHERE handover_id = :id"), {"id": handover_id}
        )


async def test_an_answer_that_breaks_off_is_logged_and_counted(
    world: World, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tsunagi.disclosure.actions.EXPORT_BATCH", 1)
    _, broken = await offer(world, 1), await offer(world, 2)
    await break_a_record(world, broken["id"])
    lines()
    before = requests("exportHandovers", "200")
    answer = await world.center.get("/v1/handovers/export")
    assert len(answer.text.splitlines()) == 1
    fault, request = (line for line in lines() if "request_id" in line)
    assert (fault["event"], fault["kind"]) == ("unhandled", "JSONDecodeError")
    assert any(where.startswith("disclosure/actions.py:") for where in fault["where"])
    assert (request["operation"], request["status"]) == ("exportHandovers", 200)
    assert requests("exportHandovers", "200") == before + 1


async def test_an_export_that_fails_before_its_first_line_is_a_problem(world: World) -> None:
    await break_a_record(world, (await offer(world))["id"])
    answer = await world.center.get("/v1/handovers/export")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


def requests(operation: str, status: str) -> float:
    labels = {"operation": operation, "status": status}
    return REGISTRY.get_sample_value("tsunagi_requests_total", labels) or 0.0


async def test_requests_are_counted_by_operation_and_status(world: World) -> None:
    offered = await world.offered()
    before = requests("getHandover", "200"), requests("getHandover", "404")
    await world.center.get(f"/v1/handovers/{offered['id']}")
    await world.other.get(f"/v1/handovers/{offered['id']}")
    assert (requests("getHandover", "200"), requests("getHandover", "404")) == (before[0] + 1, before[1] + 1)
    nowhere = requests("-", "404")
    await world.http.get(f"/v1/nothing/{offered['id']}")
    assert requests("-", "404") == nowhere + 1


async def test_no_label_of_a_metric_holds_an_id(world: World) -> None:
    offered = await accept(world, await offer(world))
    values = {
        value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        for name, value in sample.labels.items()
        if metric.name.startswith("tsunagi") and name != "le"
    }
    assert {"acceptHandover", "createConsent"} <= values
    assert not values & {offered["id"], offered["personId"]}
    codes = {"-", "changed", "no_key", *get_args(Outcome), *get_args(DeliveryStatus)}
    operations = set(world.services.contract.operations) | {f"{one.method} {one.path}" for one in pages.all}
    operations.add("GET -")  # a page that is nowhere
    assert {value for value in values if not value.isdigit()} <= operations | codes
