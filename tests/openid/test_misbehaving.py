"""Whatever a provider answers, whoever is not who they should be does not get in, and is told on a page."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.ledger.entries import kept
from tests.openid.going import approved, linked, registered, through, why
from tests.openid.provider import CLIENT_ID, Manners, OpenIdProvider, new_key
from tests.web.visitors import Visitor, visitor
from tests.world import World
from tsunagi.openid.provider import Providers
from tsunagi.outgoing.asking import Asker
from tsunagi.outgoing.connection import Connector

NOW = time.time
TOKENS: dict[str, tuple[Callable[[], Manners], str]] = {
    "another nonce": (lambda: Manners(claims={"nonce": "x" * 43}), "nonce"),
    "no nonce": (lambda: Manners(claims={"nonce": None}), "nonce"),
    "for another": (lambda: Manners(claims={"aud": "another"}), "audience"),
    "for us and another": (lambda: Manners(claims={"aud": [CLIENT_ID, "another"]}), "audience"),
    "for nobody": (lambda: Manners(claims={"aud": None}), "audience"),
    "another's azp": (lambda: Manners(claims={"azp": "another"}), "audience"),
    "another issuer": (lambda: Manners(claims={"iss": "https://evil.example"}), "issuer"),
    "no issuer": (lambda: Manners(claims={"iss": None}), "issuer"),
    "over": (lambda: Manners(claims={"exp": int(NOW()) - 120}), "expired"),
    "without end": (lambda: Manners(claims={"exp": None}), "expired"),
    "endless": (lambda: Manners(claims={"exp": 1e300}), "expired"),
    "from before": (lambda: Manners(claims={"iat": int(NOW()) - 3600}), "expired"),
    "from ahead": (lambda: Manners(claims={"iat": int(NOW()) + 3600}), "expired"),
    "at no time": (lambda: Manners(claims={"iat": "today"}), "expired"),
    "about nobody": (lambda: Manners(claims={"sub": None}), "subject"),
    "about an empty name": (lambda: Manners(claims={"sub": ""}), "subject"),
    "about a number": (lambda: Manners(claims={"sub": 1}), "subject"),
    "about an endless name": (lambda: Manners(claims={"sub": "x" * 256}), "subject"),
    "unsigned": (lambda: Manners(algorithm="none"), "no_algorithm"),
    "signed with the secret": (lambda: Manners(algorithm="HS256"), "no_algorithm"),
    "of an unknown key": (lambda: Manners(kid="unknown"), "signature"),
    "of nobody's key": (lambda: Manners(signs_with=new_key("ES256")), "signature"),
    "no token": (lambda: Manners(token=(200, "{}")), "token"),
    "a token that is none": (lambda: Manners(token=(200, '{"id_token": "x.y.z"}')), "token"),
    "a number for a token": (lambda: Manners(token=(200, '{"id_token": 1}')), "token"),
    "no JSON": (lambda: Manners(token=(200, "<html>")), "answer"),
    "a name twice": (lambda: Manners(token=(200, '{"id_token": "a", "id_token": "b"}')), "answer"),
    "a list": (lambda: Manners(token=(200, "[]")), "token"),
    "an error": (lambda: Manners(token=(500, "down")), "answer"),
    "a redirect": (lambda: Manners(token=(302, "")), "answer"),
    "a refusal": (lambda: Manners(token=(400, '{"error": "<script>alert(1)</script>"}')), "refused"),
    "too much": (lambda: Manners(token=(200, " " * 300_000)), "too_large"),
    "an unknown secret": (lambda: Manners(token=(401, "")), "client"),
    "an issuer in the address that is another's": (lambda: Manners(iss="https://evil.example"), "issuer"),
}


@pytest.mark.parametrize("manners", TOKENS)
async def test_what_is_not_as_agreed_lets_nobody_in(
    world: World, provider: OpenIdProvider, manners: str
) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    made, fault = TOKENS[manners]
    provider.manners = made()
    already = len(await kept(world.services.db))
    answer = await through(member, world.center, "u-1")
    assert why(answer) == f"provider {fault}"
    page = await member.get(answer.headers["location"])
    assert page.status_code == 503
    assert "script>alert" not in page.text
    assert 'href="/sign-in"' in page.text
    assert "session" not in member.http.cookies
    assert len(await kept(world.services.db)) == already  # it was not known whose


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_a_token_may_be_signed_in_four_ways(
    world: World, provider: OpenIdProvider, algorithm: str
) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    provider.manners = Manners(algorithm=algorithm, claims={"aud": [CLIENT_ID], "azp": CLIENT_ID})
    assert (await through(member, world.center, "u-1")).headers["location"] == "/"


async def test_an_rsa_signature_of_one_kind_is_none_of_the_other(
    world: World, provider: OpenIdProvider
) -> None:
    """A key that says what it is for is used for nothing else."""
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    plain = provider.keys["RS256"]
    bound = type(plain).import_key(plain.as_dict(private=True) | {"alg": "PS256"})
    provider.keys |= {"RS256": bound, "PS256": bound}
    world.services.openid.providers._known.clear()
    provider.manners = Manners(algorithm="PS256")
    assert (await through(member, world.center, "u-1")).headers["location"] == "/"
    await member.post("/sign-out")
    provider.manners = Manners(algorithm="RS256", signs_with=plain)
    assert why(await through(member, world.center, "u-1")) == "provider signature"


async def test_a_key_that_is_new_is_looked_for_once_more(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    asked = provider.count("GET /jwks")
    await through(member, world.center, "u-1")
    await member.post("/sign-out")
    assert provider.count("GET /jwks") == asked  # remembered
    provider.keys["ES256"] = new_key("ES256")
    assert (await through(member, world.center, "u-1")).headers["location"] == "/"
    assert provider.count("GET /jwks") == asked + 1
    await member.post("/sign-out")
    provider.manners.kid = "unknown"
    assert why(await through(member, world.center, "u-1")) == "provider signature"
    assert provider.count("GET /jwks") == asked + 2


async def test_who_stops_at_the_provider_is_told_so(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    for error, told in (("access_denied", "denied"), ("server_error", "provider refused")):
        provider.manners.error = error
        answer = await through(member, world.center, "u-1")
        assert why(answer) == told
        assert "もう一度、機関のサインインを使う" in (await member.get(answer.headers["location"])).text


async def test_a_code_works_once(world: World, provider: OpenIdProvider) -> None:
    """Should the provider let it pass, it would still be bound to the browser that asked for it."""
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    begun = await member.get(f"/sign-in/with/{world.center.id}")
    back = await approved(begun.headers["location"], "u-1")
    code = back.split("code=")[1]
    thief = await visitor(world.center, signed_in=False)
    theirs = await thief.get(f"/sign-in/with/{world.center.id}")
    state = (await approved(theirs.headers["location"], "u-9")).split("state=")[1].split("&")[0]
    stolen = f"/sign-in/with/{world.center.id}/back?state={state}&iss={provider.issuer}&code={code}"
    assert why(await thief.get(stolen)) == "provider refused"
    assert why(await member.get(back)) == "provider refused"


async def test_the_issuer_in_the_address_is_asked_for_where_it_is_promised(
    world: World, provider: OpenIdProvider
) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    begun = await member.get(f"/sign-in/with/{world.center.id}")
    back = await approved(begun.headers["location"], "u-1")
    parts = [one for one in back.split("&") if not one.startswith("iss=")]
    without = "&".join(parts).replace(f"?iss={provider.issuer}&", "?")
    assert "iss=" not in without
    assert why(await member.get(without)) == "provider issuer"


async def test_where_it_is_not_promised_it_may_be_missing(world: World, provider: OpenIdProvider) -> None:
    provider.manners.document = {"authorization_response_iss_parameter_supported": False}
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    assert (await through(member, world.center, "u-1")).headers["location"] == "/"


async def test_a_provider_may_want_the_secret_in_the_body(world: World, provider: OpenIdProvider) -> None:
    provider.manners.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    assert (await through(member, world.center, "u-1")).headers["location"] == "/"
    assert [sent for path, sent in provider.asked if path == "POST /token"][-1]["client_id"] == CLIENT_ID


async def test_a_provider_that_is_slow_or_gone_is_not_waited_for(
    world: World, provider: OpenIdProvider
) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    world.services.openid.providers._asker._seconds = 0.3
    provider.manners.seconds = 1.0
    began = time.monotonic()
    assert why(await through(member, world.center, "u-1")) == "provider timeout"
    assert time.monotonic() - began < 1.0
    begun = await member.get(f"/sign-in/with/{world.center.id}")
    back = await approved(begun.headers["location"], "u-1")
    provider.server.shutdown()
    provider.server.server_close()
    assert why(await member.get(back)) == "provider unreachable"
    world.services.openid.providers._known.clear()
    answer = await member.get(f"/sign-in/with/{world.center.id}")
    assert why(answer) == "provider unreachable"
    assert "接続できません" in (await member.get(answer.headers["location"])).text


async def test_a_provider_that_is_not_there_is_asked_once_for_all(
    world: World, provider: OpenIdProvider
) -> None:
    await registered(world.center, provider)
    stranger = await visitor(world.center, signed_in=False)
    world.services.openid.providers._known.clear()
    provider.manners.document = {"issuer": None}
    asked = provider.count("GET /.well-known/openid-configuration")
    for _ in range(3):
        assert why(await stranger.get(f"/sign-in/with/{world.center.id}")) == "provider issuer"
    assert provider.count("GET /.well-known/openid-configuration") == asked + 1


@pytest.mark.parametrize(
    "asked", ["why=nonsense", "", "why=provider&fault=<script>", "why=provider&fault=nonce"]
)
async def test_the_page_says_only_what_it_knows(world: World, asked: str) -> None:
    stranger: Visitor = await visitor(world.center, signed_in=False)
    answer = await stranger.get(f"/sign-in/with/{world.center.id}/refused?{asked}")
    assert answer.status_code in (403, 503)
    assert "<script>" not in answer.text.replace("<script src", "")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=",
        "state=x",
        "code=x",
        "error=access_denied",
        "state=%00",
        "state=x&code=y&iss=z",
        "state=%ff",
    ],
)
async def test_whatever_comes_back_is_answered_with_a_page(
    world: World, provider: OpenIdProvider, query: str
) -> None:
    await registered(world.center, provider)
    member: Any = await visitor(world.center, signed_in=False)
    begun = await member.get(f"/sign-in/with/{world.center.id}")
    assert begun.status_code == 303
    assert why(await member.get(f"/sign-in/with/{world.center.id}/back?{query}")) == "expired"


async def test_keys_that_many_miss_at_once_are_read_once(provider: OpenIdProvider) -> None:
    providers = Providers(Asker(Connector(to_loopback=True)))
    document = await providers.document(provider.issuer)
    await asyncio.gather(*(providers.check_keys(document) for _ in range(15)))
    assert provider.count("GET /jwks") == 1
    await providers.check_keys(document)
    assert provider.count("GET /jwks") == 2
