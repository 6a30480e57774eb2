"""The edge between HTTP and the rooms: a route exists only as the contract has it, and a request reaches its
handler only after the contract's checks.

The order for every request: token → scope → limits → parameters → body → handler. What the handler acknowledges it has
committed before it returns: transactions are opened and closed inside handlers, never around the answer.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from fastapi import Request
from fastapi.responses import Response

from tsunagi.api.identity import identify
from tsunagi.api.limits import Limits
from tsunagi.api.oauth import TokenEndpoint
from tsunagi.api.reading import checked_body, read_body, read_parameters
from tsunagi.api.routing import ContractRoute, Endpoint
from tsunagi.auth.actions import Gate
from tsunagi.auth.rules import Caller, Scope
from tsunagi.auth.tokens import AccessTokens
from tsunagi.clock import Clock
from tsunagi.contract import Contract, Operation
from tsunagi.db import Acting, Database
from tsunagi.errors import (
    NotFound,
    Refusal,
)
from tsunagi.handovers import store as handovers
from tsunagi.handovers.steps import By
from tsunagi.ids import HandoverId
from tsunagi.layout.shapes import Shapes
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Entry, Record
from tsunagi.openid.actions import Ways
from tsunagi.paper.printing import Printer
from tsunagi.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers work with; one per process."""

    settings: Settings
    contract: Contract
    db: Database
    clock: Clock
    tokens: AccessTokens
    token_endpoint: TokenEndpoint
    gate: Gate
    limits: Limits
    match_secret: bytes
    printer: Printer
    shapes: Shapes
    openid: Ways


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed the contract."""

    services: Services
    operation: Operation
    request: Request
    request_id: str
    at: datetime
    parameters: Mapping[str, Any]
    """By name, as the contract types them: integers, booleans, lists, strings; defaults filled in."""
    raw: bytes
    body: Any
    identified: Caller | None

    @property
    def caller(self) -> Caller:
        assert self.identified is not None, "the contract gives this operation a scope"
        return self.identified

    @property
    def by(self) -> By:
        return By(self.caller, self.at, self.request_id)

    @property
    def acting(self) -> Acting:
        return self.by.acting

    @property
    def overseeing(self) -> Acting:
        """For looking at timelines and findings, also of the organization's remit."""
        return replace(self.by.acting, overseeing=True)

    @property
    def overseeing_many(self) -> Acting:
        """The same, for what is asked of a whole area or remit in one statement."""
        return replace(self.overseeing, of_many=True)

    def id(self, name: str) -> UUID:
        return UUID(self.parameters[name])


Handler = Callable[[Call], Awaitable[Response]]


class Routes:
    """Handlers by operation id. Method, path, scope and schemas are the contract's to say."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}

    def operation(self, operation_id: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            if operation_id in self.handlers:
                raise ValueError(f"{operation_id} has two handlers")
            self.handlers[operation_id] = handler
            return handler

        return register

    def route(self, services: Services) -> ContractRoute:
        """All operations of the contract, served.

        Raises ValueError when an operation has no handler, a handler no operation, or a /v1 operation no scope.
        """
        operations = services.contract.operations
        if self.handlers.keys() != operations.keys():
            raise ValueError(
                f"contract and handlers differ: {sorted(self.handlers.keys() ^ operations.keys())}"
            )
        for operation in operations.values():
            if operation.path.startswith("/v1/") and operation.scope not in set(Scope):
                raise ValueError(f"{operation.id} has no scope")
        return ContractRoute(
            (operation, _endpoint(services, operation, self.handlers[operation.id]))
            for operation in operations.values()
        )


def _endpoint(services: Services, operation: Operation, handler: Handler) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        structlog.contextvars.bind_contextvars(operation=operation.id)
        caller = await identify(services.gate, operation, request)
        return await perform(services, operation, handler, request, caller)

    return endpoint


async def perform(
    services: Services, operation: Operation, handler: Handler, request: Request, caller: Caller | None
) -> Response:
    """The answer to somebody who is known, and whose scopes were looked at. Raises Refusal."""
    at = services.clock.now()
    if caller:
        services.limits.admit(request, operation.id, caller, at)
    parameters = read_parameters(services.contract, operation, request)
    raw = await read_body(operation, request, max_bytes=services.settings.max_body_bytes)
    call = Call(
        services=services,
        operation=operation,
        request=request,
        request_id=request.state.request_id,
        at=at,
        parameters=parameters,
        raw=raw,
        body=checked_body(services.contract, operation, raw),
        identified=caller,
    )
    try:
        return await handler(call)
    except Refusal as refusal:
        if refusal.on_ledger and operation.id in DENIED:
            await _record_denial(call, refusal)
        raise


async def _record_denial(call: Call, refusal: Refusal) -> None:
    """That somebody was refused is on the ledger, in a transaction of its own: the refused one is gone."""
    target = next((text for name, text in call.request.path_params.items() if name.endswith("Id")), None)
    kind = _kind(call.operation)
    async with call.services.db.write(call.acting) as tx:
        # Whose it is stands there only if the caller may know.
        known = kind == "handover" and target and not isinstance(refusal, NotFound)
        handover = await handovers.find(tx, HandoverId(UUID(target))) if known else None
        entry = Entry(
            action=DENIED[call.operation.id],
            at=call.at,
            actor=call.caller.actor(call.request_id),
            outcome="deny",
            stream=handover.stream if handover else None,
            record=Record(kind, target) if target else None,
            code=refusal.code,
        )
        await ledger.append(tx, entry)


def _kind(operation: Operation) -> Any:
    return {
        "People": "person",
        "Responsibility": "person",
        "Disclosures": "person",
        "Consents": "consent",
    }.get(operation.tag, "handover")


def entity_tags(header: str | None) -> Iterator[str]:
    """The entity tags of an If-Match or If-None-Match header (RFC 9110 section 13.1), weak ones made strong."""
    for tag in (header or "").split(","):
        yield tag.strip().removeprefix("W/")


DENIED: dict[str, Any] = {
    "registerPerson": "people:register",
    "matchPerson": "people:match",
    "getResponsibility": "responsibility:read",
    "getMilestones": "responsibility:read",
    "getResponsibilityChanges": "responsibility:read",
    "correctResponsibility": "responsibility:correct",
    "endResponsibility": "responsibility:end",
    "listFindings": "findings:read",
    "listDisclosures": "disclosures:read",
    "getPersonReport": "people:report",
    "createConsent": "consents:give",
    "getConsent": "consents:read",
    "listConsents": "consents:read",
    "withdrawConsent": "consents:withdraw",
    "createHandover": "handovers:create",
    "listSharingGuidelines": "guidelines:read",
    "getFeeReductionEvidence": "evidence:read",
    "getHandover": "handovers:read",
    "getHandoverVersion": "handovers:read",
    "listActivities": "handovers:read_activities",
    "recordActivity": "handovers:record_activity",
    "withdrawActivity": "handovers:withdraw_activity",
    "getReceipt": "ledger:read",
    "listLedgerEntries": "ledger:read",
    "amendHandover": "handovers:amend",
    "assignHandover": "handovers:assign",
    "offerHandover": "handovers:offer",
    "openHandover": "handovers:open",
    "withdrawHandover": "handovers:withdraw",
    "receiveHandover": "handovers:receive",
    "acceptHandover": "handovers:accept",
    "declineHandover": "handovers:decline",
    "returnHandover": "handovers:return",
}
"""Under which action a refused operation is on the ledger."""
