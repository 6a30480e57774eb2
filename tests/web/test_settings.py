"""Administrators look after staff and software of their own organization, and of no other; others may not."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.web.browsing import controls
from tests.web.visitors import Visitor, has_to_confirm, unconfirmed, visitor
from tests.world import Organization, World
from tsunagi.auth import actions as clients
from tsunagi.auth import store as client_store
from tsunagi.auth.rules import Scope, SoftwareClient
from tsunagi.ids import ClientId
from tsunagi.ledger.rules import PLATFORM, Actor

OPERATOR = Actor(None, PLATFORM, None, "test")
PASSWORD = "atarashii-hashi-no-uta"
SETTINGS = ["/settings/staff", "/settings/clients"]


def shown(page: str, label: str) -> str:
    """What stands behind a term of the page's list of facts."""
    found = re.search(rf"<dt>{label}</dt><dd><code>([^<]*)</code>", page)
    assert found, page
    return found[1]


async def actions_of(world: World) -> list[str]:
    found = [one.body["action"] for one in await kept(world.services.db)]
    return [
        one for one in found if one.startswith(("staff:", "clients:")) and not one.startswith("staff:sign_")
    ]


async def change(who: Visitor, do: str, member: Visitor, **more: str) -> Any:
    return await who.post("/settings/staff", {"do": do, "member": str(member.added.member.id)} | more)


async def test_who_is_invited_chooses_a_password_and_joins(world: World) -> None:
    administrator = await visitor(world.center, "administrator")
    data = {"do": "invite", "name": "招待 花子", "login": "hanako@example.jp", "role": "worker"}
    page = (await administrator.post("/settings/staff", data)).text
    invitation = shown(page, "招待の文字")
    assert invitation not in (await administrator.get("/settings/staff")).text
    assert "招待中" in page
    new = await visitor(world.center, signed_in=False)
    sent = {"login": "hanako@example.jp", "invitation": invitation.lower().replace("-", " ")}
    assert (await new.post("/join", sent | {"invitation": "AAAA"})).status_code == 403
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", (await new.post("/join", sent)).text)
    assert secret
    code = pyotp.TOTP(secret[1]).now()
    weak = await new.post("/join", sent | {"password": "short", "code": code})
    assert weak.status_code == 422
    other = await new.post("/join", sent | {"password": PASSWORD, "code": "000"})
    assert other.status_code == 422
    assert "確認コードが違います" in other.text
    joined = await new.post("/join", sent | {"password": PASSWORD, "code": code})
    assert joined.status_code == 303, joined.text
    assert "招待 花子" in (await new.get("/settings")).text
    again = await (await visitor(world.center, signed_in=False)).post("/join", sent)
    assert again.status_code == 403
    assert "staff:join" in await actions_of(world)
    assert "利用開始（招待から）" in (await administrator.get("/settings/sign-ins")).text


async def test_an_invitation_ends_after_a_week(world: World) -> None:
    administrator = await visitor(world.center, "administrator")
    data = {"do": "invite", "name": "招待 花子", "login": "hanako@example.jp", "role": "worker"}
    invitation = shown((await administrator.post("/settings/staff", data)).text, "招待の文字")
    async with world.services.db.platform() as tx:
        await tx.execute(
            text("UPDATE staff_members SET invited_until = now() WHERE invited_until IS NOT NULL")
        )
    sent = {"login": "hanako@example.jp", "invitation": invitation}
    assert (await administrator.post("/join", sent)).status_code == 403
    assert "招待の期限切れ" in (await administrator.get("/settings/staff")).text


