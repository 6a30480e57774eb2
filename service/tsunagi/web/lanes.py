"""The lanes of the picture: in each domain the chain of primaries, and below it those who support beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from typing import Any

from tsunagi.web.intervals import Interval
from tsunagi.web.picture import GUTTER, INK, LIGHT, LINE, PAPER, RIGHT, SIZE, SMALL, Picture
from tsunagi.web.scale import Scale
from tsunagi.web.svg import Element, cut, element, text_width

CHAIN, BESIDE, APART = 36.0, 22.0, 6.0
"""Heights: of the chain, of a row beside it, between rows."""
NARROW = 3.0
"""Bars below this width that touch are drawn as one."""
MOST_ROWS = 8
"""Beside a chain; what finds no place is in the table."""
_INSET = 5.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One interval, or several that are each too short to be seen."""

    of: tuple[Interval, ...]
    left: float
    right: float

    @property
    def number(self) -> str:
        """As in the table."""
        first, last = self.of[0].number, self.of[-1].number
        return str(first) if first == last else f"{first}–{last}"

    @property
    def pattern(self) -> str | None:
        """What it is filled with in black and white, too."""
        nobody = any(one.holder is None for one in self.of)
        if len(self.of) > 1:
            return "some-nobody" if nobody else "many"
        if nobody:
            return "nobody"
        return {"co_support": "beside", "backup": "behind"}.get(self.of[0].role)


def bars(lines: Iterable[Interval], scale: Scale) -> list[Bar]:
    """In one row: neighbors that are too narrow to be seen are taken together."""
    found: list[Bar] = []
    for line in lines:
        left, right = scale.x(line.first), scale.x(line.end)
        last = found[-1] if found else None
        if last and right - left < NARROW and _joins(last, line, left):
            found[-1] = replace(last, of=(*last.of, line), right=right)
        else:
            found.append(Bar((line,), left, right))
    return found


def _joins(last: Bar, line: Interval, left: float) -> bool:
    narrow = len(last.of) > 1 or last.right - last.left < NARROW
    return narrow and left - last.right < 1 and last.of[-1].role == line.role


def rows(support: Iterable[Interval]) -> list[list[Interval]]:
    """Those that overlap in rows of their own."""
    found: list[list[Interval]] = []
    for one in support:
        free = (row for row in found if (end := row[-1].end) is not None and end <= one.first)
        row = next(free, None)
        if row is None:
            found.append([one])
        else:
            row.append(one)
    return found


def draw_lanes(picture: Picture, lines: Sequence[Interval], y: float) -> float:
    """Where the lanes end."""
    for domain, group in groupby(lines, lambda line: line.domain):
        of = list(group)
        chain = [line for line in of if line.role == "primary"]
        beside = rows(line for line in of if line.role != "primary")
        element(picture.grid, "line", x1=0, x2=RIGHT, y1=y, y2=y, stroke=INK, stroke_width=0.5)
        y += APART
        picture.write(cut(picture.words.domain(domain), SIZE, GUTTER - 8), 0, y + 15, bold=True)
        picture.write(picture.words.role("primary"), 0, y + 31, size=SMALL)
        y = _row(picture, chain, y, CHAIN)
        if beside:
            both = f"{picture.words.role('co_support')}・{picture.words.role('backup')}"
            picture.write(
                cut(both.replace("・", picture.t("・", ", ")), SMALL, GUTTER - 8), 0, y + 16, size=SMALL
            )
        for row in beside[:MOST_ROWS]:
            y = _row(picture, row, y, BESIDE)
        if left_out := sum(len(row) for row in beside[MOST_ROWS:]):
            picture.write(
                picture.t(f"ほか{left_out}件は表に", f"{left_out} more in the table"), GUTTER, y + 14
            )
            y += LINE
    return y


def _row(picture: Picture, lines: Sequence[Interval], y: float, height: float) -> float:
    for bar in bars(lines, picture.scale):
        group = element(picture.bars, "g")
        element(group, "title", named(picture, bar))
        _box(picture, group, bar, y, height)
        if text := _text(picture, bar):
            nobody = bar.of[0].holder is None
            picture.write(text, bar.left + _INSET, y + height / 2 + 4.5, bold=nobody)
    return y + height + APART


def _box(picture: Picture, group: Element, bar: Bar, y: float, height: float) -> None:
    """Up to the day of what is known solid, after it dashed."""
    now = min(max(picture.scale.x(picture.known_on + timedelta(days=1)), bar.left), bar.right)
    for left, right, planned in ((bar.left, now, False), (now, bar.right, True)):
        if right <= left and (planned or bar.right > bar.left):
            continue
        place: dict[str, Any] = {"x": left, "y": y, "width": max(right - left, 1.0), "height": height}
        if bar.pattern:
            element(group, "rect", fill=PAPER, **place)
            fill = picture.fill(bar.pattern)
        else:
            fill = PAPER if planned else LIGHT
        element(
            group,
            "rect",
            fill=fill,
            stroke=INK,
            stroke_width=1.5 if right - left >= NARROW else 0.75,
            stroke_dasharray="6 4" if planned else None,
            **place,
        )


def _text(picture: Picture, bar: Bar) -> str:
    """As much as there is room for; the number before the name."""
    room = bar.right - bar.left - 2 * _INSET
    name = _holder(picture, bar.of[0]) if len(bar.of) == 1 else _many(picture, bar)
    text = cut(f"{bar.number} {name}", SIZE, room)
    if text.endswith(name) or (len(text) > len(bar.number) + 3 and bar.of[0].holder is not None):
        return text
    return bar.number if text_width(bar.number, SIZE) <= room else ""


def named(picture: Picture, bar: Bar) -> str:
    """All that a bar says, whatever there is room for."""
    first, last = bar.of[0], bar.of[-1]
    span = picture.dates.span(first.first, last.end)
    if len(bar.of) > 1:
        return f"{bar.number} {_many(picture, bar)} {span}"
    planned = picture.t("（予定）", " (planned)") if first.first > picture.known_on else ""
    role = picture.words.role(first.role)
    return (
        f"{bar.number} {picture.words.domain(first.domain)} {role} {_holder(picture, first)} {span}{planned}"
    )


def _holder(picture: Picture, line: Interval) -> str:
    return picture.t("担当なし", "Nobody") if line.holder is None else line.holder


def _many(picture: Picture, bar: Bar) -> str:
    nobody = sum(line.holder is None for line in bar.of)
    more = picture.t(f"、うち担当なし{nobody}件", f", {nobody} of them nobody's") if nobody else ""
    return picture.t(f"短い期間{len(bar.of)}件{more}", f"{len(bar.of)} short intervals{more}")
