"""The edge between HTTP and the rooms: a route exists only as the contract has it, and a request reaches its
handler only after the contract's checks.

The order for every request: token → scope → parameters → body → handler. What the handler acknowledges it has
committed before it returns: transactions are opened and closed inside handlers, never around the answer.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from tsunagi.auth.actions import Gate
from tsunagi.auth.rules import Caller, Scope
from tsunagi.auth.tokens import AccessTokens
from tsunagi.clock import Clock
from tsunagi.contract import Contract, Operation, Parameter
from tsunagi.db import Database
from tsunagi.errors import (
    BodyTooLarge,
    IdempotencyKeyRequired,
    InvalidParameter,
    NotFound,
    Party,
    PreconditionRequired,
    Refusal,
    SchemaInvalid,
    ScopeMissing,
    Text,
    Unauthenticated,
    UnsupportedMediaType,
)
from tsunagi.handovers import store as handovers
from tsunagi.handovers.steps import By
from tsunagi.ids import HandoverId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Entry, Record
from tsunagi.settings import Settings
from tsunagi.strict_json import parse

FORM = "application/x-www-form-urlencoded"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_MISSING: dict[str, type[Refusal]] = {
    "Idempotency-Key": IdempotencyKeyRequired,
    "If-Match": PreconditionRequired,
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers work with; one per process."""

    settings: Settings
    contract: Contract
    db: Database
    clock: Clock
    tokens: AccessTokens
    gate: Gate
    match_secret: bytes


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

    def mount(self, router: APIRouter, services: Services) -> None:
        """All operations of the contract are served.

        Raises ValueError when an operation has no handler, a handler no operation, or a /v1 operation no scope.
        """
        operations = services.contract.operations
        if self.handlers.keys() != operations.keys():
            raise ValueError(
                f"contract and handlers differ: {sorted(self.handlers.keys() ^ operations.keys())}"
            )
        for operation in sorted(operations.values(), key=lambda one: ("{" in one.path, one.path)):
            if operation.path.startswith("/v1/") and operation.scope not in set(Scope):
                raise ValueError(f"{operation.id} has no scope")
            router.add_api_route(
                operation.path.replace("{path}", "{path:path}"),
                _endpoint(services, operation, self.handlers[operation.id]),
                methods=[operation.method],
                operation_id=operation.id,
                tags=[operation.tag],
                response_model=None,
            )


