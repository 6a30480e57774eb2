"""The client and the contract say the same: operations, parameters, problems, documents, codes."""

import ast
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from joserfc.jwk import ECKey

from tsunagi_client import (
    AsyncTsunagi,
    Tsunagi,
    activity_models,
    codes,
    consent_models,
    ledger,
    models,
    provision_models,
    report_models,
    responsibility,
    webhooks,
)
from tsunagi_client._operations import Group, Listing, Operation
from tsunagi_client._tokens import ASSERTION_TYPE
from tsunagi_client.errors import PROBLEMS, ProblemError

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "clients" / "python" / "src").rglob("*.py"))
CONTRACT: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text())
COMMON_HEADERS = {"accept", "accept-language", "content-type"}
WITHOUT_KEY = {"matchPerson", "withdrawConsent"}
"""POSTs that the contract has a repetition not change, so that they need no Idempotency-Key."""

ARGUMENTS: dict[str, Any] = {
    "record": {"a": 1},
    "consent": {"a": 1},
    "guideline": {"a": 1},
    "activity": {"a": 1},
    "identity": {"a": 1},
    "domains": [{"domain": "employment", "decision": "accept"}],
    "person_in_charge": {"name": "a", "role": "b"},
    "withdrawn_by": {"kind": "person"},
    "sections": ["medical"],
    "distinct_from": ["p-2"],
    "status": ["draft", "offered"],
    "version": 1,
    "page_size": 2,
    "after": 3,
}
"""Something for every parameter of every method; a text for those that are not named."""


def schema(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "schemas" / f"{name}.json").read_text())
    return content


def v1_operations() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path, item in CONTRACT["paths"].items():
        for method in ("get", "put", "post", "delete", "patch"):
            if method in item and path.startswith("/v1/"):
                parameters = [*item.get("parameters", []), *item[method].get("parameters", [])]
                yield item[method]["operationId"], method.upper(), path, item[method] | {"all": parameters}


def methods() -> Iterator[tuple[str, Operation[Any, Any] | Listing[Any, Any]]]:
    for group in Group.__subclasses__():
        for name, member in vars(group).items():
            if isinstance(member, Operation | Listing):
                yield f"{group.__name__}.{name}", member


