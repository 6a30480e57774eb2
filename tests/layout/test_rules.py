"""Records laid out for people: every field under the name its schema gives it, none lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world import EXAMPLES
from tsunagi.contract import BASE_URI, Contract
from tsunagi.layout.rules import READING_ORDER, Fact, Grid, Group, Layout, Part
from tsunagi.layout.shapes import RECORD, Shapes

RECORDS = sorted((EXAMPLES / "handover-record" / "valid").glob("*.json"))


@pytest.fixture(scope="module")
def layout(contract: Contract) -> Layout:
    return Layout(Shapes(contract), "ja")


def record(name: str = "settlement-to-center") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / "handover-record" / "valid" / f"{name}.json").read_text())
    return found


def texts(part: Part) -> Iterator[str]:
    match part:
        case Fact():
            yield part.value
        case Grid():
            for row in part.rows:
                yield from row
        case Group():
            for one in part.parts:
                yield from texts(one)


def labels(part: Part) -> Iterator[str]:
    yield part.label
    if isinstance(part, Grid):
        yield from part.head
    for one in part.parts if isinstance(part, Group) else ():
        yield from labels(one)


def free_texts(value: Any) -> Iterator[str]:
    """What somebody wrote in Japanese: neither dates nor codes."""
    if isinstance(value, str) and not value.isascii():
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from free_texts(one)


def facts(group: Group) -> dict[str, str]:
    return {one.label: one.value for one in group.parts if isinstance(one, Fact)}


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_that_was_written_is_lost_and_everything_has_a_label(
    contract: Contract, path: Path, language: Any
) -> None:
    layout, of = Layout(Shapes(contract), language), json.loads(path.read_text())
    parts = [*layout.header(of), *(section for _, section in layout.sections(of))]
    said = "\n".join(text for part in parts for text in texts(part))
    of.pop("extensions", None)
    assert [text for text in free_texts(of) if text not in said] == []
    assert all(label for part in parts for label in labels(part))


def test_every_section_of_the_schema_has_its_place_in_the_reading_order(contract: Contract) -> None:
    sections = contract.resolve(f"{RECORD}#/properties/sections/properties")
    assert sorted(READING_ORDER) == sorted(sections)


def test_codes_are_called_by_their_names_and_dates_written_in_eras(layout: Layout) -> None:
    found = facts(layout.section("identity", record()["sections"]["identity"]))
    assert (found["性別"], found["生年月日"]) == ("男", "平成6年7月21日（1994-07-21）")


def test_areas_are_called_as_the_directory_calls_them(contract: Contract) -> None:
    layout = Layout(Shapes(contract), "ja", {"13-91": "架空東圏域"})
    found = facts(layout.section("identity", {"residenceAreaCode": "13-91", "workAreaCode": "13-92"}))
    assert found == {"居住地の圏域": "架空東圏域（13-91）", "就業地の圏域": "13-92"}


def test_ends_are_shown_as_the_last_day_that_counts(layout: Layout) -> None:
    section = layout.section("handover_plan", {"overlap": {"from": "2027-01-01", "to": "2027-04-01"}})
    assert facts(section) == {
        "重なり期間": "令和9年1月1日（2027-01-01）から、令和9年3月31日（2027-03-31）まで"
    }
    certificate = {"municipalityCode": "13101", "number": "0000000303", "to": "2027-04-01"}
    section = layout.section("identity", {"certificate": certificate})
    (group,) = section.parts
    assert isinstance(group, Group)
    assert facts(group) == {
        "支給決定をした市区町村": "千代田区（13101）",
        "受給者証番号": "0000000303",
        "支給決定期間の終了日": "令和9年3月31日（2027-03-31）まで",
    }


def test_items_of_instruments_are_called_by_their_names(layout: Layout) -> None:
    section = layout.section("assessment", record("sender-to-center")["sections"]["assessment"])
    (items,) = (one for one in section.parts if isinstance(one, Grid) and one.label == "項目別の評価")
    assert "金銭管理" in {cell for row in items.rows for cell in row}


def test_values_of_a_scale_are_called_as_the_instrument_calls_them(layout: Layout) -> None:
    section = layout.section("assessment", record()["sections"]["assessment"])
    (items,) = (one for one in section.parts if isinstance(one, Grid) and one.label == "項目別の評価")
    said = {cell for row in items.rows for cell in row}
    assert {"3段階", "1（支援が必要）", "3（できている）"} <= said
    assert "three_level" not in said


def test_a_reason_is_said_in_words_and_stays_in_its_row(contract: Contract) -> None:
    layout = Layout(Shapes(contract), "ja")
    domain = {"domain": "employment", "receiverRole": "primary", "from": "2027-04-01"}
    domain |= {"senderRoleAfter": "none", "decision": "decline"}
    reason = {"code": "more_information", "text": "通院先"}
    told = {"reason": reason, "domains": [domain | {"reason": {"code": "capacity", "text": "満員"}}, domain]}
    fact, grid = layout.parts(f"{BASE_URI}schemas/handover.json", told)
    assert isinstance(fact, Fact)
    assert fact.value == "追加の情報\n通院先"
    assert isinstance(grid, Grid)
    assert [row[-1] for row in grid.rows] == ["受入枠がない\n満員", ""]


def test_a_list_with_words_too_long_for_its_columns_is_set_one_below_the_other(layout: Layout) -> None:
    contact = {"name": "架空 三郎", "department": "人事部", "role": "hr", "phone": "013-000-7876"}
    contact |= {"email": "hr-2@example.jp", "disclosureScope": "配慮"}
    for hours, kind in (("9:00-17:00", Group), ("平日", Grid)):
        section = layout.section("employer_contacts", {"contacts": [contact | {"availableHours": hours}]})
        assert [type(one) for one in section.parts] == [kind]


def test_an_instrument_is_never_looked_for_outside_its_folder(layout: Layout) -> None:
    value = {"instruments": [{"instrument": "../service", "version": "codes"}]}
    (grid,) = layout.section("assessment", value).parts
    assert isinstance(grid, Grid)
    assert grid.rows == (("../service", "codes"),)


def test_lists_with_much_text_are_set_one_below_the_other(layout: Layout) -> None:
    section = layout.section("support_plan", record()["sections"]["support_plan"])
    of = {one.label: type(one) for one in section.parts}
    assert (of["支援の内容"], of["長期目標"]) == (Group, Grid)


def test_what_only_machines_read_is_left_out(layout: Layout) -> None:
    contact = {"organizationId": "01930000-0000-7000-8000-000000000201", "organizationName": "見本センター"}
    section = layout.section("employer_contacts", {"contacts": [], "singlePointOfContact": contact})
    assert "01930000-0000-7000-8000-000000000201" not in set(texts(section))
    assert facts(section)["担当者"] == "なし"


def test_a_member_that_the_schema_does_not_know_is_shown_as_it_is(layout: Layout) -> None:
    assert facts(layout.section("medical", {"newer": "値", "nested": {"a": 1}})) == {"newer": "値"}
