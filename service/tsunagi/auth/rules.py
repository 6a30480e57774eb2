"""What a caller is, and which assertions, scopes and organizations are accepted."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from tsunagi.ids import ClientId, OrganizationId
from tsunagi.ledger.rules import Actor
from tsunagi.proofs.keys import ALGORITHMS, algorithm, key_refused, read_key
from tsunagi.proofs.rules import MAX_JTI_LENGTH, MAX_SKEW_SECONDS, ProofError, numeric_date

MAX_ASSERTION_SECONDS = 300
MAX_KEYS = 10
MAX_KID_LENGTH = 100
MAX_STAFF_LENGTH = 100

ASSERTION_TYPES = ("jwt", "client-authentication+jwt")
"""RFC 8725 section 3.11: what is typed as something else that a key signs is no assertion."""

_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{2,99}")


class Scope(StrEnum):
    """Everything that a token can allow."""

    PEOPLE_WRITE = "people:write"
    PEOPLE_MATCH = "people:match"
    RESPONSIBILITY_READ = "responsibility:read"
    RESPONSIBILITY_WRITE = "responsibility:write"
    CONSENTS_WRITE = "consents:write"
    CONSENTS_READ = "consents:read"
    HANDOVERS_WRITE = "handovers:write"
    HANDOVERS_READ = "handovers:read"
    HANDOVERS_ANSWER = "handovers:answer"
    HANDOVERS_ASSIGN = "handovers:assign"
    FINDINGS_READ = "findings:read"
    DIRECTORY_READ = "directory:read"
    EVENTS_READ = "events:read"
    LEDGER_READ = "ledger:read"
    EVIDENCE_READ = "evidence:read"
    DISCLOSURES_READ = "disclosures:read"
    EVIDENCE_WRITE = "evidence:write"
    ACTIVITIES_WRITE = "activities:write"
    WEBHOOKS_WRITE = "webhooks:write"


Profile = Literal["fapi2", "smart", "sandbox"]
"""`fapi2` is the rule. `smart` is for SMART Backend Services: the same, but assertions may be addressed to the token
endpoint, and scopes must be asked for. `sandbox` may do without DPoP. `docs/fapi-2.0.md` has the differences."""

TokenError = (
    Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"] | ProofError
)


class TokenRefused(Exception):
    """A refusal in the words of RFC 6749 section 5.2. The description names the rule, never a value."""

    def __init__(self, error: TokenError, description: str) -> None:
        super().__init__(description)
        self.error: TokenError = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Staff:
    """The member of staff for whom the software acts, as the software names them."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as the access token says."""

    organization_id: OrganizationId
    client_id: ClientId
    scopes: frozenset[Scope]
    staff: Staff | None = None

    def actor(self, request_id: str) -> Actor:
        """The caller as the ledger knows them: the staff member's id, not the name."""
        return Actor(self.organization_id, self.client_id, self.staff.id if self.staff else None, request_id)


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key of a client. `retires_at` and `revoked_at` are the first instant that refuses it."""

    kid: str
    jwk: Mapping[str, str]
    retires_at: datetime | None = None
    revoked_at: datetime | None = None

    def usable(self, now: datetime) -> bool:
        return all(end is None or now < end for end in (self.retires_at, self.revoked_at))


@dataclass(frozen=True, slots=True)
class SoftwareClient:
    id: ClientId
    active: bool
    profile: Profile
    keys: tuple[ClientKey, ...]
    organizations: Mapping[OrganizationId, frozenset[Scope]]

    def key(self, kid: str, now: datetime) -> ClientKey | None:
        return next((key for key in self.keys if key.kid == kid and key.usable(now)), None)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion that was verified: the client has proved that it is this client."""

    client_id: ClientId
    jti: str
    expires_at: datetime
    staff: Staff | None

    @property
    def fingerprint(self) -> bytes:
        """What is remembered of it. A client id holds no NUL, so that no two pairs share one."""
        return hashlib.sha256(f"{self.client_id}\0{self.jti}".encode()).digest()


def acceptable_client_id(value: object) -> ClientId | None:
    return ClientId(value) if isinstance(value, str) and _CLIENT_ID.fullmatch(value) else None


def check_header(header: Mapping[str, object]) -> tuple[str, str]:
    """The algorithm and key id that an assertion names. Raises TokenRefused."""
    alg, kid = algorithm(header.get("alg")), header.get("kid")
    if alg is None:
        raise _client_refused(f"header 'alg' must be one of {', '.join(ALGORITHMS)}")
    if not isinstance(kid, str) or not 1 <= len(kid) <= MAX_KID_LENGTH:
        raise _client_refused("header 'kid' is missing: name the registered key that signs")
    if "crit" in header or "b64" in header:
        raise _client_refused("headers 'crit' and 'b64' are not supported")
    if str(header.get("typ", "JWT")).lower() not in ASSERTION_TYPES:
        raise _client_refused("header 'typ' says that this is no client assertion")
    return alg, kid


