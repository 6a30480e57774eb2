"""What a request holds, read as the contract has it: its parameters, and a body of the right size, type and shape."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import Request

from tsunagi.auth.rules import Scope
from tsunagi.contract import Contract, Operation, Parameter
from tsunagi.errors import (
    BodyTooLarge,
    IdempotencyKeyRequired,
    InvalidParameter,
    Notice,
    Party,
    PreconditionRequired,
    Refusal,
    SchemaInvalid,
    Text,
    UnsupportedMediaType,
)
from tsunagi.strict_json import parse

JSON = "application/json"

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)
_MISSING: dict[str, type[Refusal]] = {
    "Idempotency-Key": IdempotencyKeyRequired,
    "If-Match": PreconditionRequired,
}
_SINGLE = {
    name.lower().encode(): name
    for name in ("Content-Type", "Content-Encoding", "Idempotency-Key", "If-Match", "If-None-Match")
}
"""Headers that nothing says which one counts of, if there are two. `Authorization` and `DPoP` are read elsewhere;
of `Content-Length` and `Host` there is one, or the connection ends."""

_ENDS: Mapping[str, str] = {"to": "from", "until": "since"}
"""What ends a time that is asked for, and what begins it. Ends are exclusive, so that one at the beginning leaves
nothing: "there is none" would be said of what nobody meant to ask."""

_REPEATED = Text("一度だけ送ってください", "Send it once only")
_NOT_DECODED = Text(
    "パーセント符号化が正しくないか、UTF-8ではないか、NULを含みます",
    "The percent-encoding is broken, or it is not UTF-8, or has NUL",
)


def answer_with(request: Request, headers: Mapping[str, str]) -> None:
    """The answer will have these headers, whatever it is."""
    request.scope["state"].setdefault("answer_headers", {}).update(headers)


def read_parameters(contract: Contract, operation: Operation, request: Request) -> dict[str, Any]:
    """The declared parameters of a request.

    Raises InvalidParameter, also for a query parameter that the operation does not have, for one that is sent
    twice, for what cannot be decoded and for a time that ends before it begins; IdempotencyKeyRequired or
    PreconditionRequired for those headers.
    """
    _check_headers(request)
    _check_encoding(operation, request)
    _check_query(operation, request)
    sources = {"path": request.path_params, "query": request.query_params, "header": request.headers}
    found: dict[str, Any] = {}
    for parameter in operation.parameters:
        text = sources[parameter.location].get(parameter.name)
        if text is not None:
            found[parameter.name] = _typed(contract, parameter, text)
        elif parameter.required:
            raise _MISSING.get(parameter.name, InvalidParameter)
        elif parameter.default is not None:
            found[parameter.name] = parameter.default
    _check_order(found)
    return found


def _check_order(found: Mapping[str, Any]) -> None:
    for end, beginning in _ENDS.items():
        if end in found and beginning in found and _at(found[end]) <= _at(found[beginning]):
            text = Text(
                f"{beginning} より後でなければなりません",
                f"It must be after {beginning}",
            )
            raise _invalid(end, "order", text)


def _at(text: str) -> datetime:
    """Of a date or an instant. A contract that had one of each would compare them as days of UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _check_headers(request: Request) -> None:
    sent = [name for name, _ in request.scope["headers"] if name in _SINGLE]
    if len(set(sent)) != len(sent):
        raise _invalid(_SINGLE[next(name for name in sent if sent.count(name) > 1)], "repeated", _REPEATED)


def _check_encoding(operation: Operation, request: Request) -> None:
    path, query = request.scope.get("raw_path") or b"", request.scope["query_string"]
    if not _decodable(path):
        named = (name for name, text in request.path_params.items() if not _decodable(str(text).encode()))
        raise _invalid(next(named, "path"), "encoding", _NOT_DECODED)
    if not _decodable(query):
        declared = set(_declared(operation))
        names = (
            piece.partition(b"=")[0].decode("latin-1") for piece in query.split(b"&") if not _decodable(piece)
        )
        raise _invalid(next((name for name in names if name in declared), "query"), "encoding", _NOT_DECODED)


