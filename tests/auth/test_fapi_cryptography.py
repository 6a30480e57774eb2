"""FAPI 2.0 Security Profile, sections 5.4 and 6.8: algorithms, keys and secrets."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.auth.assertions import client_assertion, encode, public_jwk, sign
from tests.auth.conftest import ANY_KEY, ISSUER, OPERATOR, Register, Software
from tests.auth.test_rules import small_rsa
from tests.world import World
from tsunagi.auth import actions
from tsunagi.auth.rules import accept_keys
from tsunagi.auth.tokens import AccessTokens, SigningKeys, create_signing_key
from tsunagi.errors import RuleViolated, Unauthenticated
from tsunagi.proofs.nonces import Nonces


async def test_fapi_5_4_1_1a_what_is_typed_as_something_else_is_not_accepted(software: Software) -> None:
    """RFC 8725 section 3.11: assertion, proof and token never pass for one another, though one key may sign all."""
    software.holder = software.key
    token = await software.token()
    assert (await software.ask(software.proof())).status == 401
    assert (await software.ask(token)).status == 401
    for other in (software.assertion(), token):
        assert (await software.ask(proofs=[other])).body["error"] == "invalid_dpop_proof"
    for other in (software.assertion(), software.proof()):
        with pytest.raises(Unauthenticated):
            await software.gate.admit(software.shown(other), datetime.now(UTC))


async def test_fapi_5_4_1_1a_critical_headers_and_other_peoples_keys_are_refused(software: Software) -> None:
    """RFC 8725 sections 3.1, 3.8 and 3.10, RFC 7515 section 4.1.11."""
    own = ECKey.generate_key("P-256")
    for header in ({"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}):
        assert (await software.ask(software.assertion(header=header))).status == 401
        assert (await software.ask(proofs=[software.proof(header=header)])).status == 400
    leads_away = {
        "jku": "https://evil.example/jwks",
        "jwk": public_jwk(own),
        "kid": software.key.thumbprint(),
    }
    forged = client_assertion(own, software.id, ISSUER, header=leads_away)
    assert (await software.ask(forged)).status == 401


@pytest.mark.parametrize(
    "key",
    [ECKey.generate_key("P-256"), RSAKey.generate_key(2048), OKPKey.generate_key("Ed25519")],
    ids=["ES256", "PS256", "EdDSA"],
)
async def test_fapi_5_4_1_1b_each_algorithm_of_the_profile_is_accepted(
    register: Register, key: ANY_KEY
) -> None:
    software = await register(key)
    software.holder = key
    token = await software.token()
    assert (
        await software.gate.admit(software.shown(token), datetime.now(UTC))
    ).caller.client_id == software.id


@pytest.mark.parametrize("alg", ["RS256", "PS384", "ES384", "HS256", "Ed448", "ES256K"])
async def test_fapi_5_4_1_1b_no_other_algorithm_is(software: Software, alg: str) -> None:
    assert (await software.ask(software.assertion(header={"alg": alg}))).status == 401
    answer = await software.ask(proofs=[software.proof(header={"alg": alg})])
    assert (answer.status, "'alg'" in str(answer.body["error_description"])) == (400, True)


async def test_fapi_5_4_1_1b_a_public_key_is_no_shared_secret(software: Software) -> None:
    for key, header, claims in (
        (software.key, {"kid": software.key.thumbprint()}, {"iss": software.id, "sub": software.id}),
        (software.holder, {"typ": "dpop+jwt", "jwk": public_jwk(software.holder)}, {"htm": "POST"}),
    ):
        for secret in (key.as_pem(), json.dumps(public_jwk(key)).encode()):
            forged = sign(
                OctKey(secret, secret), "HS256", {"alg": "HS256", **header}, json.dumps(claims).encode()
            )
            assert (await software.ask(forged)).status == 401
            assert (await software.ask(proofs=[forged])).status == 400


async def test_fapi_5_4_1_1c_unsigned_is_refused(software: Software) -> None:
    for alg in ("none", "None", "NONE", ""):
        assertion = software.assertion(header={"alg": alg}).rpartition(".")[0] + "."
        assert (await software.ask(assertion)).status == 401
        proof = software.proof(header={"alg": alg}).rpartition(".")[0] + "."
        assert (await software.ask(proofs=[proof])).status == 400
    token = await software.token()
    header = jws.extract_compact(token.encode()).headers() | {"alg": "none"}
    unsigned = f"{encode(json.dumps(header).encode())}.{token.split('.')[1]}."
    with pytest.raises(Unauthenticated):
        await software.gate.admit(software.shown(unsigned), datetime.now(UTC))


def test_fapi_5_4_1_2_rsa_keys_have_2048_bits() -> None:
    with pytest.raises(RuleViolated) as refused:
        accept_keys({"keys": [small_rsa()]})
    assert [one.code for one in refused.value.errors] == ["client_key_weak"]


async def test_fapi_5_4_1_2_also_those_of_proofs(software: Software) -> None:
    answer = await software.ask(proofs=[software.proof(header={"jwk": small_rsa(), "alg": "PS256"})])
    assert (answer.status, "'jwk'" in str(answer.body["error_description"])) == (400, True)


SMALL_ORDER = [
    "00" * 32,
    "01" + "00" * 31,
    "01" + "00" * 30 + "80",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    *(low + "ff" * 30 + high for low in ("ec", "ed", "ee") for high in ("7f", "ff")),
]


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_fapi_5_4_1_3_a_key_that_anybody_can_sign_for_is_refused(point: str) -> None:
    """Points of small order: some signatures fit every message."""
    with pytest.raises(RuleViolated) as refused:
        accept_keys({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": encode(bytes.fromhex(point))}]})
    assert [one.code for one in refused.value.errors] == ["client_key_weak"]


@pytest.mark.parametrize("curve", ["P-384", "P-521", "secp256k1"])
def test_fapi_5_4_1_3_elliptic_curves_are_p_256_and_ed25519(curve: str) -> None:
    with pytest.raises(RuleViolated):
        accept_keys({"keys": [public_jwk(ECKey.generate_key(curve))]})  # type: ignore[arg-type]
    assert accept_keys({"keys": [public_jwk(ECKey.generate_key("P-256"))]})
    assert accept_keys({"keys": [public_jwk(OKPKey.generate_key("Ed25519"))]})


async def test_fapi_5_4_1_4_tokens_and_nonces_cannot_be_guessed(software: Software) -> None:
    ids = {
        json.loads(jws.extract_compact((await software.token()).encode()).payload)["jti"] for _ in range(5)
    }
    assert len(ids) == 5
    assert all(len(one) * 6 >= 128 for one in ids)
    nonces, now = Nonces(b"k" * 32), datetime.now(UTC)
    one, other = nonces.make(now), Nonces(b"l" * 32).make(now)
    assert one[:10] == other[:10], "the time is no secret"
    assert nonces.made_at(one, now) and not nonces.made_at(other, now)
    assert len(one) * 6 - 64 >= 128


async def test_fapi_5_4_2_1_the_key_set_has_the_issuers_address(world: World) -> None:
    metadata = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["jwks_uri"] == metadata["issuer"] + "/.well-known/jwks.json"


async def test_fapi_5_4_2_2_nothing_points_to_keys_elsewhere(software: Software, world: World) -> None:
    token = await software.token()
    assert jws.extract_compact(token.encode()).headers().keys() == {"alg", "typ", "kid"}
    for one in (await world.http.get("/.well-known/jwks.json")).json()["keys"]:
        assert one.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_fapi_5_4_2_3_each_key_has_an_id_of_its_own(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path)
    create_signing_key(tmp_path)
    published = AccessTokens(SigningKeys(tmp_path), ISSUER).keys.public_set()["keys"]
    assert isinstance(published, list)
    assert len({one["kid"] for one in published}) == len(published) == 2
    assert keys.newest[0] in {one["kid"] for one in published}


def test_fapi_5_4_3_two_keys_of_one_id_cannot_be_registered() -> None:
    twice: list[dict[str, Any]] = [
        public_jwk(ECKey.generate_key("P-256")) | {"kid": "k"},
        public_jwk(OKPKey.generate_key("Ed25519")) | {"kid": "k"},
    ]
    with pytest.raises(RuleViolated) as refused:
        accept_keys({"keys": twice})
    assert [one.code for one in refused.value.errors] == ["client_key_kid"]


async def test_fapi_6_8_a_key_that_was_replaced_or_revoked_signs_no_longer(software: Software) -> None:
    leaked, software.key = software.key, ECKey.generate_key("P-256")
    assert (await software.ask()).status == 401, "it is not registered yet"
    async with software.db.platform() as tx:
        await actions.rotate_key(
            tx,
            datetime.now(UTC),
            OPERATOR,
            client_id=software.id,
            jwk=public_jwk(software.key),
            overlap=timedelta(),
        )
    assert (await software.ask()).status == 200
    assert (await software.ask(client_assertion(leaked, software.id, ISSUER))).status == 401
    token = await software.token()
    async with software.db.platform() as tx:
        await actions.revoke_client(tx, datetime.now(UTC), OPERATOR, client_id=software.id)
    assert (await software.ask()).status == 401
    with pytest.raises(Unauthenticated):
        await software.gate.admit(software.shown(token), datetime.now(UTC))
