"""The responsibility timeline as a picture: a lane for each domain over an axis of fiscal years.

Everything in it can be told apart without colors: what has happened is drawn solid, what is planned dashed, nobody is
hatched, co-support dotted, and numbers lead to the rows of the table beside it. To those who do not see it, it is one
image: its description sums it up, and the table says the same line by line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

from markupsafe import Markup

from tsunagi.clock import civil_date
from tsunagi.paper.rules import era_year
from tsunagi.web.dates import Dates, civil
from tsunagi.web.intervals import Interval, intervals
from tsunagi.web.lanes import draw_lanes
from tsunagi.web.picture import (
    GUTTER,
    INK,
    LIGHT,
    LINE,
    PAPER,
    QUIET,
    RIGHT,
    SIZE,
    SMALL,
    WIDTH,
    Mark,
    Name,
    Picture,
    placed,
)
from tsunagi.web.scale import scale
from tsunagi.web.svg import Element, cut, element, markup, text_width
from tsunagi.web.words import Words

MOST_ROWS = 14
"""Of names of milestones; the others are in their table."""
_FAR_YEARS = 5
"""A day that is asked about further away from all others is not drawn: it would press them together."""


def draw(
    responsibility: Mapping[str, Any],
    milestones: Sequence[Mapping[str, Any]],
    *,
    today: date,
    words: Words,
    dates: Dates,
    id: str = "timeline",  # noqa: A002  what SVG calls it
) -> Markup:
    """The SVG of what getResponsibility and getMilestones have answered. No other picture of the page has its `id`."""
    lines = intervals(responsibility["domains"])
    as_of = civil(responsibility["asOf"])
    known_on = min(today, civil_date(datetime.fromisoformat(responsibility["knownAt"])))
    root = element(None, "svg", xmlns="http://www.w3.org/2000/svg", role="img", width=WIDTH, fill=INK)
    root.set("aria-labelledby", f"{id}-title")
    root.set("aria-describedby", f"{id}-desc")
    element(
        root,
        "title",
        "責任の経過" if dates.language == "ja" else "Timeline of responsibility",
        id=f"{id}-title",
    )
    element(root, "desc", summary(lines, as_of, words, dates), id=f"{id}-desc")
    days = [day for line in lines for day in (line.first, line.end) if day]
    days += [today, known_on, *(civil(one["date"]) for one in milestones)]
    if min(days).year - _FAR_YEARS < as_of.year < max(days).year + _FAR_YEARS:
        days.append(as_of)
    layers = [element(root, "g", class_=name) for name in ("grid", "bars", "lines", "texts")]
    picture = Picture(id, scale(days, GUTTER, RIGHT), known_on, words, dates, *layers)
    _patterns(root, picture)
    moments = placed(_moments(picture, as_of, today), picture.scale)
    top = LINE * (1 + max(one.row for one in moments))
    names = _axis(picture, top)
    end = draw_lanes(picture, lines, top + 2 * LINE)
    picture.mark([(one, y := top - LINE * one.row - 6, y + 4, end) for one in moments], names)
    height = _legend(root, picture, _milestones(picture, milestones, top, end) + 1.75 * LINE)
    root.set("height", f"{height:.0f}")
    root.set("viewBox", f"0 0 {WIDTH:.0f} {height:.0f}")
    return markup(root)


def summary(lines: Sequence[Interval], as_of: date, words: Words, dates: Dates) -> str:
    """The picture in a few words: who is primary on the day that is asked about, and whether there are gaps."""
    ja = dates.language == "ja"
    said = [dates.short(as_of) + ("の主担当。" if ja else ", primary:")]
    for domain, group in groupby(lines, lambda line: line.domain):
        chain = [line for line in group if line.role == "primary"]
        holder = next((line.holder for line in chain if line.covers(as_of)), None)
        gaps = sum(line.holder is None for line in chain)
        name = holder or ("担当なし" if ja else "nobody")
        apart = f"、担当なしの期間{gaps}件" if ja else f", {gaps} intervals of nobody"
        said.append(f"{words.domain(domain)}: {name}{apart if gaps else ''}{'。' if ja else '.'}")
    said.append("すべての期間が表にあります。" if ja else "All intervals are in the table.")
    return ("" if ja else " ").join(said)


def _moments(picture: Picture, as_of: date, today: date) -> list[Mark]:
    """Today, and where the question has other days than today: those."""
    marks = [Mark(today, picture.t("今日", "Today"), bold=True, width=2)]
    if as_of != today and as_of in picture.scale:
        marks.append(Mark(as_of, picture.t("この日の責任", "As of"), width=2, dash="10 3 2 3"))
    if picture.known_on != today:
        marks.append(Mark(picture.known_on, picture.t("この日の記録で", "As known on"), width=2, dash="2 3"))
    return [replace(one, text=f"{one.text} {picture.dates.short(one.day)}") for one in marks]


def _axis(picture: Picture, y: float) -> list[Name]:
    """Fiscal years, and months where there is room, on two lines below `y`. What is named there."""
    ja = picture.dates.language == "ja"
    months = list(picture.scale.months(text_width("2026年10月" if ja else "Oct 2026", SMALL) + 8))
    widest = text_width(_year_name(picture, date(1988, 4, 1)), SIZE) + 10
    names = []
    for day in picture.scale.years(widest):
        x = picture.scale.x(day)
        element(picture.grid, "line", x1=x, x2=x, y1=y, y2=y + 2 * LINE, stroke=INK, stroke_width=1)
        if x + widest > RIGHT + SIZE:
            continue
        names.append(picture.write(_year_name(picture, day), x + 4, y + 14, bold=True))
        below = f"{day.year}年4月" if ja else f"Apr {day.year}"
        names.append(picture.write(below if months else str(day.year), x + 4, y + 32, size=SMALL))
    for day in months:
        x = picture.scale.x(day)
        element(
            picture.grid, "line", x1=x, x2=x, y1=y + LINE, y2=y + 2 * LINE, stroke=QUIET, stroke_width=0.5
        )
        names.append(picture.write(picture.dates.month(day), x + 4, y + 32, size=SMALL))
    return names


def _year_name(picture: Picture, april: date) -> str:
    """令和8年度, FY2026 (R8)"""
    name = picture.dates.fiscal_year(april)
    era = era_year(april.replace(month=10))
    if picture.dates.language == "ja" or era is None:
        return name
    letter, _, year = era.en.partition(" ")
    return f"{name} ({letter[0]}{year})"


def _milestones(
    picture: Picture, milestones: Sequence[Mapping[str, Any]], top: float, bottom: float
) -> float:
    """Lines through the lanes, and their names below. Where that ends."""
    named = placed(_milestone_marks(picture, milestones), picture.scale)
    shown = [one for one in named if one.row < MOST_ROWS]
    picture.mark([(one, y := bottom + LINE * (one.row + 1), top + 2 * LINE, y - SMALL) for one in shown])
    y = bottom + LINE * max((one.row + 1 for one in shown), default=0)
    if len(named) > len(shown):
        more = len(named) - len(shown)
        picture.write(
            picture.t(f"ほか{more}日の期限は表に", f"Milestones of {more} more days in the table"),
            GUTTER,
            y + LINE,
        )
        y += LINE
    return y


def _milestone_marks(picture: Picture, milestones: Sequence[Mapping[str, Any]]) -> list[Mark]:
    """One for each day."""
    marks = []
    late = picture.t("（遅れ）", " (overdue)")
    for day, group in groupby(sorted(milestones, key=lambda one: one["date"]), lambda one: one["date"]):
        of = list(group)
        kinds = {picture.words.milestone(one["kind"]) + late * one["overdue"]: None for one in of}
        text = f"{picture.dates.short(day)} {picture.t('・', ', ').join(kinds)}"
        text = cut(text, SMALL, RIGHT - GUTTER)
        marks.append(Mark(civil(day), text, bold=any(one["overdue"] for one in of), ink=QUIET))
    return marks


PATTERNS: Mapping[str, tuple[int, Sequence[str]]] = {
    "nobody": (8, ("M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4",)),
    "beside": (6, ("M2,2 h1.6 v1.6 h-1.6 z", "M5,5 h1.6 v1.6 h-1.6 z")),
    "behind": (6, ("M0,3 h6",)),
    "many": (8, ("M4,0 v8",)),
    "some-nobody": (8, ("M4,0 v8", "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4")),
}
"""Size of a tile, and what is drawn in it: hatched, dotted, lines along, across, across and hatched."""


def _patterns(root: Element, picture: Picture) -> None:
    defs = element(root, "defs")
    for name, (size, paths) in PATTERNS.items():
        tile = element(defs, "pattern", id=f"{picture.id}-{name}", width=size, height=size)
        tile.set("patternUnits", "userSpaceOnUse")
        for path in paths:
            ink, width = (INK, 1.2) if "-2,2" in path else (QUIET, 0.8)
            element(
                tile, "path", d=path, stroke=ink, stroke_width=width, fill=INK if name == "beside" else "none"
            )


def _legend(root: Element, picture: Picture, y: float) -> float:
    """What solid, dashed and the patterns mean; how high all of it is."""
    keys = [
        ("actual", picture.t("主担当（実績）", "Primary, so far")),
        ("planned", picture.t("予定", "Planned")),
        ("nobody", picture.t("担当なし", "Nobody")),
        ("beside", picture.t("併走（重なり）", "Co-support (overlap)")),
        ("behind", picture.t("後方", "Backup")),
        ("many", picture.t("短い期間のまとまり", "Several short intervals")),
    ]
    x = 0.0
    group = element(root, "g", class_="legend")
    for kind, text in keys:
        fill = {"actual": LIGHT, "planned": PAPER}.get(kind, picture.fill(kind))
        dash = "6 4" if kind == "planned" else None
        element(
            group,
            "rect",
            x=x + 1,
            y=y - 12,
            width=30,
            height=15,
            fill=fill,
            stroke=INK,
            stroke_dasharray=dash,
        )
        element(group, "text", text, x=x + 38, y=y, font_size=SMALL)
        x += 38 + text_width(text, SMALL) + 18
    text = picture.t("番号は下の表の行", "Numbers: rows of the table below")
    element(group, "text", text, x=x, y=y, font_size=SMALL)
    return y + LINE / 2
