"""Whoever fails again and again has to wait, known or not, and is not told."""

import asyncio
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from tests.ledger.entries import kept
from tests.web.visitors import PASSWORD, Visitor, visitor
from tests.world import World
from tsunagi.staff import actions
from tsunagi.staff.actions import REFUSING_TAKES, Attempting, Code, sign_in
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
