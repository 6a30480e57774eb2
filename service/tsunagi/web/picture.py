"""What all parts of the picture share: its scale, its words, and the layers that they draw on."""

from collections.abc import Sequence
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

    def write(self, text: str, x: float, y: float, *, size: float = SIZE, bold: bool = False) -> None:
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

    def mark(self, placed: "Placed", base: float, top: float, bottom: float) -> None:
        """The line of a day from `top` to `bottom`, its name on the base line `base`."""
        mark = placed.mark
        x = self.scale.x(mark.day)
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
        self.write(mark.text, placed.x, base, size=SMALL, bold=mark.bold)


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
