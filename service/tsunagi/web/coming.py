"""What is coming, and what is going out: handovers by due date, with what is expected of whoever looks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response

from tsunagi.errors import Text
from tsunagi.web.dates import civil
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

PAGE = 50
SOON_DAYS = 30

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
NOT_YET = Text("開示を待つ", "Wait until it can be read")

DATES = (
    ("windowOpensOn", Text("開示開始", "Can be read from")),
    ("sharingDueOn", Text("情報共有の期限", "Sharing due")),
    ("overlapStartsOn", Text("重なり期間の初日", "Overlap starts")),
    ("plannedDate", Text("引継ぎ予定日", "Planned date")),
)
"""The half-year, the three-month and the overlap date, and the day itself."""


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

    @property
    def waits(self) -> bool:
        """For the window to open."""
        return self._key == ("incoming", "offered") and not self.handover["windowOpen"]

    @property
    def mine(self) -> bool:
        return self._key in MY_TURN and not self.waits

    @property
    def expected(self) -> Text | None:
        return NOT_YET if self.waits else EXPECTED.get(self._key)

    @property
    def dates(self) -> Iterator[tuple[Text, date, bool]]:
        """What each is called, its day, and whether that has come."""
        for name, label in DATES:
            if name in self.handover:
                yield label, civil(self.handover[name]), civil(self.handover[name]) <= self.today

    @property
    def other_side(self) -> str:
        incoming = self.handover["direction"] == "incoming"
        return str(self.handover["sender" if incoming else "receiver"]["name"])

    @property
    def _key(self) -> tuple[str, str]:
        return self.handover["direction"], self.handover["status"]


@pages.get("/coming")
async def coming(visit: Visit) -> Response:
    asked = dict(visit.request.query_params)
    listed = await visit.ask(
        "listHandovers",
        direction=asked.get("direction", "incoming") or None,
        status=[asked["status"]] if asked.get("status") in STATUSES else OPEN,
        handoverType=asked.get("type") or None,
        area=asked.get("area") or None,
        window=asked.get("window") or None,
        dueBefore=_due_before(asked.get("due"), visit.today),
        limit=PAGE,
        cursor=asked.get("cursor") or None,
    )
    more = listed["nextCursor"]
    return visit.page(
        "coming.html",
        rows=[Row(one, visit.today) for one in listed["items"]],
        asked=asked,
        statuses=STATUSES,
        types=visit.words.labels["handover-type"],
        areas=(await visit.ask("listAreas"))["items"],
        following=f"/coming?{urlencode(asked | {'cursor': more})}" if more else None,
    )


def _due_before(due: str | None, today: date) -> str | None:
    if due == "over":
        return today.isoformat()
    return (today + timedelta(days=SOON_DAYS + 1)).isoformat() if due == "soon" else None
