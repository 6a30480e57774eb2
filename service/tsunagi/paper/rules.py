"""What a document is made of, and how dates are written on paper."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from tsunagi.clock import JAPAN, civil_date
from tsunagi.errors import Text

Language = Literal["ja", "en"]


@dataclass(frozen=True, slots=True)
class Ruby:
    """A word with its reading above it (furigana)."""

    base: str
    reading: str


Line = str | Sequence[str | Ruby]
"""Text as it is printed. Whatever stands in it is text: nothing in it can be an instruction."""


@dataclass(frozen=True, slots=True)
class Heading:
    text: Line
    level: Literal[1, 2, 3] = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: Line
    framed: bool = False
    """In a frame: what the reader must not miss."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What something is called, and what it is, one below the other."""

    rows: Sequence[tuple[Line, Line]]


@dataclass(frozen=True, slots=True)
class Table:
    """`widths` are shares of the page, one for each column. The head is repeated on every page."""

    head: Sequence[Line]
    widths: Sequence[int]
    rows: Sequence[Sequence[Line]]
    empty: Line
    """What is said where there are no rows."""


Block = Heading | Paragraph | Facts | Table


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside the printed one, from which it was made: the same for machines."""

    name: str
    media_type: str
    description: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is printed: the title, who says so, and the blocks in their order."""

    id: str
    title: Line
    language: Language
    origin: str
    """Where it comes from: the address of the service."""
    issuer: str
    """The organization that issues it."""
    issued_at: datetime
    blocks: Sequence[Block]
    subject: str = ""
    """Whom it is about: at the head of every page, for sheets that come apart."""
    source: str = ""
    """Who wrote what is printed, where the issuer has only printed it."""
    large: bool = False
    """In large type, for readers rather than for files."""
    landscape: bool = False
    attachment: Attachment | None = None


_MARKED = re.compile(r"\{([^{}|]+)\|([^{}|]+)\}")


def furigana(text: str, *, shown: bool) -> Line:
    """A text of ours, in which `{本人|ほんにん}` is a word with its reading. Never for what others have written."""
    if not shown:
        return _MARKED.sub(r"\1", text)
    parts: list[str | Ruby] = []
    end = 0
    for found in _MARKED.finditer(text):
        parts += [text[end : found.start()], Ruby(found[1], found[2])]
        end = found.end()
    return [part for part in (*parts, text[end:]) if part]


ERAS = (
    (date(2019, 5, 1), Text("令和", "Reiwa")),
    (date(1989, 1, 8), Text("平成", "Heisei")),
    (date(1926, 12, 25), Text("昭和", "Showa")),
    (date(1912, 7, 30), Text("大正", "Taisho")),
    (date(1873, 1, 1), Text("明治", "Meiji")),
)
"""The first day of each, the newest first. Before 1873 Japan had another calendar."""

_MEIJI_BEGAN = 1868


def era_year(on: date) -> Text | None:
    """令和8年, Reiwa 8. Nothing before 1873."""
    for first, era in ERAS:
        if on >= first:
            year = on.year - (_MEIJI_BEGAN if era.en == "Meiji" else first.year) + 1
            return Text(f"{era.ja}{'元' if year == 1 else year}年", f"{era.en} {year}")
    return None


def day(on: date, language: Language) -> str:
    """令和8年4月1日（2026-04-01）"""
    year = era_year(on)
    if year is None:
        return on.isoformat()
    if language == "en":
        return f"{on.isoformat()} ({year.en})"
    return f"{year.ja}{on.month}月{on.day}日（{on.isoformat()}）"


def last_day(end: date | None, language: Language) -> str:
    """令和8年9月30日（2026-09-30）まで. `end` is exclusive, as everywhere else: what is printed is the day before."""
    if end is None:
        return "期限なし" if language == "ja" else "without end"
    last = day(end - timedelta(days=1), language)
    return f"{last}まで" if language == "ja" else f"until {last} inclusive"


def moment(at: datetime, language: Language) -> str:
    """令和8年4月1日（2026-04-01）9:05, in Japan."""
    there = at.astimezone(JAPAN)
    said = f"{there.hour}:{there.minute:02}"
    return day(civil_date(at), language) + (said if language == "ja" else f" {said} JST")