def check_claims(
    claims: Mapping[str, object], *, client_id: ClientId, audiences: Sequence[str], now: datetime
) -> Assertion:
    """The assertion that these claims make, by RFC 7523 section 3 and FAPI 2.0 section 5.3.2.1.

    1. `iss` and `sub` are the client's id.
    2. `aud` is one of `audiences` (the issuer is the first), as a single string: an assertion meant for several
       servers can be used at each.
    3. `exp` is ahead, by at most MAX_ASSERTION_SECONDS.
    4. `iat` and `nbf`, where given, are not ahead by more than MAX_SKEW_SECONDS, and `iat` not further back from
       `exp` than an assertion may live.
    5. `jti` is there, so that the assertion can be used once.

    Raises TokenRefused.
    """
    if claims.get("iss") != client_id or claims.get("sub") != client_id:  # 1
        raise _client_refused("claims 'iss' and 'sub' must both be the client id")
    if claims.get("aud") not in audiences:  # 2
        raise _client_refused("claim 'aud' must be the issuer, as a single string")
    expires_in = _number(claims, "exp") - now.timestamp()  # 3
    if expires_in <= 0:
        raise _client_refused("claim 'exp' has passed")
    if expires_in > MAX_ASSERTION_SECONDS:
        raise _client_refused(f"claim 'exp' is more than {MAX_ASSERTION_SECONDS} seconds ahead")
    for name in ("iat", "nbf"):  # 4
        if name in claims and _number(claims, name) > now.timestamp() + MAX_SKEW_SECONDS:
            raise _client_refused(f"claim '{name}' is in the future")
    if "iat" in claims and _number(claims, "exp") - _number(claims, "iat") > MAX_ASSERTION_SECONDS:
        raise _client_refused(f"claim 'exp' is more than {MAX_ASSERTION_SECONDS} seconds after 'iat'")
    jti = claims.get("jti")  # 5
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI_LENGTH:
        raise _client_refused(f"claim 'jti' must be a string of 1 to {MAX_JTI_LENGTH} characters")
    return Assertion(client_id, jti, now + timedelta(seconds=expires_in), _staff(claims))


def choose_organization(requested: str | None, served: Collection[OrganizationId]) -> OrganizationId:
    """The organization that the client acts for. Raises TokenRefused, alike for those that do not exist and
    those it may not act for."""
    if requested is None:
        if len(served) == 1:
            return next(iter(served))
        raise TokenRefused(
            "invalid_request",
            "parameter 'organization' is required: the client acts for several organizations",
        )
    for organization_id in served:
        if str(organization_id) == requested.lower():
            return organization_id
    raise TokenRefused(
        "invalid_request", "parameter 'organization' is not the id of an organization this client acts for"
    )


def narrow_scopes(requested: str | None, granted: frozenset[Scope]) -> frozenset[Scope]:
    """What was asked for, or all that is granted when nothing was. Raises TokenRefused."""
    if requested is None:
        return granted
    wanted = set(requested.split(" ")) - {""}
    if not wanted or not wanted <= set(Scope):
        raise TokenRefused("invalid_scope", "parameter 'scope' holds something that is not a scope")
    if not wanted <= granted:
        raise TokenRefused(
            "invalid_scope", "parameter 'scope' asks for more than is granted for this organization"
        )
    return frozenset(Scope(scope) for scope in wanted)


def scope_text(scopes: Collection[Scope]) -> str:
    """As RFC 6749 section 3.3 writes it."""
    return " ".join(sorted(scopes))


def staff_from(value: object) -> Staff | None:
    """The staff member that a `staff` claim names; None when it does not have the form {id, name?}."""
    if not isinstance(value, dict) or not value.keys() <= {"id", "name"}:
        return None
    if not all(isinstance(part, str) and 1 <= len(part) <= MAX_STAFF_LENGTH for part in value.values()):
        return None
    return Staff(value["id"], value.get("name")) if "id" in value else None


def organization_from(value: object) -> OrganizationId | None:
    try:
        return OrganizationId(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def accept_keys(jwks: Mapping[str, object]) -> tuple[ClientKey, ...]:
    """The keys of a JWK Set, each usable from now on. Raises RuleViolated."""
    members = jwks.get("keys")
    if not isinstance(members, list) or not 1 <= len(members) <= MAX_KEYS:
        raise key_refused(
            "count", f"JWK Setに1～{MAX_KEYS}個の鍵が必要です", f"A JWK Set of 1 to {MAX_KEYS} keys is needed"
        )
    keys = tuple(accept_key(member) for member in members)
    if len({key.kid for key in keys}) < len(keys):
        raise key_refused("kid", "kid が重複しています", "Two keys have the same kid")
    return keys


def accept_key(jwk: object) -> ClientKey:
    """The public key, reduced to the members that matter and bound to its one algorithm.

    Raises RuleViolated when it is private, weak, malformed or of another kind.
    """
    key = read_key(jwk)
    kid = jwk.get("kid", key.thumbprint) if isinstance(jwk, dict) else None
    if not isinstance(kid, str) or not 1 <= len(kid) <= MAX_KID_LENGTH or not kid.isprintable():
        raise key_refused(
            "kid",
            f"kid は{MAX_KID_LENGTH}文字以内の文字列です",
            f"kid is a string of at most {MAX_KID_LENGTH} characters",
        )
    return ClientKey(kid, {**key.jwk, "kid": kid, "alg": key.alg})


def _staff(claims: Mapping[str, object]) -> Staff | None:
    if "staff" not in claims:
        return None
    staff = staff_from(claims["staff"])
    if staff is None:
        raise _client_refused(
            f"claim 'staff' must be an object of 'id' and optional 'name', up to {MAX_STAFF_LENGTH} letters"
        )
    return staff


def _number(claims: Mapping[str, object], name: str) -> float:
    seconds = numeric_date(claims.get(name))
    if seconds is None:
        raise _client_refused(f"claim '{name}' must be a number of seconds since 1970")
    return seconds


def _client_refused(description: str) -> TokenRefused:
    return TokenRefused("invalid_client", description)
