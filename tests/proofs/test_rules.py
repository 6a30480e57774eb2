"""Which proofs hold, claim by claim and header by header: RFC 9449 section 4.3."""

import json
from datetime import UTC, datetime, timedelta
from inspect import signature
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.auth.assertions import ABSENT, dpop_proof, encode, public_jwk, sign
from tsunagi.db import Database
from tsunagi.proofs.actions import Proofs
from tsunagi.proofs.keys import read_jwt
from tsunagi.proofs.nonces import Nonces
from tsunagi.proofs.rules import Asked, Proof, ProofRefused, normal_url, same_url, token_hash

NOW = datetime(2026, 10, 1, 3, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
URL = "https://tsunagi.example/v1/handovers"
TOKEN = "header.claims.signature"
ASKED = Asked("POST", URL, TOKEN)
EC, RSA, OKP = ECKey.generate_key("P-256"), RSAKey.generate_key(2048), OKPKey.generate_key("Ed25519")
NONCES = Nonces(b"k" * 32)


def checker(nonces: Nonces | None = None) -> Proofs:
    return Proofs(Database("postgresql://nobody@127.0.0.1/none"), nonces)  # checking asks no database


def check(*proofs: str, asked: Asked = ASKED, nonces: Nonces | None = None, jkt: str | None = None) -> Proof:
    return checker(nonces).check(proofs, asked, NOW, jkt=jkt)


def made(key: Any = EC, **changes: Any) -> str:
    return dpop_proof(key, "POST", URL, **({"token": TOKEN, "at": NOW} | changes))


def refusal(*proofs: str, **options: Any) -> ProofRefused:
    with pytest.raises(ProofRefused) as refused:
        check(*proofs, **options)
    assert refused.value.detail is not None
    assert refused.value.detail.en.isprintable()
    assert not set(refused.value.detail.en) & set('"\\'), "it goes between quotes in a header"
    return refused.value


def named(*proofs: str, **options: Any) -> str:
    refused = refusal(*proofs, **options)
    assert refused.error == "invalid_dpop_proof"
    assert refused.detail is not None
    return refused.detail.en


@pytest.mark.parametrize("key", [EC, RSA, OKP], ids=["ES256", "PS256", "EdDSA"])
def test_a_proof_by_any_accepted_key_holds(key: Any) -> None:
    proof = check(made(key))
    assert proof.jkt == key.thumbprint()
    assert proof.expires_at == NOW + timedelta(seconds=60)
    assert proof.made_at == NOW - timedelta(seconds=10), "its clock may be that much ahead"
    assert check(made(key), jkt=key.thumbprint()).jkt == key.thumbprint()


def test_ed25519_is_known_by_both_its_names() -> None:
    """RFC 9864."""
    for alg in ("EdDSA", "Ed25519"):
        proof = made(OKP, alg="EdDSA", header={"alg": alg, "jwk": {**public_jwk(OKP), "alg": alg}})
        assert check(proof).jkt == OKP.thumbprint()
    assert "not signed" in named(made(EC, header={"alg": "Ed25519"}))


def test_there_is_exactly_one_proof() -> None:
    assert "exactly one header" in named()
    assert "exactly one header" in named(made(), made())


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ({"typ": "JWT"}, "'typ'"),
        ({"typ": ABSENT}, "'typ'"),
        ({"typ": ["dpop+jwt"]}, "'typ'"),
        ({"typ": "DPOP+JWT"}, "'typ'"),
        ({"alg": "none"}, "'alg'"),
        ({"alg": "ES384"}, "'alg'"),
        ({"alg": "RS256"}, "'alg'"),
        ({"alg": "HS256"}, "'alg'"),
        ({"alg": ABSENT}, "'alg'"),
        ({"alg": ["ES256"]}, "'alg'"),
        ({"crit": ["exp"]}, "'crit'"),
        ({"crit": []}, "'crit'"),
        ({"b64": False}, "'crit'"),
        ({"jwk": ABSENT}, "'jwk'"),
        ({"jwk": "key"}, "'jwk'"),
        ({"jwk": {}}, "'jwk'"),
        ({"jwk": EC.as_dict(private=True)}, "'jwk'"),
        ({"jwk": OctKey.generate_key(256).as_dict()}, "'jwk'"),
        ({"jwk": {"kty": "oct"}}, "'jwk'"),
        ({"jwk": public_jwk(ECKey.generate_key("P-384"))}, "'jwk'"),
        ({"jwk": public_jwk(OKPKey.generate_key("Ed448"))}, "'jwk'"),
        ({"jwk": {**public_jwk(RSA), "e": public_jwk(RSA)["n"]}}, "'jwk'"),
        ({"jwk": {**public_jwk(RSA), "alg": "RS256"}}, "'jwk'"),
        ({"jwk": {**public_jwk(EC), "use": "enc"}}, "'jwk'"),
        ({"jwk": {**public_jwk(EC), "x": 7}}, "'jwk'"),
    ],
)
def test_a_header_that_breaks_a_rule_is_named(header: dict[str, Any], word: str) -> None:
    assert word in named(made(header=header))


