"""What two versions of a record say differently."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.layout.test_rules import record
from tsunagi.contract import Contract
from tsunagi.layout.differences import Difference, Piece, differences
from tsunagi.layout.rules import Layout
from tsunagi.layout.shapes import Shapes


@pytest.fixture(scope="module")
def layout(contract: Contract) -> Layout:
    return Layout(Shapes(contract), "ja")


def between(layout: Layout, change: Any) -> list[Difference]:
    old = record()
    new = deepcopy(old)
    change(new)
    return differences(layout, old, new)


def said(pieces: tuple[Piece, ...] | None) -> str | None:
    return None if pieces is None else "".join(one.text for one in pieces)


def test_equal_versions_differ_in_nothing(layout: Layout) -> None:
    assert between(layout, lambda new: None) == []


def test_a_changed_field_is_named_and_shown_on_both_sides(layout: Layout) -> None:
    (one,) = between(layout, lambda new: new.update(plannedDate="2027-05-01"))
    assert (one.kind, one.path, one.pointer) == ("changed", ("引継ぎ予定日",), "/plannedDate")
    assert said(one.before) == "令和9年4月1日（2027-04-01）"
    assert said(one.after) == "令和9年5月1日（2027-05-01）"


def test_within_a_text_only_the_sentences_that_differ_are_marked(layout: Layout) -> None:
    def change(new: dict[str, Any]) -> None:
        new["sections"]["medical"]["warningSigns"] = "昼食を抜く。返信が短くなる。"

    old = record()
    old["sections"]["medical"]["warningSigns"] = "昼食を抜く。遅刻が続く。"
    new = deepcopy(old)
    change(new)
    (one,) = differences(layout, old, new)
    assert one.before == (Piece("昼食を抜く。", differs=False), Piece("遅刻が続く。", differs=True))
    assert one.after == (Piece("昼食を抜く。", differs=False), Piece("返信が短くなる。", differs=True))


def test_an_item_put_before_others_is_added_and_the_others_are_unchanged(layout: Layout) -> None:
    def change(new: dict[str, Any]) -> None:
        new["sections"]["support_plan"]["items"].insert(
            0, {"number": 9, "need": "新しい課題", "goal": "目標", "support": "支援"}
        )

    found = between(layout, change)
    assert {one.kind for one in found} == {"added"}
    assert {one.path[:2] for one in found} == {("支援計画", "支援の内容 1")}


def test_an_item_that_is_nearly_the_same_is_changed_not_replaced(layout: Layout) -> None:
    def change(new: dict[str, Any]) -> None:
        new["sections"]["support_plan"]["items"][1]["frequency"] = "月3回"

    (one,) = between(layout, change)
    assert (one.kind, one.path) == ("changed", ("支援計画", "支援の内容 2", "頻度"))


def test_a_section_that_is_gone_is_removed_field_by_field(layout: Layout) -> None:
    found = between(layout, lambda new: new["sections"].pop("medical"))
    assert {(one.kind, one.path[0]) for one in found} == {("removed", "医療")}


_LEAVES = st.sampled_from(["あ。", "い。", "あ。い。", "う"])
_ITEMS = st.lists(
    st.fixed_dictionaries(
        {"need": _LEAVES, "goal": _LEAVES}, optional={"policy": _LEAVES, "support": _LEAVES}
    ),
    max_size=5,
)


@given(_ITEMS, _ITEMS)
def test_lists_differ_exactly_where_they_are_not_equal(
    contract: Contract, old: list[dict[str, str]], new: list[dict[str, str]]
) -> None:
    layout = Layout(Shapes(contract), "ja")
    before, after = ({"sections": {"support_plan": {"items": items}}} for items in (old, new))
    found = differences(layout, before, after)
    assert bool(found) == (old != new)
    for one in found:
        assert one.before != one.after
        assert said(one.before) != said(one.after)
