"""Who is given a token, and who is told which rule stands against it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.auth.assertions import ABSENT, client_assertion, encode, public_jwk, sign
from tests.auth.conftest import ANY_KEY, ISSUER, TOKEN_ENDPOINT, Register, Software
from tsunagi.auth import server
from tsunagi.auth.rules import Scope, Staff


class Ahead(float):
    """So many seconds from when the test runs."""


def at_present(claims: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC).timestamp()
    return {name: now + value if isinstance(value, Ahead) else value for name, value in claims.items()}


@pytest.mark.parametrize(
    "key",
    [ECKey.generate_key("P-256"), RSAKey.generate_key(2048), OKPKey.generate_key("Ed25519")],
    ids=["ES256", "PS256", "EdDSA"],
)
async def test_a_signature_by_a_registered_key_gets_a_token(register: Register, key: ANY_KEY) -> None:
    software = await register(key)
    answer = await software.ask()
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert {**answer.body, "access_token": ...} == {
        "access_token": ...,
        "token_type": "DPoP",
        "expires_in": 300,
        "scope": " ".join(sorted(Scope)),
    }
    access = software.tokens.verify(str(answer.body["access_token"]), datetime.now(UTC))
    assert access.jkt == software.holder.thumbprint()
    caller = access.caller
    assert (caller.client_id, caller.organization_id) == (software.id, software.organizations[0])
    assert caller.scopes == set(Scope)


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"iss": "somebody-else"}, "'iss'"),
        ({"iss": ABSENT}, "'iss'"),
        ({"iss": ["a", "b"]}, "'iss'"),
        ({"aud": ABSENT}, "'aud'"),
        ({"aud": [ISSUER]}, "'aud'"),
        ({"aud": [ISSUER, "https://elsewhere.example"]}, "'aud'"),
        ({"aud": "https://elsewhere.example"}, "'aud'"),
        ({"aud": TOKEN_ENDPOINT}, "'aud'"),
        ({"aud": ISSUER + "/"}, "'aud'"),
        ({"exp": ABSENT}, "'exp'"),
        ({"exp": Ahead(-1)}, "'exp' has passed"),
        ({"exp": Ahead(310)}, "'exp' is more than 300"),
        ({"exp": Ahead(365 * 86_400)}, "'exp' is more than 300"),
        ({"exp": "tomorrow"}, "'exp' must be a number"),
        ({"exp": True}, "'exp' must be a number"),
        ({"exp": None}, "'exp' must be a number"),
        ({"iat": Ahead(30)}, "'iat' is in the future"),
        ({"iat": "now"}, "'iat' must be a number"),
        ({"iat": Ahead(-290), "exp": Ahead(20)}, "'exp' is more than 300 seconds after 'iat'"),
        ({"nbf": Ahead(30)}, "'nbf' is in the future"),
        ({"jti": ABSENT}, "'jti'"),
        ({"jti": ""}, "'jti'"),
        ({"jti": "x" * 256}, "'jti'"),
        ({"jti": 7}, "'jti'"),
        ({"staff": "hanako"}, "'staff'"),
        ({"staff": {"name": "Hanako"}}, "'staff'"),
        ({"staff": {"id": "s-1", "role": "chief"}}, "'staff'"),
        ({"staff": {"id": ""}}, "'staff'"),
        ({"staff": {"id": ["s-1"]}}, "'staff'"),
    ],
)
async def test_a_claim_that_breaks_a_rule_is_named(
    software: Software, claims: dict[str, Any], named: str
) -> None:
    answer = await software.ask(software.assertion(**at_present(claims)))
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    assert named in str(answer.body["error_description"])


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": Ahead(290)},
        {"iat": ABSENT},
        {"iat": Ahead(5), "nbf": Ahead(5)},
        {"jti": "x" * 255},
        {"exp": Ahead(60.5)},
        {"anything": {"else": [1]}},
    ],
)
async def test_claims_within_the_bounds_are_accepted(software: Software, claims: dict[str, Any]) -> None:
    assert (await software.ask(software.assertion(**at_present(claims)))).status == 200


async def test_other_algorithms_are_refused(software: Software, register: Register) -> None:
    rsa = await register(RSAKey.generate_key(2048))
    for hostile in (
        rsa.assertion(alg="RS256"),
        rsa.assertion(alg="PS384"),
        software.assertion(alg="none"),
        client_assertion(software.key, software.id, ISSUER, header={"alg": "ES384"}),
        client_assertion(software.key, software.id, ISSUER, header={"alg": ["ES256"]}),
        client_assertion(software.key, software.id, ISSUER, header={"alg": ABSENT}),
    ):
        answer = await software.ask(hostile)
        assert (answer.status, answer.body["error"]) == (401, "invalid_client")
        assert "'alg'" in str(answer.body["error_description"])


async def test_the_public_key_is_no_shared_secret(software: Software) -> None:
    for secret in (
        software.key.as_pem(),
        software.key.as_der(),
        json.dumps(public_jwk(software.key)).encode(),
    ):
        forged = client_assertion(
            OctKey(secret, secret),  # import_key would refuse to make one of a public key
            software.id,
            ISSUER,
            alg="HS256",
            header={"kid": software.key.thumbprint()},
        )
        assert "'alg'" in str((await software.ask(forged)).body["error_description"])


async def test_another_algorithm_than_the_keys_own_is_refused(software: Software) -> None:
    rsa = RSAKey.generate_key(2048)
    confused = client_assertion(rsa, software.id, ISSUER, header={"kid": software.key.thumbprint()})
    answer = await software.ask(confused)
    assert "not the algorithm of the key" in str(answer.body["error_description"])


async def test_a_signature_by_another_key_is_refused(software: Software) -> None:
    forged = client_assertion(
        ECKey.generate_key("P-256"), software.id, ISSUER, header={"kid": software.key.thumbprint()}
    )
    assert "signature" in str((await software.ask(forged)).body["error_description"])


async def test_claims_changed_after_signing_are_refused(software: Software) -> None:
    header, _, signature = software.assertion().split(".")
    claims = software.assertion(staff={"id": "chief"}).split(".")[1]
    answer = await software.ask(f"{header}.{claims}.{signature}")
    assert "signature" in str(answer.body["error_description"])


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ({"kid": "unknown"}, "'kid' names no key"),
        ({"kid": ABSENT}, "'kid' is missing"),
        ({"kid": 1}, "'kid' is missing"),
        ({"crit": ["exp"], "exp": 1}, "'crit'"),
        ({"crit": 5}, "'crit'"),
        ({"b64": False, "crit": ["b64"]}, "'crit'"),
        ({"typ": "dpop+jwt"}, "'typ'"),
        ({"typ": "at+jwt"}, "'typ'"),
        ({"typ": 7}, "'typ'"),
    ],
)
async def test_headers_that_are_not_understood_are_refused(
    software: Software, header: dict[str, Any], named: str
) -> None:
    answer = await software.ask(software.assertion(header=header))
    assert answer.status == 401
    assert named in str(answer.body["error_description"])


async def test_other_headers_are_ignored(software: Software) -> None:
    header = {"typ": "client-authentication+jwt", "cty": "JWT", "x-vendor": {"build": 7}}
    assert (await software.ask(software.assertion(header=header))).status == 200


async def test_a_key_inside_the_assertion_is_ignored(software: Software) -> None:
    own = ECKey.generate_key("P-256")
    header = {"kid": software.key.thumbprint(), "jwk": public_jwk(own), "jku": "https://evil.example/jwks"}
    answer = await software.ask(client_assertion(own, software.id, ISSUER, header=header))
    assert "signature" in str(answer.body["error_description"])


async def test_what_is_no_jwt_is_refused(software: Software) -> None:
    key, header = software.key, {"alg": "ES256", "kid": software.key.thumbprint()}
    claims = json.dumps({"sub": software.id})
    for hostile in (
        "x",
        "a.b",
        "a.b.c.d",
        "..",
        "あ.い.う",
        encode(b"[" * 6000) + ".e30.e30",
        encode(b'["alg","b64"]') + ".e30.e30",
        encode(b'"alg"') + ".e30.e30",
        "x" * 9000,
        software.assertion(padding="x" * 8000),
        sign(key, "ES256", header, b"[]"),
        sign(key, "ES256", header, b"not json"),
        sign(key, "ES256", header, b"\xff\xfe"),
        sign(key, "ES256", header, b"[" * 5000),
        sign(key, "ES256", header, claims[:-1].encode() + b', "exp": NaN}'),
        sign(key, "ES256", header, claims[:-1].encode() + b', "sub": "other"}'),
        sign(key, "ES256", header, claims[:-1].encode() + b', "exp": ' + b"9" * 5000 + b"}"),
    ):
        answer = await software.ask(hostile)
        assert (answer.status, answer.body["error"]) == (401, "invalid_client"), hostile[:80]
        assert "not a JWT" in str(answer.body["error_description"])


@pytest.mark.parametrize("sub", ["nobody", "", "x\0y", "'; --", 7, ["a"], {"a": 1}, ABSENT])
async def test_an_unknown_client_is_refused(software: Software, sub: Any) -> None:
    answer = await software.ask(software.assertion(sub=sub, iss=sub))
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")


async def test_another_client_id_in_the_form_is_refused(software: Software) -> None:
    assert (await software.ask(client_id="somebody-else")).status == 401
    assert (await software.ask(client_id=software.id)).status == 200


async def test_an_organization_is_chosen_when_there_are_several(register: Register) -> None:
    software, other = await register(serving=2), await register()
    for organization_id in software.organizations:
        caller = await software.caller(organization=str(organization_id))
        assert caller.organization_id == organization_id
    absent = await software.ask()
    assert absent.body["error"] == "invalid_request"
    assert "required" in str(absent.body["error_description"])
    foreign = await software.ask(organization=str(other.organizations[0]))
    unknown = await software.ask(organization="00000000-0000-4000-8000-000000000000")
    malformed = await software.ask(organization="everyone")
    assert foreign.body == unknown.body == malformed.body
    assert foreign.body["error"] == "invalid_request"
    assert foreign.status == unknown.status == malformed.status == 400


async def test_scopes_are_narrowed_to_what_was_asked_for(register: Register) -> None:
    software = await register(scopes=frozenset({Scope.HANDOVERS_READ, Scope.EVENTS_READ}))
    assert (await software.caller()).scopes == {Scope.HANDOVERS_READ, Scope.EVENTS_READ}
    assert (await software.caller(scope="events:read")).scopes == {Scope.EVENTS_READ}
    assert (await software.caller(scope="")).scopes == {Scope.HANDOVERS_READ, Scope.EVENTS_READ}
    for scope in ("handovers:write", "events:read handovers:write", "everything", " ", "events:read\t"):
        answer = await software.ask(scope=scope)
        assert (answer.status, answer.body["error"]) == (400, "invalid_scope")


async def test_the_staff_member_goes_from_the_assertion_into_the_token(software: Software) -> None:
    staff = {"id": "s-17", "name": "佐藤 花子"}
    caller = await software.caller(software.assertion(staff=staff))
    assert caller.staff == Staff("s-17", "佐藤 花子")
    assert caller.actor("r-1").staff == "s-17"


async def test_another_grant_is_refused(software: Software) -> None:
    for grant in ("authorization_code", "password", "client_credentials "):
        answer = await software.ask(grant_type=grant)
        assert (answer.status, answer.body["error"]) == (400, "unsupported_grant_type")
    assert (await software.ask(grant_type="")).body["error"] == "invalid_request"


async def test_nothing_submitted_is_repeated_in_an_error(software: Software) -> None:
    mark = "SUBMITTED"
    for answer in (
        await software.ask(grant_type=mark),
        await software.ask(client_assertion_type=mark),
        await software.ask(scope=mark),
        await software.ask(organization=mark),
        await software.ask(client_id=mark),
        await software.ask(mark),
        await software.ask(software.assertion(aud=mark, jti=mark)),
        await software.ask(software.assertion(header={"kid": mark})),
        await software.ask(software.assertion(header={"alg": mark})),
    ):
        assert answer.status in (400, 401)
        assert mark not in f"{answer.body}{answer.headers}"


def test_the_metadata_say_what_the_token_endpoint_does() -> None:
    metadata = server.authorization_server_metadata(ISSUER)
    assert metadata["issuer"] == ISSUER
    assert metadata["token_endpoint"] == TOKEN_ENDPOINT
    assert metadata["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert metadata["token_endpoint_auth_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA"]
    assert metadata["grant_types_supported"] == ["client_credentials"]
    assert metadata["response_types_supported"] == []
    assert metadata["dpop_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA"]
    assert json.loads(json.dumps(metadata["scopes_supported"])) == [scope.value for scope in Scope]
    resource = server.protected_resource_metadata(ISSUER)
    assert resource["authorization_servers"] == [resource["resource"]] == [ISSUER]
    assert metadata["protected_resources"] == [resource["resource"]]
    assert resource["dpop_bound_access_tokens_required"] is True


@pytest.mark.parametrize(
    "base_url",
    ["http://tsunagi.example", "https://tsunagi.example/api", "https://tsunagi.example/?x=1", "tsunagi", ""],
)
def test_an_issuer_is_https_without_a_path(base_url: str) -> None:
    with pytest.raises(ValueError, match="TSUNAGI_BASE_URL"):
        server.issuer_of(base_url)


def test_an_issuer_may_be_plain_on_the_loopback_and_has_no_slash() -> None:
    assert server.issuer_of("http://127.0.0.1:8080/") == "http://127.0.0.1:8080"
