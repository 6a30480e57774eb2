"""The application is the contract's, and five ways of drifting apart are seen: each test that a drift turns red is
shown to turn red."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest

from tests.contract import drift
from tests.world import World, check_answer, settlement_record
from tsunagi.api.edge import Services
from tsunagi.api.problems import STATUS
from tsunagi.app import create_app
from tsunagi.auth.rules import Scope
from tsunagi.consent.rules import ExceptionCode
from tsunagi.contract import BASE_URI, Contract
from tsunagi.errors import Refusal
from tsunagi.handovers.rules import ACTIONS, Decision, Status
from tsunagi.notifications.store import EventType
from tsunagi.oversight.rules import FindingKind
from tsunagi.provisions.rules import Acquisition, Means, WithholdingRule
from tsunagi.provisions.rules import Role as ProvisionRole
from tsunagi.records.view import RecordView
from tsunagi.responsibility.rules import Basis, Domain, Role
from tsunagi.webhooks.rules import DeliveryStatus, Outcome, WebhookStatus

ROOT = Path(__file__).parents[2]
SCHEMAS = f"{BASE_URI}schemas"
STATED: dict[str, Any] = {
    f"{SCHEMAS}/common.json#/$defs/handoverStatus": get_args(Status),
    f"{SCHEMAS}/common.json#/$defs/domain": get_args(Domain),
    f"{SCHEMAS}/common.json#/$defs/role": get_args(Role),
    f"{SCHEMAS}/handover-status.json#/$defs/action": ACTIONS,
    f"{SCHEMAS}/handover-domain.json#/properties/decision": (*get_args(Decision), "pending"),
    f"{SCHEMAS}/handover-record.json#/$defs/domainOffer/properties/basis": get_args(Basis),
    f"{SCHEMAS}/event.json#/$defs/eventType": get_args(EventType),
    f"{SCHEMAS}/finding.json#/$defs/findingKind": get_args(FindingKind),
    f"{SCHEMAS}/problem.json#/$defs/problemCode": STATUS.keys(),
    f"{SCHEMAS}/provision.json#/properties/role": get_args(ProvisionRole),
    f"{SCHEMAS}/provision.json#/properties/ground": ("consent", *get_args(ExceptionCode)),
    f"{SCHEMAS}/provision.json#/properties/acquisition": get_args(Acquisition),
    f"{SCHEMAS}/provision.json#/properties/means": get_args(Means),
    f"{SCHEMAS}/provision.json#/properties/withheldFromPerson": get_args(WithholdingRule),
    f"{SCHEMAS}/consent.json#/properties/legalException/properties/code": get_args(ExceptionCode),
    f"{SCHEMAS}/webhook-resource.json#/$defs/webhookStatus": get_args(WebhookStatus),
    f"{SCHEMAS}/webhook-delivery.json#/$defs/deliveryStatus": get_args(DeliveryStatus),
    f"{SCHEMAS}/webhook-delivery.json#/$defs/outcome": get_args(Outcome),
}


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    folder = ROOT / "schemas" / "examples" / "handover-record"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("valid/*.json"))]


def test_the_applications_operations_equal_the_files(services: Services, contract: Contract) -> None:
    assert drift.routes(create_app(services), contract.openapi) == []


def test_a_renamed_operation_is_seen(services: Services, contract: Contract) -> None:
    renamed = deepcopy(contract.openapi)
    renamed["paths"]["/v1/handovers"]["post"]["operationId"] = "submitHandover"
    assert len(drift.routes(create_app(services), renamed)) == 2


def test_the_view_takes_what_the_schema_takes(records: list[dict[str, Any]]) -> None:
    assert drift.view(RecordView, records) == []


def test_a_stricter_view_is_seen(records: list[dict[str, Any]]) -> None:
    class Stricter(RecordView):
        acquisition_context: int

    assert len(drift.view(Stricter, records)) == len(records)


def test_the_services_code_lists_equal_the_schemas(contract: Contract) -> None:
    assert drift.enums(STATED, contract) == []


def test_a_new_enum_value_is_seen(contract: Contract) -> None:
    grown = STATED | {f"{SCHEMAS}/common.json#/$defs/role": (*get_args(Role), "observer")}
    assert drift.enums(grown, contract) == ["role: ['observer']"]


def test_scopes_equal_the_contracts(contract: Contract) -> None:
    declared = contract.openapi["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"][
        "scopes"
    ]
    assert set(declared) == set(Scope)


def test_every_refusal_has_a_status_and_the_title_of_the_schema(contract: Contract) -> None:
    labels = contract.resolve(f"{SCHEMAS}/problem.json#/$defs/problemCode")["x-enum-labels"]
    refusals = {one.code: one for one in Refusal.__subclasses__()}
    assert refusals.keys() == STATUS.keys()
    for code, refusal in refusals.items():
        assert labels[code] == {"ja": refusal.title.ja, "en": refusal.title.en}


async def test_a_wrong_response_field_is_seen(world: World, contract: Contract) -> None:
    drafted = await world.draft()
    path = f"/v1/handovers/{drafted['id']}"
    answer = await world.settlement.get(path)
    body = answer.json()
    body["state"] = body.pop("status")
    with pytest.raises(AssertionError, match="getHandover 200"):
        check_answer(contract, "GET", path, httpx2.Response(200, json=body, headers={"x-request-id": "x"}))


async def test_what_the_schema_refuses_the_service_refuses(world: World) -> None:
    """A forgotten validation would answer 201."""
    assert await accepts_invalid_record(world) is False


async def test_a_forgotten_validation_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Contract, "check", lambda *_args, **_kwargs: None)
    assert await accepts_invalid_record(world) is True


async def accepts_invalid_record(world: World) -> bool:
    record = settlement_record(world.center.id)
    record["sections"]["support_plan"]["policy"] = ""
    answer = await world.settlement.post("/v1/handovers", record)
    return answer.status_code == 201


async def test_an_undocumented_status_is_seen(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="does not document 418"):
        check_answer(contract, "GET", "/v1/areas", httpx2.Response(418))


async def test_the_bundle_holds_every_schema_and_no_outside_reference(contract: Contract) -> None:
    text = json.dumps(contract.bundle())
    assert '"$ref": "#/components/schemas/handover-record' in text
    assert ".json#" not in text
    assert '"$ref": "./' not in text


def test_a_v1_operation_without_a_scope_cannot_be_registered(services: Services) -> None:
    contract = Contract(ROOT)
    operation = contract.operations["listAreas"]
    contract.operations["listAreas"] = type(operation)(
        **{name: getattr(operation, name) for name in operation.__slots__} | {"scope": None}
    )
    changed = type(services)(
        **{name: getattr(services, name) for name in services.__slots__} | {"contract": contract}
    )
    with pytest.raises(ValueError, match="listAreas has no scope"):
        create_app(changed)


@pytest.mark.parametrize("operation_id", sorted(Contract(ROOT).operations))
async def test_every_v1_operation_without_a_token_answers_401(world: World, operation_id: str) -> None:
    operation = world.services.contract.operations[operation_id]
    path = operation.path.replace("{path}", "common.json")
    for name in ("handoverId", "personId", "consentId", "organizationId"):
        path = path.replace(f"{{{name}}}", "01930000-0000-7000-8000-000000000201")
    answer = await world.http.request(operation.method, path.replace("{version}", "1"))
    assert (answer.status_code == 401) == (operation.scope is not None)
    check_answer(world.services.contract, operation.method, path, answer)