def _decodable(raw: bytes) -> bool:
    if b"%" not in raw:
        return raw.isascii() and b"\x00" not in raw
    if _BROKEN_ESCAPE.search(raw):
        return False
    try:
        return "\x00" not in unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False


def _declared(operation: Operation) -> Iterator[str]:
    return (parameter.name for parameter in operation.parameters if parameter.location == "query")


def _check_query(operation: Operation, request: Request) -> None:
    if not request.scope["query_string"]:
        return
    declared = set(_declared(operation))
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in declared:
            known = ", ".join(sorted(declared)) or "-"
            raise _invalid(
                "query",
                "unknown",
                Text(
                    f"知らない、または重複したクエリです（使えるもの: {known}）",
                    f"A query parameter is unknown or repeated (known: {known})",
                ),
            )
        if name in seen:
            raise _invalid(name, "repeated", _REPEATED)
        seen.add(name)


def _invalid(parameter: str, rule: str, message: Text) -> InvalidParameter:
    notice = Notice(f"parameter.{rule}", "error", message, parameter=parameter, party="client")
    return InvalidParameter(message, errors=(notice,))


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


async def read_body(operation: Operation, request: Request, *, max_bytes: int) -> bytes:
    """The body, none of it read where nobody asked for one.

    Raises BodyTooLarge or UnsupportedMediaType as soon as it is known, at best before any of it has come.
    """
    if operation.body is None:
        return b""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > max_bytes:
        raise _too_large(max_bytes)
    if length.strip("0") or "transfer-encoding" in request.headers:
        _check_type(operation, request)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def check_size(request: Request, *, max_bytes: int) -> None:
    """For bodies that others read. Raises BodyTooLarge, also where nothing says how much will come."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > max_bytes:
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> BodyTooLarge:
    text = Text(f"本文は{max_bytes:,}バイトまでです", f"A body has at most {max_bytes:,} bytes")
    return BodyTooLarge(text, errors=(Notice("body.size", "error", text, party="client"),))


def _check_type(operation: Operation, request: Request) -> None:
    """Raises UnsupportedMediaType unless the body is, uncompressed, what the contract names. What a token request
    should be the token endpoint says in the words of OAuth."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    transfer = request.headers.get("transfer-encoding", "chunked").strip().lower()
    if coding not in ("", "identity") or transfer != "chunked":
        # RFC 9110 section 15.5.16: by this header a caller knows that the coding was the fault.
        answer_with(request, {"Accept-Encoding": "identity"})
        raise _unsupported(
            "Content-Encoding",
            Text(
                "圧縮した本文は受け付けません。そのまま送ってください",
                "Compressed bodies are not taken: send it as it is",
            ),
        )
    if operation.media_type != JSON:
        return
    sent = request.headers.get("content-type", "")
    charset = _CHARSET.search(sent)
    if sent.partition(";")[0].strip().lower() != JSON or (charset and charset[1].lower() != "utf-8"):
        raise _unsupported(
            "Content-Type",
            Text(
                "Content-Type: application/json（UTF-8）で送ってください",
                "Send it as Content-Type: application/json, in UTF-8",
            ),
        )


def _unsupported(header: str, text: Text) -> UnsupportedMediaType:
    notice = Notice("body.media_type", "error", text, parameter=header, party="client")
    return UnsupportedMediaType(text, errors=(notice,))


_PARTY: Mapping[str, Party] = {Scope.HANDOVERS_ANSWER: "receiver", Scope.ACTIVITIES_WRITE: "client"}
"""Who mends what does not fit its schema, by the scope of the operation; the sender where nothing is said."""


def checked_body(contract: Contract, operation: Operation, raw: bytes) -> Any:
    """The body's value. Raises InvalidJson or SchemaInvalid."""
    if operation.body is None or operation.media_type != JSON:
        return None
    if not raw and not operation.body_required:
        return {}
    value = parse(raw, names=contract.names)
    contract.check(operation.body, value, party=_PARTY.get(operation.scope or "", "sender"))
    return value
