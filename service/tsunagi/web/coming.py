"""What is coming, and what is going out: handovers by due date, with what is expected of whoever looks."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi.responses import Response

from tsunagi.errors import InvalidParameter, Text
from tsunagi.web.asking import Asked, asked, faults
from tsunagi.web.assigning import team
from tsunagi.web.dates import civil
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit
from tsunagi.web.words import Words

PAGE = 50
SOON_DAYS = 30

FIELDS = ("direction", "status", "due", "window", "type", "area", "assignee", "cursor")
NAMED = {"direction": "direction", "window": "window", "handoverType": "type", "area": "area"} | {
    "assignee": "assignee"
}
"""Fields of the form, by the parameters that they fill."""
NOBODY = "~"
"""Nobody in charge, which no reference is."""

OPEN = ("draft", "offered", "received", "returned", "accepted", "overlapping")
STATUSES = (*OPEN, "completed", "declined", "withdrawn", "expired")

EXPECTED: Mapping[tuple[str, str], Text] = {
    ("incoming", "offered"): Text("記録を読み、回答する", "Read the record and answer"),
    ("incoming", "received"): Text("受けるかどうか回答する", "Answer whether you take it"),
    ("incoming", "returned"): Text("提供元が直すのを待つ", "Wait for the sender to amend it"),
    ("incoming", "accepted"): Text("引継ぎの日に備える", "Prepare for the day of the handover"),
    ("incoming", "overlapping"): Text("提供元と一緒に支援する", "Support together with the sender"),
    ("outgoing", "draft"): Text("仕上げて申し込む", "Complete and offer it"),
    ("outgoing", "offered"): Text("提供先が読むのを待つ", "Wait for the receiver to read it"),
    ("outgoing", "received"): Text("提供先の回答を待つ", "Wait for the receiver's answer"),
    ("outgoing", "returned"): Text("直して、もう一度申し込む", "Amend it and offer it again"),
    ("outgoing", "accepted"): Text("引継ぎの日まで支援を続ける", "Support until the day of the handover"),
    ("outgoing", "overlapping"): Text("提供先と一緒に支援する", "Support together with the receiver"),
}
"""What comes next for whoever stands on that side; nothing once it is over."""
MY_TURN = frozenset(
    {("incoming", "offered"), ("incoming", "received"), ("outgoing", "draft"), ("outgoing", "returned")}
)
NOT_YET: Mapping[str, Text] = {
    "incoming": Text("開示を待つ", "Wait until it can be read"),
    "outgoing": Text("開示の開始を待つ", "Wait until the receiver can read it"),
}

DATES = (
    ("windowOpensOn", Text("開示開始", "Can be read from")),
    ("sharingDueOn", Text("情報共有の期限", "Sharing due")),
    ("overlapStartsOn", Text("重なりの目安", "Overlap, by the area's rule, from")),
    ("plannedDate", Text("引継ぎ予定日", "Planned date")),
)
"""The half-year, the three-month and the overlap date, and the day itself."""

STARTS = Text("責任の開始日", "Responsibility begins")
LAST_STARTS = Text("最後の責任の開始日", "The last part begins")
"""Of what was accepted; the latter where its domains begin on several days."""


@dataclass(frozen=True, slots=True)
class Row:
    handover: Mapping[str, Any]
    today: date

    @property
    def days(self) -> int | None:
        """Until something is due; negative: since. None: it is over."""
        due = self.handover.get("dueOn")
        return (civil(due) - self.today).days if due else None

    @property
    def overdue(self) -> bool:
        return self.days is not None and self.days < 0

    def due(self, words: Words) -> str:
        """What is due on that day: as the contract derives `dueOn`. Empty where the row does not tell."""
        row, on = self.handover, self.handover.get("dueOn")
        if row["status"] in ("offered", "received"):
            return words.milestone("answer_due")
        starts = {one["acceptedFrom"] for one in row.get("accepted", ())}
        if on in starts:
            return words.text(STARTS if len(starts) == 1 else LAST_STARTS)
        named = {row.get("sharingDueOn"): "sharing_due", row["plannedDate"]: "planned_date"}
        return words.milestone(named[on]) if on in named else ""

    @property
    def waits(self) -> bool:
        """For the window to open."""
        return self.handover["status"] == "offered" and not self.handover["windowOpen"]

    @property
    def mine(self) -> bool:
        return self._key in MY_TURN and not self.waits

    @property
    def expected(self) -> Text | None:
        return NOT_YET[self.handover["direction"]] if self.waits else EXPECTED.get(self._key)

    def dates(self, words: Words) -> Iterator[tuple[str, date, int]]:
        """What each is called, its day, and how many days off that is; once it is answered, the days that were
        agreed."""
        accepted = self.handover.get("accepted", ())
        days = [
            (words.text(label), self.handover[name])
            for name, label in DATES
            if name in self.handover and not (accepted and name == "plannedDate")
        ]
        for one in accepted:
            taken = Text(f"{words.domain(one['domain'])}の開始", f"{words.domain(one['domain'])} from")
            days.append((words.text(taken), one["acceptedFrom"]))
        return ((label, civil(on), (civil(on) - self.today).days) for label, on in days)

    @property
    def domains(self) -> list[str]:
        """Those that were accepted, or while there is no answer all that were offered."""
        accepted = [one["domain"] for one in self.handover.get("accepted", ())]
        return accepted or list(self.handover["domains"])

    @property
    def other_side(self) -> str:
        incoming = self.handover["direction"] == "incoming"
        return str(self.handover["sender" if incoming else "receiver"]["name"])

    @property
    def open(self) -> bool:
        return self.handover["status"] in OPEN

    @property
    def _key(self) -> tuple[str, str]:
        return self.handover["direction"], self.handover["status"]


@pages.get("/coming")
async def coming(visit: Visit) -> Response:
    form = asked(visit, *FIELDS)
    listed: Mapping[str, Any] = {"items": [], "nextCursor": None}
    errors: dict[str, str] = {}
    try:
        listed = await visit.ask("listHandovers", **_filters(form, visit.today), limit=PAGE)
    except InvalidParameter as refusal:
        errors = faults(visit, refusal, NAMED)
    return visit.page(
        "coming.html",
        status=400 if errors else 200,
        rows=[Row(one, visit.today) for one in listed["items"]],
        asked=form,
        errors=errors,
        statuses=STATUSES,
        areas={one["code"]: one["name"] for one in (await visit.ask("listAreas"))["items"]},
        team=await team(visit),
        nobody=NOBODY,
        assigned=_assigned(visit),
        next_cursor=listed["nextCursor"],
    )


def _filters(form: Asked, today: date) -> dict[str, Any]:
    status, assignee = form.get("status"), form.get("assignee")
    return {
        "direction": form.get("direction"),
        "status": [status] if status in STATUSES else OPEN,
        "dueBefore": _due_before(form.get("due"), today),
        "window": form.get("window"),
        "handoverType": form.get("type"),
        "area": form.get("area"),
        "assignee": None if assignee == NOBODY else assignee,
        "unassigned": True if assignee == NOBODY else None,
        "cursor": form.get("cursor"),
    }


def _due_before(due: str | None, today: date) -> str | None:
    if due == "over":
        return today.isoformat()
    return (today + timedelta(days=SOON_DAYS + 1)).isoformat() if due == "soon" else None


def _assigned(visit: Visit) -> tuple[int, int] | None:
    """How many were just assigned, and how many were to be."""
    told = [visit.request.query_params.get(name, "") for name in ("assigned", "of")]
    return (int(told[0]), int(told[1])) if all(re.fullmatch(r"[0-9]{1,2}", one) for one in told) else None
