"""What comes out of the printer, read by a library that has nothing to do with it."""

import asyncio
import hashlib
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from tsunagi.errors import DocumentTooLong
from tsunagi.paper.printing import FONTS, OTHER_SCRIPTS, Printer
from tsunagi.paper.rules import Block, Document, Facts, Heading, Paragraph, Ruby, Table

NAMES = "髙﨑𠮷㈱①辻葛祇邉邊齋齊濵瀬鄧德閒"


def document(*blocks: Block, **members: Any) -> Document:
    first = Document(
        id="0190a7c4-0000-7000-8000-00000000f001",
        title=["あなたの", Ruby("情報", "じょうほう")],
        language="ja",
        origin="https://tsunagi.example",
        issuer="見本就労定着支援事業所",
        issued_at=datetime(2026, 11, 21, 0, 5, tzinfo=UTC),
        blocks=blocks,
    )
    return replace(first, **members)


async def printed(*blocks: Block, **members: Any) -> PdfReader:
    return PdfReader(io.BytesIO(await Printer().print(document(*blocks, **members))))


def text_of(reader: PdfReader) -> str:
    return "".join(page.extract_text() for page in reader.pages).replace("\n", "")


def fonts_of(reader: PdfReader) -> set[str]:
    found = [page["/Resources"].get("/Font", {}) for page in reader.pages]
    return {str(font["/BaseFont"]).partition("+")[2] for fonts in found for font in fonts.values()}


def of_jis_x_0213() -> set[int]:
    """Every character of the standard: both planes."""
    found: set[int] = set()
    for plane in (b"", b"\x8f"):
        for row in range(0xA1, 0xFF):
            for cell in range(0xA1, 0xFF):
                try:
                    found |= {ord(one) for one in (plane + bytes((row, cell))).decode("euc_jis_2004")}
                except UnicodeDecodeError:
                    continue
    return found


@pytest.mark.parametrize("name", ["NotoSansJP-Regular.ttf", "NotoSansJP-Bold.ttf"])
def test_the_font_has_the_kanji_of_jis_x_0213_and_those_of_names(name: str) -> None:
    with TTFont(FONTS / name, lazy=True) as font:
        characters = set(font.getBestCmap())
    assert characters >= {ord(one) for one in NAMES}
    kanji = {one for one in of_jis_x_0213() if 0x3000 <= one < 0xA000 or one >= 0xF900}
    assert len(kanji) > 10_000
    assert characters >= kanji


@pytest.mark.parametrize("name", ["NotoSansJP-Regular.ttf", "NotoSansJP-Bold.ttf"])
def test_the_font_is_the_one_that_its_page_names(name: str) -> None:
    assert hashlib.sha256((FONTS / name).read_bytes()).hexdigest() in (FONTS / "README.md").read_text()


async def test_rare_names_are_printed_in_our_font() -> None:
    reader = await printed(Paragraph(NAMES), Facts([(NAMES, "辻\U000e0100")]))
    assert text_of(reader).count(NAMES) == 2
    assert fonts_of(reader) == {"NotoSansJP-Regular", "NotoSansJP-Bold"}


async def test_letters_of_other_scripts_are_printed_all_of_them() -> None:
    """The second font comes with typst: what we say it has it must have, or printing fails."""
    for first, end in OTHER_SCRIPTS:
        letters = " ".join(chr(point) for point in range(first, end))
        await printed(Paragraph(letters), Facts([(letters, letters)]))
    assert "Nguyễn" in text_of(await printed(Paragraph("Nguyễn")))


@pytest.mark.parametrize(
    "letter", ["🙂", "ไ", "김", "\x00", "\x07", "\ue000", "\ufffe", "\U00030000", "\u202e"]
)
async def test_what_the_fonts_lack_is_shown_as_missing_and_said_to_be(letter: str) -> None:
    text = text_of(await printed(Paragraph(f"前{letter}後")))
    assert "前〓後" in text
    assert "書体にない文字" in text


async def test_what_comes_in_is_text_and_never_an_instruction() -> None:
    hostile = '#sys.version *a* _b_ = c $x$ <d> @e `f` \\ " {本人|x} #eval("1") // #panic()'
    text = text_of(
        await printed(Heading(hostile), Paragraph(hostile), Facts([(hostile, [Ruby(hostile, "よみ")])]))
    )
    assert text.replace(" ", "").count(hostile.replace(" ", "")) == 4


