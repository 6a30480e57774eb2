"""The workbook of a draft: what is filled in comes back, and a mistake names its sheet and cell."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from tests.web.documents import fitting
from tests.web.test_forms import CONTRACT, FORMS, RECORDS, asked, same, sorted_codes
from tsunagi.errors import Text
from tsunagi.web.forms import SECTIONS, Choice, Field, offering
from tsunagi.web.forms_posted import document, inputs
from tsunagi.web.workbook import MOST_BYTES, NotReadable, Read, read, write

PARTS = {"overview": FORMS.overview, **FORMS.sections}


def filled(**contents: Any) -> bytes:
    return write({name: (PARTS[name], inputs(PARTS[name], value)) for name, value in contents.items()})


def changed(book: bytes, sheet: str, cell: str, value: Any) -> bytes:
    found, kept = load_workbook(BytesIO(book)), BytesIO()
    found[sheet][cell] = value
    found.save(kept)
    return kept.getvalue()


def found(field: Field, content: Read) -> Any:
    return document(field, content.inputs)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_every_example_goes_through_a_workbook(path: Path) -> None:
    record = json.loads(path.read_text())
    contents = {"overview": asked(FORMS.overview, record), **record["sections"]}
    back = read(filled(**contents), PARTS)
    assert back.keys() == contents.keys()
    for name, content in contents.items():
        assert found(PARTS[name], back[name]) == same(content)


@pytest.mark.parametrize("section", SECTIONS)
@settings(max_examples=12)
@given(data=st.data())
def test_whatever_fits_the_schema_goes_through_a_workbook(section: str, data: st.DataObject) -> None:
    field = FORMS.sections[section]
    made = document(field, inputs(field, data.draw(fitting(CONTRACT, FORMS.uri(section)))))
    back = found(field, read(filled(**{section: made}), PARTS)[section])
    assert sorted_codes(field, back) == sorted_codes(field, made)


def test_an_empty_workbook_offers_every_part_and_says_nothing() -> None:
    book = write({name: (field, {}) for name, field in PARTS.items()})
    sheets = load_workbook(BytesIO(book))
    assert sheets.sheetnames == ["選択肢", *(field.label.ja for field in PARTS.values())]
    assert sheets["選択肢"].sheet_state == "hidden"
    assert sheets["本人基本情報"].column_dimensions["A"].hidden
    assert all(found(PARTS[name], content) == {} for name, content in read(book, PARTS).items())


@pytest.mark.parametrize("typed", ["1999/5/14", "平成11年5月14日", "H11.5.14", "1999-05-14"])
def test_a_date_may_be_written_in_any_usual_way(typed: str) -> None:
    book = filled(identity={"birthDate": "2000-01-01"})
    cell = read(book, PARTS)["identity"].cell("/birthDate").partition("!")[2]
    back = read(changed(book, "本人基本情報", cell, typed), PARTS)["identity"]
    assert found(PARTS["identity"], back) == {"birthDate": "1999-05-14"}


def test_a_wrong_label_is_found_in_its_cell() -> None:
    book = filled(identity={"sex": "male"})
    cell = read(book, PARTS)["identity"].cell("/sex").partition("!")[2]
    back = read(changed(book, "本人基本情報", cell, "おとこ"), PARTS)["identity"]
    assert found(PARTS["identity"], back) == {"sex": "おとこ"}
    assert back.cell("/sex") == f"本人基本情報!{cell}"
    assert back.cell("/nothing") == ""


def test_areas_and_municipalities_are_called_by_name_and_come_back_as_codes() -> None:
    label = "架空圏域（13-91）"
    field = offering(PARTS["identity"], "areaCode", (Choice("13-91", Text(label, label)),))
    said = {
        "certificate": {"municipalityCode": "13101"},
        "residenceAreaCode": "13-91",
        "workAreaCode": "13-92",
    }
    book = write({"identity": (field, inputs(field, said))})
    sheet = load_workbook(BytesIO(book))["本人基本情報"]
    assert {label, "東京都千代田区", "13-92"} <= {cell.value for cell in sheet["C"]}
    assert found(field, read(book, {"identity": field})["identity"]) == said


def test_a_formula_is_a_text_like_any_other() -> None:
    book = filled(identity={"familyName": "=1+1"})
    assert found(PARTS["identity"], read(book, PARTS)["identity"]) == {"familyName": "=1+1"}


def bomb() -> bytes:
    kept = BytesIO()
    with ZipFile(kept, "w", ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (MOST_BYTES + 1))
    return kept.getvalue()


def foreign() -> bytes:
    kept = BytesIO()
    Workbook().save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"<html>", bomb(), foreign()], ids=["empty", "cut", "html", "bomb", "foreign"]
)
def test_what_is_no_workbook_of_ours_is_not_read(content: bytes) -> None:
    with pytest.raises(NotReadable):
        read(content, PARTS)