async def test_what_an_administrator_changes_takes_effect_at_once(world: World) -> None:
    administrator, worker = await visitor(world.center, "administrator"), await visitor(world.center)
    assert (await worker.get("/settings/staff")).status_code == 403
    assert (await change(administrator, "role", worker, role="administrator")).status_code == 303
    assert (await worker.get("/settings/staff")).status_code == 200
    assert (await change(administrator, "disable", worker)).status_code == 303
    assert (await worker.get("/settings")).headers["location"].startswith("/sign-in")
    assert (await worker.sign_in(step=1)).status_code == 403
    anew = await change(administrator, "invite-again", worker)
    assert (anew.status_code, "先に再開してください" in anew.text) == (422, True)
    assert (await change(administrator, "enable", worker)).status_code == 303
    assert (await worker.sign_in(step=1)).status_code == 303
    page = (await change(administrator, "invite-again", worker)).text
    assert shown(page, "ログイン名") == worker.added.member.login
    assert (await worker.get("/settings")).headers["location"].startswith("/sign-in")
    assert (await worker.sign_in(step=2)).status_code == 403
    changes = [one.body for one in await kept(world.services.db) if one.body["action"] == "staff:change"]
    assert [(one["change"]["from"], one["change"]["to"]) for one in changes] == [
        ("worker", "administrator"),
        ("active", "disabled"),
        ("disabled", "active"),
    ]
    assert {one["actor"]["staff"] for one in changes} == {str(administrator.added.member.id)}
    assert "staff:reset" in await actions_of(world)


@pytest.mark.parametrize("do", ["role", "disable", "invite-again"])
async def test_nobody_does_it_to_themselves(world: World, do: str) -> None:
    administrator = await visitor(world.center, "administrator")
    answer = await change(administrator, do, administrator, role="worker")
    assert answer.status_code == 422
    assert "ほかの管理者に" in answer.text
    assert (await administrator.get("/settings/staff")).status_code == 200


@pytest.mark.parametrize("do", ["role", "disable", "enable", "invite-again", "steal"])
async def test_staff_of_others_is_not_there(world: World, do: str) -> None:
    administrator, foreign = await visitor(world.other, "administrator"), await visitor(world.center)
    assert foreign.added.member.login not in (await administrator.get("/settings/staff")).text
    assert (await change(administrator, do, foreign, role="auditor")).status_code == 404
    assert (await foreign.get("/settings")).status_code == 200
    assert (await foreign.get("/settings/staff")).status_code == 403


@pytest.mark.parametrize("path", SETTINGS)
@pytest.mark.parametrize("role", ["worker", "auditor"])
async def test_settings_are_for_administrators(world: World, path: str, role: Any) -> None:
    member = await visitor(world.center, role)
    assert (await member.get(path)).status_code == 403
    assert (await member.post(path, {"do": "invite"})).status_code == 403
    assert path not in (await member.get("/settings")).text


@pytest.mark.parametrize("path", SETTINGS)
async def test_a_change_needs_a_sign_in_that_is_minutes_old(world: World, path: str) -> None:
    administrator = await visitor(world.center, "administrator")
    await unconfirmed(world)
    asked = await administrator.post(path, {"do": "invite", "name": "架空 <花子>"})
    assert has_to_confirm(asked)
    assert controls(asked.text, path) == {"do": ["invite"], "name": ["架空 <花子>"]}


async def test_sign_ins_are_shown_to_administrators_and_to_oneself(world: World) -> None:
    worker = await visitor(world.center, signed_in=False)
    administrator = await visitor(world.center, "administrator", signed_in=False)
    foreign = await visitor(world.other, signed_in=False)
    for member in (worker, administrator, foreign):
        assert (await member.sign_in()).status_code == 303
    await worker.post("/sign-in", {"login": worker.added.member.login, "password": "x", "code": "1"})
    mine = (await worker.get("/settings/sign-ins")).text
    assert (mine.count("<tr>"), mine.count("失敗</span>")) == (3, 1)
    every = (await administrator.get("/settings/sign-ins?days=1")).text
    assert every.count("<tr>") == 4
    theirs = (await foreign.get("/settings/sign-ins")).text
    assert theirs.count("<tr>") == 2


