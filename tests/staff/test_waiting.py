"""Whoever fails again and again has to wait, known or not, and is not told."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from tests.ledger.entries import kept
from tests.web.visitors import PASSWORD, Visitor, visitor
from tests.world import World
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.ledger.rules import PLATFORM, Actor
from tsunagi.sealing import actions as sealing
from tsunagi.sealing.keys import KeyFile, Keyring
from tsunagi.staff import actions, store
from tsunagi.staff.actions import REFUSING_TAKES, Added, Attempting, Code, add_member, sign_in
from tsunagi.staff.rules import (
    FAILURES_KEPT,
    FIRST_WAIT,
    FREE_FAILURES_ADDRESS,
    FREE_FAILURES_LOGIN,
    LONGEST_WAIT,
    Attempts,
    SignInRefused,
)

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "evenly" not in request.node.name:
        monkeypatch.setattr(actions, "REFUSING_TAKES", 0)


def test_the_wait_doubles_and_ends() -> None:
    def wait(failures: int) -> timedelta:
        waits = (timedelta(seconds=seconds) for seconds in range(0, 2000))
        blocked = Attempts(failures, NOW)
        return next(one for one in waits if not blocked.blocked(NOW + one, FREE_FAILURES_LOGIN))

    waits = [wait(failures) for failures in range(FREE_FAILURES_LOGIN + 8)]
    assert waits[:FREE_FAILURES_LOGIN] == [timedelta()] * FREE_FAILURES_LOGIN
    assert waits[FREE_FAILURES_LOGIN : FREE_FAILURES_LOGIN + 3] == [
        FIRST_WAIT,
        2 * FIRST_WAIT,
        4 * FIRST_WAIT,
    ]
    assert waits[-1] == LONGEST_WAIT
    assert Attempts(1000, NOW).blocked(NOW, 5)
    assert Attempts(1000, NOW).at(NOW + FAILURES_KEPT).failures == 0


async def attempt(
    member: Visitor,
    at: datetime,
    *,
    login: str | None = None,
    password: str = PASSWORD,
    address: str = "192.0.2.1",
) -> bool:
    code = pyotp.TOTP(member.added.code_secret).at(at)
    name = member.added.member.login if login is None else login
    try:
        attempting = Attempting(at, address, "test")
        await sign_in(member.services.db, attempting, login=name, password=password, factor=Code(code))
    except SignInRefused:
        return False
    return True


async def test_after_some_failures_even_the_right_password_must_wait(world: World) -> None:
    member = await visitor(world.center, signed_in=False)
    for _ in range(FREE_FAILURES_LOGIN):
        assert not await attempt(member, NOW, password="wrong")
    assert not await attempt(member, NOW)
    assert not await attempt(member, NOW, address="192.0.2.2")
    later = NOW + FIRST_WAIT + timedelta(seconds=1)
    assert await attempt(member, later)
    assert not await attempt(member, later + timedelta(minutes=1), password="wrong")
    assert await attempt(member, later + timedelta(minutes=2))
    codes = [
        one.body.get("code") for one in await kept(world.services.db) if one.body["action"] == "staff:sign_in"
    ]
    refused, wait = "sign_in_refused", "sign_in_must_wait"
    assert codes == [refused] * FREE_FAILURES_LOGIN + [wait, wait, None, refused, None]


async def test_an_attempt_that_comes_too_early_makes_the_wait_no_longer(world: World) -> None:
    member = await visitor(world.center, signed_in=False)
    for _ in range(FREE_FAILURES_LOGIN):
        await attempt(member, NOW, password="wrong")
    for seconds in range(1, 30, 5):
        assert not await attempt(member, NOW + timedelta(seconds=seconds), password="wrong")
    assert await attempt(member, NOW + FIRST_WAIT + timedelta(seconds=1))


async def test_an_address_that_fails_for_many_logins_must_wait(world: World) -> None:
    member = await visitor(world.center, signed_in=False)
    async with world.services.db.platform() as tx:
        for number in range(FREE_FAILURES_ADDRESS):
            assert await actions.take_attempt(tx, f"nobody-{number}", Attempting(NOW, "192.0.2.1", "test"))
    assert not await attempt(member, NOW)
    assert await attempt(member, NOW + timedelta(seconds=30), address="2001:db8::1")


async def alone(db: Database, tmp_path: Path) -> Added:
    """A member of staff in a database where commits are real."""
    db.keys = Keyring(KeyFile(tmp_path / "master.keys"))
    await sealing.begin(db, NOW, db.keys)
    profile = OrganizationProfile(kind="center", name="障害者就業・生活支援センター みほん（架空）")
    async with db.platform() as tx:
        found = await directory.add_organization(tx, profile, at=NOW)
        about = {"organization_id": found, "login": "hanako", "name": "試験 花子", "role": "worker"}
        return await add_member(tx, NOW, Actor(None, PLATFORM, None, "test"), password=PASSWORD, **about)


async def at_once(db: Database, added: Added, number: int, password: str) -> list[object]:
    code = Code(pyotp.TOTP(added.code_secret).at(NOW))
    tries = (
        sign_in(db, Attempting(NOW, f"192.0.2.{one}", "test"), login="hanako", password=password, factor=code)
        for one in range(number)
    )
    return await asyncio.gather(*tries, return_exceptions=True)


async def test_of_guesses_at_once_no_more_are_looked_at_than_one_after_the_other(
    own_database: Database, tmp_path: Path
) -> None:
    added = await alone(own_database, tmp_path)
    answers = await at_once(own_database, added, 16, "not the password")
    assert {type(one) for one in answers} == {SignInRefused}
    codes = [one.body.get("code") for one in await kept(own_database)]
    assert codes.count("sign_in_refused") == FREE_FAILURES_LOGIN
    assert codes.count("sign_in_must_wait") == 16 - FREE_FAILURES_LOGIN


async def test_a_code_that_is_used_at_once_by_many_is_used_once(
    own_database: Database, tmp_path: Path
) -> None:
    added = await alone(own_database, tmp_path)
    answers = await at_once(own_database, added, 12, PASSWORD)
    assert {type(one) for one in answers} == {SignInRefused, tuple}
    assert [one.body["outcome"] for one in await kept(own_database)].count(
        "permit"
    ) == 2  # added, and signed in


async def test_who_gets_in_and_who_guesses_meanwhile_do_not_wait_crosswise(
    own_database: Database, tmp_path: Path
) -> None:
    await alone(own_database, tmp_path)
    attempting = Attempting(NOW, "192.0.2.1", "test")
    async with own_database.platform() as tx:
        assert await actions.take_attempt(tx, "hanako", attempting)
    async with own_database.platform() as tx:
        assert await store.account(tx, "hanako", held=True)
        guess = asyncio.create_task(
            sign_in(own_database, attempting, login="hanako", password="x", factor=Code("0"))
        )
        await asyncio.sleep(0.5)  # it has been counted
        await actions.uncount(tx, "hanako", attempting)
    with pytest.raises(SignInRefused):
        await guess


async def test_every_refusal_looks_alike_and_takes_evenly_long(world: World) -> None:
    member = await visitor(world.center, signed_in=False)
    waiting = await visitor(world.center, signed_in=False)
    async with world.services.db.platform() as tx:
        for _ in range(FREE_FAILURES_LOGIN):
            await actions.take_attempt(
                tx, waiting.added.member.login, Attempting(datetime.now(UTC), "-", "test")
            )
    right = member.added.member.login
    cases = {"nobody@example.jp": "x", right: "wrong", waiting.added.member.login: PASSWORD}
    said, took = set(), []
    for login, password in cases.items():
        began = asyncio.get_running_loop().time()
        answer = await member.post("/sign-in", {"login": login, "password": password, "code": waiting.code()})
        took.append(asyncio.get_running_loop().time() - began)
        said.add((answer.status_code, answer.text.replace(login, "")))
    assert len(said) == 1
    assert min(took) >= REFUSING_TAKES
