"""Access tokens (RFC 9068), and the platform's keys that sign them."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from tsunagi.auth.rules import (
    Caller,
    Scope,
    acceptable_client_id,
    organization_from,
    scope_text,
    staff_from,
)
from tsunagi.errors import Text, Unauthenticated
from tsunagi.proofs.keys import read_jwt
from tsunagi.proofs.rules import MAX_SKEW_SECONDS
from tsunagi.secret_files import write_private

LIFETIME_SECONDS = 300
ALGORITHM = "ES256"
TYPE = "at+jwt"
"""RFC 9068 section 2.1: nothing else that is signed here may pass for an access token."""

MAX_CACHED = 10_000


class SigningKeys:
    """The P-256 keys under one directory: the newest signs, all verify. Their names sort by age.

    Processes that share the directory share the keys: one that meets an unknown key id looks for new files.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._read()
        if not self._keys:
            create_signing_key(directory)
            self._read()

    @property
    def newest(self) -> tuple[str, ECKey]:
        return next(reversed(self._keys.items()))

    def find(self, kid: str) -> ECKey | None:
        if kid not in self._keys and self._files() != self._seen:
            self._read()
        return self._keys.get(kid)

    def public_set(self) -> dict[str, object]:
        """The JWK Set (RFC 7517) that others verify with."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "alg": ALGORITHM, "use": "sig"}
                for kid, key in self._keys.items()
            ]
        }

    def _files(self) -> list[Path]:
        return sorted(self.directory.glob("token-*.pem"))

    def _read(self) -> None:
        self._seen = self._files()
        keys = [ECKey.import_key(path.read_bytes()) for path in self._seen]
        if any(key.curve_name != "P-256" or not key.is_private for key in keys):
            raise ValueError(f"{self.directory} holds a token key that is not a private P-256 key")
        self._keys = {key.thumbprint(): key for key in keys}


def create_signing_key(directory: Path) -> str:
    """A new key lies in the directory, readable by its owner alone, and signs from the next start on.

    Returns its id, the RFC 7638 thumbprint. The old files may go once LIFETIME_SECONDS have passed.
    """
    key = ECKey.generate_key("P-256")
    kid = key.thumbprint()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / f"token-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{kid[:8]}.pem"
    partial = path.with_suffix(".partial")  # so that nobody reads half a key
    write_private(partial, key.as_pem(private=True))
    partial.rename(path)
    return kid


@dataclass(frozen=True, slots=True)
class Access:
    """What a token gives: it makes its holder `caller`."""

    caller: Caller
    jkt: str | None
    """Thumbprint of the key whose holder alone may use it. None for a sandbox token: whoever has it may."""


class AccessTokens:
    """Issues and verifies access tokens for one issuer, which is also their only audience."""

    def __init__(self, keys: SigningKeys, issuer: str) -> None:
        self.keys = keys
        self.issuer = issuer
        self._verified: dict[bytes, tuple[Access, int]] = {}

    def issue(self, caller: Caller, now: datetime, *, jkt: str | None) -> str:
        """A token that makes the holder of the key `jkt` `caller` for LIFETIME_SECONDS (RFC 9449 section 6.1).

        Without a key it makes anybody so who has it, and says of itself that it is of the sandbox.
        """
        kid, key = self.keys.newest
        issued_at = int(now.timestamp())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": caller.client_id,
            "client_id": caller.client_id,
            "iat": issued_at,
            "exp": issued_at + LIFETIME_SECONDS,
            "jti": secrets.token_urlsafe(16),
            "scope": scope_text(caller.scopes),
            "org": str(caller.organization_id),
            **({"cnf": {"jkt": jkt}} if jkt else {"sandbox": True}),
        }
        if caller.staff:
            name = {"name": caller.staff.name} if caller.staff.name else {}
            claims["staff"] = {"id": caller.staff.id, **name}
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE, "kid": kid}, claims, key, algorithms=[ALGORITHM])

    def verify(self, token: str, now: datetime) -> Access:
        """What the token gives. A token that was verified once is not verified again.

        Says nothing about revocation or possession: `actions.Gate` does. Raises Unauthenticated.
        """
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        access, expires = self._verified.get(digest) or self._decode(token, now)
        if expires <= now.timestamp():
            self._verified.pop(digest, None)
            raise Unauthenticated(
                Text("アクセストークンの有効期限が切れています", "The access token has expired")
            )
        if digest not in self._verified:
            self._make_room()
            self._verified[digest] = access, expires
        return access

    def _decode(self, token: str, now: datetime) -> tuple[Access, int]:
        """The procedure of RFC 9068 section 4, with one algorithm and one issuer."""
        unverified = read_jwt(token)
        if unverified is None:
            raise _not_ours()
        header = unverified.header
        key = self.keys.find(str(header.get("kid")))
        if key is None or header.get("alg") != ALGORITHM or header.get("typ") != TYPE or "crit" in header:
            raise _not_ours()
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            raise _not_ours() from None
        return self._access(claims, now)

    def _access(self, claims: Mapping[str, object], now: datetime) -> tuple[Access, int]:
        issued_at, expires, scope = claims.get("iat"), claims.get("exp"), claims.get("scope")
        if claims.get("iss") != self.issuer or claims.get("aud") != self.issuer:
            raise _not_ours()
        if not isinstance(issued_at, int) or issued_at > now.timestamp() + MAX_SKEW_SECONDS:
            raise _not_ours()
        client_id = acceptable_client_id(claims.get("client_id"))
        organization_id = organization_from(claims.get("org"))
        if client_id is None or organization_id is None or not isinstance(expires, int):
            raise _not_ours()
        scopes = frozenset(Scope(name) for name in str(scope).split() if name in set(Scope))
        caller = Caller(organization_id, client_id, scopes, staff_from(claims.get("staff")))
        return Access(caller, _binding(claims)), expires

    def _make_room(self) -> None:
        """All live for the same time, so that the oldest expires first."""
        if len(self._verified) >= MAX_CACHED:
            del self._verified[next(iter(self._verified))]


def _binding(claims: Mapping[str, object]) -> str | None:
    """Every token says how it is bound: one that says nothing is nobody's."""
    confirmation = claims.get("cnf")
    if isinstance(confirmation, dict) and isinstance(jkt := confirmation.get("jkt"), str) and jkt:
        return jkt
    if confirmation is not None or claims.get("sandbox") is not True:
        raise _not_ours()
    return None


def _not_ours() -> Unauthenticated:
    return Unauthenticated(
        Text(
            "このサービスが発行したアクセストークンではありません", "This is no access token of this service"
        )
    )