async def test_a_document_says_its_title_language_issuer_and_id() -> None:
    reader = await printed(Paragraph("本文"))
    assert reader.metadata is not None
    assert reader.metadata.title == "あなたの情報"
    assert reader.metadata.author == "見本就労定着支援事業所"
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "ja-JP"
    assert root["/MarkInfo"]["/Marked"]
    metadata = root["/Metadata"].get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    text = text_of(reader)
    assert "発行：見本就労定着支援事業所" in text
    assert "令和8年11月21日（2026-11-21）9:05" in text
    assert "0190a7c4-0000-7000-8000-00000000f001" in text
    assert "https://tsunagi.example" in text
    english = await printed(Paragraph("text"), language="en")
    assert english.trailer["/Root"]["/Lang"] == "en-GB"  # type: ignore[index]


async def test_a_long_table_repeats_its_head_and_numbers_its_pages() -> None:
    rows: Sequence[Sequence[str]] = [[f"{n}番", "機関の名前" * 10] for n in range(100)]
    reader = await printed(Table(["見出し", "機関"], [1, 3], rows, "なし"))
    assert len(reader.pages) > 3
    for number, page in enumerate(reader.pages, 1):
        text = page.extract_text()
        assert text.count("見出し") == 1
        assert f"{number} / {len(reader.pages)}" in text
    whole = text_of(reader)
    assert all(f"{n}番" in whole for n in range(100))


async def test_a_table_without_rows_says_so() -> None:
    text = text_of(await printed(Table(["見出し"], [1], [], "まだありません")))
    assert "まだありません" in text
    assert "見出し" not in text


@pytest.mark.parametrize("long", ["a" * 5000, "あ" * 5000])
async def test_what_is_longer_than_a_page_goes_on_on_the_next(long: str) -> None:
    text = text_of(await printed(Table(["x", "y"], [1, 3], [["1", long], ["last", "z"]], "-"), large=True))
    assert text.count(long[0]) >= 5000
    assert "last" in text


@pytest.mark.parametrize("word", ["013-000-7876", "hr-2@example.jp", "a" * 40])
async def test_no_word_runs_out_of_its_cell_into_the_next(word: str) -> None:
    widths = [1] * 9
    reader = await printed(Table(["見出し"] * 9, widths, [["", *[word] * 7, ""]], "-"))
    column, found = (210 - 2 * 18) / 25.4 * 72 / 9, 0
    for letters, left, width in runs_of(reader):
        if letters in word:
            place = int((left - 18 / 25.4 * 72) // column)
            assert left + width <= 18 / 25.4 * 72 + (place + 1) * column, letters
            found += len(letters)
    assert found == 7 * len(word)


def runs_of(reader: PdfReader) -> list[tuple[str, float, float]]:
    """Each run of letters of the first page with its left edge and its width in points."""
    with TTFont(FONTS / "NotoSansJP-Regular.ttf", lazy=True) as font:
        glyphs, advances, unit = font.getBestCmap(), font["hmtx"].metrics, font["head"].unitsPerEm
    found = []

    def seen(text: str, _cm: Any, tm: Any, _font: Any, size: float) -> None:
        if letters := text.strip():
            width = sum(advances[glyphs[ord(one)]][0] for one in letters) / unit * size
            found.append((letters, tm[4] + _cm[4], width))

    reader.pages[0].extract_text(visitor_text=seen)
    return found


async def test_every_page_says_whom_it_is_about_and_who_wrote_it() -> None:
    rows = [["a", "b"] for _ in range(100)]
    reader = await printed(
        Table(["x", "y"], [1, 1], rows, "-"), subject="架空 直樹　平成6年生", source="記録を書いた事業所"
    )
    assert len(reader.pages) > 1
    for page in reader.pages:
        text = page.extract_text()
        assert "架空 直樹" in text
        assert "記録：記録を書いた事業所" in text
        assert "印刷：見本就労定着支援事業所" in text
        assert "発行：" not in text


async def test_the_same_document_gives_the_same_bytes() -> None:
    one = document(Paragraph("本文"), Table(["a"], [1], [["b"]], "-"))
    assert await Printer().print(one) == await Printer().print(one)


async def test_too_much_is_refused_and_the_most_that_is_printed_keeps_nobody_waiting() -> None:
    printer = Printer()
    with pytest.raises(DocumentTooLong):
        await printer.print(document(Paragraph("あ" * 140_000)))
    rows = [["令和8年4月1日", "機関" * 10, "identity"] for _ in range(3_500)]
    printing = asyncio.create_task(printer.print(document(Table(["a", "b", "c"], [1, 1, 1], rows, "-"))))
    longest, last = 0.0, perf_counter()
    while not printing.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, perf_counter() - last), perf_counter()
    assert len(await printing) > 100_000
    assert longest < 0.5
