"""The ledger, as an auditor looks at it: entries by what is asked for, the newest checkpoint and its age, the keys."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from fastapi.responses import Response

from tsunagi.errors import InvalidParameter, NotFound
from tsunagi.ledger.rules import PAGES
from tsunagi.web.asking import Asked, asked, faults
from tsunagi.web.assigning import team
from tsunagi.web.names import names_around, names_of
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit
from tsunagi.web.words import ACTIONS, SUBJECTS

EQUAL = ("action", "outcome", "personId", "handoverId", "organizationId", "stream")
"""Filters that stand in the operation as they do in the form."""
IDS = ("personId", "handoverId", "organizationId", "stream")
NO_ID = (
    "IDは36文字です。番号（6桁）や名前では、ここでは探せません。圏域の画面で番号を探し、そこから台帳へ進んでください",
    "An id has 36 characters; numbers and names find nobody here. Look for a number on the page of the area, and go on",
)
ENTRIES = 50

OLD = timedelta(minutes=1)
"""What is written is in a checkpoint within about a second: an older one means that the sequencer stands still, or
that nothing was written."""


@pages.get("/audit/ledger")
async def ledger_page(visit: Visit) -> Response:
    form = asked(visit, *EQUAL, "from", "to", "cursor")
    errors: dict[str, str] = {}
    found: dict[str, Any] = {"items": [], "nextCursor": None}
    try:
        found = await visit.ask("listLedgerEntries", limit=ENTRIES, **_parameters(form))
    except InvalidParameter as refusal:
        errors = faults(visit, refusal, {name: name for name in (*EQUAL, "from", "to")})
        errors |= {name: visit.t(*NO_ID) for name in errors if name in IDS}
    except NotFound:
        said = visit.t("その記載はありません", "There are no such entries")
        errors = dict.fromkeys(form.only("personId", "handoverId"), said)
    entries = [shown(one) for one in found["items"]]
    checkpoint = await _checkpoint(visit)
    return visit.page(
        "ledger.html",
        status=400 if errors else 200,
        asked=form,
        errors=errors,
        entries=entries,
        names=await names_of(visit, (one["organization"] for one in entries)),
        own=str(visit.member.organization_id),
        onward=found["nextCursor"],
        span=span(entries, form, checkpoint["size"] if checkpoint and not found["nextCursor"] else None),
        team=await team(visit),
        organizations=await _choices(visit, form),
        checkpoint=checkpoint,
        keys=await log_keys(visit),
        pages_client=PAGES,
        actions=_actions(visit),
    )


def _actions(visit: Visit) -> dict[str, dict[str, str]]:
    """What each is called, by what they are about: there are some seventy."""
    text = visit.words.text
    return {
        text(about): {code: text(said) for code, said in ACTIONS.items() if code.partition(":")[0] == subject}
        for subject, about in SUBJECTS.items()
    }


@dataclass(frozen=True, slots=True)
class Span:
    """Of the log, what a page goes through."""

    first: int
    last: int
    shown: int

    @property
    def hidden(self) -> int:
        return self.last - self.first + 1 - self.shown


def span(entries: Sequence[Mapping[str, Any]], form: Asked, size: int | None) -> Span | None:
    """From the log's beginning, or the first entry that is shown, to the last one, or the log's end (`size`) where no
    page comes after. None where something is filtered, or nothing shown has its place in the log."""
    placed = [one["position"] for one in entries if one["position"] is not None]
    if form.only(*EQUAL, "from", "to") or not placed:
        return None
    first = min(placed) if form.get("cursor") else 0
    return Span(first, max(*placed, (size or 0) - 1), len(placed))


async def log_keys(visit: Visit) -> str:
    """The keys that the log names as its own, one a line."""
    return bytes((await visit.answer("getLedgerKeys")).body).decode()


def shown(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What a line of the table says of an entry: nothing but its place where the text was erased."""
    body = json.loads(entry["body"] or "{}")
    return {
        "id": entry["id"],
        "position": entry["position"],
        "at": entry.get("recordedAt"),
        "action": body.get("action"),
        "outcome": body.get("outcome"),
        "code": body.get("code"),
        "organization": body.get("actor", {}).get("organization"),
        "client": body.get("actor", {}).get("client"),
        "body": entry["body"],
        "commitment": entry["commitment"],
        "staff": body.get("actor", {}).get("staff"),
        "record": body.get("record"),
        "stream": entry.get("stream"),
        "number": entry.get("number"),
    }


def _parameters(form: Asked) -> dict[str, Any]:
    """As the operation takes them: whole days in Japan, the last one included."""
    same = {name: form.get(name) for name in (*EQUAL, "cursor")}
    return {**same, "from": form.instant("from"), "to": form.end_of_day("to")}


async def _choices(visit: Visit, form: Asked) -> dict[str, str]:
    """By whom one may filter; whoever is chosen stays."""
    names = await names_around(visit)
    chosen = form.get("organizationId")
    return names if chosen is None or chosen in names else names | {chosen: chosen}


async def _checkpoint(visit: Visit) -> dict[str, Any] | None:
    try:
        answer = await visit.answer("getCheckpoint")
    except NotFound:
        return None
    note = bytes(answer.body).decode()
    signed_at = parsedate_to_datetime(answer.headers["last-modified"])
    origin, size, root = note.split("\n")[:3]
    age = max(datetime.now(UTC) - signed_at, timedelta())
    said = {"note": note, "origin": origin, "size": int(size), "root": root}
    return said | {"signed_at": signed_at, "seconds": int(age.total_seconds()), "old": age > OLD}
