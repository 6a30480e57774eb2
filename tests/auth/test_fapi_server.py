"""FAPI 2.0 Security Profile, sections 5.2 and 5.3.2.1: what the authorization server does."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from tests.auth.assertions import ABSENT
from tests.auth.conftest import ISSUER, TOKEN_ENDPOINT, Register, Software
from tests.world import World
from tsunagi.api import oauth
from tsunagi.auth import server
from tsunagi.auth.rules import Profile, Scope
from tsunagi.contract import Contract
from tsunagi.proofs.actions import Proofs


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(jws.extract_compact(token.encode()).payload)
    return claims


@pytest.mark.parametrize(
    "base_url", ["http://tsunagi.example", "http://192.0.2.1", "tsunagi.example", "ftp://x"]
)
def test_fapi_5_2_1_1_the_service_does_not_start_without_tls_but_on_the_loopback(base_url: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        server.issuer_of(base_url)
    assert server.issuer_of("https://tsunagi.example") == "https://tsunagi.example"


async def test_fapi_5_2_3_3_no_endpoint_is_opened_to_other_origins(world: World) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for path in ("/oauth2/token", "/v1/areas", "/.well-known/oauth-authorization-server"):
        for method in ("OPTIONS", "GET"):
            answer = await world.http.request(method, path, headers=asked)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_fapi_5_3_2_1_1_the_metadata_are_where_rfc_8414_has_them(world: World) -> None:
    metadata = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    issuer = world.services.tokens.issuer
    assert metadata["issuer"] == issuer
    assert metadata["token_endpoint"] == f"{issuer}/oauth2/token"
    assert metadata["grant_types_supported"] == ["client_credentials"]
    assert metadata["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    for name in ("token_endpoint_auth_signing_alg_values_supported", "dpop_signing_alg_values_supported"):
        assert metadata[name] == ["ES256", "PS256", "EdDSA"]
    resource = (await world.http.get("/.well-known/oauth-protected-resource")).json()
    assert resource["authorization_servers"] == [issuer]
    assert metadata["protected_resources"] == [resource["resource"]]
    assert resource["dpop_bound_access_tokens_required"] is True


@pytest.mark.parametrize("grant", ["password", "refresh_token", "authorization_code", "implicit"])
async def test_fapi_5_3_2_1_2_other_grants_are_refused(software: Software, grant: str) -> None:
    answer = await software.ask(grant_type=grant, username="hanako", password="secret")
    assert (answer.status, answer.body["error"]) == (400, "unsupported_grant_type")


async def test_fapi_5_3_2_1_3_clients_are_confidential(software: Software) -> None:
    form = {"grant_type": "client_credentials", "client_id": software.id}
    answer = await software.post(urlencode(form).encode())
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("profile", ["fapi2", "smart"])
async def test_fapi_5_3_2_1_4_only_sender_constrained_tokens_are_issued(
    register: Register, profile: Profile
) -> None:
    software = await register(profile=profile)
    answer = await software.ask(proofs=[], scope="events:read")
    assert (answer.status, answer.body["error"]) == (400, "invalid_dpop_proof")
    assert "access_token" not in answer.body
    token = await software.token(scope="events:read")
    assert "sandbox" not in claims_of(token)


async def test_fapi_5_3_2_1_4_the_sandbox_is_a_registration_and_its_tokens_say_so(register: Register) -> None:
    software = await register(profile="sandbox")
    bearer = await software.ask(proofs=[])
    assert (bearer.status, bearer.body["token_type"]) == (200, "Bearer")
    assert claims_of(str(bearer.body["access_token"]))["sandbox"] is True
    bound = await software.ask()
    assert bound.body["token_type"] == "DPoP", "whoever sends a proof gets a token that is bound"
    assert "sandbox" not in claims_of(str(bound.body["access_token"]))


async def test_fapi_5_3_2_1_5_tokens_are_bound_to_the_key_of_the_proof(software: Software) -> None:
    answer = await software.ask()
    assert answer.body["token_type"] == "DPoP"
    claims = claims_of(str(answer.body["access_token"]))
    assert claims["cnf"] == {"jkt": software.holder.thumbprint()}


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htu": ISSUER},
        {"htu": "https://elsewhere.example/oauth2/token"},
        {"iat": 0},
        {"jti": ABSENT},
        {"header": {"typ": "JWT"}},
        {"header": {"jwk": ECKey.generate_key("P-256").as_dict(private=False)}},
    ],
)
async def test_fapi_5_3_2_1_5_a_proof_that_does_not_hold_gets_no_token(
    software: Software, changes: dict[str, Any]
) -> None:
    answer = await software.ask(proofs=[software.proof(**changes)])
    assert (answer.status, answer.body["error"]) == (400, "invalid_dpop_proof")
    twice = await software.ask(proofs=[software.proof(), software.proof()])
    assert (twice.status, twice.body["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "none"])
async def test_fapi_5_3_2_1_6_clients_authenticate_by_private_key_jwt_alone(
    world: World, method: str
) -> None:
    form, headers = {"grant_type": "client_credentials", "client_id": "kizuna"}, {}
    if method == "client_secret_basic":
        headers["Authorization"] = "Basic " + base64.b64encode(b"kizuna:secret").decode()
    elif method == "client_secret_post":
        form["client_secret"] = "secret"
    elif method == "client_secret_jwt":
        form |= {"client_assertion_type": server.ASSERTION_TYPE, "client_assertion": "e30.e30.e30"}
    answer = await world.http.post("/oauth2/token", data=form, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_fapi_5_3_2_1_7_nothing_redirects(world: World, contract: Contract) -> None:
    """Of what software speaks to: pages lead to each other, by 303, and never elsewhere (`tests/web/`)."""
    statuses = {status for one in contract.operations.values() for status in one.responses}
    assert {status for status in statuses if status.startswith("3")} == {"304"}
    for path in ("/oauth2/token/", "//elsewhere.example/x/", "/v1/areas/", "/docs/?next=//elsewhere.example"):
        answer: httpx2.Response = await world.http.get(path)
        assert (answer.status_code, "location" in answer.headers) == (404, False)


@pytest.mark.parametrize(
    ("aud", "accepted"),
    [
        (ISSUER, True),
        ([ISSUER], False),
        ([ISSUER, TOKEN_ENDPOINT], False),
        (TOKEN_ENDPOINT, False),
        (ISSUER + "/", False),
        ("https://elsewhere.example", False),
        (ABSENT, False),
    ],
)
async def test_fapi_5_3_2_1_8_the_audience_is_the_issuer_as_a_string(
    software: Software, aud: Any, *, accepted: bool
) -> None:
    answer = await software.ask(software.assertion(aud=aud))
    assert answer.status == (200 if accepted else 401)


async def test_fapi_5_3_2_1_9_there_are_no_refresh_tokens_to_rotate(software: Software) -> None:
    answer = await software.ask()
    assert answer.body.keys() == {"access_token", "token_type", "expires_in", "scope"}


async def test_fapi_5_3_2_1_10_the_token_endpoint_asks_for_its_nonce(software: Software) -> None:
    asked = await software.ask(proofs=[software.proof(nonce=ABSENT)])
    assert (asked.status, asked.body["error"]) == (400, "use_dpop_nonce")
    nonce = asked.headers["DPoP-Nonce"]
    granted = await software.ask(proofs=[software.proof(nonce=nonce)])
    assert granted.status == 200
    assert granted.headers["DPoP-Nonce"], "for the next token"
    old = software.nonce(datetime.now(UTC) - timedelta(seconds=301))
    for stale in (old, "made-up", 7):
        answer = await software.ask(proofs=[software.proof(nonce=stale)])
        assert (answer.status, answer.body["error"]) == (400, "use_dpop_nonce")


async def test_fapi_5_3_2_1_10_a_question_for_the_nonce_leaves_no_assertion_lying_about(
    software: Software,
) -> None:
    assertion = software.assertion()
    assert (await software.ask(assertion, proofs=[software.proof(nonce=ABSENT)])).status == 400
    assert await software.outcomes() == [("clients:register", "permit")], "a question is no decision"
    thief = await software.ask(assertion, proofs=[software.proof()])
    assert (thief.status, thief.body["error"]) == (401, "invalid_client")


async def test_fapi_5_3_2_1_10_nonces_can_be_done_without(software: Software) -> None:
    proofs = Proofs(software.db, None)
    without = oauth.TokenEndpoint(software.db, software.tokens, proofs)
    proof = software.proof(nonce=ABSENT)
    software.endpoint = without
    answer = await software.ask(proofs=[proof])
    assert (answer.status, "DPoP-Nonce" in answer.headers) == (200, False)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "accepted"), [(0, True), (9, True), (61, False), (3_600, False)])
async def test_fapi_5_3_2_1_13_clocks_that_are_a_little_ahead_are_accepted(
    software: Software, claim: str, ahead: int, *, accepted: bool
) -> None:
    moment = int(datetime.now(UTC).timestamp()) + ahead
    answer = await software.ask(software.assertion(**{claim: moment}))
    assert answer.status == (200 if accepted else 401), answer.body
    answer = await software.ask(proofs=[software.proof(**{claim: moment})])
    assert answer.status == (200 if accepted else 400), answer.body


async def test_fapi_5_3_2_1_14_a_token_allows_what_was_asked_for_and_no_more(register: Register) -> None:
    software = await register(scopes=frozenset({Scope.EVENTS_READ, Scope.HANDOVERS_READ}))
    assert claims_of(await software.token(scope="events:read"))["scope"] == "events:read"
    beyond = await software.ask(scope="events:read handovers:write")
    assert (beyond.status, beyond.body["error"]) == (400, "invalid_scope")


async def test_fapi_6_1_tokens_live_five_minutes(software: Software) -> None:
    answer = await software.ask()
    claims = claims_of(str(answer.body["access_token"]))
    assert claims["exp"] - claims["iat"] == answer.body["expires_in"] == 300


async def test_fapi_6_2_assertions_and_proofs_are_good_once(software: Software) -> None:
    assertion, proof = software.assertion(), software.proof()
    assert (await software.ask(assertion, proofs=[proof])).status == 200
    again = await software.ask(assertion)
    assert (again.status, again.body["error"]) == (401, "invalid_client")
    replayed = await software.ask(proofs=[proof])
    assert (replayed.status, replayed.body["error"]) == (400, "invalid_dpop_proof")
    assert "used before" in str(replayed.body["error_description"])
    assert [outcome for _, outcome in await software.outcomes()] == ["permit", "permit", "deny", "deny"]


async def test_fapi_6_2_a_forged_request_uses_up_nobodys_proof(register: Register) -> None:
    """An attacker who has seen a proof before it arrives cannot spend it."""
    software, other = await register(), await register()
    proof = software.proof()
    stolen = await other.ask(assertion="e30.e30.e30", proofs=[proof])
    assert stolen.status == 401
    assert (await software.ask(proofs=[proof])).status == 200


async def test_smart_clients_may_address_the_token_endpoint_and_must_name_scopes(register: Register) -> None:
    software = await register(profile="smart")
    for aud in (ISSUER, TOKEN_ENDPOINT):
        assert (await software.ask(software.assertion(aud=aud), scope="events:read")).status == 200
    for aud in ([TOKEN_ENDPOINT], TOKEN_ENDPOINT + "/", "https://elsewhere.example"):
        assert (await software.ask(software.assertion(aud=aud), scope="events:read")).status == 401
    nothing = await software.ask()
    assert (nothing.status, nothing.body["error"]) == (400, "invalid_scope")
    assert (await software.ask(scope="system/*.rs")).body["error"] == "invalid_scope"


async def test_smart_clients_find_their_configuration(world: World) -> None:
    found = (await world.http.get("/.well-known/smart-configuration")).json()
    metadata = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    assert found["capabilities"] == ["client-confidential-asymmetric"]
    assert {name: metadata[name] for name in found if name != "capabilities"} == {
        name: value for name, value in found.items() if name != "capabilities"
    }
