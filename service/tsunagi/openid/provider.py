"""What is asked of a provider over HTTP, through Authlib's plumbing: its document, its keys, a token for a code.

Documents and keys are remembered for a while, and for a moment that there were none: however many sign in, or pretend
to, a provider is asked for them once.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.discovery import get_well_known_url
from joserfc.jwa import RSAAlgorithm
from joserfc.jwk import RSAKey

from tsunagi import strict_json
from tsunagi.errors import InvalidJson, RuleViolated
from tsunagi.openid.rules import ALGORITHMS, Document, Fault, ProviderFaulty, read_document
from tsunagi.outgoing.asking import Answer, Asker, Unanswered
from tsunagi.proofs.keys import Jwt, PublicKey, read_jwt, read_key

KEPT_SECONDS = 600.0
"""How long a provider's document and keys are remembered."""

FAULT_KEPT_SECONDS = 10.0
MOST_KEPT, MOST_KEYS = 200, 50

_RS256 = RSAAlgorithm(256)
_MATERIAL = ("kty", "crv", "x", "y", "n", "e", "d", "k")
"""What of a JWK is read: a private key is refused, and what it is for has been looked at before."""


@dataclass(slots=True)
class _Remembered:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    read_at: float = 0.0
    until: float = 0.0
    said: Any = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to a provider."""

    id: str
    secret: str
    redirect_uri: str


class Providers:
    """All providers, as one process knows them."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._known: dict[str, _Remembered] = {}

    @property
    def to_loopback(self) -> bool:
        return self._asker.connector.to_loopback

    async def document(self, issuer: str, *, anew: bool = False) -> Document:
        """Raises ProviderFaulty."""
        try:
            said = await self._said(get_well_known_url(issuer, external=True), anew=anew)
        except ProviderFaulty as faulty:
            raise ProviderFaulty("no_document" if faulty.fault == "answer" else faulty.fault) from None
        return read_document(said, issuer, to_loopback=self.to_loopback)

    async def check_keys(self, document: Document) -> None:
        """There is a key that ID tokens can be verified with. Raises ProviderFaulty."""
        keys = await self._keys(document, anew=True)
        if not any(_usable(jwk, alg, None) for jwk in keys for alg in ALGORITHMS):
            raise ProviderFaulty("no_keys")

    async def token_for(self, document: Document, client: Client, *, code: str, verifier: str) -> str:
        """The ID token that the provider gives for the code; nobody has looked at it. Raises ProviderFaulty."""
        body = prepare_token_request(
            "authorization_code", redirect_uri=client.redirect_uri, code=code, code_verifier=verifier
        )
        url, headers, body = _authenticated(document, client, body)
        try:
            answer = await self._asker.ask("POST", url, headers, body)
        except Unanswered as silent:
            raise ProviderFaulty(silent.why) from None
        if answer.status != 200:
            raise ProviderFaulty(_refusal(answer))
        said = _read(answer)
        token = said.get("id_token") if isinstance(said, dict) else None
        if not isinstance(token, str):
            raise ProviderFaulty("token")
        return token

    async def claims(self, document: Document, id_token: str) -> Mapping[str, object]:
        """What an ID token says that one of the provider's keys has signed. A key that is not known is looked for once
        more. Raises ProviderFaulty."""
        jwt = read_jwt(id_token)
        if jwt is None or "crit" in jwt.header:
            raise ProviderFaulty("token")
        alg, kid = jwt.header.get("alg"), jwt.header.get("kid")
        if alg not in ALGORITHMS:
            raise ProviderFaulty("no_algorithm")
        for anew in (False, True):
            usable = [_usable(jwk, str(alg), kid) for jwk in await self._keys(document, anew=anew)]
            found = [key for key in usable if key]
            if found:
                break
        if not any(_has_signed(key, jwt) for key in found):
            raise ProviderFaulty("signature")
        return jwt.claims

    async def _keys(self, document: Document, *, anew: bool) -> list[dict[str, Any]]:
        """Raises ProviderFaulty."""
        said = await self._said(document.jwks_uri, anew=anew)
        keys = said.get("keys") if isinstance(said, dict) else None
        if not isinstance(keys, list):
            raise ProviderFaulty("no_keys")
        return [one for one in keys[:MOST_KEYS] if isinstance(one, dict)]

    async def _said(self, url: str, *, anew: bool) -> Any:
        """The JSON that is there; `anew`: what was read before one asked does not do. Raises ProviderFaulty."""
        known, asked_at = self._remembered(url), time.monotonic()
        async with known.lock:
            if time.monotonic() >= known.until or (anew and known.read_at < asked_at):
                known.said, known.fault = None, None
                try:
                    known.said = _read(await self._asker.ask("GET", url, {}))
                except Unanswered as silent:
                    known.fault = silent.why
                except ProviderFaulty as faulty:
                    known.fault = faulty.fault
                known.read_at = time.monotonic()
                known.until = known.read_at + (FAULT_KEPT_SECONDS if known.fault else KEPT_SECONDS)
            if known.fault:
                raise ProviderFaulty(known.fault)
            return known.said

    def _remembered(self, url: str) -> _Remembered:
        if url not in self._known and len(self._known) >= MOST_KEPT:
            del self._known[next(iter(self._known))]
        return self._known.setdefault(url, _Remembered())


