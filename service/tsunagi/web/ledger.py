"""The ledger, as an auditor looks at it: entries by what is asked for, the newest checkpoint and its age, the keys."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response

from tsunagi.errors import InvalidParameter, NotFound
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit
from tsunagi.web.words import ACTIONS

FILTERS = ("action", "outcome", "from", "to", "personId", "handoverId", "organizationId", "stream", "cursor")
MOST_NAMED = 20
"""Organizations of a page that are shown by name; each is a question to the directory."""

OLD = timedelta(minutes=1)
"""What is written is in a checkpoint within about a second: an older one means that the sequencer stands still, or
that nothing was written."""


@pages.get("/audit/ledger")
async def ledger_page(visit: Visit) -> Response:
    asked = {name: visit.request.query_params.get(name, "").strip() for name in FILTERS}
    errors: list[str] = []
    found: dict[str, Any] = {"items": [], "nextCursor": None}
    try:
        found = await visit.ask("listLedgerEntries", limit=50, **_parameters(asked))
    except (InvalidParameter, ValueError):
        errors = [visit.t("絞り込みの値が正しくありません", "One of the filters has no such form")]
    except NotFound:
        errors = [
            visit.t("その人や引継ぎの記載はありません", "There are no entries about that person or handover")
        ]
    entries = [shown(one) for one in found["items"]]
    onward = {name: text for name, text in asked.items() if text} | {"cursor": found["nextCursor"]}
    return visit.page(
        "ledger.html",
        status=400 if errors else 200,
        asked=asked,
        errors=errors,
        entries=entries,
        names=await _names(visit, (one["organization"] for one in entries)),
        onward=f"/audit/ledger?{urlencode(onward)}" if found["nextCursor"] else None,
        checkpoint=await _checkpoint(visit),
        keys=await log_keys(visit),
        actions=ACTIONS,
    )


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
        "staff": body.get("actor", {}).get("staff"),
        "record": body.get("record"),
        "stream": entry.get("stream"),
        "number": entry.get("number"),
    }


def _parameters(asked: Mapping[str, str]) -> dict[str, Any]:
    """As the operation takes them: whole days in Japan, the last one included. Raises ValueError for what is none."""
    given: dict[str, Any] = {name: text for name, text in asked.items() if text}
    for name, later in (("from", 0), ("to", 1)):
        if name in given:
            day = date.fromisoformat(given[name]) + timedelta(days=later)
            given[name] = f"{day.isoformat()}T00:00:00+09:00"
    return given


async def _names(visit: Visit, ids: Iterable[str | None]) -> dict[str, str]:
    """Of organizations, where the directory has them."""
    names: dict[str, str] = {}
    for one in list(dict.fromkeys(one for one in ids if one))[:MOST_NAMED]:
        try:
            names[one] = (await visit.ask("getOrganization", organizationId=one))["name"]
        except NotFound:
            continue
    return names


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
