"""Dates in a draft that were still to come once, and are over: copied with an earlier record, or left lying."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from tsunagi.errors import Text
from tsunagi.web.dates import Dates
from tsunagi.web.draft_parts import Part
from tsunagi.web.forms import Field

AHEAD = frozenset({"to", "expiresOn", "nextReviewOn", "followUpUntil"})
PARTS = frozenset({"identity", "disability", "support_plan", "handover_plan"})
"""Where these members are about what is to come. An employment or a service of the past has ended rightly."""
MOST = 20


def over(found: Sequence[Part], today: date) -> list[tuple[Part, str, Text]]:
    """Each such date with its part and its place in that, and what there is to be said of it."""
    said = (
        (part, at, _said(part.field.at(at), day))
        for part in found
        if part.name in PARTS
        for at, day in _days(part.content, "")
        if day < today
    )
    return [one for one, _ in zip(said, range(MOST), strict=False)]


def _days(content: Any, at: str) -> Iterator[tuple[str, date]]:
    if isinstance(content, list):
        for index, inner in enumerate(content):
            yield from _days(inner, f"{at}/{index}")
    elif isinstance(content, dict):
        for name, inner in content.items():
            day = _day(inner) if name in AHEAD else None
            if day is not None:
                yield f"{at}/{name}", day
            else:
                yield from _days(inner, f"{at}/{name}")


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _said(field: Field | None, day: date) -> Text:
    if field and field.kind == "last_day":
        day -= timedelta(days=1)
    ja, en = Dates("ja").short(day), Dates("en").short(day)
    name = field.label if field else Text("日付", "date")
    return Text(
        f"「{name.ja}」（{ja}）が過ぎています。いまの内容か確かめてください",
        f"{name.en} ({en}) is over: is it still so?",
    )
