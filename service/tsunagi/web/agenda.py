"""The dates of handovers as an iCalendar feed (RFC 5545): kinds and ids, and nothing about anybody."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi.responses import Response
from icalendar import Calendar, Event

from tsunagi.errors import NotFound, Text
from tsunagi.staff import actions as staff
from tsunagi.staff.rules import Member
from tsunagi.web.coming import OPEN
from tsunagi.web.dates import civil
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit
from tsunagi.web.words import Words

MOST_HANDOVERS = 200
"""Those that are due first: making a calendar of them takes a fifth of a second."""
A_PAGE = 100

_KINDS: Mapping[str, str] = {
    "windowOpensOn": "window_opens",
    "sharingDueOn": "sharing_due",
    "overlapStartsOn": "overlap_starts",
    "serviceEndsOn": "service_ends",
    "plannedDate": "planned_date",
}
_AWAITED = frozenset({"offered", "received"})
"""Until then what is due is the answer."""


@pages.get("/coming.ics")
async def agenda(visit: Visit) -> Response:
    return await _file(visit, visit.member)


@pages.get("/calendar/{token}.ics", open=True)
async def subscription(visit: Visit) -> Response:
    """For programs that cannot sign in: whoever has the address sees kinds, dates and ids, and no more."""
    member = await staff.subscriber(visit.services.db, visit.request.path_params["token"])
    if member is None:
        raise NotFound
    return await _file(visit, member)


@pages.get("/calendar")
async def subscribing(visit: Visit) -> Response:
    return visit.page("calendar.html", address=None, subscribed=await _subscribed(visit))


@pages.post("/calendar")
async def subscribe(visit: Visit) -> Response:
    form = await visit.form()
    if form.get("step") == "end":
        await staff.unsubscribe(visit.services.db, visit.member)
        return visit.redirect("/calendar", done="unsubscribed")
    token = await staff.subscribe(visit.services.db, visit.member)
    address = f"{visit.services.settings.base_url}/calendar/{token}.ics"
    return visit.page("calendar.html", address=address, subscribed=True)


async def _subscribed(visit: Visit) -> bool:
    return await staff.subscribed(visit.services.db, visit.member)


async def _file(visit: Visit, member: Member) -> Response:
    found = await _handovers(visit, member)
    origin = visit.services.settings.base_url
    content = await asyncio.to_thread(calendar, found, visit.words, at=visit.at, origin=origin)
    headers = {"Content-Disposition": 'attachment; filename="tsunagi.ics"', "Cache-Control": "no-store"}
    return Response(content, 200, headers, media_type="text/calendar; charset=utf-8")


async def _handovers(visit: Visit, member: Member) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    cursor = None
    while len(found) < MOST_HANDOVERS:
        asked = {"status": OPEN, "limit": A_PAGE, "cursor": cursor}
        answer = await visit.inside.answer(visit.request, member.caller, "listHandovers", parameters=asked)
        page = json.loads(bytes(answer.body))
        found += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    return found


def calendar(handovers: Iterable[Mapping[str, Any]], words: Words, *, at: datetime, origin: str) -> bytes:
    """`handovers` are rows of the list."""
    made = Calendar()
    made.add("PRODID", "-//Tsunagi//Handovers//JA")
    made.add("VERSION", "2.0")
    name = words.text(Text("引継ぎの期日", "Dates of handovers"))
    made.add("NAME", name)  # RFC 7986, and what calendars read before it
    made.add("X-WR-CALNAME", name)
    for one in handovers:
        for kind, day in _dates(one):
            event = Event()
            event.add("UID", f"{one['id']}-{kind}@tsunagi")
            event.add("DTSTAMP", at)
            event.add("DTSTART", civil(day))
            event.add("DTEND", civil(day) + timedelta(days=1))
            event.add("SUMMARY", f"{words.milestone(kind)} {words.number(one['id'])}")
            event.add("URL", f"{origin}/handovers/{one['id']}")
            event.add("TRANSP", "TRANSPARENT")
            made.add_component(event)
    return bytes(made.to_ical())


def _dates(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, kind in _KINDS.items():
        if name in one:
            yield kind, one[name]
    if one["status"] in _AWAITED and "dueOn" in one:
        yield "answer_due", one["dueOn"]
