"""Which keys, claims and scopes are accepted; everything here is a value in and a value or refusal out."""

import base64
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.auth.assertions import public_jwk
from tsunagi.auth.rules import (
    Assertion,
    Caller,
    ClientKey,
    Scope,
    Staff,
    TokenRefused,
    accept_key,
    accept_keys,
    acceptable_client_id,
    check_claims,
    choose_organization,
    narrow_scopes,
)
from tsunagi.errors import RuleViolated
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.proofs.keys import read_jwt

NOW = datetime(2026, 10, 1, 3, tzinfo=UTC)
ISSUER = "https://tsunagi.example"
CLIENT = ClientId("kizuna-office")
EC, RSA, OKP = ECKey.generate_key("P-256"), RSAKey.generate_key(2048), OKPKey.generate_key("Ed25519")


def refusal_codes(jwks: Any) -> list[str]:
    with pytest.raises(RuleViolated) as refused:
        accept_keys(jwks)
    assert all(notice.party == "client" for notice in refused.value.errors)
    return [notice.code for notice in refused.value.errors]


def small_rsa() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return public_jwk(RSAKey.generate_key(1024))


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (RSA, "PS256"), (OKP, "EdDSA")])
def test_a_key_is_bound_to_its_one_algorithm(key: Any, alg: str) -> None:
    accepted = accept_key(key.as_dict(private=False))
    assert accepted.jwk["alg"] == alg
    assert accepted.kid == accepted.jwk["kid"] == key.thumbprint()
    assert (
        accept_key(public_jwk(key) | {"kid": "key-1", "use": "sig", "alg": alg, "x5c": ["…"]}).kid == "key-1"
    )


def test_only_public_members_are_kept() -> None:
    accepted = accept_key(public_jwk(EC) | {"x5u": "https://elsewhere.example", "comment": "hello"})
    assert accepted.jwk.keys() == {"kty", "crv", "x", "y", "kid", "alg"}


@pytest.mark.parametrize("key", [EC, RSA, OKP])
def test_a_private_key_is_refused(key: Any) -> None:
    assert refusal_codes({"keys": [public_jwk(OKP), key.as_dict(private=True)]}) == ["client_key_private"]


@pytest.mark.parametrize(
    ("jwk", "code"),
    [
        (small_rsa(), "weak"),
        ({**public_jwk(RSA), "n": base64.urlsafe_b64encode(b"\xff" * 2048).decode().rstrip("=")}, "weak"),
        ({**public_jwk(RSA), "n": ""}, "malformed"),
        ({**public_jwk(RSA), "n": 5}, "malformed"),
        ({**public_jwk(RSA), "e": "AQ"}, "exponent"),
        ({**public_jwk(RSA), "e": "Aw"}, "exponent"),
        ({**public_jwk(RSA), "e": public_jwk(RSA)["n"]}, "exponent"),
        ({**public_jwk(RSA), "e": "!"}, "malformed"),
        ({"kty": "RSA", "e": "AQAB"}, "malformed"),
        (public_jwk(ECKey.generate_key("P-384")), "type"),
        (public_jwk(ECKey.generate_key("secp256k1")), "type"),
        (public_jwk(OKPKey.generate_key("X25519")), "type"),
        (public_jwk(OKPKey.generate_key("Ed448")), "type"),
        ({**public_jwk(EC), "crv": ["P-256"]}, "type"),
        ({**public_jwk(EC), "x": public_jwk(EC)["y"]}, "malformed"),
        ({**public_jwk(EC), "x": "!"}, "malformed"),
        ({**public_jwk(EC), "x": 1}, "malformed"),
        ({**public_jwk(OKP), "x": "AAAA"}, "weak"),
        ({**public_jwk(OKP), "x": "AQID"}, "malformed"),
        ({**public_jwk(OKP), "x": 7}, "malformed"),
        ({**public_jwk(RSA), "alg": "RS256"}, "type"),
        ({**public_jwk(EC), "alg": "PS256"}, "type"),
        ({**public_jwk(EC), "use": "enc"}, "type"),
        ({**public_jwk(EC), "kid": ""}, "kid"),
        ({**public_jwk(EC), "kid": "k" * 101}, "kid"),
        ({**public_jwk(EC), "kid": 7}, "kid"),
        ({**public_jwk(EC), "kid": "a\0b"}, "kid"),
        (OctKey.generate_key(256).as_dict(), "private"),
        ({"kty": "oct"}, "type"),
        ({}, "type"),
        ("key", "malformed"),
        (None, "malformed"),
    ],
)
def test_other_keys_are_refused(jwk: Any, code: str) -> None:
    assert refusal_codes({"keys": [jwk]}) == [f"client_key_{code}"]


