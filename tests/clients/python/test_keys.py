"""Keys are taken in every form they come in, and sign as the service wants it."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tsunagi_client import load_key

KEYS: dict[str, ECKey | RSAKey | OKPKey] = {
    "ES256": ECKey.generate_key("P-256"),
    "PS256": RSAKey.generate_key(2048),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}


@pytest.mark.parametrize("algorithm", KEYS)
def test_every_form_of_a_key_is_the_same_key(algorithm: str, tmp_path: Path) -> None:
    key = KEYS[algorithm]
    pem, jwk = key.as_pem(private=True), key.as_dict(private=True)
    files = {"key.pem": pem, "key.json": json.dumps(jwk).encode()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    forms: list[Any] = [key, pem, pem.decode(), jwk, json.dumps(jwk)]
    forms += [tmp_path / name for name in files] + [str(tmp_path / name) for name in files]
    for form in forms:
        loaded = load_key(form)
        assert (loaded.algorithm, loaded.id) == (algorithm, key.thumbprint())


@pytest.mark.parametrize("algorithm", KEYS)
def test_what_is_signed_names_its_algorithm_and_key(algorithm: str) -> None:
    signed = load_key(KEYS[algorithm]).sign({"iss": "c"})
    header = jws.extract_compact(signed.encode()).headers()
    assert header == {"typ": "JWT", "alg": algorithm, "kid": KEYS[algorithm].thumbprint()}


def test_the_key_id_that_is_given_wins_over_the_one_in_the_key() -> None:
    jwk = {**KEYS["ES256"].as_dict(private=True), "kid": "mine"}
    assert load_key(jwk).id == "mine"
    assert load_key(jwk, "other").id == "other"


@pytest.mark.parametrize(
    "source",
    [
        KEYS["ES256"].as_dict(private=False),
        KEYS["PS256"].as_pem(private=False),
        ECKey.generate_key("P-384"),
        OKPKey.generate_key("X25519"),
        {"kty": "oct", "k": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "AA"},
        "{}",
        "{",
        "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----",
    ],
    ids=[
        "public-jwk",
        "public-pem",
        "other-curve",
        "exchange-key",
        "secret",
        "half",
        "empty",
        "torn",
        "noise",
    ],
)
def test_a_key_that_cannot_sign_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load_key(source)


def test_a_key_file_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pem"):
        load_key("nowhere.pem")