def test_other_headers_are_ignored_and_lead_nowhere() -> None:
    other = public_jwk(ECKey.generate_key("P-256"))
    header = {"kid": "k", "jku": "https://evil.example/jwks", "x5c": ["…"], "x-vendor": {"jwk": other}}
    assert check(made(header=header)).jkt == EC.thumbprint()


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        ({"htm": "GET"}, "'htm'"),
        ({"htm": "post"}, "'htm'"),
        ({"htm": ABSENT}, "'htm'"),
        ({"htu": "https://tsunagi.example/v1/consents"}, "'htu'"),
        ({"htu": "https://elsewhere.example/v1/handovers"}, "'htu'"),
        ({"htu": "http://tsunagi.example/v1/handovers"}, "'htu'"),
        ({"htu": URL + "/"}, "'htu'"),
        ({"htu": URL + "/%2E%2E/consents"}, "'htu'"),
        ({"htu": "/v1/handovers"}, "'htu'"),
        ({"htu": "https://user@tsunagi.example/v1/handovers"}, "'htu'"),
        ({"htu": "https://tsunagi.example:8443/v1/handovers"}, "'htu'"),
        ({"htu": "https://tsunagi.example:99999/v1/handovers"}, "'htu'"),
        ({"htu": [URL]}, "'htu'"),
        ({"htu": URL + "?" + "x" * 2_048}, "'htu'"),
        ({"htu": ABSENT}, "'htu'"),
        ({"ath": ABSENT}, "'ath'"),
        ({"ath": token_hash("another")}, "'ath'"),
        ({"ath": TOKEN}, "'ath'"),
        ({"ath": [token_hash(TOKEN)]}, "'ath'"),
        ({"iat": ABSENT}, "'iat' of the DPoP proof must be a number"),
        ({"iat": str(SECONDS)}, "'iat' of the DPoP proof must be a number"),
        ({"iat": True}, "'iat' of the DPoP proof must be a number"),
        ({"iat": SECONDS - 61}, "'iat' of the DPoP proof is more than 60 seconds ago"),
        ({"iat": SECONDS + 11}, "'iat' of the DPoP proof is in the future"),
        ({"iat": 2**53 - 1}, "'iat' of the DPoP proof is in the future"),
        ({"nbf": SECONDS + 11}, "'nbf'"),
        ({"nbf": "now"}, "'nbf'"),
        ({"exp": SECONDS}, "'exp'"),
        ({"exp": None}, "'exp'"),
        ({"jti": ABSENT}, "'jti'"),
        ({"jti": ""}, "'jti'"),
        ({"jti": 7}, "'jti'"),
        ({"jti": "x" * 256}, "'jti'"),
    ],
)
def test_a_claim_that_breaks_a_rule_is_named(claims: dict[str, Any], word: str) -> None:
    assert word in named(made(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": SECONDS - 60},
        {"iat": SECONDS + 10, "nbf": SECONDS + 10},
        {"iat": SECONDS + 0.5},
        {"exp": SECONDS + 1},
        {"jti": "x" * 255},
        {"htu": URL + "?cursor=1#top"},
        {"anything": {"else": [1]}},
    ],
)
def test_claims_within_the_bounds_are_accepted(claims: dict[str, Any]) -> None:
    assert check(made(**claims)).jkt == EC.thumbprint()


