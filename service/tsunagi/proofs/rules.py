"""What a DPoP proof must say (RFC 9449 section 4.3)."""

import hashlib
import math
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from tsunagi.errors import Text, Unauthenticated
from tsunagi.proofs.keys import ALGORITHMS, Jwt, algorithm

MAX_PROOF_BYTES = 4_096
"""Room for an RSA key of 8,192 bits and its signature."""

MAX_PROOF_SECONDS = 60
"""How old a proof may be. For so long, and MAX_SKEW_SECONDS more, it is remembered as used."""

MAX_SKEW_SECONDS = 10
"""FAPI 2.0 Security Profile section 5.3.2.1: clocks that are up to ten seconds ahead are accepted."""

MAX_JTI_LENGTH = 255
MAX_URL_LENGTH = 2_048
PROOF_TYPE = "dpop+jwt"

ProofError = Literal["invalid_dpop_proof", "use_dpop_nonce"]

_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile("[A-Za-z0-9._~-]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class ProofRefused(Unauthenticated):
    """What a proof does not prove; `error` is RFC 9449's word for it."""

    def __init__(self, ja: str, en: str, *, error: ProofError = "invalid_dpop_proof") -> None:
        super().__init__(Text(ja, en))
        self.error: ProofError = error


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that a proof must have been made for, as the server sees it."""

    method: str
    url: str
    token: str | None = field(default=None, repr=False)
    """The access token that came with it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof whose signature and claims were found right: its maker holds the key `jkt`."""

    jkt: str
    fingerprint: bytes
    made_at: datetime
    """It was not made before that."""
    expires_at: datetime
    nonce_made_at: datetime | None = None


def check_header(header: Mapping[str, object]) -> object:
    """The JWK in the header. Raises ProofRefused."""
    if header.get("typ") != PROOF_TYPE:
        raise ProofRefused(
            f"DPoP のヘッダー typ は {PROOF_TYPE} です",
            f"header 'typ' of the DPoP proof must be {PROOF_TYPE}",
        )
    if algorithm(header.get("alg")) is None:
        names = ", ".join(ALGORITHMS)
        raise ProofRefused(
            f"DPoP のヘッダー alg は {names} のどれかです",
            f"header 'alg' of the DPoP proof must be one of {names}",
        )
    if "crit" in header or "b64" in header:
        raise ProofRefused(
            "DPoP のヘッダー crit と b64 には対応していません",
            "headers 'crit' and 'b64' of the DPoP proof are not supported",
        )
    return header.get("jwk")


def check_claims(jwt: Jwt, asked: Asked, *, jkt: str, nonce_made_at: datetime | None, now: datetime) -> Proof:
    """What the claims prove once the signature is known to be that of `jkt`.

    1. `htm` and `htu` are the request's method and URL, that without query and fragment.
    2. `iat` is at most MAX_PROOF_SECONDS ago, or MAX_SKEW_SECONDS ahead; `nbf` and `exp`, where given, hold.
    3. `ath` is the hash of the access token, if there is one.
    4. `jti` is there, so that the proof can be used once.

    Raises ProofRefused.
    """
    claims = jwt.claims
    if claims.get("htm") != asked.method:  # 1
        raise _wrong("htm", "要求のメソッドではありません", "is not the method of the request")
    if not same_url(claims.get("htu"), asked.url):
        raise _wrong("htu", "要求の URL ではありません", "is not the URL of the request, without its query")
    issued_at = _timely(claims, now.timestamp())  # 2
    if asked.token is not None and claims.get("ath") != token_hash(asked.token):  # 3
        raise _wrong(
            "ath", "アクセストークンの SHA-256 ではありません", "is not the SHA-256 hash of the access token"
        )
    jti = claims.get("jti")  # 4
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI_LENGTH:
        raise _wrong(
            "jti",
            f"1～{MAX_JTI_LENGTH}文字の文字列です",
            f"must be a string of 1 to {MAX_JTI_LENGTH} characters",
        )
    issued = datetime.fromtimestamp(issued_at, UTC)
    return Proof(
        jkt,
        # A thumbprint has one length, so that no two pairs share a fingerprint.
        hashlib.sha256(f"{jkt}{jti}".encode()).digest(),
        nonce_made_at or issued - timedelta(seconds=MAX_SKEW_SECONDS),
        issued + timedelta(seconds=MAX_PROOF_SECONDS),
        nonce_made_at,
    )


def one_proof(headers: Sequence[str]) -> str:
    """The value of the only `DPoP` header. Raises ProofRefused."""
    if len(headers) != 1:
        raise ProofRefused(
            "DPoP ヘッダーがちょうど一つ必要です", "exactly one header 'DPoP' with a proof is needed"
        )
    if len(headers[0]) > MAX_PROOF_BYTES:
        raise ProofRefused(
            f"DPoP の証明は{MAX_PROOF_BYTES}バイトまでです",
            f"the DPoP proof is larger than {MAX_PROOF_BYTES} bytes",
        )
    return headers[0]


def token_hash(token: str) -> str:
    """RFC 9449 section 4.2, `ath`."""
    return urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def same_url(given: object, asked: str) -> bool:
    """Whether the URLs are the same but for query and fragment, after the normalization of RFC 3986 sections
    6.2.2 and 6.2.3."""
    if given == asked:
        return True
    if not isinstance(given, str) or len(given) > MAX_URL_LENGTH:
        return False
    normal = normal_url(given)
    return normal is not None and normal == normal_url(asked)


def normal_url(url: str) -> str | None:
    """None for what is no plain http(s) URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc or not url.isascii():
        return None
    shown = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{shown}{_normal_path(parts.path)}"


def numeric_date(value: object) -> float | None:
    """A NumericDate (RFC 7519 section 2); None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


def _normal_path(path: str) -> str:
    kept: list[str] = []
    segments = (_ESCAPE.sub(_unescaped, path) or "/").split("/")
    for segment in segments:
        if segment == "..":
            del kept[max(1, len(kept) - 1) :]  # the first is the empty one before the root
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept + [""] * (segments[-1] in (".", "..")))


def _unescaped(escape: re.Match[str]) -> str:
    letter = chr(int(escape[1], 16))
    return letter if _UNRESERVED.fullmatch(letter) else escape[0].upper()


def _timely(claims: Mapping[str, object], now: float) -> float:
    """`iat`, if it is of the present."""
    issued_at = numeric_date(claims.get("iat"))
    if issued_at is None:
        raise _wrong("iat", "1970年からの秒数です", "must be a number of seconds since 1970")
    if now - issued_at > MAX_PROOF_SECONDS:
        raise _wrong(
            "iat", f"{MAX_PROOF_SECONDS}秒より前です", f"is more than {MAX_PROOF_SECONDS} seconds ago"
        )
    if issued_at - now > MAX_SKEW_SECONDS:
        raise _wrong("iat", "未来の時刻です", "is in the future")
    not_before = numeric_date(claims.get("nbf", issued_at))
    if not_before is None or not_before - now > MAX_SKEW_SECONDS:
        raise _wrong("nbf", "まだ有効ではありません", "does not hold yet")
    expires = numeric_date(claims.get("exp", now + 1))
    if expires is None or expires <= now:
        raise _wrong("exp", "過ぎています", "has passed")
    return issued_at


def _wrong(claim: str, ja: str, en: str) -> ProofRefused:
    return ProofRefused(f"DPoP の {claim}: {ja}", f"claim '{claim}' of the DPoP proof {en}")
