"""Proof that a token is used by whom it was issued to (DPoP, RFC 9449)."""

import hashlib
import time
from base64 import urlsafe_b64encode
from urllib.parse import urlsplit
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from tsunagi_client._flow import Answer, Request

USE_NONCE = "use_dpop_nonce"
_ALGORITHM = "ES256"


class Possession:
    """A key of the client's own, made anew and never stored. Tokens are bound to it: whoever finds one in a log
    cannot use it."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256")
        self._header = {"typ": "dpop+jwt", "alg": _ALGORITHM, "jwk": self._key.as_dict(private=False)}
        self._nonces: dict[str, str] = {}

    def proof(self, request: Request, token: str | None = None) -> str:
        """The value of the header `DPoP` for one sending of the request; another sending needs another."""
        claims: dict[str, object] = {
            "jti": str(uuid4()),
            "htm": request.method,
            "htu": request.url.partition("?")[0],
            "iat": int(time.time()),
        }
        if token is not None:
            claims["ath"] = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        if nonce := self._nonces.get(_origin(request)):
            claims["nonce"] = nonce
        return jwt.encode(self._header, claims, self._key, algorithms=[_ALGORITHM])

    def heard(self, request: Request, answer: Answer) -> None:
        """Further proofs for that server carry the nonce it gave (RFC 9449 section 8.2)."""
        if nonce := answer.headers.get("dpop-nonce"):
            self._nonces[_origin(request)] = nonce


def wants_nonce(answer: Answer) -> bool:
    """Whether the same request with the nonce that came along will do: from the token endpoint (RFC 9449 section 8)
    or from the API (section 9)."""
    if "dpop-nonce" not in answer.headers:
        return False
    if answer.status == 401:
        return f'error="{USE_NONCE}"' in answer.headers.get("www-authenticate", "")
    return answer.status == 400 and b'"' + USE_NONCE.encode() + b'"' in answer.content


def _origin(request: Request) -> str:
    parts = urlsplit(request.url)
    return f"{parts.scheme}://{parts.netloc}"
