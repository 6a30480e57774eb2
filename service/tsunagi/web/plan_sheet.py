"""The support plan as an Excel file: facts first, then a sheet for each list, every cell plain text."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from tsunagi.layout.rules import Fact, Grid, Group, Part
from tsunagi.paper.rules import Language

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTH = 30
"""Of a column, in characters."""
_NOT_IN_NAMES = re.compile(r"[\\*?:/\[\]]")


def plan_sheet(plan: Group, language: Language, *, person: str = "") -> bytes:
    """A section of a record as a workbook; `person`: whose it is, where that may be known."""
    book = Workbook()
    del book[book.sheetnames[0]]
    head, whose = (("項目", "内容"), "本人") if language == "ja" else (("Field", "Content"), "The person")
    _sheet(book, plan.label, [head, *([(whose, person)] if person else []), *_facts(plan.parts)])
    for part in plan.parts:
        if isinstance(part, Grid):
            _sheet(book, part.label, [part.head, *part.rows])
        elif isinstance(part, Group) and all(isinstance(one, Group) for one in part.parts):
            _sheet(book, part.label, list(_rows(part)))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _facts(parts: Iterable[Part], of: str = "") -> Iterator[tuple[str, str]]:
    for part in parts:
        if isinstance(part, Fact):
            yield f"{of}{part.label}", part.value
        elif isinstance(part, Group):
            yield from _facts((one for one in part.parts if isinstance(one, Fact)), f"{part.label}：")


def _rows(items: Group) -> Iterator[Sequence[str]]:
    """A list whose items stood one below the other, as rows: Excel is as wide as it needs to be."""
    facts = [dict(_facts(one.parts)) for one in items.parts if isinstance(one, Group)]
    head = list(dict.fromkeys(label for one in facts for label in one))
    yield head
    for one in facts:
        yield [one.get(label, "") for label in head]


def _sheet(book: Workbook, name: str, rows: Sequence[Sequence[str]]) -> None:
    sheet: Worksheet = book.create_sheet(_NOT_IN_NAMES.sub("", name)[:31])
    for row in rows:
        sheet.append([_cell(sheet, text, first=row is rows[0]) for text in row])
    for column in range(1, len(rows[0]) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = WIDTH
    sheet.freeze_panes = "A2"


def _cell(sheet: Worksheet, text: str, *, first: bool) -> Cell:
    """As text whatever it begins with, also after somebody has edited it: never a formula."""
    cell = Cell(sheet, row=1, column=1)  # where it comes to stand is for the sheet to say
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
    cell.data_type = "s"
    cell.quotePrefix = True
    cell.number_format = "@"
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if first:
        cell.font = Font(bold=True)
    return cell
