"""Who asks too often waits until the minute is over: told before it happens, and nobody else with it."""

import asyncio
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from starlette.requests import Request

from tests.hostile.wire import Wire
from tests.running import RunningService, running_service
from tests.web.visitors import visitor
from tests.world import Organization, World, settlement_record
from tsunagi.api import limits
from tsunagi.api.edge import Services
from tsunagi.api.limits import Limits
from tsunagi.app import create_app
from tsunagi.auth.rules import Caller, Scope, Staff
from tsunagi.db import Database
from tsunagi.errors import RateLimited
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.ledger.rules import PAGES
from tsunagi.settings import Settings

AT = datetime(2026, 11, 20, 3, 0, 20, tzinfo=UTC)
MAX_MICROSECONDS = 20


@pytest.fixture
def services(services: Services) -> Services:
    few = Settings(client_requests_per_minute=8, organization_requests_per_minute=5, matches_per_minute=3)
    return replace(services, limits=Limits(few))


@pytest.fixture
def world(world: World) -> World:
    world.services.clock.move_to(AT)
    return world


def standing(answer: httpx2.Response) -> dict[str, int]:
    found = re.findall(r'"(\w+)";r=(\d+);t=\d+', answer.headers["ratelimit"])
    return {name: int(left) for name, left in found}


async def test_every_answer_tells_how_much_is_left(world: World) -> None:
    first = await world.settlement.get("/v1/handovers")
    assert first.headers["ratelimit-policy"] == '"client";q=8;w=60, "organization";q=5;w=60'
    assert standing(first) == {"client": 7, "organization": 4}
    absent = await world.settlement.get(f"/v1/handovers/{uuid4()}")
    assert (absent.status_code, standing(absent)) == (404, {"client": 6, "organization": 3})
    invalid = await world.settlement.post("/v1/handovers", {})
    assert (invalid.status_code, standing(invalid)) == (422, {"client": 5, "organization": 2})
    elsewhere = await world.center.get("/v1/handovers")
    assert standing(elsewhere) == {"client": 4, "organization": 4}


async def test_an_organization_at_its_limit_waits_and_no_other_does(world: World) -> None:
    for _ in range(5):
        assert (await world.settlement.get("/v1/handovers")).status_code == 200
    for language, title in (("ja", "要求が多すぎます"), ("en", "Too many requests")):
        answer = await world.settlement.get("/v1/handovers", Accept_Language=language)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["title"]) == (429, "rate_limited", title)
        assert "5" in problem["detail"]
        assert answer.headers["retry-after"] == str(problem["retryAfterSeconds"])
        assert 0 < problem["retryAfterSeconds"] <= 40
        assert re.fullmatch(r'"organization";r=0;t=\d+', answer.headers["ratelimit"])
        assert answer.headers["ratelimit-policy"] == '"organization";q=5;w=60'
    assert (await world.center.get("/v1/handovers")).status_code == 200


async def test_the_next_minute_begins_anew(world: World) -> None:
    for _ in range(5):
        await world.settlement.get("/v1/handovers")
    assert (await world.settlement.get("/v1/handovers")).status_code == 429
    world.services.clock.move_to(AT + timedelta(seconds=41))
    assert standing(await world.settlement.get("/v1/handovers")) == {"client": 7, "organization": 4}


async def test_of_the_pages_each_member_of_staff_counts_by_themselves() -> None:
    few = Limits(Settings(client_requests_per_minute=2, organization_requests_per_minute=0))
    request = Request({"type": "http", "headers": [], "state": {}, "client": ("127.0.0.1", 1)})
    one, other = (
        Caller(OrganizationId(uuid4()), PAGES, frozenset(Scope), Staff(str(uuid4()))) for _ in range(2)
    )
    for _ in range(2):
        few.admit(request, "listHandovers", one, AT)
    with pytest.raises(RateLimited):
        few.admit(request, "listHandovers", one, AT)
    few.admit(request, "listHandovers", other, AT)


async def test_a_client_for_many_organizations_has_a_limit_of_its_own(world: World) -> None:
    asked = [world.settlement, world.center, world.transition] * 3
    answers = [(await one.get("/v1/handovers")).status_code for one in asked]
    assert answers == [200] * 8 + [429]


