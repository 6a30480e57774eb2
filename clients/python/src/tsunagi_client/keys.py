"""The client's private key, and what it signs."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwa import EdDSAAlgorithm, ESAlgorithm, JWSAlgModel, RSAPSSAlgorithm
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

AsymmetricKey: TypeAlias = ECKey | RSAKey | OKPKey
KeySource: TypeAlias = AsymmetricKey | Mapping[str, Any] | str | bytes | os.PathLike[str]
"""A joserfc key; a JWK; PEM or a JWK as text; or the path of a file with one of them."""

_KINDS: tuple[type[ECKey] | type[RSAKey] | type[OKPKey], ...] = (ECKey, RSAKey, OKPKey)


class _EdDSA(EdDSAAlgorithm):
    """The name that FAPI 2.0 uses; joserfc warns that RFC 9864 has a newer one."""

    security_warning = None  # type: ignore[assignment]  # joserfc: None means no warning


class _Registry(JWSRegistry):
    """FAPI 2.0 Security Profile section 5.4.1."""

    algorithms: dict[str, JWSAlgModel] = {  # noqa: RUF012  joserfc declares them so
        alg.name: alg for alg in (ESAlgorithm("ES256", "P-256", 256), RSAPSSAlgorithm(256), _EdDSA())
    }


_SIGNATURES = _Registry(algorithms=list(_Registry.algorithms))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the algorithm that it is for and the id that the service knows it by."""

    key: AsymmetricKey = field(repr=False)
    algorithm: str
    id: str

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWT."""
        header = {"alg": self.algorithm, "kid": self.id}
        return jwt.encode(header, dict(claims), self.key, registry=_SIGNATURES)


def load_key(source: KeySource, key_id: str | None = None) -> SigningKey:
    """The key to sign with. Its id is `key_id`, else the JWK's `kid`, else the thumbprint (RFC 7638).

    Raises ValueError when there is no private key, or none of the kinds that the service takes: EC P-256
    (ES256), RSA (PS256), Ed25519 (EdDSA). OSError when the file cannot be read.
    """
    key = source if isinstance(source, ECKey | RSAKey | OKPKey) else _imported(source)
    if not key.is_private:
        raise ValueError("this is the public key; the private one is needed")
    return SigningKey(key, _algorithm(key), key_id or key.kid or key.thumbprint())


def _imported(source: Mapping[str, Any] | str | bytes | os.PathLike[str]) -> AsymmetricKey:
    if isinstance(source, Mapping):
        return _from_jwk(source)
    if isinstance(source, os.PathLike):
        text = Path(source).read_text()
    else:
        text = source.decode() if isinstance(source, bytes) else source
        if "-----BEGIN" not in text and not text.lstrip().startswith("{"):
            text = Path(text).read_text()
    return _from_jwk(json.loads(text)) if text.lstrip().startswith("{") else _from_pem(text)


def _from_jwk(jwk: Mapping[str, Any]) -> AsymmetricKey:
    for kind in _KINDS:
        if jwk.get("kty") == kind.key_type:
            try:
                return kind.import_key(dict(jwk))
            except (JoseError, KeyError, ValueError) as error:
                raise ValueError("not a JWK that can be read") from error
    raise ValueError("a JWK of type EC, RSA or OKP is needed")


def _from_pem(text: str) -> AsymmetricKey:
    for kind in _KINDS:
        try:
            return kind.import_key(text)
        except JoseError:  # a key of another type
            continue
    raise ValueError("an EC, RSA or Ed25519 key is needed")


def _algorithm(key: AsymmetricKey) -> str:
    if isinstance(key, RSAKey):
        return "PS256"
    if key.curve_name == "P-256":
        return "ES256"
    if key.curve_name == "Ed25519":
        return "EdDSA"
    raise ValueError("the key's curve must be P-256 or Ed25519")