def test_a_signature_by_another_key_is_refused() -> None:
    forged = dpop_proof(
        ECKey.generate_key("P-256"), "POST", URL, header={"jwk": public_jwk(EC)}, token=TOKEN, at=NOW
    )
    assert "not signed by the key" in named(forged)


def test_another_algorithm_than_the_keys_own_is_refused() -> None:
    confused = made(RSA, header={"jwk": public_jwk(EC)})
    assert "not signed by the key" in named(confused)
    public = EC.as_pem()
    shared = sign(
        OctKey(public, public), "HS256", {"typ": "dpop+jwt", "alg": "HS256", "jwk": public_jwk(EC)}, b"{}"
    )
    assert "'alg'" in named(shared)


def test_claims_changed_after_signing_are_refused() -> None:
    header, _, signature = made(jti="one").split(".")
    claims = made(jti="other").split(".")[1]
    assert "not signed by the key" in named(f"{header}.{claims}.{signature}")


def test_a_proof_by_another_key_than_the_tokens_is_refused_before_its_signature_is_looked_at() -> None:
    header, claims, _ = made().split(".")
    unsigned = f"{header}.{claims}.{encode(b'x' * 64)}"
    assert "bound to another key" in named(unsigned, jkt=OKP.thumbprint())
    assert "not signed by the key" in named(unsigned, jkt=EC.thumbprint())


def test_what_is_no_jwt_or_too_large_is_refused() -> None:
    claims = json.dumps({"jti": "x"})
    for hostile in (
        "",
        "x",
        "a.b",
        "a.b.c.d",
        "..",
        "あ.い.う",
        encode(b"[" * 2_000) + ".e30.e30",
        encode(b'"alg"') + ".e30.e30",
        sign(EC, "ES256", {}, b"[]"),
        sign(EC, "ES256", {}, b"\xff"),
        sign(EC, "ES256", {}, claims[:-1].encode() + b', "iat": NaN}'),
        sign(EC, "ES256", {}, claims[:-1].encode() + b', "jti": "y"}'),
        made() + "=",
        made() + "\n",
    ):
        assert "not a JWT" in named(hostile), hostile[:60]
    assert "larger than 4096" in named(made(padding="x" * 4_096))
    assert "larger than 4096" in named("x" * 100_000)


def test_a_key_that_was_accepted_once_is_looked_up() -> None:
    proofs = checker()
    for jti in ("a", "b"):
        assert proofs.check([made(jti=jti)], ASKED, NOW, jkt=EC.thumbprint()).jkt == EC.thumbprint()
    assert len(proofs._keys) == 1
    header, claims, _ = made(jti="c").split(".")
    with pytest.raises(ProofRefused):
        proofs.check([f"{header}.{claims}.{encode(b'x' * 64)}"], ASKED, NOW, jkt=EC.thumbprint())


def test_the_memory_of_keys_is_bounded_and_strangers_fill_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsunagi.proofs.actions.MAX_KEYS", 2)
    proofs = checker()
    for _ in range(5):
        key = ECKey.generate_key("P-256")
        proofs.check([made(key)], ASKED, NOW)
        assert key.thumbprint() not in str(proofs._keys)
        proofs.check([made(key)], ASKED, NOW, jkt=key.thumbprint())
    assert len(proofs._keys) == 2


def test_a_nonce_says_when_the_proof_was_made() -> None:
    minted = NOW - timedelta(seconds=200)
    proof = check(made(nonce=NONCES.make(minted)), nonces=NONCES)
    assert proof.made_at == proof.nonce_made_at == minted


@pytest.mark.parametrize(
    "nonce",
    [
        "made-up",
        "",
        7,
        NONCES.make(NOW - timedelta(seconds=300)),
        NONCES.make(NOW + timedelta(seconds=11)),
        Nonces(b"x" * 32).make(NOW),
        "A" * 32,
        NONCES.make(NOW)[:-1] + "é",
        NONCES.make(NOW) + "A",
    ],
)
def test_a_nonce_that_is_not_ours_or_old_is_never_accepted(nonce: object) -> None:
    assert refusal(made(nonce=nonce), nonces=NONCES).error == "use_dpop_nonce"


