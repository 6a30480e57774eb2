"""What all parts of the picture share: its scale, its words, and the layers that they draw on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from tsunagi.web.dates import Dates
from tsunagi.web.scale import Scale
from tsunagi.web.svg import Element, element, text_width
from tsunagi.web.words import Words

WIDTH, GUTTER, RIGHT = 1120.0, 148.0, 1112.0
SIZE, SMALL = 13.0, 12.0
LINE = 20.0
"""Height of a line of text."""
_CLEAR = 4.0
"""Between a line and a name that it leaves out."""
INK, QUIET, LIGHT, PAPER = "#1a1a1c", "#626264", "#d9e6ff", "#ffffff"


@dataclass(frozen=True, slots=True)
class Picture:
    id: str
    scale: Scale
    known_on: date
    """Up to this day things have happened; what comes after it was planned."""
    words: Words
    dates: Dates
    grid: Element
    bars: Element
    lines: Element
    texts: Element
    """The layers, the lowest first."""

    def t(self, ja: str, en: str) -> str:
        return ja if self.dates.language == "ja" else en

    def fill(self, pattern: str) -> str:
        return f"url(#{self.id}-{pattern})"

    def write(self, text: str, x: float, y: float, *, size: float = SIZE, bold: bool = False) -> "Name":
        """A line of text that begins at `x` on the base line `y`, with a rim that keeps lines and patterns off it."""
        element(
            self.texts,
            "text",
            text,
            x=x,
            y=y,
            font_size=size,
            font_weight="700" if bold else None,
            stroke=PAPER,
            stroke_width=3,
            stroke_linejoin="round",
            paint_order="stroke",
        )
        return Name(x, x + text_width(text, size), y)

    def mark(
        self, marks: Sequence[tuple["Placed", float, float, float]], names: Iterable["Name"] = ()
    ) -> None:
        """Days, each with the base line of its name, and the top and the bottom of its line, which goes around the
        names that are in its way."""
        named = [
            self.write(placed.mark.text, placed.x, base, size=SMALL, bold=placed.mark.bold)
            for placed, base, _, _ in marks
        ]
        around = sorted([*names, *named], key=lambda name: name.base)
        for placed, _, top, bottom in marks:
            x, begin = self.scale.x(placed.mark.day), top
            for name in around:
                if top < name.base < bottom and name.left - _CLEAR < x < name.right + _CLEAR:
                    self._line(placed.mark, x, begin, name.base - SIZE)
                    begin = name.base + _CLEAR
            self._line(placed.mark, x, begin, bottom)

    def _line(self, mark: "Mark", x: float, top: float, bottom: float) -> None:
        for ink, width, dash in ((PAPER, mark.width + 2, None), (mark.ink, mark.width, mark.dash)):
            element(
                self.lines,
                "line",
                x1=x,
                x2=x,
                y1=top,
                y2=bottom,
                stroke=ink,
                stroke_width=width,
                stroke_dasharray=dash,
            )


@dataclass(frozen=True, slots=True)
class Name:
    """Where a text stands."""

    left: float
    right: float
    base: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A day that is drawn as a line, and what it is called."""

    day: date
    text: str
    bold: bool = False
    width: float = 1
    dash: str | None = None
    ink: str = INK


@dataclass(frozen=True, slots=True)
class Placed:
    mark: Mark
    row: int
    """Of its name, counted from the lanes."""
    x: float
    """Where its name begins."""


def placed(marks: Sequence[Mark], scale: Scale) -> list[Placed]:
    """Each name beside its own line, in a row where it meets no other. From the right to the left, so that the lines
    to the names further away pass those nearer by.
    """
    found: list[Placed] = []
    free: list[float] = []
    for mark in sorted(marks, key=lambda one: one.day, reverse=True):
        width = text_width(mark.text, SMALL)
        x = min(scale.x(mark.day) + 4, scale.right - width)
        row = next((row for row in range(len(free)) if x + width + 8 <= min(free[row:])), len(free))
        free[row : row + 1] = [x]
        found.append(Placed(mark, row, x))
    return found