async def test_matching_is_stricter(world: World) -> None:
    identity = settlement_record(world.center.id)["sections"]["identity"]
    kana = {name: identity[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
    answers = [await world.settlement.post("/v1/people/match", {"kana": kana}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert [standing(answer)["matching"] for answer in answers] == [2, 1, 0, 0]
    assert (await world.settlement.get("/v1/handovers")).status_code == 200


async def test_who_is_refused_is_refused_before_its_body_is_read(world: World) -> None:
    for _ in range(5):
        await world.settlement.get("/v1/handovers")
    assert (await world.settlement.post("/v1/handovers", b"{")).status_code == 429


async def test_zero_is_no_limit(services: Services, world: World) -> None:
    unlimited = Settings(client_requests_per_minute=0, organization_requests_per_minute=0)
    app = create_app(replace(services, limits=Limits(unlimited)), work=False)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8080"
    ) as http:
        voice = Organization(world.settlement.id, http, services)
        answers = [await voice.get("/v1/handovers") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers)


async def test_a_stranger_who_asks_for_page_after_page_waits(world: World) -> None:
    limited = Limits(Settings(strangers_pages_per_minute=3))
    someone = await visitor(replace(world.center, services=replace(world.services, limits=limited)))
    session, someone.http.cookies = someone.http.cookies, httpx2.Cookies()
    asked = [
        await someone.get("/sign-in"),
        await someone.get("/coming"),
        await someone.post("/sign-in/challenge"),
        await someone.get("/sign-in"),
        await someone.post("/sign-in/challenge"),
    ]
    assert [answer.status_code for answer in asked] == [200, 303, 200, 429, 429]
    assert "要求が多すぎます" in asked[3].text
    assert 0 < int(asked[3].headers["retry-after"]) <= 60
    assert (await someone.get("/static/tsunagi.css")).status_code == 200
    someone.http.cookies = session
    assert (await someone.get("/settings/passkeys")).status_code == 200


def request(address: str = "192.0.2.1") -> Request:
    return Request({"type": "http", "headers": [], "state": {}, "client": (address, 1)})


CALLER = Caller(OrganizationId(uuid4()), ClientId("test-software"), frozenset(Scope))


def process(per_minute: int = 5) -> Limits:
    return Limits(Settings(organization_requests_per_minute=per_minute))


def ask(here: Limits, times: int = 1, at: datetime = AT) -> int:
    """How many of so many requests were let through."""
    for number in range(times):
        try:
            here.admit(request(), "getHandover", CALLER, at)
        except RateLimited:
            return number
    return times


async def test_processes_share_what_they_have_counted(own_database: Database) -> None:
    one, other = process(), process()
    assert (ask(one, 3), ask(other, 2)) == (3, 2)
    for here in (one, other, one):
        await here.exchange(own_database)
    assert ask(other, 1) == 0
    assert ask(one, 1) == 1, "it has had nothing to tell since, and so asks nothing"
    await one.exchange(own_database)
    assert ask(one, 1) == 0


async def test_what_was_counted_meanwhile_is_not_lost(own_database: Database) -> None:
    one, other = process(), process()
    ask(one, 2)
    await one.exchange(own_database)
    ask(one, 1)
    ask(other, 1)
    await other.exchange(own_database)
    await one.exchange(own_database)
    assert ask(one, 5) == 1


async def test_a_process_that_starts_anew_locks_nobody_out(own_database: Database) -> None:
    before = process()
    assert ask(before, 9) == 5
    await before.exchange(own_database)
    after = process()
    assert ask(after) == 1
    await after.exchange(own_database)
    assert ask(after) == 0, "the minute is still the same"
    assert ask(after, 9, AT + timedelta(minutes=1)) == 5


async def test_without_the_database_counting_goes_on(own_database: Database) -> None:
    here, other = process(), process()
    ask(here, 3)
    gone = Database("postgresql://127.0.0.1:1/nobody")
    with pytest.raises(OSError):
        await here.exchange(gone)
    assert ask(here, 1) == 1
    await here.exchange(own_database)
    ask(other, 1)
    await other.exchange(own_database)
    assert ask(other, 1) == 0, "what could not be told was told later"


async def test_minutes_that_are_over_are_forgotten(own_database: Database) -> None:
    here = process()
    for minute in range(3):
        ask(here, 1, AT + timedelta(minutes=minute))
        await here.exchange(own_database)
    async with own_database.platform() as tx:
        await limits.forget_counts(tx, AT + timedelta(minutes=2))
        rows = (await tx.execute(limits.counts.select())).all()
    assert {row.minute for row in rows} == {int(AT.timestamp()) // 60 + minute for minute in (1, 2)}


def test_counting_costs_a_request_next_to_nothing() -> None:
    here, times = process(10**9), 2_000
    best = min(timed(here, times) for _ in range(5))
    assert best / times * 1e6 < MAX_MICROSECONDS


def timed(here: Limits, times: int) -> float:
    began = time.process_time()
    ask(here, times)
    return time.process_time() - began


def test_memory_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_COUNTED", 10)
    here = process(1)
    callers = [replace(CALLER, organization_id=OrganizationId(uuid4())) for _ in range(20)]
    for caller in callers:
        here.admit(request(), "getHandover", caller, AT)
    with pytest.raises(RateLimited):
        here.admit(request(), "getHandover", callers[0], AT)
    here.admit(request(), "getHandover", callers[-1], AT)


def test_a_running_service_hears_of_the_others(template_url: str, server_url: str, tmp_path: Path) -> None:
    per_minute = 50
    with running_service(
        server_url, template_url, tmp_path, organization_requests_per_minute=per_minute
    ) as service:
        service.clock.move_to(AT)
        wire = Wire(service)
        ask_for = wire.head("GET /v1/handovers")
        assert wire.send(ask_for).status == 200
        asyncio.run(told_elsewhere(service, per_minute))
        patience = time.monotonic() + 10
        statuses = [200]
        while statuses[-1] == 200 and time.monotonic() < patience:
            time.sleep(0.2)
            statuses.append(wire.send(ask_for).status)
    assert statuses[-1] == 429
    assert len(statuses) < per_minute


async def told_elsewhere(service: RunningService, times: int) -> None:
    other, db = process(10**6), Database(service.database_url, pool_size=1)
    caller = replace(CALLER, organization_id=service.settlement)
    for _ in range(times):
        other.admit(request(), "getHandover", caller, service.clock.now())
    await other.exchange(db)
    await db.close()
