"""Access tokens: asked for by a signed assertion (RFC 7523), bound to a key (RFC 9449), kept until shortly before
they expire."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from tsunagi_client._answers import problem, token_refusal
from tsunagi_client._flow import Alone, Answer, Flow, Request, Send
from tsunagi_client._possession import Possession, wants_nonce
from tsunagi_client.errors import UnexpectedAnswer
from tsunagi_client.keys import SigningKey

METADATA_PATH = "/.well-known/oauth-authorization-server"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
SPARE_SECONDS = 30
"""A token is renewed this long before it expires, or after half its life if it lives shorter than twice this."""

_OK = 200
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Staff:
    """The member of staff on whose behalf the software acts; kept in the service's ledger."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom the client acts."""

    client_id: str
    key: SigningKey
    organization: str | None = None
    """Needed when the client is registered for several."""
    staff: Staff | None = None
    scopes: Sequence[str] = ()
    """All that are granted, when empty."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    stale_at: float
    """On the monotonic clock."""


class Tokens:
    """The access token of one identity; asked for once, however many callers wait for it."""

    def __init__(
        self,
        issuer: str,
        identity: Identity,
        lock: Any,
        possession: Possession,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = issuer
        self.identity = identity
        self.possession = possession
        self._lock = lock
        self._monotonic = monotonic
        self._token: _Token | None = None
        self._endpoint: str | None = None

    def current(self, refused: str | None = None) -> Flow[str]:
        """A token that is good now, and is not the one that was `refused`.

        Raises TokenRefused.
        """
        return self._kept(refused) or (yield Alone(self._lock, self._renewed(refused)))

    def _kept(self, refused: str | None) -> str | None:
        token = self._token
        if token is None or token.text == refused or token.stale_at <= self._monotonic():
            return None
        return token.text

    def _renewed(self, refused: str | None) -> Flow[str]:
        if kept := self._kept(refused):  # somebody else was faster
            return kept
        if self._endpoint is None:
            self._endpoint = yield from self._discovered()
        asked_at = self._monotonic()
        answer = yield from self._asked(self._endpoint)
        if wants_nonce(answer):
            answer = yield from self._asked(self._endpoint)
        if answer.status != _OK:
            raise token_refusal(answer)
        self._token = _token(answer, asked_at)
        return self._token.text

    def _asked(self, endpoint: str) -> Flow[Answer]:
        """One token request, with an assertion and a proof of its own: each is good once."""
        request = self._request(endpoint)
        proven = replace(request, headers={**request.headers, "dpop": self.possession.proof(request)})
        answer: Answer = yield Send(proven)
        self.possession.heard(request, answer)
        return answer

    def _discovered(self) -> Flow[str]:
        """The token endpoint, from the authorization server's metadata.

        RFC 8414 section 3.3: the metadata must name the issuer that was asked. Otherwise a server could have
        assertions signed for another one, and use them there.
        """
        answer: Answer = yield Send(
            Request("GET", self.issuer + METADATA_PATH, {"accept": "application/json"})
        )
        if answer.status != _OK:
            raise problem(answer)
        metadata = answer.json()
        if not isinstance(metadata, dict) or metadata.get("issuer") != self.issuer:
            raise UnexpectedAnswer(answer.status, f"the service does not call itself {self.issuer}")
        endpoint = metadata.get("token_endpoint")
        if not isinstance(endpoint, str) or not is_secure(endpoint):
            raise UnexpectedAnswer(answer.status, "the metadata names no secure token endpoint")
        return endpoint

    def _request(self, endpoint: str) -> Request:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.identity.key.sign(self._claims()),
        }
        if self.identity.organization is not None:
            form["organization"] = self.identity.organization
        if self.identity.scopes:
            form["scope"] = " ".join(self.identity.scopes)
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        return Request("POST", endpoint, headers, urlencode(form).encode())

    def _claims(self) -> dict[str, Any]:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.identity.client_id,
            "sub": self.identity.client_id,
            "aud": self.issuer,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        if self.identity.staff is not None:
            claims["staff"] = {"id": self.identity.staff.id}
            if self.identity.staff.name is not None:
                claims["staff"]["name"] = self.identity.staff.name
        return claims


def is_secure(url: str) -> bool:
    """Whether what is sent there can be read on the way: only https, or http to this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _token(answer: Answer, asked_at: float) -> _Token:
    body = answer.json()
    try:
        text, life = str(body["access_token"]), float(body["expires_in"])
        bound = body["token_type"].lower() == "dpop"
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UnexpectedAnswer(answer.status, "this is not a token answer") from None
    if not bound:  # RFC 9449 section 5: it could be used by whoever sees it
        raise UnexpectedAnswer(answer.status, "the token is not bound to the client's key")
    return _Token(text, asked_at + max(life - SPARE_SECONDS, life / 2))
