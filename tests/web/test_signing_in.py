"""Who signs in is known until they sign out; whoever cannot learns nothing; what is sent from elsewhere is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.web.visitors import PASSWORD, visitor
from tests.world import World
from tsunagi.staff.actions import known
from tsunagi.staff.rules import CONFIRMED, IDLE, LONGEST, Role


async def test_who_signs_in_is_known_until_they_sign_out(world: World) -> None:
    member = await visitor(world.center, signed_in=False)
    assert (await member.get("/confirm")).headers["location"] == "/sign-in?next=%2Fconfirm"
    answer = await member.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    page = await member.get("/confirm")
    assert page.status_code == 200
    assert "試験 太郎" in page.text
    token = member.http.cookies["session"]
    await member.post("/sign-out")
    member.http.cookies.set("session", token)
    assert (await member.get("/confirm")).status_code == 303
    entries = [one.body for one in await kept(world.services.db)]
    actions = [one["action"] for one in entries if one["action"].startswith("staff:")]
    assert actions == ["staff:add", "staff:sign_in", "staff:sign_out"]


@pytest.mark.parametrize("wrong", ["login", "password", "code"])
async def test_what_was_wrong_is_not_said(world: World, wrong: str) -> None:
    member = await visitor(world.center, signed_in=False)
    right = {"login": member.added.member.login, "password": PASSWORD, "code": member.code()}
    answer = await member.post("/sign-in", right | {wrong: "nobody-has-this"})
    assert answer.status_code == 403
    said = answer.text.replace("nobody-has-this", right["login"])
    again = await member.post("/sign-in", right | {"password": "something else entirely"})
    assert said == again.text
    assert "session" not in member.http.cookies


async def test_a_code_works_once(world: World) -> None:
    member = await visitor(world.center, signed_in=False)
    assert (await member.sign_in()).status_code == 303
    assert (await member.sign_in()).status_code == 403
    assert (await member.sign_in(step=1)).status_code == 303


async def test_a_refused_sign_in_is_on_the_ledger(world: World) -> None:
    member = await visitor(world.center, signed_in=False)
    await member.post("/sign-in", {"login": member.added.member.login, "password": "x", "code": "1"})
    entry = (await kept(world.services.db))[-1].body
    assert (entry["action"], entry["outcome"], entry["code"]) == ("staff:sign_in", "deny", "sign_in_refused")


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8080"}, False),
        ({"Origin": "http://127.0.0.1:8080"}, True),
        ({"Origin": "http://127.0.0.1:8081"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
async def test_a_form_is_taken_from_this_host_alone(
    world: World, headers: dict[str, str], taken: bool
) -> None:
    member = await visitor(world.center)
    answer = await member.http.post("/sign-out", headers=headers)
    assert answer.status_code == (303 if taken else 403)
    assert ((await member.get("/confirm")).status_code == 303) is taken


async def test_a_session_ends_unused_and_at_the_latest_after_half_a_day(world: World) -> None:
    member = await visitor(world.center)
    db, token, now = world.services.db, member.http.cookies["session"], datetime.now(UTC)
    session = await known(db, now, token)
    assert session is not None
    assert session.confirmed(now)
    assert not session.confirmed(now + CONFIRMED + timedelta(seconds=1))
    assert await known(db, now + IDLE + timedelta(seconds=5), token) is None
    at = now
    while at < now + LONGEST - timedelta(minutes=20):
        at += timedelta(minutes=20)
        assert await known(db, at, token)
    assert await known(db, now + LONGEST + timedelta(seconds=5), token) is None


async def test_whoever_is_disabled_is_out_at_once(world: World) -> None:
    member = await visitor(world.center)
    async with world.services.db.platform() as tx:
        await tx.execute(text("UPDATE staff_members SET status = 'disabled'"))
    assert (await member.get("/confirm")).status_code == 303
    assert (await member.sign_in(step=1)).status_code == 403


async def test_confirming_makes_a_new_session_of_it(world: World) -> None:
    member = await visitor(world.center)
    before = member.http.cookies["session"]
    data = {"password": PASSWORD, "code": member.code(step=1), "next": "/coming"}
    answer = await member.post("/confirm", data)
    assert (answer.status_code, answer.headers["location"]) == (303, "/coming")
    assert member.http.cookies["session"] != before
    assert await known(world.services.db, datetime.now(UTC), before) is None


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "x", ""])
async def test_nobody_is_sent_elsewhere(world: World, elsewhere: str) -> None:
    member = await visitor(world.center, signed_in=False)
    data = {"login": member.added.member.login, "password": PASSWORD, "code": member.code()}
    answer = await member.post("/sign-in", data | {"next": elsewhere})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("role", ["worker", "administrator", "auditor"])
async def test_every_page_says_what_it_may_load(world: World, role: Role) -> None:
    member = await visitor(world.center, role)
    answer = await member.get("/confirm")
    assert (
        "default-src 'none'; script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
    )
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


async def test_the_language_is_the_readers(world: World) -> None:
    member = await visitor(world.center)
    assert "もう一度入力してください" in (await member.get("/confirm")).text
    await member.post("/language", {"language": "en", "next": "/confirm"})
    page = await member.get("/confirm")
    assert '<html lang="en">' in page.text
    assert "Please confirm" in page.text
