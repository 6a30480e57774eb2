"""The contract's operations for a part of the service that has identified its user by itself: the same checks, the
same answers and entries on the ledger, and no way to anything that is not in the contract."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Message

from tsunagi.api.edge import Routes, Services, perform
from tsunagi.api.identity import check_scope
from tsunagi.api.reading import JSON
from tsunagi.auth.rules import Caller
from tsunagi.contract import Operation


class Inside:
    def __init__(self, services: Services, routes: Routes) -> None:
        self._services = services
        self._handlers = routes.handlers

    async def answer(
        self,
        request: Request,
        caller: Caller,
        operation_id: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Response:
        """The answer to `caller`, as part of `request`. `parameters` are those of path and query, by their names;
        None is one that is not sent. Raises Refusal."""
        operation = self._services.contract.operations[operation_id]
        check_scope(operation, caller)
        given = {name: _text(value) for name, value in (parameters or {}).items() if value is not None}
        inner = _request(request, operation, given, body, headers or {})
        return await perform(self._services, operation, self._handlers[operation_id], inner, caller)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _request(
    outer: Request, operation: Operation, given: Mapping[str, str], body: Any, headers: Mapping[str, str]
) -> Request:
    in_path = {one.name: given[one.name] for one in operation.parameters if one.location == "path"}
    path = operation.path
    for name, text in in_path.items():
        path = path.replace(f"{{{name}}}", quote(text, safe=""))
    query = urlencode({name: text for name, text in given.items() if name not in in_path})
    raw = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    sent = {"accept-language": outer.headers.get("accept-language", "")} | dict(headers)
    if body is not None:
        sent |= {"content-type": JSON, "content-length": str(len(raw))}
    scope = {
        "type": "http",
        "method": operation.method,
        "path": path,
        "raw_path": path.encode(),
        "path_params": in_path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), text.encode("latin-1")) for name, text in sent.items()],
        "client": outer.scope.get("client"),
        "server": outer.scope.get("server"),
        "scheme": outer.scope.get("scheme", "http"),
        "state": {"request_id": outer.state.request_id},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    return Request(scope, receive)
