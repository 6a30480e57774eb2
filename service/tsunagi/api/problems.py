"""The one table from refusals to HTTP, and the problem details (RFC 9457) that callers get."""

from collections.abc import Mapping
from typing import Any, Literal

import asyncpg
import structlog
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from tsunagi.errors import (
    InternalError,
    MethodNotAllowed,
    NotFound,
    Notice,
    Party,
    Refusal,
    Text,
    Unavailable,
)
from tsunagi.logs import fault

STATUS: Mapping[str, int] = {
    "malformed_request": 400,
    "invalid_json": 400,
    "invalid_parameter": 400,
    "idempotency_key_required": 400,
    "unauthenticated": 401,
    "scope_missing": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "wrong_state": 409,
    "window_not_open": 409,
    "person_already_known": 409,
    "match_ambiguous": 409,
    "idempotency_in_flight": 409,
    "responsibility_not_held": 409,
    "precondition_failed": 412,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "schema_invalid": 422,
    "rule_violated": 422,
    "consent_missing": 422,
    "idempotency_key_reused": 422,
    "document_too_long": 422,
    "precondition_required": 428,
    "rate_limited": 429,
    "head_too_large": 431,
    "internal_error": 500,
    "unavailable": 503,
}

TYPE_BASE = "https://tsunagi.example/problems/"
RETRY_SECONDS = 5
MAX_ERRORS = 100

_TRANSIENT = {"40001", "40P01", "55P03"}
"""SQLSTATEs after which the same request may succeed: serialization failure, deadlock, lock timeout."""
_AWAY = {"08", "28", "3D", "53", "57"}
"""Classes of SQLSTATEs that say that there is no database to speak to, or that it can do no more just now."""

log = structlog.get_logger()


def language(accept: str) -> Literal["ja", "en"]:
    """`en` where it is preferred to `ja`, else `ja` (RFC 9110 section 12.5.4). No header is refused."""
    weights = {"ja": 0.0, "en": 0.0}
    for part in accept.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            continue
        primary = name.strip().partition("-")[0]
        if primary in weights:
            weights[primary] = max(weights[primary], weight)
    return "en" if weights["en"] > weights["ja"] else "ja"


def localized(text: Text, language_code: str) -> str:
    return text.en if language_code == "en" else text.ja


def problem(refusal: Refusal, request: Request) -> JSONResponse:
    """The refusal as its caller reads it."""
    spoken = language(request.headers.get("accept-language", ""))
    content = problem_content(refusal, spoken, getattr(request.state, "request_id", "-"))
    headers = when_again(refusal)
    if "expect" in request.headers:  # whether the body will still come nobody knows (RFC 9110 section 10.1.1)
        headers["Connection"] = "close"
    return JSONResponse(content, STATUS[refusal.code], headers, media_type="application/problem+json")


def problem_content(refusal: Refusal, spoken: str, request_id: str) -> dict[str, Any]:
    content: dict[str, Any] = {
        "type": TYPE_BASE + refusal.code,
        "title": localized(refusal.title, spoken),
        "status": STATUS[refusal.code],
        "code": refusal.code,
        "responsibleParty": _party(refusal),
        "requestId": request_id,
    }
    if (detail := refusal.detail or refusal.advice) is not None:
        content["detail"] = localized(detail, spoken)
    if refusal.errors:
        content["errors"] = [_error(notice, spoken) for notice in refusal.errors[:MAX_ERRORS]]
    return content | refusal.extensions


def _party(refusal: Refusal) -> Party:
    """Whose turn it is: as the refusal says, or that of its errors, where they agree."""
    if refusal.turn is not None:
        return refusal.turn
    parties = {notice.party for notice in refusal.errors}
    return parties.pop() if len(parties) == 1 else refusal.party


def _error(notice: Notice, spoken: str) -> dict[str, str]:
    place = {"parameter": notice.parameter} if notice.parameter else {"pointer": notice.pointer}
    return place | {
        "code": notice.code,
        "message": localized(notice.message, spoken),
        "responsibleParty": notice.party,
    }


def when_again(refusal: Refusal) -> dict[str, str]:
    """The header that says when to ask again, where that is known."""
    if isinstance(refusal, Unavailable):
        return {"Retry-After": str(RETRY_SECONDS)}
    if "retryAfterSeconds" in refusal.extensions:
        return {"Retry-After": str(refusal.extensions["retryAfterSeconds"])}
    return {}


async def on_refusal(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return problem(refusal, request)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: no such path, no such method."""
    assert isinstance(error, HTTPException)
    known = {404: NotFound, 405: MethodNotAllowed}.get(error.status_code, InternalError)
    answer = problem(known(), request)
    if error.status_code == 405 and error.headers:
        answer.headers["Allow"] = error.headers.get("Allow", "")
    return answer


async def on_database_error(request: Request, error: Exception) -> Response:
    """A database that is away is not a fault of the request; anything else it says is one of ours."""
    code = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    gone = isinstance(
        error, InterfaceError | asyncpg.InterfaceError | OperationalError | PoolTimeout | OSError
    )
    gone = gone or code in _TRANSIENT or code[:2] in _AWAY
    if gone or getattr(error, "connection_invalidated", False):
        log.warning("database unavailable", kind=type(error).__name__, sqlstate=code)
        return problem(Unavailable(), request)
    return await on_error(request, error)


async def on_error(request: Request, error: Exception) -> Response:
    """Says nothing about the cause but the request id; the log has the rest, without the request's content."""
    log.error("unhandled", **fault(error))
    return problem(InternalError(), request)


HANDLERS = {
    Refusal: on_refusal,
    HTTPException: on_http_exception,
    DBAPIError: on_database_error,
    asyncpg.PostgresError: on_database_error,
    asyncpg.InterfaceError: on_database_error,
    PoolTimeout: on_database_error,
    OSError: on_database_error,
}
