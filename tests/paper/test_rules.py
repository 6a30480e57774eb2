"""Dates as offices write them, and furigana."""

from datetime import UTC, date, datetime

import pytest

from tsunagi.paper.rules import Ruby, day, furigana, last_day, moment


@pytest.mark.parametrize(
    ("on", "written"),
    [
        (date(2026, 4, 1), "令和8年4月1日（2026-04-01）"),
        (date(2019, 5, 1), "令和元年5月1日（2019-05-01）"),
        (date(2019, 4, 30), "平成31年4月30日（2019-04-30）"),
        (date(1989, 1, 8), "平成元年1月8日（1989-01-08）"),
        (date(1989, 1, 7), "昭和64年1月7日（1989-01-07）"),
        (date(1926, 12, 25), "昭和元年12月25日（1926-12-25）"),
        (date(1926, 12, 24), "大正15年12月24日（1926-12-24）"),
        (date(1912, 7, 30), "大正元年7月30日（1912-07-30）"),
        (date(1912, 7, 29), "明治45年7月29日（1912-07-29）"),
        (date(1873, 1, 1), "明治6年1月1日（1873-01-01）"),
        (date(1872, 12, 31), "1872-12-31"),
    ],
)
def test_a_day_is_written_in_its_era_with_the_date_beside(on: date, written: str) -> None:
    assert day(on, "ja") == written


def test_in_english_the_date_comes_first() -> None:
    assert day(date(2026, 4, 1), "en") == "2026-04-01 (Reiwa 8)"


def test_an_exclusive_end_is_written_as_the_last_day_that_counts() -> None:
    assert last_day(date(2026, 10, 1), "ja") == "令和8年9月30日（2026-09-30）まで"
    assert last_day(date(2026, 10, 1), "en") == "until 2026-09-30 (Reiwa 8) inclusive"
    assert last_day(None, "ja") == "期限なし"


def test_a_moment_is_the_one_of_japan() -> None:
    assert moment(datetime(2026, 3, 31, 15, 5, tzinfo=UTC), "ja") == "令和8年4月1日（2026-04-01）0:05"


def test_readings_are_shown_or_left_out() -> None:
    text = "あなたの{情報|じょうほう}です"
    assert furigana(text, shown=True) == ["あなたの", Ruby("情報", "じょうほう"), "です"]
    assert furigana(text, shown=False) == "あなたの情報です"
