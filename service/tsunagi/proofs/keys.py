"""Public keys and the signatures they verify: FAPI 2.0 Security Profile section 5.4.1, for everything that a client
signs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwa import EdDSAAlgorithm, ESAlgorithm, JWSAlgModel, RSAPSSAlgorithm
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import base64_to_int, urlsafe_b64decode

from tsunagi import strict_json
from tsunagi.errors import InvalidJson, Notice, RuleViolated, Text

ALGORITHMS = ("ES256", "PS256", "EdDSA")
"""Each key is bound to one of them. What is not here is not known: neither `none` nor a shared secret can be let
in by mistake."""

_NAMES = {name: name for name in ALGORITHMS} | {"Ed25519": "EdDSA"}
"""RFC 9864 gave EdDSA with Ed25519, which alone is meant here, a name of its own; FAPI 2.0 allows for it (5.4.1)."""

MIN_RSA_BITS, MAX_RSA_BITS = 2_048, 8_192
RSA_EXPONENTS = range(2**16, 2**32)
"""The minima are FIPS 186-5's and FAPI's; the maxima bound what a verification costs: a public exponent as long as
the modulus makes it a thousand times dearer."""

_SMALL_ORDER = {
    int.from_bytes(bytes.fromhex(point), "little")
    for point in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
} | {0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18}
"""The points of Ed25519 whose multiples are eight at most, without their sign, in every encoding: anybody can sign
for such a key."""

MAX_JWT_BYTES = 8_192

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2."""

_KINDS: dict[tuple[object, object], tuple[str, Any]] = {
    ("EC", "P-256"): ("ES256", ECKey),
    ("RSA", None): ("PS256", RSAKey),
    ("OKP", "Ed25519"): ("EdDSA", OKPKey),
}
_UNKNOWN: tuple[str, Any] = ("", None)
_VERIFIERS: dict[str, JWSAlgModel] = {
    "ES256": ESAlgorithm("ES256", "P-256", 256),
    "PS256": RSAPSSAlgorithm(256),
    "EdDSA": EdDSAAlgorithm(),
}


@dataclass(frozen=True, slots=True)
class Jwt:
    """What a compact JWS says before anybody has verified it: good for finding the key, for nothing else."""

    header: Mapping[str, object]
    claims: Mapping[str, object]
    signed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that is accepted, ready to verify with."""

    jwk: Mapping[str, str]
    """Its canonical members."""
    alg: str
    thumbprint: str
    """RFC 7638, by SHA-256."""
    _key: Any

    def has_signed(self, jwt: Jwt) -> bool:
        """Whether the signature is this key's, by the one algorithm that the key is for."""
        return algorithm(jwt.header.get("alg")) == self.alg and _VERIFIERS[self.alg].verify(
            jwt.signed, jwt.signature, self._key
        )


def algorithm(name: object) -> str | None:
    """The one of ALGORITHMS that is named so."""
    return _NAMES.get(name) if isinstance(name, str) else None


def read_jwt(compact: str) -> Jwt | None:
    """The parts of a compact JWS; None when it is none, repeats a key or is too large."""
    parts = compact.split(".", 3)
    if len(parts) != 3 or len(compact) > MAX_JWT_BYTES:
        return None
    try:
        header, claims, signature = (urlsafe_b64decode(part.encode("ascii")) for part in parts)
        said, claimed = strict_json.parse(header), strict_json.parse(claims)
    except (InvalidJson, ValueError):
        return None
    if not isinstance(said, dict) or not isinstance(claimed, dict):
        return None
    return Jwt(said, claimed, compact.rpartition(".")[0].encode("ascii"), signature)


def read_key(jwk: object) -> PublicKey:
    """The public key of a JWK, bound to its one algorithm; other members are ignored.

    Raises RuleViolated when it is private, weak, malformed or of another kind.
    """
    if not isinstance(jwk, dict) or not all(isinstance(name, str) for name in jwk):
        raise _malformed()
    if jwk.keys() & _PRIVATE_MEMBERS:
        raise key_refused(
            "private",
            "秘密鍵が含まれています。公開鍵だけを登録し、この秘密鍵は使わないでください",
            "It holds a private key: register the public key alone, and stop using this private one",
        )
    kind = jwk.get("kty"), jwk.get("crv")
    alg, key_class = next((made for known, made in _KINDS.items() if known == kind), _UNKNOWN)
    if not alg or algorithm(jwk.get("alg", alg)) != alg or jwk.get("use", "sig") != "sig":
        raise key_refused(
            "type",
            "署名用の EC P-256（ES256）、RSA（PS256）、Ed25519（EdDSA）の鍵だけを使えます",
            "Only signature keys on EC P-256 (ES256), RSA (PS256) or Ed25519 (EdDSA) are accepted",
        )
    material = {name: value for name, value in jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")}
    try:
        if alg == "PS256":
            _check_rsa(material)
        elif alg == "EdDSA":
            _check_point(material)
        key = key_class.import_key(key_class.import_key(material).public_key)
    except (JoseError, KeyError, TypeError, ValueError):
        raise _malformed() from None
    return PublicKey(key.as_dict(), alg, key.thumbprint(), key)


def _check_rsa(material: Mapping[str, object]) -> None:
    """Raises RuleViolated, KeyError and ValueError; before anything is computed with the key."""
    if not MIN_RSA_BITS <= base64_to_int(str(material["n"])).bit_length() <= MAX_RSA_BITS:
        raise key_refused(
            "weak",
            f"RSA鍵は{MIN_RSA_BITS}～{MAX_RSA_BITS}ビットにしてください",
            f"An RSA key must have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits",
        )
    if base64_to_int(str(material["e"])) not in RSA_EXPONENTS:
        raise key_refused(
            "exponent",
            "RSA鍵の公開指数は 65537 にしてください",
            "The public exponent of an RSA key should be 65537",
        )


def _check_point(material: Mapping[str, object]) -> None:
    """Raises RuleViolated, KeyError and ValueError."""
    point = int.from_bytes(urlsafe_b64decode(str(material["x"]).encode("ascii")), "little")
    if point % 2**255 in _SMALL_ORDER:
        raise key_refused(
            "weak",
            "この Ed25519 の鍵では、誰でも署名できます",
            "This is no real key: anybody can sign for it",
        )


def key_refused(code: str, ja: str, en: str) -> RuleViolated:
    return RuleViolated(errors=(Notice(f"client_key_{code}", "error", Text(ja, en), "/keys", "client"),))


def _malformed() -> RuleViolated:
    return key_refused("malformed", "JWKとして読めません", "This is not a JWK")