async def registered(world: World, name: str, *served: Organization) -> ClientId:
    key = ECKey.generate_key("P-256")
    async with world.services.db.platform() as tx:
        return await clients.register_client(
            tx,
            datetime.now(UTC),
            OPERATOR,
            name=name,
            jwks={"keys": [key.as_dict(private=False)]},
            organizations={one.id: frozenset({Scope.HANDOVERS_READ}) for one in served},
        )


async def client(world: World, client_id: ClientId) -> SoftwareClient:
    async with world.services.db.platform() as tx:
        found = await client_store.find_client(tx, client_id)
    assert found
    return found


def new_key(*, private: bool = False) -> str:
    return json.dumps(ECKey.generate_key("P-256").as_dict(private=private) | {"kid": f"new-{uuid4()}"})


async def test_a_client_of_ones_own_gets_a_new_key_and_ends(world: World) -> None:
    administrator = await visitor(world.center, "administrator")
    own = await registered(world, "みほんソフト", world.center)
    data = {"client": own, "do": "rotate", "overlap": "24", "jwk": new_key()}
    for wrong in ("", "{", "[]", '{"kty": "EC"}', new_key(private=True)):
        refused = await administrator.post("/settings/clients", data | {"jwk": wrong})
        assert refused.status_code == 422, wrong
    assert len((await client(world, own)).keys) == 1
    assert (await administrator.post("/settings/clients", data)).status_code == 303
    keys = (await client(world, own)).keys
    in_a_day = datetime.now(UTC) + timedelta(hours=25)
    assert [one.usable(in_a_day) for one in keys] == [False, True]
    assert keys[1].kid in (await administrator.get("/settings/clients")).text
    leaked = data | {"overlap": "0", "jwk": new_key()}
    assert (await administrator.post("/settings/clients", leaked)).status_code == 303
    usable = [one.usable(datetime.now(UTC)) for one in (await client(world, own)).keys]
    assert usable == [False, False, True]
    ended = await administrator.post("/settings/clients", {"client": own, "do": "withdraw"})
    assert ended.status_code == 303
    assert not (await client(world, own)).active
    assert "みほんソフト" not in (await administrator.get("/settings/clients")).text
    entry = [one.body for one in await kept(world.services.db) if one.body["action"].startswith("clients:")]
    assert [one["action"] for one in entry[1:]] == ["clients:rotate", "clients:rotate", "clients:revoke"]
    assert entry[-1]["actor"]["staff"] == str(administrator.added.member.id)


async def test_of_a_client_that_acts_for_others_too_only_ones_own_grant_is_taken(world: World) -> None:
    administrator = await visitor(world.center, "administrator")
    shared = await registered(world, "きょうどうソフト", world.center, world.settlement)
    page = (await administrator.get("/settings/clients")).text
    assert str(world.settlement.id) not in page
    assert 'name="jwk"' not in page
    data = {"client": shared, "do": "rotate", "overlap": "0", "jwk": new_key()}
    assert (await administrator.post("/settings/clients", data)).status_code == 422
    assert len((await client(world, shared)).keys) == 1
    await administrator.post("/settings/clients", {"client": shared, "do": "withdraw"})
    left = await client(world, shared)
    assert (left.active, set(left.organizations)) == (True, {world.settlement.id})
    assert (await actions_of(world))[-1] == "clients:withdraw"


@pytest.mark.parametrize("data", [{"do": "rotate", "overlap": "24"}, {"do": "withdraw"}, {"do": "x"}])
async def test_clients_of_others_are_not_there(world: World, data: Mapping[str, str]) -> None:
    administrator = await visitor(world.other, "administrator")
    foreign = await registered(world, "よそのソフト", world.center)
    assert "よそのソフト" not in (await administrator.get("/settings/clients")).text
    for client_id in (str(foreign), "unknown-client", "\0", ""):
        sent = {"jwk": new_key(), "client": client_id, **data}
        assert (await administrator.post("/settings/clients", sent)).status_code == 404
    assert len((await client(world, foreign)).keys) == 1
    assert (await client(world, foreign)).active
