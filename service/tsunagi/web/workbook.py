"""A draft as an Excel workbook that can be filled in and read back: a sheet for each part.

Column A is hidden and says what a row is for: the place of a field, `list` and a place above a table, `item` beside
each of its rows. The hidden first row of a table says which member each column is. Tables of what belongs to an item of
another table have the number of that item in column B. Values are the inputs of the form (`forms_posted`), with labels
instead of codes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from tsunagi.web.forms import Field
from tsunagi.web.forms_posted import DATES, Inputs, typed

CODES = "選択肢"
NONE = "なし"
MOST_ROWS, MOST_COLUMNS, MOST_BYTES = 2_000, 60, 30_000_000
SPARE_ROWS = 5
_LABELS = {"true": "はい", "false": "いいえ"}
_GROUND = PatternFill("solid", fgColor="E8F1FE")
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_BETWEEN = re.compile(r"[、,\n]")


class NotReadable(Exception):
    """The file is no workbook of ours."""


@dataclass(frozen=True, slots=True)
class Column:
    """A member of a table's items: where it is below an item."""

    below: str
    field: Field


def leaves(of: Field, at: str = "") -> Iterator[Column]:
    """What of a group is filled in directly; lists are tables of their own."""
    if of.kind == "group":
        for one in of.fields:
            if one.kind != "list":
                yield from leaves(one, f"{at}/{one.name}")
    else:
        yield Column(at, of)


def tables(of: Field, at: str = "") -> Iterator[Column]:
    """The lists of a group, each with those of its items after it. `*` stands for an item."""
    for one in of.fields if of.kind == "group" else ():
        here = f"{at}/{one.name}"
        if one.kind == "list":
            yield Column(here, one)
            yield from tables(one.item, f"{here}/*")
        elif one.kind == "group":
            yield from tables(one, here)


def write(parts: Mapping[str, tuple[Field, Inputs]]) -> bytes:
    """The workbook of these parts, by name, filled in as far as they are."""
    book = Workbook()
    codes = book.active
    assert isinstance(codes, Worksheet)
    codes.title, codes.sheet_state = CODES, "hidden"
    writer = _Writer(codes)
    for name, (form, inputs) in parts.items():
        writer.sheet(book.create_sheet(form.label.ja), name, form, inputs)
    book.active = 1
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


@dataclass
class _Writer:
    codes: Worksheet
    lists: dict[tuple[str, ...], str] = field(default_factory=dict)

    def sheet(self, sheet: Worksheet, name: str, form: Field, inputs: Inputs) -> None:
        sheet.append([f"part {name}", f"{form.label.ja}（＊は必須）"])
        sheet["B1"].font = Font(bold=True, size=14)
        for column in leaves(form):
            help_text = column.field.help.ja if column.field.help else ""
            value = _text(column.field, inputs, column.below)
            sheet.append([column.below, _label(form, column), None, help_text])
            self._cell(sheet, sheet.max_row, 3, column.field, value)
        for table in tables(form):
            self._table(sheet, table, inputs)
        sheet.column_dimensions["A"].hidden = True
        for letter, width in zip("BCDEFGHIJKLMNOPQRSTU", (30, 40, *[28] * 18), strict=True):
            sheet.column_dimensions[letter].width = width

    def _table(self, sheet: Worksheet, table: Column, inputs: Inputs) -> None:
        columns, nested = list(leaves(table.field.item)), "*" in table.below
        sheet.append([])
        sheet.append([f"list {table.below}", table.field.label.ja + ("＊" if table.field.required else "")])
        sheet.cell(sheet.max_row, 2).font = Font(bold=True)
        if not nested and not table.field.least:
            none = NONE if inputs.get(f"{table.below}:none") else None
            sheet.append([f"none {table.below}", "ないときは「なし」と書く", none])
        sheet.append(["columns", None, *(column.below or "/" for column in columns)])
        sheet.row_dimensions[sheet.max_row].hidden = True
        number = "どの番号の" if nested else "番号"
        sheet.append(["labels", number, *(_label(table.field.item, one) for one in columns)])
        for cell in sheet[sheet.max_row]:
            cell.fill, cell.font = _GROUND, Font(bold=True)
        for at, shown in _rows(table, inputs):
            sheet.append(["item", shown])
            for place, column in enumerate(columns, 3):
                value = _text(column.field, inputs, at + column.below) if at else ""
                self._cell(sheet, sheet.max_row, place, column.field, value)
            if at.endswith(":none"):
                sheet.cell(sheet.max_row, 3, NONE)

    def _cell(self, sheet: Worksheet, row: int, column: int, of: Field, value: str) -> None:
        cell = sheet.cell(row, column)
        cell.number_format, cell.alignment = "@", _WRAPPED
        if value:
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
            cell.data_type = "s"  # what begins with "=" is no formula
        labels = _offered(of)
        if labels and of.kind != "choices":
            allowed = DataValidation(type="list", formula1=self._listed(labels), allow_blank=True)
            allowed.add(cell)
            sheet.add_data_validation(allowed)

    def _listed(self, labels: tuple[str, ...]) -> str:
        """Where a list of labels stands."""
        if labels not in self.lists:
            column = len(self.lists) + 1
            for row, label in enumerate(labels, 1):
                self.codes.cell(row, column, label)
            letter = get_column_letter(column)
            self.lists[labels] = f"'{CODES}'!${letter}$1:${letter}${len(labels)}"
        return self.lists[labels]


def _label(of: Field, column: Column) -> str:
    """With the names of the groups that it is in."""
    names, at = [], ""
    for part in column.below.split("/")[1:]:
        at += f"/{part}"
        names.append(inner.label.ja if (inner := of.at(at)) else part)
    return ("・".join(names) or of.label.ja) + ("＊" if column.field.required else "")