@pytest.mark.parametrize("jwks", [{}, {"keys": []}, {"keys": "all"}, {"keys": [public_jwk(EC)] * 11}])
def test_a_key_set_has_one_to_ten_keys(jwks: Any) -> None:
    assert refusal_codes(jwks) == ["client_key_count"]


def test_a_key_set_names_each_key_once() -> None:
    assert refusal_codes({"keys": [public_jwk(EC), public_jwk(OKP) | {"kid": EC.thumbprint()}]}) == [
        "client_key_kid"
    ]


def test_a_key_is_usable_until_the_instant_it_retires_or_is_revoked() -> None:
    for key in (ClientKey("k", {}, retires_at=NOW), ClientKey("k", {}, revoked_at=NOW)):
        assert key.usable(NOW - timedelta(microseconds=1))
        assert not key.usable(NOW)
    assert ClientKey("k", {}).usable(NOW)


def claims(**changes: Any) -> dict[str, Any]:
    seconds = NOW.timestamp()
    return {"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": seconds + 60, "jti": "j-1", **changes}


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({"exp": NOW.timestamp() + 300}, True),
        ({"exp": NOW.timestamp() + 300.001}, False),
        ({"exp": NOW.timestamp() + 0.001}, True),
        ({"exp": NOW.timestamp()}, False),
        ({"iat": NOW.timestamp() + 10}, True),
        ({"iat": NOW.timestamp() + 10.001}, False),
        ({"nbf": NOW.timestamp() + 10}, True),
        ({"nbf": NOW.timestamp() + 10.001}, False),
        ({"iat": NOW.timestamp() - 240}, True),
        ({"iat": NOW.timestamp() - 240.001}, False),
        ({"iat": 0}, False),
        ({"exp": 10**400}, False),
        ({"exp": float("inf")}, False),
        ({"exp": float("nan")}, False),
        ({"iat": float("-inf")}, False),
    ],
)
def test_the_bounds_of_time_are_exact(changes: dict[str, Any], *, accepted: bool) -> None:
    if accepted:
        assert check_claims(claims(**changes), client_id=CLIENT, audiences=[ISSUER], now=NOW).jti == "j-1"
    else:
        with pytest.raises(TokenRefused):
            check_claims(claims(**changes), client_id=CLIENT, audiences=[ISSUER], now=NOW)


def test_the_fingerprint_tells_clients_and_assertions_apart() -> None:
    pairs = [("client-a", "b"), ("client-", "ab"), ("client-a", "bc"), ("client-ab", "c")]
    fingerprints = {Assertion(ClientId(client), jti, NOW, None).fingerprint for client, jti in pairs}
    assert len(fingerprints) == len(pairs)


@given(st.text(max_size=300) | st.tuples(st.text(), st.text(), st.text()).map(".".join))
def test_nothing_that_is_submitted_breaks_the_reader(compact: str) -> None:
    assert read_jwt(compact) is None


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_claims_of_any_kind_are_accepted_or_refused(extra: dict[str, Any]) -> None:
    try:
        check_claims(claims() | extra, client_id=CLIENT, audiences=[ISSUER], now=NOW)
    except TokenRefused as refusal:
        assert refusal.description.isascii()


def test_one_organization_needs_no_choosing() -> None:
    one, other = OrganizationId(uuid4()), OrganizationId(uuid4())
    assert choose_organization(None, [one]) == one
    assert choose_organization(str(other).upper(), [one, other]) == other
    with pytest.raises(TokenRefused, match="required"):
        choose_organization(None, [one, other])
    with pytest.raises(TokenRefused, match="not the id"):
        choose_organization(str(other), [one])


def test_scopes_are_a_closed_set() -> None:
    granted = frozenset({Scope.EVENTS_READ})
    assert narrow_scopes(None, granted) == granted
    assert narrow_scopes("events:read  events:read", granted) == granted
    for requested in ("events:write", "", "EVENTS:READ"):
        with pytest.raises(TokenRefused) as refused:
            narrow_scopes(requested, granted)
        assert refused.value.error == "invalid_scope"


@pytest.mark.parametrize("value", ["ab", "-abc", "a b c", "a\0b", "ä-client", "x" * 101, None, 7, ["abc"]])
def test_other_client_ids_are_refused(value: Any) -> None:
    assert acceptable_client_id(value) is None


def test_the_ledger_knows_the_staff_member_by_id_alone() -> None:
    organization_id = OrganizationId(uuid4())
    caller = Caller(organization_id, CLIENT, frozenset(), Staff("s-1", "佐藤 花子"))
    actor = caller.actor("r-1")
    assert (actor.organization_id, actor.client_id, actor.staff) == (organization_id, CLIENT, "s-1")
    assert Caller(organization_id, CLIENT, frozenset()).actor("r-1").staff is None
