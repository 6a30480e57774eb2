"""The dates of handovers as an iCalendar feed (RFC 5545): kinds and ids, and nothing about anybody."""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.responses import Response

from tsunagi.errors import NotFound, Text
from tsunagi.staff import actions as staff
from tsunagi.staff.rules import Member
from tsunagi.web.coming import OPEN
from tsunagi.web.dates import civil
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit
from tsunagi.web.words import Words

MOST_HANDOVERS = 2_000
"""Those that are due first: asking for so many and making a calendar of them takes two thirds of a second."""
A_PAGE = 200
MAX_OCTETS = 75

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
    token, request_id = visit.request.path_params["token"], visit.request.state.request_id
    member = await staff.subscriber(visit.services.db, datetime.now(UTC), token, request_id)
    if member is None:
        raise NotFound
    return await _file(visit, member)


@pages.get("/calendar")
async def subscribing(visit: Visit) -> Response:
    return visit.page("calendar.html", address=None, subscribed=await _subscribed(visit), most=MOST_HANDOVERS)


@pages.post("/calendar")
async def subscribe(visit: Visit) -> Response:
    form = await visit.form()
    if form.get("step") == "end":
        await staff.unsubscribe(visit.services.db, visit.member)
        return visit.redirect("/calendar", done="unsubscribed")
    token = await staff.subscribe(visit.services.db, visit.member)
    address = f"{visit.services.settings.base_url}/calendar/{token}.ics"
    return visit.page("calendar.html", address=address, subscribed=True, most=MOST_HANDOVERS)


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
        asked = {"status": OPEN, "limit": min(A_PAGE, MOST_HANDOVERS - len(found)), "cursor": cursor}
        answer = await visit.inside.answer(visit.request, member.caller, "listHandovers", parameters=asked)
        page = json.loads(bytes(answer.body))
        found += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    return found


def calendar(handovers: Iterable[Mapping[str, Any]], words: Words, *, at: datetime, origin: str) -> bytes:
    """`handovers` are rows of the list. Lines are put together here: of thousands of events a library makes objects
    first, which takes seconds."""
    name = words.text(Text("引継ぎの期日", "Dates of handovers"))
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tsunagi//Handovers//JA",
        f"NAME:{_escaped(name)}",  # RFC 7986, and what calendars read before it
        f"X-WR-CALNAME:{_escaped(name)}",
    ]
    called = {kind: _escaped(words.milestone(kind)) for kind in (*_KINDS.values(), "answer_due")}
    for domain, label in words.labels["domain"].items():
        begins = Text(f"{label.ja}の開始", f"{label.en} begins")
        called[domain] = _escaped(words.text(begins))
    stamp = f"DTSTAMP:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    for one in handovers:
        number, url = words.number(one["id"]), f"URL:{origin}/handovers/{one['id']}"
        for kind, day in _dates(one):
            lines += [
                "BEGIN:VEVENT",
                f"UID:{one['id']}-{kind}@tsunagi",
                stamp,
                f"DTSTART;VALUE=DATE:{day.replace('-', '')}",
                f"DTEND;VALUE=DATE:{civil(day) + timedelta(days=1):%Y%m%d}",
                f"SUMMARY:{called[kind]} {number}",
                url,
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
            ]
    return b"".join(b"%s\r\n" % _folded(line) for line in [*lines, "END:VCALENDAR"])


def _escaped(text: str) -> str:
    """RFC 5545 section 3.3.11."""
    return re.sub(r"([\\,;])", r"\\\1", text)


def _folded(line: str) -> bytes:
    """In lines of at most so many octets, none of which breaks a character (RFC 5545 section 3.1)."""
    parts, rest = [], line.encode()
    while len(rest) > MAX_OCTETS:
        end = MAX_OCTETS
        while rest[end] & 0xC0 == 0x80:  # inside a character of UTF-8
            end -= 1
        parts.append(rest[:end])
        rest = b" " + rest[end:]
    return b"\r\n".join([*parts, rest])


def _dates(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is due when; once it is answered, the days on which responsibility moves in place of the planned one."""
    accepted = one.get("accepted", ())
    for name, kind in _KINDS.items():
        if name in one and not (accepted and name == "plannedDate"):
            yield kind, one[name]
    for each in accepted:
        yield each["domain"], each["acceptedFrom"]
    if one["status"] in _AWAITED and "dueOn" in one:
        yield "answer_due", one["dueOn"]
