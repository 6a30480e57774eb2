"""A passkey stands in for the code, of its owner alone and once for each challenge."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.staff.authenticators import Authenticator
from tests.web.visitors import PASSWORD, Visitor, has_to_confirm, unconfirmed, visitor
from tests.world import World
from tsunagi.staff import actions

ORIGIN = "http://127.0.0.1:8080"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "REFUSING_TAKES", 0)


async def add(member: Visitor, made_by: Authenticator, **changes: str) -> Any:
    options = (await member.post("/settings/passkeys/challenge")).json()
    made = {"name": "試験の鍵", "made": made_by.make(options)} | changes
    return await member.post("/settings/passkeys", made)


async def passkey(member: Visitor) -> Authenticator:
    made = Authenticator(ORIGIN)
    assert (await add(member, made)).status_code == 303
    return made


async def challenge(member: Visitor) -> dict[str, Any]:
    options: dict[str, Any] = (await member.post("/sign-in/challenge")).json()
    return options


async def sign_in(member: Visitor, said: str, password: str = PASSWORD) -> int:
    data = {"login": member.added.member.login, "password": password, "code": "", "passkey": said}
    return (await member.post("/sign-in", data)).status_code


async def test_a_passkey_is_made_used_and_removed(world: World) -> None:
    member = await visitor(world.center)
    made = await passkey(member)
    assert "試験の鍵" in (await member.get("/settings/passkeys")).text
    await member.post("/sign-out")
    asked = await challenge(member)
    assert "allowCredentials" not in asked or asked["allowCredentials"] == []
    assert await sign_in(member, made.answer(asked)) == 303
    page = (await member.get("/settings/passkeys")).text
    shown = page.partition('name="id" value="')[2].partition('"')[0]
    removed = await member.post("/settings/passkeys", {"do": "remove", "id": shown})
    assert removed.status_code == 303
    assert await sign_in(member, made.answer(await challenge(member))) == 403
    done = [one.body["action"] for one in await kept(world.services.db) if "passkey" in one.body["action"]]
    assert done == ["staff:add_passkey", "staff:remove_passkey"]


async def test_an_answer_works_once(world: World) -> None:
    member = await visitor(world.center)
    made = await passkey(member)
    said = made.answer(await challenge(member))
    assert [await sign_in(member, said), await sign_in(member, said)] == [303, 403]


async def test_a_passkey_needs_the_password_too(world: World) -> None:
    member = await visitor(world.center)
    made = await passkey(member)
    assert await sign_in(member, made.answer(await challenge(member)), "another password") == 403


async def test_a_passkey_is_its_owners_alone(world: World) -> None:
    member, other = await visitor(world.center), await visitor(world.center)
    made = await passkey(member)
    assert await sign_in(other, made.answer(await challenge(other))) == 403
    shown = (await member.get("/settings/passkeys")).text.partition('name="id" value="')[2].partition('"')[0]
    removed = await other.post("/settings/passkeys", {"do": "remove", "id": shown})
    assert removed.status_code == 404
    assert "試験の鍵" not in (await other.get("/settings/passkeys")).text


@pytest.mark.parametrize("wrong", ["origin", "site", "challenge", "old", "key", "text", "kind"])
async def test_an_answer_that_is_not_ours_is_refused(world: World, wrong: str) -> None:
    member = await visitor(world.center)
    made = await passkey(member)
    asked = await challenge(member)
    if wrong == "origin":
        made.origin = "http://127.0.0.1:8081"
    elif wrong == "site":
        made.site = "evil.example"
    elif wrong == "challenge":
        asked["challenge"] = "AAAA"
    elif wrong == "key":
        made.id, held = Authenticator(ORIGIN).id, made
        assert held is made
    elif wrong == "old":
        async with world.services.db.platform() as tx:
            await tx.execute(text("UPDATE staff_challenges SET expires_at = now() - interval '1 second'"))
    said = {"text": "{", "kind": made.make(asked)}.get(wrong) or made.answer(asked)
    assert await sign_in(member, said) == 403


async def test_a_passkey_is_made_for_whoever_asked(world: World) -> None:
    member, other = await visitor(world.center), await visitor(world.center)
    made = Authenticator(ORIGIN)
    theirs = (await other.post("/settings/passkeys/challenge")).json()
    sent = {"name": "試験の鍵", "made": made.make(theirs)}
    assert (await member.post("/settings/passkeys", sent)).status_code == 422
    assert (await add(member, made, name="")).status_code == 422
    assert (await add(member, made)).status_code == 303
    assert (await add(other, made)).status_code == 422  # one key is one member's


async def test_adding_needs_a_sign_in_that_is_minutes_old(world: World) -> None:
    member = await visitor(world.center)
    await unconfirmed(world)
    assert has_to_confirm(await add(member, Authenticator(ORIGIN)))


async def test_inviting_anew_takes_passkeys_away(world: World) -> None:
    member, administrator = await visitor(world.center), await visitor(world.center, "administrator")
    await passkey(member)
    again = {"do": "invite-again", "member": str(member.added.member.id)}
    assert (await administrator.post("/settings/staff", again)).status_code == 200
    async with world.services.db.platform() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM staff_passkeys"))).scalar_one() == 0