def _endpoint(
    services: Services, operation: Operation, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        structlog.contextvars.bind_contextvars(operation=operation.id)
        caller = await _identify(services, operation, request)
        parameters = read_parameters(services.contract, operation, request)
        raw = await _read_body(services, operation, request)
        call = Call(
            services=services,
            operation=operation,
            request=request,
            request_id=request.state.request_id,
            at=services.clock.now(),
            parameters=parameters,
            raw=raw,
            body=_checked_body(services.contract, operation, raw),
            identified=caller,
        )
        try:
            return await handler(call)
        except Refusal as refusal:
            if refusal.on_ledger and operation.id in DENIED:
                await _record_denial(call, refusal)
            raise

    return endpoint


async def _identify(services: Services, operation: Operation, request: Request) -> Caller | None:
    if operation.scope is None:
        return None
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Unauthenticated(
            Text(
                "Authorization: Bearer でアクセストークンを送ってください",
                "Send an access token as Authorization: Bearer",
            )
        )
    caller = await services.gate.caller(token.strip(), datetime.now(UTC))
    structlog.contextvars.bind_contextvars(client=caller.client_id, organization=str(caller.organization_id))
    if operation.scope not in caller.scopes:
        raise ScopeMissing(Text(f"必要な権限: {operation.scope}", f"Scope needed: {operation.scope}"))
    return caller


def read_parameters(contract: Contract, operation: Operation, request: Request) -> dict[str, Any]:
    """The declared parameters of a request.

    Raises InvalidParameter, also for a query parameter that the operation does not have;
    IdempotencyKeyRequired or PreconditionRequired for those headers.
    """
    declared = {parameter.name for parameter in operation.parameters if parameter.location == "query"}
    sent = [name for name, _ in request.query_params.multi_items()]
    if not set(sent) <= declared or len(set(sent)) != len(sent):
        names = ", ".join(sorted(declared)) or "-"
        raise InvalidParameter(
            Text(
                f"知らない、または重複したクエリです（使えるもの: {names}）",
                f"A query parameter is unknown or repeated (known: {names})",
            )
        )
    found: dict[str, Any] = {}
    for parameter in operation.parameters:
        text = _sources(request)[parameter.location].get(parameter.name)
        if text is not None:
            found[parameter.name] = _typed(contract, parameter, text)
        elif parameter.required:
            raise _MISSING.get(parameter.name, InvalidParameter)
        elif parameter.default is not None:
            found[parameter.name] = parameter.default
    return found


def _sources(request: Request) -> Mapping[str, Mapping[str, str]]:
    return {"path": request.path_params, "query": request.query_params, "header": request.headers}


def _typed(contract: Contract, parameter: Parameter, text: str) -> Any:
    value: Any = text
    if parameter.type == "integer" and _INTEGER.fullmatch(text):
        value = int(text)
    elif parameter.type == "boolean" and text in ("true", "false"):
        value = text == "true"
    elif parameter.type == "array":
        value = text.split(",")
    try:
        contract.check(parameter.uri, value, party="client")
    except SchemaInvalid as invalid:
        raise InvalidParameter(
            errors=tuple(replace(one, pointer="", parameter=parameter.name) for one in invalid.errors)
        ) from None
    return value


async def _read_body(services: Services, operation: Operation, request: Request) -> bytes:
    """The body, as soon as it is known to be neither too large nor of a type nobody asked for."""
    limit = services.settings.max_body_bytes if operation.body else 0
    length = request.headers.get("content-length", "0")
    if operation.body and length.isdigit() and int(length) > limit:
        raise BodyTooLarge(_limit_text(limit))
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if operation.body and size > limit:
            raise BodyTooLarge(_limit_text(limit))
        chunks.append(chunk if operation.body else b"")
    raw = b"".join(chunks)
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if raw and operation.media_type == "application/json" and sent != "application/json":
        raise UnsupportedMediaType(
            Text(
                "Content-Type: application/json で送ってください", "Send it as Content-Type: application/json"
            )
        )
    return raw


def _limit_text(limit: int) -> Text:
    return Text(f"本文は{limit:,}バイトまでです", f"A body has at most {limit:,} bytes")


def _checked_body(contract: Contract, operation: Operation, raw: bytes) -> Any:
    if operation.body is None or operation.media_type != "application/json":
        return None
    if not raw and not operation.body_required:
        return {}
    value = parse(raw)
    party: Party = "receiver" if operation.scope == Scope.HANDOVERS_ANSWER else "sender"
    contract.check(operation.body, value, party=party)
    return value


async def _record_denial(call: Call, refusal: Refusal) -> None:
    """That somebody was refused is on the ledger, in a transaction of its own: the refused one is gone."""
    target = next((text for name, text in call.request.path_params.items() if name.endswith("Id")), None)
    kind = _kind(call.operation)
    async with call.services.db.write() as tx:
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
    return {"People": "person", "Responsibility": "person", "Consents": "consent"}.get(
        operation.tag, "handover"
    )


def entity_tags(header: str | None) -> Iterator[str]:
    """The entity tags of an If-Match or If-None-Match header (RFC 9110 section 13.1), weak ones made strong."""
    for tag in (header or "").split(","):
        yield tag.strip().removeprefix("W/")


DENIED: dict[str, Any] = {
    "registerPerson": "people:register",
    "matchPerson": "people:match",
    "getResponsibility": "responsibility:read",
    "getMilestones": "responsibility:read",
    "createConsent": "consents:give",
    "getConsent": "consents:read",
    "withdrawConsent": "consents:withdraw",
    "createHandover": "handovers:create",
    "getHandover": "handovers:read",
    "getHandoverVersion": "handovers:read",
    "amendHandover": "handovers:amend",
    "offerHandover": "handovers:offer",
    "openHandover": "handovers:open",
    "withdrawHandover": "handovers:withdraw",
    "receiveHandover": "handovers:receive",
    "acceptHandover": "handovers:accept",
    "declineHandover": "handovers:decline",
    "returnHandover": "handovers:return",
}
"""Under which action a refused operation is on the ledger."""