def declared(operation_id: str, place: str, *, required: bool = False) -> set[str]:
    """Names of the operation's parameters in the query or the headers."""
    operation = next(one for one in v1_operations() if one[0] == operation_id)[3]
    known = [
        CONTRACT["components"]["parameters"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for one in operation["all"]
    ]
    return {one["name"] for one in known if one["in"] == place and (one.get("required") or not required)}


def test_every_operation_has_a_method_and_every_method_an_operation() -> None:
    ours = {(one.endpoint.id, one.endpoint.method, one.endpoint.path) for _, one in methods()}
    assert ours == {(name, method, path) for name, method, path, _ in v1_operations()}


@pytest.mark.parametrize("method", [pytest.param(method, id=name) for name, method in methods()])
def test_a_method_sends_what_its_operation_declares(method: Operation[Any, Any] | Listing[Any, Any]) -> None:
    with Tsunagi("https://tsunagi.example", client_id="c", key=ECKey.generate_key()) as client:
        names = list(inspect.signature(method.asks).parameters)[1:]
        ask = method.asks(None, **{name: ARGUMENTS.get(name, f"{name}-1") for name in names})
        request = client._session.request(method.endpoint, ask)
    operation_id = method.endpoint.id
    query = {key for key, _ in parse_qsl(urlsplit(request.url).query)}
    headers = {key.lower() for key in request.headers} - COMMON_HEADERS
    known = {key.lower() for key in declared(operation_id, "header")}
    assert query <= declared(operation_id, "query")
    assert headers <= known
    assert {key.lower() for key in declared(operation_id, "header", required=True)} <= headers
    if isinstance(method, Listing):
        assert query | {"cursor"} >= declared(operation_id, "query")
    if request.method == "POST":
        assert ("idempotency-key" in headers) is (operation_id not in WITHOUT_KEY)
    assert (request.content is not None) is (request.method in ("POST", "PUT"))


def test_both_faces_have_the_same_groups() -> None:
    assert get_type_hints(Tsunagi).keys() == get_type_hints(AsyncTsunagi).keys()
    groups = {get_origin(hint) for hint in get_type_hints(Tsunagi).values()}
    assert groups == set(Group.__subclasses__())


def test_there_is_a_class_for_every_problem_code() -> None:
    assert PROBLEMS.keys() == set(schema("problem")["$defs"]["problemCode"]["enum"])
    assert all(issubclass(kind, ProblemError) and kind.code == code for code, kind in PROBLEMS.items())


def test_every_extension_of_a_problem_is_a_property_of_its_class() -> None:
    extensions = schema("problem")["properties"].keys() - {
        *("type", "title", "status", "detail", "code", "responsibleParty", "requestId", "errors")
    }
    properties = {
        "".join(part.capitalize() if index else part for index, part in enumerate(name.split("_")))
        for kind in PROBLEMS.values()
        for name, member in inspect.getmembers(kind)
        if isinstance(member, property)
    }
    assert properties == extensions


DOCUMENTS = {
    models.Handover: schema("handover"),
    models.HandoverNotice: schema("handover-notice"),
    models.HandoverSummary: schema("handover-summary"),
    models.AcceptedDomain: schema("handover-summary")["properties"]["accepted"]["items"],
    models.HandoverStatus: schema("handover-status"),
    models.HandoverDomain: schema("handover-domain"),
    models.DomainAnswer: schema("acceptance")["$defs"]["answer"],
    models.PersonInCharge: schema("acceptance")["$defs"]["personInCharge"],
    models.Reason: schema("reason")["$defs"]["decline"],
    models.RuleWarning: schema("warning"),
    models.Validation: schema("validation"),
    activity_models.Activity: schema("activity-resource"),
    activity_models.ActivityList: CONTRACT["components"]["schemas"]["ActivityList"],
    activity_models.EmployerWindow: schema("employer-window"),
    activity_models.WindowStatement: schema("employer-window")["$defs"]["statement"],
    models.Person: schema("person"),
    models.PersonCandidate: schema("person-candidate"),
    consent_models.Consent: schema("consent-resource"),
    consent_models.ConsentList: CONTRACT["components"]["schemas"]["ConsentList"],
    consent_models.Giver: schema("consent")["properties"]["givenBy"],
    consent_models.LegalException: schema("consent")["properties"]["legalException"],
    models.Responsibility: schema("responsibility"),
    models.Chain: schema("responsibility")["$defs"]["chain"],
    models.Segment: schema("responsibility")["$defs"]["segment"],
    models.Support: schema("responsibility")["$defs"]["support"],
    models.Holder: schema("responsibility")["$defs"]["holder"],
    responsibility.ResponsibilityChange: schema("responsibility-change"),
    responsibility.DomainDifference: schema("responsibility-change")["$defs"]["difference"],
    responsibility.HolderChange: schema("responsibility-change")["$defs"]["holders"]["items"],
    responsibility.ResponsibilityChanges: CONTRACT["components"]["schemas"]["ResponsibilityChanges"],
    responsibility.AreaResponsibility: schema("area-responsibility"),
    responsibility.AreaTotal: schema("area-responsibility")["$defs"]["total"],
    responsibility.PersonHoldings: schema("area-responsibility")["$defs"]["person"],
    responsibility.Holding: schema("area-responsibility")["$defs"]["holding"],
    models.Milestone: schema("milestone"),
    models.MilestoneList: CONTRACT["components"]["schemas"]["MilestoneList"],
    report_models.Disclosure: schema("disclosure"),
    report_models.PersonReport: schema("person-report"),
    report_models.Office: schema("person-report")["$defs"]["office"],
    report_models.InCharge: schema("person-report")["$defs"]["responsible"],
    report_models.ReportedConsent: schema("person-report")["$defs"]["consent"],
    report_models.Coming: schema("person-report")["$defs"]["coming"],
    report_models.ReportTexts: schema("person-report")["properties"]["texts"],
    models.Finding: schema("finding"),
    provision_models.Provision: schema("provision"),
    provision_models.SharingGuideline: schema("sharing-guideline-resource"),
    provision_models.FeeReductionEvidence: schema("fee-reduction-evidence"),
    provision_models.ProvisionParty: schema("provision")["$defs"]["party"],
    models.Evidence: schema("finding")["properties"]["evidence"]["items"],
    models.Organization: schema("organization"),
    models.Succession: schema("organization")["properties"]["successions"]["items"],
    models.OrganizationRef: schema("organization")["$defs"]["reference"],
    models.Identifier: schema("organization")["$defs"]["identifier"],
    models.Area: schema("area"),
    models.AreaRules: schema("area")["properties"]["rules"],
    models.Event: schema("event"),
    webhooks.Webhook: schema("webhook-resource"),
    webhooks.Delivery: schema("webhook-delivery"),
    webhooks.Attempt: schema("webhook-delivery")["properties"]["lastAttempt"],
    ledger.LedgerEntry: schema("ledger-entry"),
    ledger.Receipt: schema("receipt"),
    ledger.ReceiptStep: schema("receipt")["$defs"]["step"],
    models.LocalizedText: schema("common")["$defs"]["localizedText"],
    models.ServiceCode: schema("common")["$defs"]["serviceCode"],
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.__name__)
def test_a_document_has_the_members_of_its_schema(document: Any) -> None:
    described = DOCUMENTS[document]
    assert document.__required_keys__ == set(described["required"])
    assert document.__optional_keys__ == described["properties"].keys() - set(described["required"])


def test_the_codes_are_those_of_the_schemas() -> None:
    common = schema("common")["$defs"]
    offer = schema("handover-record")["$defs"]["domainOffer"]["properties"]
    reason = schema("reason")["$defs"]
    expected = {
        "Section": common["section"],
        "Domain": common["domain"],
        "Role": common["role"],
        "SenderRoleAfter": offer["senderRoleAfter"],
        "HandoverType": common["handoverType"],
        "Status": common["handoverStatus"],
        "Action": schema("handover-status")["$defs"]["action"],
        "Direction": schema("handover-summary")["properties"]["direction"],
        "Party": schema("problem")["$defs"]["responsibleParty"],
        "Decision": schema("handover-domain")["properties"]["decision"],
        "ActivityKind": schema("activity")["$defs"]["activityKind"],
        "Side": schema("activity-resource")["properties"]["side"],
        "DeclineCode": reason["decline"]["properties"]["code"],
        "ReturnCode": reason["return"]["properties"]["code"],
        "WithdrawCode": reason["withdraw"]["properties"]["code"],
        "OrganizationKind": common["organizationKind"],
        "FindingKind": schema("finding")["$defs"]["findingKind"],
        "CorrectionCode": schema("responsibility-correction")["$defs"]["correctionCode"],
        "EndCode": schema("responsibility-end")["$defs"]["endCode"],
        "VersionReason": schema("responsibility-change")["$defs"]["versionReason"],
        "MilestoneKind": schema("milestone")["$defs"]["milestoneKind"],
        "EventType": schema("event")["$defs"]["eventType"],
        "Basis": offer["basis"],
        "WithheldReason": schema("handover")["$defs"]["withheldReason"],
        "DisclosureGround": schema("disclosure")["properties"]["ground"],
    }
    ours = {name: get_args(kind) for name, kind in vars(codes).items() if get_origin(kind) is Literal}
    assert ours == {name: tuple(described["enum"]) for name, described in expected.items()}


def test_the_assertion_type_is_the_contracts() -> None:
    form = CONTRACT["components"]["schemas"]["TokenRequest"]["properties"]
    assert form["client_assertion_type"]["enum"] == [ASSERTION_TYPE]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_client_never_imports_the_service(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert "tsunagi" not in {name.partition(".")[0] for name in imported}
