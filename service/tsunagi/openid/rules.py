"""What is asked of a provider: of the document that describes it, of its answers, and of the tokens it gives.

OpenID Connect Core 1.0 and Discovery 1.0, narrowed: one flow, signatures by keys that are not shared, PKCE.
"""

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from tsunagi.errors import Notice, RuleViolated, Text
from tsunagi.ids import OrganizationId
from tsunagi.outgoing.rules import fault_in
from tsunagi.staff.rules import Member

Purpose = Literal["sign_in", "confirm", "join", "link"]

LASTS = timedelta(minutes=5)
"""From leaving for the provider until one is back."""

SKEW = timedelta(seconds=60)
"""By how much a provider's clock may differ from ours."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""By which an ID token may be signed. What is not here is not known: neither `none` nor a shared secret."""

SECOND_FACTORS = frozenset(
    {"face", "fpt", "hwk", "iris", "mca", "mfa", "otp", "retina", "sc", "sms", "swk", "tel", "vbm"}
)
"""What of `amr` (RFC 8176 section 2) is more than a password, a PIN, a place or a risk."""

MOST_SIGNS = {"issuer": 500, "client_id": 255, "client_secret": 500, "subject": 255, "endpoint": 2_000}
"""OpenID Connect Core section 2 has at most 255 ASCII characters in a subject."""

Fault = Literal[
    "address_refused",
    "timeout",
    "unreachable",
    "too_large",
    "answer",
    "no_document",
    "issuer",
    "endpoints",
    "no_code",
    "no_pkce",
    "no_algorithm",
    "no_authentication",
    "no_keys",
    "refused",
    "client",
    "token",
    "signature",
    "audience",
    "expired",
    "nonce",
    "subject",
]
FAULTS: Mapping[Fault, Text] = {
    "address_refused": Text(
        "プロバイダーが公開のアドレスにありません", "The provider is at no public address"
    ),
    "timeout": Text("プロバイダーが時間内に応答しません", "The provider does not answer in time"),
    "unreachable": Text("プロバイダーに接続できません", "The provider cannot be reached"),
    "too_large": Text("プロバイダーの応答が大きすぎます", "The provider's answer is too large"),
    "answer": Text("プロバイダーの応答を読めません", "The provider's answer cannot be read"),
    "no_document": Text(
        "発行者の URL に /.well-known/openid-configuration がありません",
        "There is no /.well-known/openid-configuration at the issuer's URL",
    ),
    "issuer": Text(
        "発行者（issuer）が、登録したものと違います", "The issuer is another one than was registered"
    ),
    "endpoints": Text(
        "authorization_endpoint・token_endpoint・jwks_uri のいずれかがないか、使えない URL です",
        "One of authorization_endpoint, token_endpoint and jwks_uri is missing, or no URL that can be used",
    ),
    "no_code": Text(
        "認可コードフロー（code）に対応していません", "The authorization code flow is not supported"
    ),
    "no_pkce": Text("PKCE（S256）に対応していません", "PKCE with S256 is not supported"),
    "no_algorithm": Text(
        f"IDトークンの署名が {'・'.join(ALGORITHMS)} のどれでもありません",
        f"ID tokens are signed by none of {', '.join(ALGORITHMS)}",
    ),
    "no_authentication": Text(
        "client_secret_basic にも client_secret_post にも対応していません",
        "Neither client_secret_basic nor client_secret_post is supported",
    ),
    "no_keys": Text("署名を確かめる鍵がありません", "There is no key to verify signatures with"),
    "refused": Text("プロバイダーが要求を断りました", "The provider refused what was asked for"),
    "client": Text(
        "クライアントID・クライアントシークレット・リダイレクト先のいずれかを、プロバイダーが受け付けません",
        "The provider does not accept the client id, the client secret or the redirect address",
    ),
    "token": Text("IDトークンを読めません", "The ID token cannot be read"),
    "signature": Text("IDトークンの署名を確かめられません", "The ID token's signature cannot be verified"),
    "audience": Text("IDトークンがほかのソフトウェア宛てです", "The ID token is for other software"),
    "expired": Text(
        "IDトークンの日時が合いません。プロバイダーの時計を確かめてください",
        "The ID token is of another time: check the provider's clock",
    ),
    "nonce": Text("IDトークンがこのサインインのものではありません", "The ID token is of another sign-in"),
    "subject": Text("IDトークンに利用者の識別子（sub）がありません", "The ID token names nobody (sub)"),
}
"""What can be wrong with a provider, for whoever looks after it."""

