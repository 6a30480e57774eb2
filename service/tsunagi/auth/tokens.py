"""Access tokens (RFC 9068), and the platform's keys that sign them."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from tsunagi.auth.rules import (
    MAX_SKEW_SECONDS,
    Caller,
    Scope,
    acceptable_client_id,
    organization_from,
    read_jwt,
    scope_text,
    staff_from,
)
from tsunagi.errors import Text, Unauthenticated

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
        self._directory = directory
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
        return sorted(self._directory.glob("token-*.pem"))

    def _read(self) -> None:
        self._seen = self._files()
        keys = [ECKey.import_key(path.read_bytes()) for path in self._seen]
        if any(key.curve_name != "P-256" or not key.is_private for key in keys):
            raise ValueError(f"{self._directory} holds a token key that is not a private P-256 key")
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


def write_private(path: Path, content: bytes) -> None:
    """A new file, readable by its owner alone. Raises FileExistsError: a key is never overwritten."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


class AccessTokens:
    """Issues and verifies access tokens for one issuer, which is also their only audience."""

    def __init__(self, keys: SigningKeys, issuer: str) -> None:
        self.keys = keys
        self.issuer = issuer
        self._verified: dict[bytes, tuple[Caller, int]] = {}

    def issue(self, caller: Caller, now: datetime) -> str:
        """A token that makes its bearer `caller` for LIFETIME_SECONDS.

        Sender-constraining adds `cnf` (RFC 9449 section 6.1) here, and `verify` then asks for its proof.
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
        }
        if caller.staff:
            name = {"name": caller.staff.name} if caller.staff.name else {}
            claims["staff"] = {"id": caller.staff.id, **name}
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE, "kid": kid}, claims, key, algorithms=[ALGORITHM])

    def verify(self, token: str, now: datetime) -> Caller:
        """Who the token says is calling. A token that was verified once is not verified again.

        Says nothing about revocation: `actions.Gate` does. Raises Unauthenticated.
        """
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        caller, expires = self._verified.get(digest) or self._decode(token, now)
        if expires <= now.timestamp():
            self._verified.pop(digest, None)
            raise Unauthenticated(
                Text("アクセストークンの有効期限が切れています", "The access token has expired")
            )
        if digest not in self._verified:
            self._make_room()
            self._verified[digest] = caller, expires
        return caller

    def _decode(self, token: str, now: datetime) -> tuple[Caller, int]:
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
        return self._caller(claims, now)

    def _caller(self, claims: Mapping[str, object], now: datetime) -> tuple[Caller, int]:
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
        return Caller(organization_id, client_id, scopes, staff_from(claims.get("staff"))), expires

    def _make_room(self) -> None:
        """All live for the same time, so that the oldest expires first."""
        if len(self._verified) >= MAX_CACHED:
            del self._verified[next(iter(self._verified))]


def _not_ours() -> Unauthenticated:
    return Unauthenticated(
        Text(
            "このサービスが発行したアクセストークンではありません", "This is no access token of this service"
        )
    )
