"""The ledger, as an auditor looks at it: entries by what is asked for, the newest checkpoint and its age, the keys."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from fastapi.responses import Response

from tsunagi.errors import InvalidParameter, NotFound
from tsunagi.web.asking import Asked, asked, faults
from tsunagi.web.names import names_of
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit
from tsunagi.web.words import ACTIONS

EQUAL = ("action", "outcome", "personId", "handoverId", "organizationId", "stream")
"""Filters that stand in the operation as they do in the form."""
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
    except NotFound:
        said = visit.t("その記載はありません", "There are no such entries")
        errors = dict.fromkeys(form.only("personId", "handoverId"), said)
    entries = [shown(one) for one in found["items"]]
    return visit.page(
        "ledger.html",
        status=400 if errors else 200,
        asked=form,
        errors=errors,
        entries=entries,
        names=await names_of(visit, (one["organization"] for one in entries)),
        onward=found["nextCursor"],
        checkpoint=await _checkpoint(visit),
        keys=await log_keys(visit),
        actions={code: visit.words.text(label) for code, label in ACTIONS.items()},
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


def _parameters(form: Asked) -> dict[str, Any]:
    """As the operation takes them: whole days in Japan, the last one included."""
    same = {name: form.get(name) for name in (*EQUAL, "cursor")}
    return {**same, "from": form.instant("from"), "to": form.end_of_day("to")}


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