def test_a_proof_without_a_nonce_is_accepted_where_there_are_none_alone() -> None:
    """RFC 9449 section 11.3."""
    assert refusal(made(), nonces=NONCES).error == "use_dpop_nonce"
    for proof in (made(), made(nonce="somebody else's")):
        assert check(proof).nonce_made_at is None
    assert checker().new_nonce(NOW) is None


def test_a_nonce_is_replaced_in_time() -> None:
    proofs = checker(NONCES)
    for seconds, renewed in ((0, False), (149, False), (150, True), (299, True)):
        proof = check(made(nonce=NONCES.make(NOW - timedelta(seconds=seconds))), nonces=NONCES)
        assert (proofs.next_nonce(proof, NOW) == NONCES.make(NOW)) is renewed
    assert checker().next_nonce(check(made()), NOW) is None


def test_a_nonce_is_good_within_its_window_for_as_many_proofs_as_one_likes() -> None:
    nonce = NONCES.make(NOW)
    for seconds in (0, 1, 299):
        assert NONCES.made_at(nonce, NOW + timedelta(seconds=seconds)) == NOW
    assert NONCES.made_at(nonce, NOW + timedelta(seconds=300)) is None
    assert NONCES.made_at(nonce, NOW - timedelta(seconds=10)) == NOW, "clocks of processes differ"


def test_the_fingerprint_is_of_key_and_jti() -> None:
    found = {check(made(key, jti=jti)).fingerprint for key in (EC, OKP) for jti in ("a", "b")}
    assert len(found) == 4
    assert check(made(jti="a", iat=SECONDS - 5)).fingerprint in found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTPS://Tsunagi.Example/v1", "https://tsunagi.example/v1"),
        ("https://tsunagi.example:443/v1", "https://tsunagi.example/v1"),
        ("https://tsunagi.example", "https://tsunagi.example/"),
        ("https://tsunagi.example/%7Ea%3ab", "https://tsunagi.example/~a%3Ab"),
        ("https://tsunagi.example/a/./b/../c", "https://tsunagi.example/a/c"),
        ("https://tsunagi.example/../a", "https://tsunagi.example/a"),
        ("https://tsunagi.example/a/..", "https://tsunagi.example/"),
        ("https://tsunagi.example/a?x=1#y", "https://tsunagi.example/a"),
        ("http://[::1]:80/a", "http://[::1]/a"),
    ],
)
def test_urls_are_compared_as_rfc_3986_normalizes_them(one: str, other: str) -> None:
    assert same_url(one, other)
    assert normal_url(one) == normal_url(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://tsunagi.example/a", "https://tsunagi.example/A"),
        ("https://tsunagi.example/a%2Fb", "https://tsunagi.example/a/b"),
        ("https://tsunagi.example/a//b", "https://tsunagi.example/a/b"),
        ("https://tsunagi.example/a", "https://tsunagi.example/a/"),
        ("http://tsunagi.example:443/a", "https://tsunagi.example/a"),
        ("ftp://tsunagi.example/a", "ftp://tsunagi.example/a#"),
        ("https://tsunagi.example\\@evil.example/a", "https://evil.example/a"),
        ("https:///a", "https:///a?"),
    ],
)
def test_other_urls_are_not(one: str, other: str) -> None:
    assert not same_url(one, other)


@given(st.text() | st.text().map("https://tsunagi.example/".__add__))
def test_any_text_is_a_url_or_none(text: str) -> None:
    normal = normal_url(text)
    assert normal is None or normal_url(normal) == normal


CLAIMS = st.text().filter(lambda name: name not in signature(dpop_proof).parameters)
"""What is none of the words in which the tests' own helper is told how to make a proof."""


@given(st.dictionaries(CLAIMS, st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_claims_of_any_kind_are_accepted_or_refused(extra: dict[str, Any]) -> None:
    try:
        check(made(**extra))
    except ProofRefused as refused:
        assert refused.detail and refused.detail.en.isascii()


@given(st.text(max_size=300) | st.tuples(st.text(), st.text(), st.text()).map(".".join))
def test_nothing_that_is_submitted_breaks_the_reader(compact: str) -> None:
    assert read_jwt(compact) is None
    with pytest.raises(ProofRefused):
        check(compact)
