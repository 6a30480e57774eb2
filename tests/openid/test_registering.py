"""An administrator names the organization's provider, which is looked at before it is believed."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.openid.going import linked, registered, through, why
from tests.openid.provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider
from tests.outgoing.test_asking import answering
from tests.web.visitors import Visitor, has_to_confirm, unconfirmed, visitor
from tests.world import World
from tsunagi.staff.rules import Role


def form(issuer: str, **more: str) -> dict[str, str]:
    return {
        "do": "register",
        "issuer": issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    } | more


async def entered(world: World) -> list[dict[str, Any]]:
    found = [one.body for one in await kept(world.services.db)]
    return [one for one in found if one["action"].startswith("openid:")]


async def test_what_is_registered_is_shown_but_for_the_secret(world: World, provider: OpenIdProvider) -> None:
    administrator = await visitor(world.center, "administrator")
    page = (await administrator.get("/settings/openid")).text
    assert (
        f"http://127.0.0.1:8080/sign-in/with/{world.center.id}/back" in page
    )  # to be registered there, before
    await administrator.post("/settings/openid", form(provider.issuer + "/"))
    page = (await administrator.get("/settings/openid")).text
    assert provider.issuer in page
    assert CLIENT_ID in page
    assert f"http://127.0.0.1:8080/sign-in/with/{world.center.id}<" in page
    assert CLIENT_SECRET not in page
    async with world.services.db.platform() as tx:
        row = (await tx.execute(text("SELECT * FROM openid_providers"))).one()
    assert row.issuer == provider.issuer  # as the provider writes it
    assert CLIENT_SECRET.encode() not in bytes(row.client_secret)
    (entry,) = await entered(world)
    assert (entry["action"], entry["record"]["id"]) == ("openid:register", str(world.center.id))
    assert entry["change"] == {"from": None, "to": "second_factor_in_token"}
    again = await administrator.post("/settings/openid", form(provider.issuer))
    assert (again.status_code, "すでに登録されています" in again.text) == (422, True)


DOCUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"issuer": "https://evil.example"}, "発行者（issuer）が、登録したものと違います"),
    "no token endpoint": ({"token_endpoint": None}, "token_endpoint"),
    "a token endpoint inside": ({"token_endpoint": "https://10.0.0.1/token"}, "token_endpoint"),
    "keys in the clear": (
        {"jwks_uri": "http://keys.example/"},
        "署名を確かめる|接続できません|公開のアドレス",
    ),
    "a script": ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
    "no code": ({"response_types_supported": ["id_token"]}, "認可コードフロー"),
    "no PKCE": ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
    "shared secrets alone": ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "署名が"),
    "private keys": ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "client_secret_basic"),
}


@pytest.mark.parametrize("case", DOCUMENTS)
async def test_a_document_that_will_not_do_says_what_is_wrong(
    world: World, provider: OpenIdProvider, case: str
) -> None:
    administrator = await visitor(world.center, "administrator")
    provider.manners.document, said = DOCUMENTS[case]
    answer = await administrator.post("/settings/openid", form(provider.issuer))
    assert answer.status_code == 422
    assert any(one in answer.text for one in said.split("|")), answer.text
    assert provider.issuer in answer.text  # what was typed is still there
    assert CLIENT_SECRET not in answer.text
    assert await entered(world) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "/.well-known/openid-configuration"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "/.well-known/openid-configuration"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "/.well-known/openid-configuration"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "/.well-known/"),
        (b"", "接続できません"),
    ],
)
async def test_where_there_is_no_document_that_is_said(world: World, body: bytes, said: str) -> None:
    administrator = await visitor(world.center, "administrator")
    async with answering(body) as (url, asked):
        issuer = url.removesuffix("/where?office=1")
        answer = await administrator.post("/settings/openid", form(issuer))
    assert (answer.status_code, said in answer.text) == (422, True)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "x",
        "ftp://127.0.0.1/",
        "http://idp.example/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://user:secret@idp.example/",
        "https://idp.example/?x=1",
        "https://idp.example/#x",
        "https://" + "x" * 500,
    ],
)
async def test_an_issuer_is_on_the_internet(world: World, issuer: str) -> None:
    administrator = await visitor(world.center, "administrator")
    answer = await administrator.post("/settings/openid", form(issuer))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    "wrong", [{"client_id": ""}, {"client_id": "x" * 300}, {"client_secret": ""}, {"client_id": "あ"}]
)
async def test_client_and_secret_are_what_providers_give(
    world: World, provider: OpenIdProvider, wrong: dict[str, str]
) -> None:
    administrator = await visitor(world.center, "administrator")
    answer = await administrator.post("/settings/openid", form(provider.issuer) | wrong)
    assert answer.status_code == 422
    assert provider.asked == []


@pytest.mark.parametrize("role", ["worker", "auditor"])
async def test_it_is_for_administrators(world: World, provider: OpenIdProvider, role: Role) -> None:
    member = await visitor(world.center, role)
    assert (await member.get("/settings/openid")).status_code == 403
    for do in ("register", "change", "remove"):
        assert (await member.post("/settings/openid", form(provider.issuer, do=do))).status_code == 403
    assert provider.asked == []


async def test_it_needs_a_sign_in_that_is_minutes_old(world: World, provider: OpenIdProvider) -> None:
    administrator = await registered(world.center, provider)
    await unconfirmed(world)
    for do in ("register", "change", "remove"):
        assert has_to_confirm(await administrator.post("/settings/openid", form(provider.issuer, do=do)))
    assert has_to_confirm(await administrator.post("/settings/openid/link", {"do": "link"}))


async def test_another_organization_sees_and_changes_nothing(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    foreign = await visitor(world.other, "administrator")
    assert provider.issuer not in (await foreign.get("/settings/openid")).text
    for do in ("change", "remove"):
        assert (await foreign.post("/settings/openid", {"do": do})).status_code == 404
    assert len(await entered(world)) == 1


async def test_secret_and_statement_can_be_changed(world: World, provider: OpenIdProvider) -> None:
    administrator = await registered(world.center, provider, stated=True)
    member = await linked(world.center, "u-1")
    changed = await administrator.post("/settings/openid", {"do": "change", "client_secret": "new one"})
    assert changed.status_code == 303
    assert why(await through(member, world.center, "u-1")) == "provider client"
    data = {"do": "change", "client_secret": CLIENT_SECRET, "second_factor": "true"}
    assert (await administrator.post("/settings/openid", data)).status_code == 303
    assert (await administrator.post("/settings/openid", data | {"client_secret": ""})).status_code == 303
    assert (await through(member, world.center, "u-1")).headers["location"] == "/"
    states = [(one["change"]["from"], one["change"]["to"]) for one in (await entered(world))[1:]]
    stated, named = "second_factor_stated", "second_factor_in_token"
    assert states == [(stated, named), (named, stated), (stated, stated)]
    provider.manners.document = {"issuer": "https://evil.example"}
    assert (await administrator.post("/settings/openid", data)).status_code == 422


async def test_what_is_removed_lets_nobody_in_any_more(world: World, provider: OpenIdProvider) -> None:
    administrator = await registered(world.center, provider)
    member, other = await linked(world.center, "u-1"), await linked(world.center, "u-2")
    assert (await through(member, world.center, "u-1")).headers["location"] == "/"
    begun = await other.get(f"/sign-in/with/{world.center.id}")
    assert "2人（うち" in (await administrator.get("/settings/openid")).text
    assert (await administrator.post("/settings/openid", {"do": "remove"})).status_code == 303
    assert (await member.get("/settings")).headers["location"].startswith("/sign-in")  # out
    assert (await other.get(f"/sign-in/with/{world.center.id}")).status_code == 404
    assert why(await other.get(back_of(begun))) == "expired"
    assert (await entered(world))[-1]["action"] == "openid:remove"
    assert "/sign-in/with/" not in (await member.get("/sign-in")).text  # though the browser remembers
    await registered(world.center, provider)
    assert why(await through(member, world.center, "u-1")) == "unknown"


def back_of(begun: httpx2.Response) -> str:
    asked = httpx2.URL(begun.headers["location"]).params
    return str(
        httpx2.URL(asked["redirect_uri"], params={"state": asked["state"], "code": "x"}).raw_path.decode()
    )


async def test_an_administrator_does_not_shut_themselves_out(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    administrator: Visitor = await visitor(world.center, "administrator")
    async with world.services.db.platform() as tx:
        await tx.execute(
            text("UPDATE staff_members SET password_hash = NULL WHERE id = :id"),
            {"id": administrator.added.member.id},
        )
    answer = await administrator.post("/settings/openid", {"do": "remove"})
    assert (answer.status_code, "あなた自身が入れなくなります" in answer.text) == (422, True)
    assert (await administrator.post("/settings/openid", {"do": "steal"})).status_code == 404
