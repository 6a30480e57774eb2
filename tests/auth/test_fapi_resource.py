"""FAPI 2.0 Security Profile, section 5.3.4: what the API does as a resource server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.auth.assertions import ABSENT, dpop_proof, public_jwk
from tests.auth.bound import BASE, PATH, Bound, challenge
from tests.auth.conftest import OPERATOR
from tests.world import World
from tsunagi.auth import actions
from tsunagi.auth.rules import Scope
from tsunagi.proofs.rules import token_hash

METADATA = f'resource_metadata="{BASE}/.well-known/oauth-protected-resource"'
ALGS = 'algs="ES256 PS256 EdDSA"'


@pytest.fixture
def bound(world: World) -> Bound:
    return Bound(world)


async def test_fapi_5_3_4_1_tokens_are_accepted_in_the_header(bound: Bound) -> None:
    for scheme in ("DPoP", "dpop", "DPOP"):
        assert (await bound.send(scheme=scheme)).status_code == 200
    silent = await bound.world.http.get(PATH)
    assert (silent.status_code, challenge(silent)) == (401, f"DPoP {ALGS}, {METADATA}")
    for unknown in ("Basic", "MAC", "DPoPx"):
        refused = await bound.send(scheme=unknown)
        assert (refused.status_code, "DPoP " in challenge(refused)) == (401, True)
    token = bound.token()
    doubled = [("Authorization", f"DPoP {token}")] * 2 + [("DPoP", bound.proof(token))]
    assert (await bound.world.http.get(PATH, headers=doubled)).status_code == 401


async def test_fapi_5_3_4_2_tokens_are_not_accepted_in_the_query(bound: Bound) -> None:
    token = bound.token()
    for query in (f"access_token={token}", f"token={token}"):
        proof = {"DPoP": bound.proof(token)}
        assert (await bound.world.http.get(f"{PATH}?{query}", headers=proof)).status_code == 401
        assert (await bound.send(path=f"{PATH}?{query}")).status_code == 400
    body = {"access_token": token}
    assert (await bound.world.http.post("/v1/handovers", data=body)).status_code == 401


async def test_fapi_5_3_4_3_validity_integrity_expiry_and_revocation_are_verified(bound: Bound) -> None:
    token, now = bound.token(), datetime.now(UTC)
    header, claims, signature = token.split(".")
    for spoiled in (
        "made-up",
        f"{header}.{claims}.{signature[:-4]}AAAA",
        f"{header}.{claims}x.{signature}",
        bound.token(at=now - timedelta(seconds=301)),
        bound.token(at=now + timedelta(seconds=60)),
    ):
        refused = await bound.send(spoiled)
        assert refused.status_code == 401
        assert challenge(refused).startswith('DPoP error="invalid_token", error_description="')
        assert refused.json()["code"] == "unauthenticated"
    async with bound.world.services.db.platform() as tx:
        await actions.register_client(
            tx,
            now,
            OPERATOR,
            name="Kizuna Office",
            jwks={"keys": [public_jwk(bound.key)]},
            organizations={bound.world.settlement.id: {Scope.DIRECTORY_READ}},
            client_id=actions.ClientId("bound-software"),
        )
        await actions.revoke_client(tx, now, OPERATOR, client_id=actions.ClientId("bound-software"))
    revoked = await bound.send()
    assert (revoked.status_code, "has been revoked" in challenge(revoked)) == (401, True)


async def test_fapi_5_3_4_4_a_token_without_the_scope_is_refused_as_rfc_6750_says(bound: Bound) -> None:
    bound.scopes = frozenset({Scope.EVENTS_READ})
    refused = await bound.send()
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert (
        challenge(refused) == f'DPoP error="insufficient_scope", scope="directory:read", {ALGS}, {METADATA}'
    )
    assert (await bound.send(path="/v1/events")).status_code == 200


async def test_fapi_5_3_4_5_a_stolen_token_is_worth_nothing(bound: Bound) -> None:
    token, thief = bound.token(), ECKey.generate_key("P-256")
    assert (await bound.send(token)).status_code == 200
    bearer = await bound.send(token, scheme="Bearer", proofs=[])
    assert bearer.status_code == 401
    assert challenge(bearer).startswith(
        'Bearer error="invalid_token", error_description="This token is bound'
    )
    assert f"DPoP {ALGS}" in challenge(bearer)
    assert (await bound.send(token, scheme="Bearer")).status_code == 401, "a proof makes it no bearer token"
    for proofs in (
        [],
        [bound.proof(token, key=thief)],
        [bound.proof(token, key=thief, header={"jwk": public_jwk(bound.key)})],
    ):
        refused = await bound.send(token, proofs=proofs)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
        assert challenge(refused).startswith('DPoP error="invalid_dpop_proof", error_description="')


async def test_fapi_5_3_4_5_a_sandbox_token_is_a_bearer_token_alone(bound: Bound) -> None:
    sandbox = bound.token(jkt=None)
    assert (await bound.send(sandbox, scheme="Bearer", proofs=[])).status_code == 200
    refused = await bound.send(sandbox)
    assert (refused.status_code, "sandbox" in challenge(refused)) == (401, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "POST"},
        {"htu": f"{BASE}/v1/organizations"},
        {"htu": "http://attacker.example/v1/areas"},
        {"ath": ABSENT},
        {"ath": token_hash("another token")},
        {"iat": 0},
        {"header": {"typ": "JWT"}},
        {"header": {"alg": "none"}},
    ],
)
async def test_fapi_5_3_4_5_a_proof_is_for_one_request_with_one_token(
    bound: Bound, changes: dict[str, Any]
) -> None:
    refused = await bound.send(**changes)
    assert refused.status_code == 401
    assert challenge(refused).startswith('DPoP error="invalid_dpop_proof", error_description="')
    assert refused.headers["dpop-nonce"]


async def test_fapi_5_3_4_5_the_host_header_has_no_say(bound: Bound) -> None:
    token = bound.token()
    proof = bound.proof(token, htu="http://attacker.example/v1/areas")
    refused = await bound.send(token, proofs=[proof], headers={"Host": "attacker.example"})
    assert (refused.status_code, METADATA in challenge(refused)) == (401, True)
    assert (await bound.send(token, headers={"Host": "attacker.example"})).status_code == 200


async def test_fapi_6_2_a_proof_is_good_once(bound: Bound) -> None:
    token = bound.token()
    proof = bound.proof(token)
    assert (await bound.send(token, proofs=[proof])).status_code == 200
    replayed = await bound.send(token, proofs=[proof])
    assert (replayed.status_code, "used before" in challenge(replayed)) == (401, True)
    same = [bound.proof(token, jti="j-1"), bound.proof(token, jti="j-1")]
    assert [(await bound.send(token, proofs=[one])).status_code for one in same] == [200, 401]
    two = [bound.proof(token), bound.proof(token)]
    assert (await bound.send(token, proofs=two)).status_code == 401


async def test_fapi_6_2_a_nonce_shortens_the_life_of_a_proof(bound: Bound) -> None:
    for wanting in (ABSENT, "made-up", bound.nonce(seconds_ago=301)):
        asked = await bound.send(nonce=wanting)
        assert asked.status_code == 401
        assert challenge(asked).startswith('DPoP error="use_dpop_nonce", error_description="')
        assert (await bound.send(nonce=asked.headers["dpop-nonce"])).status_code == 200
    nonce = bound.nonce()
    for _ in range(3):
        again = await bound.send(nonce=nonce)
        assert (again.status_code, "dpop-nonce" in again.headers) == (200, False)
    renewed = await bound.send(nonce=bound.nonce(seconds_ago=299))
    assert (renewed.status_code, len(renewed.headers["dpop-nonce"])) == (200, len(nonce))


async def test_fapi_6_2_the_nonce_of_the_token_endpoint_is_good_at_the_api(bound: Bound) -> None:
    """They are one server: whoever has a token has a nonce."""
    answer = await bound.world.http.post("/oauth2/token", data={"grant_type": "client_credentials"})
    assert (await bound.send(nonce=answer.headers["dpop-nonce"])).status_code == 200


async def test_fapi_6_2_where_there_are_no_nonces_none_is_asked_for_or_given(bound: Bound) -> None:
    bound.world.services.gate._proofs._nonces = None
    token = bound.token()
    for nonce in (ABSENT, "of another server"):
        answer = await bound.send(
            token, proofs=[dpop_proof(bound.key, "GET", BASE + PATH, token=token, nonce=nonce)]
        )
        assert (answer.status_code, "dpop-nonce" in answer.headers) == (200, False)
    refused = await bound.send(token, proofs=[])
    assert (refused.status_code, "dpop-nonce" in refused.headers) == (401, False)
