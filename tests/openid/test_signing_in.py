"""Who is linked comes in through their organization's provider, once for each way, and nobody else does."""

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.openid.going import approved, linked, registered, through, why
from tests.openid.provider import OpenIdProvider, serving
from tests.web.visitors import PASSWORD, has_to_confirm, unconfirmed, visitor
from tests.world import World
from tsunagi.openid.rules import LASTS
from tsunagi.staff.rules import FREE_FAILURES_ADDRESS


async def last_entry(world: World) -> dict[str, object]:
    body: dict[str, object] = (await kept(world.services.db))[-1].body
    return body


async def test_who_is_linked_signs_in(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    answer = await through(member, world.center, "u-1", at=f"/sign-in/with/{world.center.id}?next=/coming")
    assert (answer.status_code, answer.headers["location"]) == (303, "/coming")
    assert "試験 太郎" in (await member.get("/settings")).text
    entry = await last_entry(world)
    assert (entry["action"], entry["outcome"]) == ("staff:sign_in", "permit")
    assert entry["actor"]["staff"] == str(member.added.member.id)  # type: ignore[index]
    assert entry["record"] == {"kind": "openid_provider", "id": str(world.center.id)}
    assert "機関のサインインで" in (await member.get("/settings/sign-ins")).text


async def test_what_is_asked_of_the_provider(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    begun = await (await visitor(world.center, signed_in=False)).get(f"/sign-in/with/{world.center.id}")
    url = urlsplit(begun.headers["location"])
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{provider.issuer}/authorize"
    assert asked.keys() == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == (
        "code",
        "openid",
        "S256",
    )
    assert asked["redirect_uri"] == f"http://127.0.0.1:8080/sign-in/with/{world.center.id}/back"
    cookie = begun.headers["set-cookie"].lower()
    assert cookie.startswith("way=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=300" in cookie
    async with world.services.db.platform() as tx:
        row = str((await tx.execute(text("SELECT * FROM openid_ways"))).one())
    assert asked["state"] not in row
    assert asked["nonce"] not in row


async def test_the_browser_remembers_it_for_next_time(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    stranger = await visitor(world.center, signed_in=False)
    assert "/sign-in/with/" not in (await stranger.get("/sign-in")).text
    answer = await through(member, world.center, "u-1")
    remembered = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("sign_in_with"))
    assert f"sign_in_with={world.center.id}" in remembered
    assert {"HttpOnly", "Path=/sign-in", "SameSite=lax"} <= set(remembered.split("; "))
    await member.post("/sign-out")
    page = (await member.get("/sign-in?next=/coming")).text
    assert f'href="/sign-in/with/{world.center.id}?next=/coming"' in page


async def test_a_state_works_once_and_in_its_own_browser(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    begun = await member.get(f"/sign-in/with/{world.center.id}")
    back = await approved(begun.headers["location"], "u-1")
    cookie = member.http.cookies["way"]
    stranger = await visitor(world.center, signed_in=False)
    assert why(await stranger.get(back)) == "expired"
    stranger.http.cookies.set("way", "x" * 43, domain="127.0.0.1")
    assert why(await stranger.get(back)) == "expired"
    assert (await member.get(back)).headers["location"] == "/"
    await member.post("/sign-out")
    member.http.cookies.set("way", cookie, domain="127.0.0.1")
    assert why(await member.get(back)) == "expired"
    assert provider.count("POST /token") == 2  # to link and to sign in


async def test_a_state_is_good_for_five_minutes(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    for late, expired in ((LASTS - timedelta(seconds=20), False), (LASTS, True)):
        begun = await member.get(f"/sign-in/with/{world.center.id}")
        back = await approved(begun.headers["location"], "u-1")
        async with world.services.db.platform() as tx:
            await tx.execute(
                text("UPDATE openid_ways SET began_at = began_at - CAST(:late AS interval)"), {"late": late}
            )
        answer = await member.get(back)
        assert answer.headers["location"].endswith("why=expired") is expired
        await member.post("/sign-out")


async def test_another_organizations_provider_leads_nowhere(world: World, provider: OpenIdProvider) -> None:
    """Whatever it says: it may even be the same one, or send what was meant for it elsewhere."""
    await registered(world.center, provider)
    await registered(world.other, provider)
    member = await linked(world.center, "u-1")
    assert why(await through(member, world.other, "u-1")) == "unknown"
    begun = await member.get(f"/sign-in/with/{world.other.id}")
    back = await approved(begun.headers["location"], "u-1")
    elsewhere = back.replace(str(world.other.id), str(world.center.id))
    assert why(await member.get(elsewhere)) == "expired"
    with serving() as foreign:
        await registered(world.settlement, foreign)
        assert why(await through(member, world.settlement, "u-1")) == "unknown"


async def test_a_name_or_an_address_links_nobody(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await visitor(world.center, signed_in=False)
    login = member.added.member.login
    provider.manners.claims = {"email": login, "email_verified": True, "preferred_username": login}
    already = len(await kept(world.services.db))
    assert why(await through(member, world.center, login)) == "unknown"
    assert len(await kept(world.services.db)) == already


async def test_whoever_is_disabled_does_not_get_in(world: World, provider: OpenIdProvider) -> None:
    administrator = await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    data = {"do": "disable", "member": str(member.added.member.id)}
    assert (await administrator.post("/settings/staff", data)).status_code == 303
    assert why(await through(member, world.center, "u-1")) == "unknown"
    entry = await last_entry(world)
    assert (entry["action"], entry["outcome"], entry["code"]) == ("staff:sign_in", "deny", "openid_unknown")
    assert entry["actor"]["staff"] == str(member.added.member.id)  # type: ignore[index]


async def test_an_organization_without_provider_has_no_such_page(world: World) -> None:
    stranger = await visitor(world.center, signed_in=False)
    for path in (str(world.center.id), "00000000-0000-4000-8000-00000000dead", "x"):
        assert (await stranger.get(f"/sign-in/with/{path}")).status_code == 404


async def test_who_is_signed_in_already_goes_on(world: World, provider: OpenIdProvider) -> None:
    member = await registered(world.center, provider)
    answer = await member.get(f"/sign-in/with/{world.center.id}?next=/settings")
    assert answer.headers["location"] == "/settings"
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        answer = await member.http.get(f"/sign-in/with/{world.center.id}", params={"next": elsewhere})
        assert answer.headers["location"] == "/"


@pytest.mark.parametrize("amr", [None, [], ["pwd"], ["pwd", "user", "geo", "rba", "pin"], "mfa", [1]])
async def test_without_a_second_factor_nobody_gets_in(
    world: World, provider: OpenIdProvider, amr: list[str] | None
) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    provider.manners.amr = amr
    answer = await through(member, world.center, "u-1")
    assert why(answer) == "second_factor"
    page = await member.get(answer.headers["location"])
    assert page.status_code == 403
    assert "管理者に頼んでください" in page.text
    entry = await last_entry(world)
    assert (entry["outcome"], entry["code"]) == ("deny", "openid_second_factor")
    assert (await member.get("/settings")).headers["location"].startswith("/sign-in")
    seen = await (await visitor(world.center, "administrator")).get("/settings/sign-ins")
    assert "二つ目の要素がない" in seen.text


@pytest.mark.parametrize("amr", [["mfa"], ["pwd", "otp"], ["hwk"], ["pwd", "sms"], ["fpt"]])
async def test_a_second_factor_in_the_token_suffices(
    world: World, provider: OpenIdProvider, amr: list[str]
) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    provider.manners.amr = amr
    assert (await through(member, world.center, "u-1")).headers["location"] == "/"


async def test_an_administrator_may_answer_for_the_second_factor(
    world: World, provider: OpenIdProvider
) -> None:
    provider.manners.amr = None
    await registered(world.center, provider, stated=True)
    registration = await last_entry(world)
    assert registration["change"] == {"to": "second_factor_stated", "from": None}
    member = await linked(world.center, "u-1")
    assert (await through(member, world.center, "u-1")).headers["location"] == "/"


async def test_confirming_asks_the_provider_anew(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    await through(member, world.center, "u-1")
    await unconfirmed(world)
    before = member.http.cookies["session"]
    assert has_to_confirm(await member.post("/settings/openid/link", {"do": "unlink"}))
    page = (await member.get("/confirm?next=/settings/passkeys")).text
    assert 'href="/confirm/with?next=/settings/passkeys"' in page
    begun = await member.get("/confirm/with?next=/settings/passkeys")
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    answer = await member.get(await approved(begun.headers["location"], "u-1"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/passkeys")
    assert member.http.cookies["session"] != before
    assert (await member.post("/settings/openid/link", {"do": "unlink"})).headers[
        "location"
    ] == "/settings/openid/link"


@pytest.mark.parametrize("told", [None, -3600, True, "now"])
async def test_confirming_needs_a_sign_in_at_the_provider_that_is_new(
    world: World, provider: OpenIdProvider, told: object
) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    await through(member, world.center, "u-1")
    await unconfirmed(world)
    at = int(time.time()) + told if isinstance(told, int) and not isinstance(told, bool) else told
    provider.manners.claims = {"auth_time": at}
    assert why(await through(member, world.center, "u-1", at="/confirm/with")) == "not_fresh"
    entry = await last_entry(world)
    assert (entry["outcome"], entry["code"]) == ("deny", "openid_not_fresh")
    assert has_to_confirm(await member.post("/settings/openid/link"))


async def test_confirming_is_for_who_is_signed_in(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member, colleague = await linked(world.center, "u-1"), await linked(world.center, "u-2")
    await through(member, world.center, "u-1")
    assert why(await through(member, world.center, "u-2", at="/confirm/with")) == "another"
    begun = await member.get("/confirm/with")
    back = await approved(begun.headers["location"], "u-1")
    await member.post("/sign-out")
    assert why(await member.get(back)) == "expired"
    assert colleague.added.member.id != member.added.member.id


async def test_strangers_have_a_provider_asked_so_often(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    documents = provider.count("GET /.well-known/openid-configuration")
    stranger = await visitor(world.center, signed_in=False)
    for _ in range(FREE_FAILURES_ADDRESS):
        assert why_or_begun(await stranger.get(f"/sign-in/with/{world.center.id}")) == "begun"
    answer = await stranger.get(f"/sign-in/with/{world.center.id}")
    assert why(answer) == "must_wait"
    page = await stranger.get(answer.headers["location"])
    assert (page.status_code, "お待ちください" in page.text) == (429, True)
    assert provider.count("GET /.well-known/openid-configuration") == documents
    # Passwords are counted by themselves.
    data = {"login": member.added.member.login, "password": PASSWORD, "code": member.code()}
    assert (await member.post("/sign-in", data)).headers["location"] == "/"


def why_or_begun(answer: object) -> str:
    location = answer.headers["location"]  # type: ignore[attr-defined]
    return "begun" if "/authorize?" in location else why(answer)  # type: ignore[arg-type]


async def test_who_arrives_takes_back_what_was_counted(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    for _ in range(FREE_FAILURES_ADDRESS + 5):
        assert (await through(member, world.center, "u-1")).headers["location"] == "/"
        await member.post("/sign-out")


async def test_guesses_of_states_are_counted(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    stranger = await visitor(world.center, signed_in=False)
    for number in range(FREE_FAILURES_ADDRESS):
        assert (
            why(await stranger.get(f"/sign-in/with/{world.center.id}/back?state={number}&code=x"))
            == "expired"
        )
    assert why(await stranger.get(f"/sign-in/with/{world.center.id}")) == "must_wait"
    assert provider.count("POST /token") == 0
