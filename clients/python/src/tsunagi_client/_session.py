"""Requests of one identity: built, authorized, sent again where that may help, and read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

from tsunagi_client._answers import problem
from tsunagi_client._flow import Answer, Flow, Give, Read, Request, Send
from tsunagi_client._possession import wants_nonce
from tsunagi_client._tokens import Tokens
from tsunagi_client.errors import ConnectionFailed, UnexpectedAnswer
from tsunagi_client.retrying import Retry, retried

T = TypeVar("T")

Query: TypeAlias = str | int | date | Sequence[str] | None

_NOT_MODIFIED, _UNAUTHORIZED = 304, 401
_ACCEPT = "application/json, application/x-ndjson, application/problem+json"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation of `openapi.yaml`."""

    id: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """What one call asks of its endpoint, and how the answer is read. What is None is not sent."""

    read: Callable[[Answer], T]
    path: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, Query] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    base_url: str
    tokens: Tokens
    language: str
    retry: Retry

    def call(self, endpoint: Endpoint, ask: Ask[T]) -> Flow[T]:
        """What the operation answers.

        Raises ProblemError, TokenRefused, ConnectionFailed, UnexpectedAnswer.
        """
        request = self.request(endpoint, ask)
        answer = yield from retried(lambda: self._attempt(request), self.retry)
        return ask.read(answer)

    def pages(
        self,
        endpoint: Endpoint,
        ask: Ask[Mapping[str, Any]],
        following: Callable[[Mapping[str, Any]], Mapping[str, Query] | None],
    ) -> Flow[None]:
        """Gives the items of all pages. `following` says what to ask for after a page; None when it was the last."""
        query: Mapping[str, Query] | None = ask.query
        while query is not None:
            page = yield from self.call(endpoint, replace(ask, query={**ask.query, **query}))
            yield Give(page["items"])
            query = following(page)

    def lines(self, endpoint: Endpoint, ask: Ask[Any]) -> Flow[None]:
        """Gives the documents of an NDJSON stream as they arrive.

        Raises ConnectionFailed when it breaks off: what was given until then is whole.
        """
        request = self.request(endpoint, ask)
        yield from retried(lambda: self._attempt(request, keep_open=True), self.retry)
        rest = b""
        while chunk := (yield Read()):
            *whole, rest = (rest + chunk).split(b"\n")
            yield Give([_document(line) for line in whole if line])
        if rest:
            raise ConnectionFailed("the stream ended in the middle of a line")

    def request(self, endpoint: Endpoint, ask: Ask[Any]) -> Request:
        """Made once for all attempts: what is sent again must be the same to the last byte."""
        path = endpoint.path.format(**{name: _segment(value) for name, value in ask.path.items()})
        query = urlencode({name: _text(value) for name, value in ask.query.items() if value is not None})
        headers = {"accept": _ACCEPT, "accept-language": self.language}
        headers |= {name: value for name, value in ask.headers.items() if value is not None}
        content = None
        if ask.body is not None:
            headers["content-type"] = "application/json"
            content = encoded(ask.body)
        return Request(
            endpoint.method, self.base_url + path + (f"?{query}" if query else ""), headers, content
        )

    def _sent(self, request: Request, token: str, keep_open: bool) -> Flow[Answer]:
        """Every sending of every operation passes here, and gets a proof of possession of its own."""
        possession = self.tokens.possession
        proven = {"authorization": f"DPoP {token}", "dpop": possession.proof(request, token)}
        answer: Answer = yield Send(replace(request, headers={**request.headers, **proven}), keep_open)
        possession.heard(request, answer)
        return answer

    def _attempt(self, request: Request, *, keep_open: bool = False) -> Flow[Answer]:
        """One attempt; a nonce that the service asks for is given, and a token that it no longer takes is replaced,
        once each."""
        token = yield from self.tokens.current()
        answer = yield from self._sent(request, token, keep_open)
        if wants_nonce(answer):
            answer = yield from self._sent(request, token, keep_open)
        if answer.status == _UNAUTHORIZED:
            token = yield from self.tokens.current(refused=token)
            answer = yield from self._sent(request, token, keep_open)
        if not (answer.status // 100 == 2 or answer.status == _NOT_MODIFIED):
            raise problem(answer)
        return answer


def encoded(document: object) -> bytes:
    """JSON; dates, instants and UUIDs as the contract writes them.

    Raises ValueError for NaN and for an instant without offset, TypeError for what JSON does not have.
    """
    return json.dumps(
        document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
    ).encode()


def _plain(value: object) -> object:
    if isinstance(value, date | UUID):
        return _text(value) if isinstance(value, date) else str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def _text(value: str | int | date | Sequence[str]) -> str:
    if isinstance(value, datetime) and value.utcoffset() is None:
        raise ValueError("an instant needs an offset: give it a time zone")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str | int) else ",".join(value)


def _segment(value: object) -> str:
    text = str(value)
    if text in ("", ".", ".."):
        raise ValueError("an id is missing")
    return quote(text, safe="")


def _document(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise UnexpectedAnswer(200, "a line of the stream is not JSON") from None
