"""The dates of handovers in a calendar, without a word about anybody."""

import re
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import httpx2
import pytest
from icalendar import Calendar
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.web.visitors import visitor
from tests.world import World
from tsunagi.db import Database, fetch
from tsunagi.ids import ordered_id
from tsunagi.staff import actions as staff
from tsunagi.web import agenda
from tsunagi.web.words import Words, labels


async def test_each_date_is_an_event_under_an_id_that_stays(world: World) -> None:
    offered = await world.offered()
    member = await visitor(world.center)
    answer = await member.get("/coming.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    events = {str(one["UID"]): one["DTSTART"].dt for one in Calendar.from_ical(answer.content).walk("VEVENT")}
    assert events == {
        f"{offered['id']}-window_opens@tsunagi": date(2026, 10, 1),
        f"{offered['id']}-sharing_due@tsunagi": date(2026, 12, 31),
        f"{offered['id']}-overlap_starts@tsunagi": date(2027, 1, 1),
        f"{offered['id']}-service_ends@tsunagi": date(2027, 3, 31),
        f"{offered['id']}-planned_date@tsunagi": date(2027, 4, 1),
        f"{offered['id']}-answer_due@tsunagi": date(2026, 12, 20),
    }


async def test_nothing_in_it_is_about_anybody(world: World) -> None:
    received = await world.received()
    content = (await (await visitor(world.center)).get("/coming.ics")).text
    identity, number = received["record"]["sections"]["identity"], received["id"][-6:].upper()
    assert f"番号 {number}" in (await (await visitor(world.center)).get("/coming")).text
    for said in (identity["familyName"], received["personId"], "みほん", "試験"):
        assert said not in content
    for one in Calendar.from_ical(content).walk("VEVENT"):
        assert one["SUMMARY"].endswith(f"番号 {number}")
        assert set(one) == {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "URL", "TRANSP"}


async def test_what_is_over_has_no_dates(world: World) -> None:
    received = await world.received()
    reason = {"reason": {"code": "capacity"}}
    await world.center.post(f"/v1/handovers/{received['id']}/decline", reason)
    content = (await (await visitor(world.center)).get("/coming.ics")).content
    assert Calendar.from_ical(content).walk("VEVENT") == []


def address_in(page: httpx2.Response) -> str:
    (path,) = re.findall(r'value="http://[^/"]*(/calendar/[^"]*\.ics)"', page.text)
    return str(path)


async def test_a_calendar_subscribes_without_signing_in(world: World) -> None:
    offered = await world.offered()
    member = await visitor(world.center)
    path = address_in(await member.post("/calendar", {"step": "begin"}))
    answer = await world.http.get(path)
    assert answer.status_code == 200
    assert f"{offered['id']}-planned_date@tsunagi" in answer.text.replace("\r\n ", "")
    assert path not in (await member.get("/calendar")).text


async def test_an_address_that_was_replaced_or_ended_leads_nowhere(world: World) -> None:
    member = await visitor(world.center)
    first = address_in(await member.post("/calendar", {"step": "begin"}))
    second = address_in(await member.post("/calendar", {"step": "begin"}))
    assert (await world.http.get(first)).status_code == 404
    assert (await world.http.get(second)).status_code == 200
    await member.post("/calendar", {"step": "end"})
    assert (await world.http.get(second)).status_code == 404


async def many(db: Database, handover_id: str, number: int) -> None:
    """So many more rows of the list, whose records nobody reads."""
    async with db.platform() as tx:
        await fetch(
            tx,
            "INSERT INTO handovers SELECT (jsonb_populate_record(h, jsonb_build_object('id', n))).*"
            " FROM handovers h, unnest($2::uuid[]) n WHERE h.id = $1",
            *(UUID(handover_id), [ordered_id() for _ in range(number)]),
        )


async def test_it_goes_on_behind_the_first_pages_up_to_a_bound(
    world: World, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafted = await world.draft()
    await many(db, drafted["id"], 450)
    member = await visitor(world.settlement)

    async def handovers() -> int:
        events = Calendar.from_ical((await member.get("/coming.ics")).content).walk("VEVENT")
        return sum(str(one["UID"]).endswith("-planned_date@tsunagi") for one in events)

    assert await handovers() == 451
    monkeypatch.setattr(agenda, "MOST_HANDOVERS", 430)
    assert await handovers() == 430
    assert "430件" in (await member.get("/calendar")).text


async def test_no_line_is_longer_than_programs_read(world: World) -> None:
    received = (await world.received()) | {"status": "received", "dueOn": "2026-12-20"}
    words = Words(world.services.contract, labels(world.services.contract), "ja")
    origin = "https://tsunagi.a-rather-long-name-of-some-prefecture.example.jp"
    made = agenda.calendar([received], words, at=datetime(2026, 11, 20, tzinfo=UTC), origin=origin)
    assert max(len(line) for line in made.split(b"\r\n")) <= 75
    (event, *_) = Calendar.from_ical(made).walk("VEVENT")
    assert event["URL"] == f"{origin}/handovers/{received['id']}"
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(days=1)


@pytest.mark.parametrize("text", ["予定" * 60, "x" * 75, "x" * 76, "あ" * 25 + "x", "𠮷" * 40])
def test_what_is_folded_is_the_same_again(text: str) -> None:
    folded = agenda._folded(text)
    assert all(len(line) <= 75 and line.decode() for line in folded.split(b"\r\n"))
    assert folded.replace(b"\r\n ", b"").decode() == text


async def test_that_it_is_read_is_on_the_ledger_once_a_day(world: World, db: Database) -> None:
    await world.offered()
    member = await visitor(world.center)
    path = address_in(await member.post("/calendar", {"step": "begin"}))
    already = len(await kept(db))
    for _ in range(3):
        assert (await world.http.get(path)).status_code == 200
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert await staff.subscriber(db, tomorrow, token, "the next day")
    assert await staff.subscriber(db, tomorrow, "0" * 43, "nobody") is None
    found = [one.body for one in (await kept(db))[already:]]
    assert [one["action"] for one in found] == ["calendars:read"] * 2
    known = str(member.added.member.id)
    assert {(one["actor"]["staff"], one["record"]["id"]) for one in found} == {(known, known)}
    assert {one["outcome"] for one in found} == {"permit"}


async def test_whoever_is_disabled_has_no_calendar(world: World) -> None:
    member = await visitor(world.center)
    path = address_in(await member.post("/calendar", {"step": "begin"}))
    async with world.services.db.platform() as tx:
        await tx.execute(text("UPDATE staff_members SET status = 'disabled'"))
    assert (await world.http.get(path)).status_code == 404
