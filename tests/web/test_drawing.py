"""The picture of the responsibility timeline."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise
from time import process_time
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given

from tests.web.pictures import (
    MILESTONES,
    SVG,
    TODAY,
    answer,
    answers,
    boxes,
    chain,
    crossed,
    line,
    titles,
    written,
)
from tests.world import ROOT
from tsunagi.contract import Contract
from tsunagi.web.dates import Dates
from tsunagi.web.drawing import draw
from tsunagi.web.intervals import intervals
from tsunagi.web.words import Words, labels

WORDS = Words(found := Contract(ROOT), labels(found), "ja")
OLD, NEW = "就労定着支援 ひばり（架空）", "障害者就業・生活支援センター みほん（架空）"
MOVES = answer(
    chain(
        "employment",
        line(OLD, "2024-04-01", "2027-04-01"),
        line(NEW, "2027-04-01", None),
        support=(
            line(NEW, "2027-01-01", "2027-04-01", role="co_support"),
            line(OLD, "2027-04-01", "2027-10-01", role="backup"),
        ),
    ),
    chain("daily_life", line(OLD, "2024-04-01", "2026-05-01"), line(None, "2026-05-01", None)),
)


def drawn(said: Any = MOVES, milestones: Sequence[Any] = (), **more: Any) -> str:
    return draw(said, milestones, **{"today": TODAY, "words": WORDS, "dates": Dates("ja")} | more)


def test_what_has_happened_is_solid_what_is_planned_dashed() -> None:
    lines = {
        title.split()[0]: [one.get("stroke-dasharray") for one in rects] for title, rects in boxes(drawn())
    }
    assert lines == {
        "1": [None, "6 4"],
        "2": ["6 4"],
        "3": ["6 4"],
        "4": ["6 4"],
        "5": [None],
        "6": [None, "6 4"],
    }


def test_what_was_known_earlier_was_planned_from_that_day_on() -> None:
    said = MOVES | {"knownAt": "2025-06-01T00:00:00+09:00"}
    lines = {
        title.split()[0]: [one.get("stroke-dasharray") for one in rects]
        for title, rects in boxes(drawn(said))
    }
    assert lines["5"] == [None, "6 4"]
    assert lines["6"] == ["6 4"]
    assert any("この日の記録で 令和7年6月1日" in one.text for one in written(drawn(said)))


def test_each_kind_of_bar_has_a_pattern_of_its_own() -> None:
    fills = {title.split()[0]: rects[0]["fill"] for title, rects in boxes(drawn(id="one"))}
    assert fills == {
        "1": "#d9e6ff",
        "2": "#ffffff",
        "3": "url(#one-beside)",
        "4": "url(#one-behind)",
        "5": "#d9e6ff",
        "6": "url(#one-nobody)",
    }
    ids = {one.get("id") for one in ElementTree.fromstring(drawn(id="one")).iter(f"{SVG}pattern")}
    assert {"one-beside", "one-behind", "one-nobody", "one-many", "one-some-nobody"} == ids


def test_a_bar_says_all_of_itself_with_its_last_day() -> None:
    assert titles(drawn()) == [
        f"1 就業支援 主担当 {OLD} 令和6年4月1日から令和9年3月31日まで",
        f"2 就業支援 主担当 {NEW} 令和9年4月1日から（予定）",
        f"3 就業支援 併走 {NEW} 令和9年1月1日から令和9年3月31日まで（予定）",
        f"4 就業支援 後方 {OLD} 令和9年4月1日から令和9年9月30日まで（予定）",
        f"5 生活支援 主担当 {OLD} 令和6年4月1日から令和8年4月30日まで",
        "6 生活支援 主担当 担当なし 令和8年5月1日から",
    ]


def test_the_picture_is_an_image_with_a_name_and_a_description() -> None:
    root = ElementTree.fromstring(drawn(id="here"))
    title, summary = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and summary is not None
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == title.get("id") == "here-title"
    assert root.get("aria-describedby") == summary.get("id") == "here-desc"
    assert title.text == "責任の経過"
    assert summary.text == (
        f"令和8年11月20日の主担当。就業支援: {OLD}。生活支援: 担当なし、担当なしの期間1件。すべての期間が表にあります。"
    )
    assert not [one for one in root.iter() if "href" in one.attrib or "tabindex" in one.attrib]


def test_in_english_the_picture_is_in_english() -> None:
    english = drawn(words=Words(WORDS.contract, WORDS.labels, "en"), dates=Dates("en"))
    texts = [one.text for one in written(english)]
    assert {"FY2026 (R8)", "Employment support", "Today 20 Nov 2026", "6 Nobody"} <= set(texts)
    assert titles(english)[4] == f"5 Daily life support Primary {OLD} 1 Apr 2024 to 30 Apr 2026"


def test_the_axis_has_the_fiscal_years_and_the_days_that_matter_have_lines() -> None:
    late = {"kind": "conference_due", "date": "2026-10-01", "overdue": True}
    same_day = {"kind": "window_opens", "date": "2026-10-01", "overdue": False}
    texts = [one.text for one in written(drawn(milestones=[late, same_day]))]
    assert {"令和6年度", "令和7年度", "令和8年度", "令和9年度", "今日 令和8年11月20日"} <= set(texts)
    assert "令和8年10月1日 ケース会議の期限（遅れ）・開示開始日" in texts


def test_the_line_of_today_goes_around_the_names_of_the_axis() -> None:
    in_october, in_april = drawn(today=date(2026, 10, 9)), drawn(today=date(2026, 4, 9))
    assert crossed(in_october) == crossed(in_april) == []
    texts = [one.text for one in written(in_october)]
    assert {"10月", "今日 令和8年10月9日"} <= set(texts)


def test_what_others_have_written_is_text_and_never_markup() -> None:
    said = answer(chain("employment", line('<script>alert("&")</script>', "2020-04-01", None)))
    assert "<script" not in drawn(said)
    assert "&lt;script&gt;" in drawn(said)


def test_nothing_in_the_picture_needs_an_inline_style_or_a_script() -> None:
    for one in ElementTree.fromstring(drawn()).iter():
        assert one.tag.removeprefix(SVG) not in {"style", "script", "a", "image", "foreignObject"}
        assert "style" not in one.attrib
        assert not [name for name in one.attrib if name.startswith("on")]


def many(count: int, days: int, domain: str = "employment", gaps: int = 7) -> dict[str, Any]:
    first = date(2016, 4, 1)
    starts = [(first + timedelta(days=days * one)).isoformat() for one in range(count)]
    ends = [*starts[1:], None]
    named = [None if one % gaps == gaps - 1 else f"機関{one}" for one in range(count)]
    return chain(domain, *(line(*one) for one in zip(named, starts, ends, strict=True)))


def test_what_is_too_short_to_be_seen_is_taken_together_and_says_so() -> None:
    said = titles(drawn(answer(many(300, 2))))
    assert said[0].startswith("1–299 短い期間299件、うち担当なし42件 平成28年4月1日から")
    assert said[1].startswith("300 就業支援 主担当")
    assert len(said) == 2


@pytest.mark.parametrize(("days", "text"), [(2000, "2 担当なし"), (90, "2"), (4, None)])
def test_a_name_that_finds_no_room_leaves_its_number(days: int, text: str | None) -> None:
    first, end = date(2024, 4, 1), date(2024, 4, 1) + timedelta(days=days)
    gap = line(None, first.isoformat(), end.isoformat())
    said = answer(chain("employment", line(OLD, "2020-04-01", "2024-04-01"), gap, line(NEW, gap["to"], None)))
    texts = [one.text for one in written(drawn(said)) if one.text.startswith("2") and "年" not in one.text]
    assert [one for one in texts if not one.isdigit() or len(one) < 4] == ([text] if text else [])


def test_a_day_far_from_all_others_does_not_press_them_together() -> None:
    far = drawn(MOVES | {"asOf": "2199-12-31"})
    assert [one.text for one in written(far)] == [one.text for one in written(drawn())]
    near = drawn(MOVES | {"asOf": "2029-05-01"})
    assert "この日の責任 令和11年5月1日" in [one.text for one in written(near)]


@pytest.mark.parametrize("days", [1, 4, 8, 30])
def test_a_thousand_intervals_are_drawn_at_once(days: int) -> None:
    names = ("employment", "daily_life", "employer_liaison")
    said = answer(*(many(334, days, name) for name in names))
    drawn(said)
    began = process_time()
    picture = drawn(said)
    assert process_time() - began < 0.1
    ranges = [[int(one) for one in title.split()[0].split("–")] for title in titles(picture)]
    shown = sum(one[-1] - one[0] + 1 for one in ranges)
    assert shown == len(intervals(said["domains"])) == 1002


@given(answers(), MILESTONES)
def test_no_two_texts_meet_and_nothing_leaves_the_picture(said: Any, milestones: Any) -> None:
    for language in ("ja", "en"):
        words = Words(WORDS.contract, WORDS.labels, language)
        picture = drawn(said, milestones, words=words, dates=Dates(language))
        width, height = (float(one) for one in ElementTree.fromstring(picture).attrib["viewBox"].split()[2:])
        texts = written(picture)
        for one in texts:
            assert 0 <= one.left < one.right <= width, one
            assert 0 < one.base < height, one
        assert not [pair for pair in combinations(texts, 2) if pair[0].meets(pair[1])]
        assert not crossed(picture)


@given(answers())
def test_every_day_of_a_chain_is_drawn_once(said: Any) -> None:
    numbers: dict[int, list[tuple[float, float]]] = {}
    for title, rects in boxes(drawn(said)):
        edges = [(float(one["x"]), float(one["x"]) + float(one["width"])) for one in rects]
        first, _, last = title.split()[0].partition("–")
        numbers[int(first)] = edges
        for earlier, later in pairwise(edges):
            assert abs(earlier[1] - later[0]) <= 1.1
        for number in range(int(first) + 1, int(last or first) + 1):
            numbers[number] = edges
    assert sorted(numbers) == [one.number for one in intervals(said["domains"])]
