"""Client assertions and proofs of possession as a well-behaved client makes them, and as a hostile one might."""

import base64
import hashlib
import json
import warnings
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import ECKey, KeyBase, OctKey, OKPKey, RSAKey

ABSENT = object()
"""As a claim's or header's value: leave it out."""

_ALGORITHMS = {"EC": "ES256", "RSA": "PS256", "OKP": "EdDSA"}


def client_assertion(
    key: ECKey | RSAKey | OKPKey | OctKey,
    client_id: str,
    audience: str,
    *,
    alg: str | None = None,
    header: dict[str, Any] | None = None,
    **overrides: Any,
) -> str:
    """An assertion for private_key_jwt, good for a minute; `overrides` replace claims, `header` replaces
    header members."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid4()),
        **overrides,
    }
    alg = alg or _ALGORITHMS[key.key_type]
    protected = {"alg": alg, "typ": "JWT", "kid": key.kid or key.thumbprint(), **(header or {})}
    return sign(key, alg, _present(protected), json.dumps(_present(claims)).encode())


def dpop_proof(
    key: ECKey | RSAKey | OKPKey,
    method: str,
    url: str,
    *,
    token: str | None = None,
    at: datetime | None = None,
    alg: str | None = None,
    header: dict[str, Any] | None = None,
    **overrides: Any,
) -> str:
    """A proof (RFC 9449 section 4.2) for one request; `overrides` replace claims, `header` replaces header
    members."""
    claims = {
        "jti": str(uuid4()),
        "htm": method,
        "htu": url,
        "iat": int((at or datetime.now(UTC)).timestamp()),
        "ath": ABSENT if token is None else encode(hashlib.sha256(token.encode()).digest()),
        **overrides,
    }
    alg = alg or _ALGORITHMS[key.key_type]
    protected = {"typ": "dpop+jwt", "alg": alg, "jwk": key.as_dict(private=False), **(header or {})}
    return sign(key, alg, _present(protected), json.dumps(_present(claims)).encode())


def sign(key: KeyBase, alg: str, header: dict[str, Any], payload: bytes) -> str:
    """A compact JWS over any bytes, by any algorithm, under any header."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what joserfc warns of is what is tested here
        model = jws.JWSRegistry.algorithms[alg]
        signed = f"{encode(json.dumps(header).encode())}.{encode(payload)}"
        return f"{signed}.{encode(model.sign(signed.encode(), key))}"


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def public_jwk(key: ECKey | RSAKey | OKPKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": key.kid or key.thumbprint()}


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ABSENT}
