"""From a document to the bytes of a PDF: tagged (PDF/UA-1), for keeping (PDF/A-3a), the same each time."""

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTFont

from tsunagi.clock import civil_date
from tsunagi.errors import DocumentTooLong, Text, Unavailable
from tsunagi.paper.rules import (
    Attachment,
    Block,
    Document,
    Facts,
    Heading,
    Line,
    Paragraph,
    Ruby,
    Table,
    moment,
)

HERE = Path(__file__).parent
FONTS = HERE / "fonts"
STANDARDS: Any = ["ua-1", "a-3a"]

MAX_BYTES = 400_000
"""Of what is printed, as JSON: hundreds of pages, and a second of one core."""
WAIT_SECONDS = 20
"""For a document, those that are before it included."""

OTHER_SCRIPTS = ((0x00A0, 0x0378), (0x03A3, 0x0500), (0x1E00, 0x1F16))
"""What a font that typst brings along (Libertinus) has beside ours: letters of names from elsewhere."""
MISSING = "〓"
"""What printers set where they lack a letter (下駄)."""

VARIATIONS = frozenset({*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)})
"""Selectors that say which form of a character is meant; where the font has no such form, it shows the usual one."""

_WORDS = {
    "issuer": Text("発行：", "Issued by: "),
    "source": Text("記録：", "Written by: "),
    "printer": Text("印刷：", "Printed by: "),
    "at": Text("発行日時：", "Issued at: "),
    "id": Text("文書番号：", "Document id: "),
    "origin": Text("発行元システム：つなぎ（Tsunagi） ", "Origin: Tsunagi, "),
    "replaced": Text(
        "〓は、この書類の書体にない文字です。", "〓 stands for letters that the font of this document lacks."
    ),
}


class Printer:
    """Prints one document at a time, beside the event loop. One per process."""

    def __init__(self) -> None:
        self._fonts = typst.Fonts(include_system_fonts=False, font_paths=[FONTS])
        self._thread = ThreadPoolExecutor(1, "paper")

    async def print(self, document: Document) -> bytes:
        """The PDF. Raises DocumentTooLong, or Unavailable when so much is to be printed that it would take long."""
        job = asyncio.get_running_loop().run_in_executor(self._thread, self._set, document)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await job
        except TimeoutError:
            raise Unavailable from None

    def _set(self, document: Document) -> bytes:
        """In a thread, where typst lets the interpreter go. How long it takes is bounded by the size of the data:
        the template has no loop but those over it."""
        data, attached = json.dumps(_data(document), ensure_ascii=False), document.attachment
        if len(data.encode()) > MAX_BYTES:
            raise DocumentTooLong
        compiler = typst.Compiler(
            HERE / "document.typ", root=HERE, font_paths=self._fonts, ignore_system_fonts=True
        )
        printed = compiler.compile(
            format="pdf",
            sys_inputs={"document": data, "attached": attached.content if attached else ""},
            pdf_standards=STANDARDS,
            timestamp=int(document.issued_at.timestamp()),
        )
        assert isinstance(printed, bytes)
        return printed


def _data(document: Document) -> dict[str, Any]:
    """What the template reads."""
    words = {name: text.ja if document.language == "ja" else text.en for name, text in _WORDS.items()}
    today = civil_date(document.issued_at)
    data = {
        "title": _line(document.title),
        "language": document.language,
        "issuer": _text(document.issuer),
        "issued": {"year": today.year, "month": today.month, "day": today.day},
        "subject": _text(document.subject),
        "footer": [_text("　".join(line)) for line in _footer(document, words)],
        "large": document.large,
        "attachment": _attachment(document.attachment),
        "landscape": document.landscape,
        "blocks": [_block(one) for one in document.blocks],
    }
    written = json.dumps(data, ensure_ascii=False)
    return data | {
        "ruby": '"reading":' in written,
        "replaced": words["replaced"] if MISSING in written else None,
    }


def _footer(document: Document, words: dict[str, str]) -> Sequence[Sequence[str]]:
    """Whose it is, when it was made, which it is and where it comes from."""
    issuer = f"{words['issuer']}{document.issuer}"
    at = f"{words['at']}{moment(document.issued_at, document.language)}"
    number, origin = f"{words['id']}{document.id}", f"{words['origin']}{document.origin}"
    if not document.source:
        return (issuer, at), (number, origin)
    both = f"{words['source']}{document.source}", f"{words['printer']}{document.issuer}"
    return both, (at, number), (origin,)


def _attachment(one: Attachment | None) -> dict[str, str] | None:
    """Its content goes beside this: it is not printed, and stays as it is."""
    if one is None:
        return None
    return {"name": one.name, "media-type": one.media_type, "description": _text(one.description)}


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            return {"kind": "heading", "level": block.level, "text": _line(block.text)}
        case Paragraph():
            return {"kind": "paragraph", "framed": block.framed, "text": _line(block.text)}
        case Facts():
            return {"kind": "facts", "rows": _rows(block.rows)}
        case Table():
            return {
                "kind": "table",
                "head": _rows([block.head])[0],
                "widths": list(block.widths),
                "rows": _rows(block.rows),
                "empty": _line(block.empty),
            }


def _rows(rows: Sequence[Sequence[Line]]) -> list[list[Any]]:
    return [[_line(cell) for cell in row] for row in rows]


def _line(line: Line) -> Any:
    if isinstance(line, str):
        return _text(line)
    return [
        {"base": _text(part.base), "reading": _text(part.reading)} if isinstance(part, Ruby) else _text(part)
        for part in line
    ]


def _text(text: str) -> str:
    """What the fonts lack is replaced: a tagged PDF must not hold what cannot be shown."""
    printable = _characters()
    return "".join(one if ord(one) in printable else MISSING for one in text)


@cache
def _characters() -> frozenset[int]:
    """Everything that can be printed."""
    both: list[set[int]] = []
    for path in sorted(FONTS.glob("*.ttf")):
        with TTFont(path, lazy=True) as font:
            both.append(set(font.getBestCmap()))
    others = {point for first, end in OTHER_SCRIPTS for point in range(first, end)}
    return frozenset(set.intersection(*both) | others | VARIATIONS | {ord("\n")})
