"""Around every request, as pure ASGI: its id, its log line, its metrics, and the last resort for what nobody
expected."""

import re
import time
from functools import cache
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tsunagi.api.problems import on_error

REQUESTS = Counter("tsunagi_requests", "Requests answered", ["operation", "status"])
SECONDS = Histogram("tsunagi_request_seconds", "Time from request to answer", ["operation"])

_requests, _seconds = cache(REQUESTS.labels), cache(SECONDS.labels)

GONE = 499
"""What logs and metrics say of a caller who went before its request had come; nobody is answered so."""
_REQUEST_ID = re.compile(r"[0-9A-Za-z._~-]{1,128}")
_SECURITY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}

log = structlog.get_logger()


class Frame:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = self._request_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began, status = time.perf_counter(), 0

        async def mark(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers.update(scope["state"].get("answer_headers", {}))
                headers.setdefault("Cache-Control", "no-store")
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, mark)
        except ClientDisconnect:
            status = GONE
        except Exception as error:
            answer = await on_error(Request(scope), error)
            if status:  # it has begun: all that is left is to break it off
                raise
            await answer(scope, receive, mark)
        finally:
            self._observe(scope, status, time.perf_counter() - began)

    def _request_id(self, headers: Headers) -> str:
        given = headers.get("x-request-id", "")
        return given if _REQUEST_ID.fullmatch(given) else str(uuid4())

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Logs and counts by operation, never by path: paths hold ids."""
        operation = scope.get("operation", "-")
        _requests(operation, str(status)).inc()
        _seconds(operation).observe(seconds)
        log.info("request", method=scope["method"], status=status, milliseconds=round(seconds * 1000, 1))