Why = Literal[
    "expired",
    "denied",
    "provider",
    "must_wait",
    "unknown",
    "second_factor",
    "not_fresh",
    "another",
    "taken",
    "invitation",
]
"""Why somebody who came back is not let in; the page says what to do."""


class ProviderFaulty(Exception):
    """The provider is not there, or what it says is not what was agreed."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


class WayRefused(Exception):
    """Nobody is let in this way."""

    def __init__(self, why: Why, *, fault: Fault | None = None, member: Member | None = None) -> None:
        """`member`: whose account they would have come into, where that is known."""
        super().__init__(why)
        self.why: Why = why
        self.fault: Fault | None = fault
        self.member = member

    @property
    def code(self) -> str:
        """What the ledger says."""
        return f"openid_{self.why}"


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider of an organization."""

    organization_id: OrganizationId
    issuer: str
    client_id: str
    second_factor_stated: bool
    """Whether an administrator has stated that it always asks for a second factor."""
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """What a provider says of itself, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authentication: Literal["client_secret_basic", "client_secret_post"]
    names_itself: bool
    """Whether each answer names the issuer (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class Way:
    """Somebody's way to the provider and back. The browser's secret is at once the verifier of PKCE (RFC 7636)."""

    organization_id: OrganizationId
    purpose: Purpose
    nonce_hash: bytes
    began_at: datetime
    back: str
    """The page where they wanted to go."""
    member_id: UUID | None = None
    """Whose account it is about: of a sign-in, nobody knows yet."""
    invitation_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at a provider."""

    issuer: str
    subject: str
    second_factor: bool
    authenticated_at: datetime | None


def hash_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def check_registration(issuer: str, client_id: str, client_secret: str, *, to_loopback: bool) -> None:
    """Raises RuleViolated."""
    if (
        len(issuer) > MOST_SIGNS["issuer"]
        or fault_in(issuer, to_loopback=to_loopback)
        or urlsplit(issuer).query
    ):
        raise refusal(
            "issuer",
            "発行者は、インターネットから見える https の URL です（? と # は使えません）",
            "An issuer is an https URL on the Internet, without ? and #",
        )
    if not 1 <= len(client_id) <= MOST_SIGNS["client_id"] or not _printable(client_id):
        raise refusal(
            "client_id",
            "クライアントIDは1～255文字の英数字と記号です",
            "A client id has 1 to 255 ASCII characters",
        )
    check_secret(client_secret)


def check_secret(client_secret: str) -> None:
    """Raises RuleViolated."""
    if not 1 <= len(client_secret) <= MOST_SIGNS["client_secret"] or not _printable(client_secret):
        raise refusal(
            "client_secret",
            "クライアントシークレットは1～500文字の英数字と記号です",
            "A client secret has 1 to 500 ASCII characters",
        )


def refusal(code: str, ja: str, en: str) -> RuleViolated:
    return RuleViolated(errors=(Notice(f"openid_{code}", "error", Text(ja, en), party="client"),))


def unusable(faulty: ProviderFaulty) -> RuleViolated:
    """As the administrator who registers a provider is told."""
    return RuleViolated(
        errors=(Notice(f"openid_{faulty.fault}", "error", FAULTS[faulty.fault], party="client"),)
    )


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def read_document(said: object, issuer: str, *, to_loopback: bool) -> Document:
    """What the provider of that issuer says of itself; the issuer as the provider writes it, which may differ by a
    slash at its end. Raises ProviderFaulty."""
    if not isinstance(said, dict):
        raise ProviderFaulty("no_document")
    named = said.get("issuer")
    if not isinstance(named, str) or named.rstrip("/") != issuer.rstrip("/"):
        raise ProviderFaulty("issuer")
    endpoints = [said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    for url in endpoints:
        if not isinstance(url, str) or not _usable(url, to_loopback=to_loopback):
            raise ProviderFaulty("endpoints")
    if "code" not in _names(said, "response_types_supported", ["code"]):
        raise ProviderFaulty("no_code")
    if "S256" not in _names(said, "code_challenge_methods_supported", ["S256"]):
        raise ProviderFaulty("no_pkce")
    if not {*ALGORITHMS} & {*_names(said, "id_token_signing_alg_values_supported", ["RS256"])}:
        raise ProviderFaulty("no_algorithm")
    names_itself = said.get("authorization_response_iss_parameter_supported") is True
    authorization, token, jwks = map(str, endpoints)
    return Document(named, authorization, token, jwks, _authentication(said), names_itself)


def _usable(url: str, *, to_loopback: bool) -> bool:
    within = len(url) <= MOST_SIGNS["endpoint"] and _printable(url)
    return within and fault_in(url, to_loopback=to_loopback) is None


def _authentication(said: Mapping[str, Any]) -> Literal["client_secret_basic", "client_secret_post"]:
    """Raises ProviderFaulty."""
    known = _names(said, "token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in known:
        return "client_secret_basic"
    if "client_secret_post" in known:
        return "client_secret_post"
    raise ProviderFaulty("no_authentication")


def _names(said: Mapping[str, Any], name: str, default: Sequence[str]) -> Sequence[Any]:
    """A list of the document's; the default where there is none."""
    found = said.get(name)
    return found if isinstance(found, list) else default


def identity(claims: Mapping[str, Any], *, issuer: str, client_id: str, way: Way, now: datetime) -> Identity:
    """Whom an ID token names whose signature holds (OpenID Connect Core section 3.1.3.7). Raises ProviderFaulty."""
    if claims.get("iss") != issuer:
        raise ProviderFaulty("issuer")
    if claims.get("aud") not in (client_id, [client_id]) or claims.get("azp", client_id) != client_id:
        raise ProviderFaulty("audience")
    issued, expires = _instant(claims.get("iat")), _instant(claims.get("exp"))
    if issued is None or expires is None or not way.began_at - SKEW <= issued <= now + SKEW:
        raise ProviderFaulty("expired")
    if expires + SKEW <= now:
        raise ProviderFaulty("expired")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(hash_of(nonce), way.nonce_hash):
        raise ProviderFaulty("nonce")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= MOST_SIGNS["subject"] or "\0" in subject:
        raise ProviderFaulty("subject")
    methods = claims.get("amr")
    factors = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
    return Identity(issuer, subject, bool(factors & SECOND_FACTORS), _instant(claims.get("auth_time")))


def _instant(seconds: object) -> datetime | None:
    """Of a number of seconds since 1970 that a calendar has."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return None
    return _EPOCH + timedelta(seconds=seconds) if 0 <= seconds < 2**34 else None


def check_factors(provider: Provider, found: Identity) -> None:
    """There was a second factor: the token names one, or an administrator answers for it. Raises WayRefused."""
    if not found.second_factor and not provider.second_factor_stated:
        raise WayRefused("second_factor")


def check_fresh(way: Way, found: Identity) -> None:
    """The provider has asked them anew, after they had left from here. Raises WayRefused."""
    if found.authenticated_at is None or found.authenticated_at < way.began_at - SKEW:
        raise WayRefused("not_fresh")
