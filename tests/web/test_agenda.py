"""The dates of handovers in a calendar, without a word about anybody."""

import re
from datetime import date

import httpx2
from icalendar import Calendar
from sqlalchemy import text

from tests.web.visitors import visitor
from tests.world import World


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


async def test_whoever_is_disabled_has_no_calendar(world: World) -> None:
    member = await visitor(world.center)
    path = address_in(await member.post("/calendar", {"step": "begin"}))
    async with world.services.db.platform() as tx:
        await tx.execute(text("UPDATE staff_members SET status = 'disabled'"))
    assert (await world.http.get(path)).status_code == 404
