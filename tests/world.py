"""A small made-up world to test in: organizations with tokens, a clock that moves, and requests that are held to
the contract in both directions."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from tsunagi.api.edge import Services
from tsunagi.auth.rules import Caller, Scope
from tsunagi.contract import BASE_URI, Contract, Operation
from tsunagi.ids import ClientId, OrganizationId

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "schemas" / "examples"
SECTIONS = (
    "identity",
    "disability",
    "medical",
    "assessment",
    "employment",
    "employer_contacts",
    "support_plan",
    "support_history",
    "continuing_needs",
    "handover_plan",
)
"""All but the family's, which needs a consent of its own."""


def example(path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EXAMPLES / path).read_text())
    return content


def settlement_record(receiver: OrganizationId, **changes: Any) -> dict[str, Any]:
    """A complete record of a person whose settlement support ends on 2027-03-31."""
    record = deepcopy(example("handover-record/valid/settlement-to-center.json"))
    record["receiverId"] = str(receiver)
    record.pop("personId", None)
    return record | changes


def consent_for(person_id: str, *recipients: OrganizationId, **changes: Any) -> dict[str, Any]:
    return {
        "personId": person_id,
        "subject": "person",
        "recipientIds": [str(recipient) for recipient in recipients],
        "sections": list(SECTIONS),
        "purpose": "就労定着支援の終了に伴う引継ぎのため",
        "from": "2026-01-01",
        "to": "2031-01-01",
        "givenBy": {"kind": "person"},
        "givenOn": "2026-01-01",
        "method": "paper",
        "evidenceHash": "ab" * 32,
        "explainedBy": {"name": "試験 花子", "role": "サービス管理責任者"},
    } | changes


@dataclass
class Organization:
    """One organization's voice: requests carry its token, answers are checked against the contract."""

    id: OrganizationId
    http: httpx2.AsyncClient
    services: Services
    scopes: frozenset[Scope] = frozenset(Scope)

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        caller = Caller(self.id, ClientId("test-software"), self.scopes)
        token = self.services.tokens.issue(caller, datetime.now(UTC), jkt=None)
        sent = {"Authorization": f"Bearer {token}"} | dict(headers or {})
        if method == "POST" and "Idempotency-Key" not in sent:
            sent["Idempotency-Key"] = str(uuid4())
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            sent.setdefault("Content-Type", "application/json")
        response = await self.http.request(method, path, content=content, headers=sent)
        check_answer(self.services.contract, method, path, response)
        return response

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.call(
            "GET", path, headers={name.replace("_", "-"): v for name, v in headers.items()}
        )

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        return await self.call(
            "POST", path, body, headers={name.replace("_", "-"): v for name, v in headers.items()}
        )

    async def put(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        return await self.call(
            "PUT", path, body, headers={name.replace("_", "-"): v for name, v in headers.items()}
        )


@dataclass
class World:
    services: Services
    http: httpx2.AsyncClient
    transition: Organization
    settlement: Organization
    center: Organization
    other: Organization
    auditor: Organization

    def on(self, day: str) -> None:
        """It is nine in the morning of that day in Japan."""
        self.services.clock.move_to_date(date.fromisoformat(day))

    async def draft(self, **changes: Any) -> dict[str, Any]:
        """A draft from the settlement provider to the center."""
        record = settlement_record(self.center.id, **changes)
        response = await self.settlement.post("/v1/handovers", record)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def consented(self, **changes: Any) -> dict[str, Any]:
        """A draft whose person has consented."""
        drafted = await self.draft()
        consent = consent_for(drafted["personId"], self.center.id, **changes)
        response = await self.settlement.post("/v1/consents", consent)
        assert response.status_code == 201, response.text
        return drafted | {"consentId": response.json()["id"]}

    async def offered(self, **changes: Any) -> dict[str, Any]:
        drafted = await self.consented(**changes)
        response = await self.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
        assert response.status_code == 200, response.text
        return drafted | response.json()

    async def received(self, **changes: Any) -> dict[str, Any]:
        """Read by the center, whose window is open."""
        offered = await self.offered(**changes)
        response = await self.center.get(f"/v1/handovers/{offered['id']}")
        assert response.json()["status"] == "received", response.text
        return offered | response.json()

    async def accepted(self, **changes: Any) -> dict[str, Any]:
        received = await self.received(**changes)
        answers = [{"domain": one["domain"], "decision": "accept"} for one in received["domains"]]
        response = await self.center.post(f"/v1/handovers/{received['id']}/accept", {"domains": answers})
        assert response.status_code == 200, response.text
        return received | response.json()


def operation_at(contract: Contract, method: str, path: str) -> Operation | None:
    """The operation that a request meets; literal paths come before templates."""
    parts = path.partition("?")[0].strip("/").split("/")
    candidates = sorted(contract.operations.values(), key=lambda one: "{" in one.path)
    for operation in candidates:
        template = operation.path.strip("/").split("/")
        if operation.method != method or len(template) != len(parts):
            continue
        if all(a == b or a.startswith("{") for a, b in zip(template, parts, strict=True)):
            return operation
    return None


def check_answer(contract: Contract, method: str, path: str, response: httpx2.Response) -> None:
    """The status is documented, the media type is the documented one, and the body fits its schema."""
    operation = operation_at(contract, method, path)
    assert operation is not None, f"{method} {path} is not in the contract"
    declared = operation.responses.get(str(response.status_code))
    assert declared is not None, (
        f"{operation.id} does not document {response.status_code}: {response.text[:2000]}"
    )
    assert "x-request-id" in response.headers
    pointer = f"{BASE_URI}openapi.yaml#/paths/{operation.path.replace('/', '~1')}/{method.lower()}/responses"
    pointer = f"{pointer}/{response.status_code}"
    if "$ref" in declared:
        pointer = f"{BASE_URI}openapi.yaml{declared['$ref']}"
        declared = contract.resolve(pointer)
    content = declared.get("content")
    if not content:
        assert not response.content
        return
    sent = response.headers["content-type"].partition(";")[0]
    assert sent in content, f"{operation.id} does not document {sent}"
    if "json" in sent and "ndjson" not in sent:
        escaped = sent.replace("/", "~1").replace("+", "%2B")
        uri = f"{pointer.replace('{', '%7B').replace('}', '%7D')}/content/{escaped}/schema"
        faults = [error.message for error in contract.validator(uri).iter_errors(response.json())]
        assert not faults, f"{operation.id} {response.status_code}: {faults[:5]}"