def _offered(of: Field) -> tuple[str, ...]:
    return tuple(_LABELS.values()) if of.kind == "yes_no" else tuple(one.label.ja for one in of.choices)


def _rows(table: Column, inputs: Inputs) -> Iterator[tuple[str, int | None]]:
    """The places of a table's items and the number in column B; then empty rows to fill in."""
    above, nested, name = table.below.partition("/*")
    if not nested:
        count = _count(inputs, table.below)
        most = int(table.field.most or count)
        spare = range(count, min(most, max(count + 3, SPARE_ROWS)))
        yield from ((f"{table.below}/{index}", index + 1) for index in range(count))
        yield from (("", index + 1) for index in spare)
        return
    for parent in range(_count(inputs, above)):
        here = f"{above}/{parent}{name}"
        yield from ((f"{here}/{index}", parent + 1) for index in range(_count(inputs, here)))
        if inputs.get(f"{here}:none"):
            yield f"{here}:none", parent + 1
    yield from (("", None) for _ in range(SPARE_ROWS))


def _count(inputs: Inputs, at: str) -> int:
    return int(next(iter(inputs.get(f"{at}:items", ())), "0"))


def _text(of: Field, inputs: Inputs, at: str) -> str:
    """What is written into a cell."""
    if of.kind == "choices" and inputs.get(f"{at}:none"):
        return NONE
    labels = _LABELS | {one.value: one.label.ja for one in of.choices}
    texts = inputs.get(at, ()) if of.kind == "choices" else [typed(of, inputs, at)]
    labeled = of.kind == "yes_no" or bool(of.choices)
    return "、".join(labels.get(one, one) if labeled else one for one in texts)


@dataclass
class Read:
    """What a workbook holds of a part, and in which cell each place of it was."""

    inputs: dict[str, list[str]] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)

    def cell(self, pointer: str) -> str:
        """The cell of a place, or of what it is in."""
        while pointer and pointer not in self.cells:
            pointer = pointer.rpartition("/")[0]
        return self.cells.get(pointer, "")


def read(content: bytes, forms: Mapping[str, Field]) -> dict[str, Read]:
    """What was filled in, by part. Raises NotReadable."""
    try:
        with ZipFile(BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) > MOST_BYTES:
                raise NotReadable
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
        found = {}
        for sheet in book.worksheets:
            rows = [
                list(row)
                for row in sheet.iter_rows(max_row=MOST_ROWS, max_col=MOST_COLUMNS, values_only=True)
            ]
            name = str(rows[0][0]).removeprefix("part ") if rows and rows[0] else ""
            if name in forms:
                found[name] = _Reader(sheet.title, forms[name], rows).read()
        book.close()
    except (BadZipFile, NotReadable):
        raise NotReadable from None
    except Exception:  # openpyxl says in many ways that a file is not what it should be
        raise NotReadable from None
    if not found:
        raise NotReadable
    return found


@dataclass
class _Reader:
    sheet: str
    form: Field
    rows: Sequence[Sequence[Any]]
    found: Read = field(default_factory=Read)
    numbers: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of each table: which item has which number."""

    def read(self) -> Read:
        table, columns = "", list[str]()
        for number, row in enumerate(self.rows, 1):
            mark = str(row[0] or "")
            if mark.startswith("/"):
                table = ""
                self._keep(mark, row[2] if len(row) > 2 else None, number, 3)
            elif mark.startswith("list "):
                table, columns = mark.removeprefix("list "), []
                self.found.cells[table.replace("/*", "")] = f"{self.sheet}!B{number}"
            elif mark.startswith("none ") and _said(row[2]) == NONE:
                self.found.inputs[f"{table}:none"] = ["on"]
            elif mark == "columns":
                columns = [_said(one) for one in row[2:]]
            elif mark in ("item", "") and table and columns:
                self._item(table, columns, row, number)
        return self.found

    def _item(self, table: str, columns: Sequence[str], row: Sequence[Any], number: int) -> None:
        filled = [(at, row[place]) for place, at in enumerate(columns, 2) if at and _said(row[place])]
        if not filled:
            return
        above, nested, name = table.partition("/*")
        at = table
        if nested:
            parent = self.numbers.get(above, {}).get(_said(row[1]), 0)
            at = f"{above}/{parent}{name}"
            if [text for _, text in filled] == [NONE]:
                self.found.inputs[f"{at}:none"] = ["on"]
                return
        index = _count(self.found.inputs, at)
        self.found.inputs[f"{at}:items"] = [str(index + 1)]
        self.numbers.setdefault(at, {})[_said(row[1])] = index
        self.found.cells[f"{at}/{index}"] = f"{self.sheet}!B{number}"
        for place, below in enumerate(columns, 3):
            value = row[place - 1] if place - 1 < len(row) else None
            if below:
                self._keep(f"{at}/{index}{below.rstrip('/')}", value, number, place)

    def _keep(self, at: str, value: Any, row: int, column: int) -> None:
        of, text = self.form.at(at), _said(value)
        if of is None:
            return
        self.found.cells[at] = f"{self.sheet}!{get_column_letter(column)}{row}"
        if not text:
            return
        codes = {one.label.ja: one.value for one in of.choices} | (
            {label: value for value, label in _LABELS.items()} if of.kind == "yes_no" else {}
        )
        if of.kind == "choices" and text == NONE:
            self.found.inputs[f"{at}:none"] = ["on"]
        elif of.kind == "choices":
            self.found.inputs[at] = [codes.get(one.strip(), one.strip()) for one in _BETWEEN.split(text)]
        else:
            self.found.inputs[f"{at}:year" if of.kind in DATES else at] = [codes.get(text, text)]


def _said(value: Any) -> str:
    """A cell's value as it would be typed."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
