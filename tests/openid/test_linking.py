"""Whose account is whose at the provider: said by who joins or is signed in, and undone by a new invitation."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.openid.going import approved, forward, linked, registered, through, why
from tests.openid.provider import OpenIdProvider
from tests.web.test_settings import shown
from tests.web.visitors import Visitor, visitor
from tests.world import World


async def invited(administrator: Visitor) -> dict[str, str]:
    """What somebody is told who is to join."""
    data = {"do": "invite", "name": "招待 花子", "login": "hanako@example.jp", "role": "worker"}
    page = (await administrator.post("/settings/staff", data)).text
    return {"login": "hanako@example.jp", "invitation": shown(page, "招待の文字")}


async def actions_of(world: World) -> list[str]:
    return [one.body["action"] for one in await kept(world.services.db)]


async def password_of(world: World, login: str) -> Any:
    async with world.services.db.platform() as tx:
        found = await tx.execute(
            text("SELECT password_hash FROM staff_members WHERE login = :login"), {"login": login}
        )
        return found.scalar_one()


async def test_who_is_invited_joins_without_a_password(world: World, provider: OpenIdProvider) -> None:
    administrator = await registered(world.center, provider)
    new, sent = await visitor(world.center, signed_in=False), await invited(administrator)
    assert "機関のサインインを使う" in (await new.post("/join", sent)).text
    page = await new.post("/join", sent | {"openid": "true"})
    assert "prompt=login" in forward(page)
    answer = await new.get(await approved(forward(page), "u-1"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "招待 花子" in (await new.get("/settings")).text
    assert (await actions_of(world))[-2:] == ["staff:link", "staff:join"]
    assert await password_of(world, sent["login"]) is None
    assert (await new.post("/join", sent)).status_code == 403  # used up
    assert "利用中" in (await administrator.get("/settings/staff")).text
    await new.post("/sign-out")
    assert (await through(new, world.center, "u-1")).headers["location"] == "/"


async def test_without_a_provider_there_is_nothing_to_choose(world: World) -> None:
    administrator = await visitor(world.center, "administrator")
    new, sent = await visitor(world.center, signed_in=False), await invited(administrator)
    assert "機関のサインインを使う" not in (await new.post("/join", sent)).text
    assert (await new.post("/join", sent | {"openid": "true"})).status_code == 404


async def test_a_wrong_invitation_leads_to_no_provider(world: World, provider: OpenIdProvider) -> None:
    administrator = await registered(world.center, provider)
    new, sent = await visitor(world.center, signed_in=False), await invited(administrator)
    answer = await new.post("/join", sent | {"invitation": "AAAA", "openid": "true"})
    assert answer.status_code == 403
    assert "authorize" not in answer.text


async def test_an_invitation_that_is_over_meanwhile_links_nobody(
    world: World, provider: OpenIdProvider
) -> None:
    administrator = await registered(world.center, provider)
    new, sent = await visitor(world.center, signed_in=False), await invited(administrator)
    page = await new.post("/join", sent | {"openid": "true"})
    listed = (await administrator.get("/settings/staff")).text
    member_id = re.findall(r'name="member" value="([^"]+)"', listed)[-1]
    assert (
        "招待の文字"
        in (await administrator.post("/settings/staff", {"do": "invite-again", "member": member_id})).text
    )
    assert why(await new.get(await approved(forward(page), "u-1"))) == "invitation"
    entry = (await kept(world.services.db))[-1].body
    assert (entry["action"], entry["outcome"], entry["code"]) == ("staff:join", "deny", "openid_invitation")
    assert why(await through(new, world.center, "u-1")) == "unknown"


@pytest.mark.parametrize("purpose", ["join", "link"])
async def test_without_a_second_factor_nobody_is_linked(
    world: World, provider: OpenIdProvider, purpose: str
) -> None:
    administrator = await registered(world.center, provider)
    provider.manners.amr = ["pwd"]
    member = await visitor(world.center, signed_in=purpose == "link")
    if purpose == "join":
        page = await member.post("/join", await invited(administrator) | {"openid": "true"})
    else:
        page = await member.post("/settings/openid/link", {"do": "link"})
    assert why(await member.get(await approved(forward(page), "u-1"))) == "second_factor"
    entry = (await kept(world.services.db))[-1].body
    assert (entry["action"], entry["outcome"]) == (f"staff:{purpose}", "deny")


async def test_somebody_is_one_member_of_staff(world: World, provider: OpenIdProvider) -> None:
    """On the whole platform: also where two organizations have the same provider."""
    await registered(world.center, provider)
    await registered(world.other, provider)
    await linked(world.center, "u-1")
    for who in (world.center, world.other):
        member = await visitor(who)
        page = await member.post("/settings/openid/link", {"do": "link"})
        answer = await member.get(await approved(forward(page), "u-1"))
        assert why(answer) == "taken"
        assert "結び付いていません" not in (await member.get(answer.headers["location"])).text
        assert "結び付ける" in (await member.get("/settings/openid/link")).text


async def test_a_link_can_be_changed_and_removed(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    assert (await member.sign_in()).headers["location"] == "/"  # the password works as before
    page = await member.post("/settings/openid/link", {"do": "link"})
    await member.get(await approved(forward(page), "u-2"))
    await member.post("/sign-out")
    assert why(await through(member, world.center, "u-1")) == "unknown"
    assert (await through(member, world.center, "u-2")).headers["location"] == "/"
    assert "結び付いています" in (await member.get("/settings/openid/link")).text
    assert (await member.post("/settings/openid/link", {"do": "unlink"})).status_code == 303
    assert (await member.post("/settings/openid/link", {"do": "unlink"})).status_code == 404
    assert [one for one in await actions_of(world) if "link" in one] == [
        "staff:link",
        "staff:link",
        "staff:unlink",
    ]
    await member.post("/sign-out")
    assert why(await through(member, world.center, "u-2")) == "unknown"


async def test_the_only_way_in_stays(world: World, provider: OpenIdProvider) -> None:
    administrator = await registered(world.center, provider)
    new, sent = await visitor(world.center, signed_in=False), await invited(administrator)
    page = await new.post("/join", sent | {"openid": "true"})
    await new.get(await approved(forward(page), "u-1"))
    assert "unlink" not in (await new.get("/settings/openid/link")).text
    answer = await new.post("/settings/openid/link", {"do": "unlink"})
    assert (answer.status_code, "ほかにサインインの手段がない" in answer.text) == (422, True)
    confirming = (await new.get("/confirm?next=/coming")).text
    assert "/confirm/with?next=/coming" in confirming
    assert 'name="password"' not in confirming


async def test_a_new_invitation_undoes_the_link(world: World, provider: OpenIdProvider) -> None:
    administrator = await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    data = {"do": "invite-again", "member": str(member.added.member.id)}
    invitation = shown((await administrator.post("/settings/staff", data)).text, "招待の文字")
    assert why(await through(member, world.center, "u-1")) == "unknown"
    sent = {"login": member.added.member.login, "invitation": invitation, "openid": "true"}
    page = await member.post("/join", sent)
    assert (await member.get(await approved(forward(page), "u-1"))).headers["location"] == "/"


async def test_a_link_is_made_by_who_asked_for_it(world: World, provider: OpenIdProvider) -> None:
    """Not by somebody who has signed in in the same browser meanwhile, nor by a page of somebody else's."""
    await registered(world.center, provider)
    member, colleague = await visitor(world.center), await visitor(world.center)
    page = await member.post("/settings/openid/link", {"do": "link"})
    member.http.cookies.set("session", colleague.http.cookies["session"], domain="127.0.0.1")
    assert why(await member.get(await approved(forward(page), "u-1"))) == "expired"
    for site in ("cross-site", "same-site", "none"):
        answer = await colleague.post(
            "/settings/openid/link", {"do": "link"}, headers={"Sec-Fetch-Site": site}
        )
        assert answer.status_code == 403
