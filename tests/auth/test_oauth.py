"""The token endpoint's form, as RFC 6749 has it."""

from urllib.parse import urlencode

import asyncpg
import pytest

from tests.auth.conftest import ISSUER, Software, registrar
from tests.conftest import run_sql
from tsunagi.api import oauth
from tsunagi.auth.rules import TokenRefused
from tsunagi.auth.tokens import AccessTokens
from tsunagi.db import Database


def refusal(content_type: str | None, body: bytes) -> str:
    with pytest.raises(TokenRefused) as refused:
        oauth.read_form(content_type, body)
    assert refused.value.error == "invalid_request"
    return refused.value.description


def test_a_form_is_read_and_what_has_no_value_is_absent() -> None:
    for content_type in (oauth.FORM_TYPE, f"{oauth.FORM_TYPE}; charset=UTF-8", oauth.FORM_TYPE.upper()):
        assert oauth.read_form(content_type, b"a=1&b=&c=%E3%81%82+b") == {"a": "1", "c": "あ b"}
    assert oauth.read_form(oauth.FORM_TYPE, b"") == {}


@pytest.mark.parametrize("content_type", [None, "", "application/json", "multipart/form-data; boundary=x"])
def test_another_media_type_is_refused(content_type: str | None) -> None:
    assert oauth.FORM_TYPE in refusal(content_type, b"a=1")


@pytest.mark.parametrize("body", [b"a=1&a=2", b"a=&a=2", b"%61=1&a=1"])
def test_a_parameter_is_given_once(body: bytes) -> None:
    assert "more than once" in refusal(oauth.FORM_TYPE, body)


@pytest.mark.parametrize("body", [b"a", b"a=1&&b=2", b"a=%FF", b"a=\xff", b"&".join([b"a=1"] * 51)])
def test_a_malformed_form_is_refused(body: bytes) -> None:
    assert "well-formed" in refusal(oauth.FORM_TYPE, body)


def test_a_large_form_is_refused() -> None:
    assert oauth.read_form(oauth.FORM_TYPE, b"a=" + b"x" * 16_382)
    assert "16384 bytes" in refusal(oauth.FORM_TYPE, b"a=" + b"x" * 16_383)


async def test_a_refused_form_is_answered_in_the_shape_of_rfc_6749(software: Software) -> None:
    answer = await software.post(b"{}", content_type="application/json")
    assert answer.status == 400
    assert answer.body == {
        "error": "invalid_request",
        "error_description": "the body must be application/x-www-form-urlencoded",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await software.post(b"")).body["error"] == "invalid_request"


@pytest.mark.parametrize("missing", ["client_assertion", "client_assertion_type"])
async def test_a_missing_assertion_is_named(software: Software, missing: str) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": software.assertion(),
    }
    del form[missing]
    answer = await software.post(urlencode(form).encode())
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    assert f"'{missing}'" in str(answer.body["error_description"])


async def test_a_token_whose_commit_fails_is_never_handed_out(
    own_url: str, own_database: Database, tokens: AccessTokens
) -> None:
    software = await registrar(own_database, tokens)()
    await run_sql(
        own_url,
        """
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'integrity_constraint_violation'; END $$
        """,
        """
        CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON used_assertions
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()
        """,
    )
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await software.ask()


def test_the_discovery_documents_agree(tokens: AccessTokens) -> None:
    assert oauth.authorization_server_metadata(tokens)["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"
    assert oauth.protected_resource_metadata(tokens)["authorization_servers"] == [ISSUER]
    assert oauth.jwks(tokens) == tokens.keys.public_set()