def address(
    document: Document, client: Client, *, state: str, nonce: str, verifier: str, login_anew: bool
) -> str:
    """Where a browser goes to sign in at the provider. `login_anew`: the provider asks for it whatever it remembers,
    and says when it did (OpenID Connect Core section 3.1.2.1)."""
    found: str = prepare_grant_uri(
        document.authorization_endpoint,
        client.id,
        "code",
        client.redirect_uri,
        "openid",
        state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **({"prompt": "login", "max_age": "0"} if login_anew else {}),
    )
    return found


def _authenticated(document: Document, client: Client, body: str) -> tuple[str, dict[str, str], str]:
    """The request with the client's secret. In the header both parts are encoded as in a form (RFC 6749 section
    2.3.1), which Authlib leaves to us."""
    known = client.id, client.secret
    if document.authentication == "client_secret_basic":
        known = quote_plus(client.id), quote_plus(client.secret)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url, headers, body = ClientAuth(*known, document.authentication).prepare(
        "POST", document.token_endpoint, headers, body
    )
    return url, headers, body


def _read(answer: Answer) -> Any:
    """The JSON of an answer that is one. Raises ProviderFaulty."""
    if answer.status != 200:
        raise ProviderFaulty("answer")
    try:
        return strict_json.parse(answer.body)
    except InvalidJson:
        raise ProviderFaulty("answer") from None


def _refusal(answer: Answer) -> Fault:
    """What a token endpoint means that gives none (RFC 6749 section 5.2)."""
    try:
        said = strict_json.parse(answer.body)
    except InvalidJson:
        said = None
    error = said.get("error") if isinstance(said, dict) else None
    if answer.status == 401 or error in ("invalid_client", "unauthorized_client"):
        return "client"
    return "refused" if 400 <= answer.status < 500 else "answer"


def _usable(jwk: Mapping[str, Any], alg: str, kid: object) -> PublicKey | None:
    """The key, if it is of that id (of any, where the token names none) and for signing by that algorithm."""
    if kid is not None and jwk.get("kid") != kid:
        return None
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", alg) != alg:
        return None
    try:
        key = read_key({name: jwk[name] for name in _MATERIAL if name in jwk})
    except RuleViolated:
        return None
    return key if key.alg == ("PS256" if alg == "RS256" else alg) else None


def _has_signed(key: PublicKey, jwt: Jwt) -> bool:
    """RSA keys verify PS256 and RS256, which most providers use; the others one algorithm each."""
    if jwt.header.get("alg") == "RS256":
        return _RS256.verify(jwt.signed, jwt.signature, RSAKey.import_key(dict(key.jwk)))
    return key.has_signed(jwt)
