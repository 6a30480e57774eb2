"""Dates as people read them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagi.web.dates import Dates, civil, fiscal_year, last_day
from tsunagi.web.typed_dates import with_year

JA, EN = Dates("ja"), Dates("en")
DAYS = st.dates(date(1900, 1, 2), date(2199, 12, 31))
"""What the contract lets through."""


@pytest.mark.parametrize(
    ("day", "ja", "en"),
    [
        ("2026-09-30", "令和8年9月30日", "30 Sep 2026"),
        ("2019-05-01", "令和元年5月1日", "1 May 2019"),
        ("2019-04-30", "平成31年4月30日", "30 Apr 2019"),
        ("1989-01-08", "平成元年1月8日", "8 Jan 1989"),
        ("1989-01-07", "昭和64年1月7日", "7 Jan 1989"),
        ("1926-12-25", "昭和元年12月25日", "25 Dec 1926"),
        ("1912-07-30", "大正元年7月30日", "30 Jul 1912"),
        ("1912-07-29", "明治45年7月29日", "29 Jul 1912"),
        ("1873-01-01", "明治6年1月1日", "1 Jan 1873"),
    ],
)
def test_a_day_has_the_era_it_lies_in(day: str, ja: str, en: str) -> None:
    assert (JA.short(day), EN.short(day)) == (ja, en)
    assert JA.long(day) == f"{ja}（{day}）"


def test_before_japan_had_this_calendar_a_day_has_no_era() -> None:
    assert JA.short("1872-12-31") == JA.long("1872-12-31") == "1872-12-31"


def test_an_end_is_the_last_day_and_not_the_one_after() -> None:
    assert JA.until("2026-10-01") == "令和8年9月30日まで"
    assert EN.until(date(2026, 10, 1)) == "until 30 Sep 2026"
    assert (JA.until(None), EN.until(None)) == ("期限なし", "without end")


def test_an_interval_names_its_first_and_its_last_day() -> None:
    assert JA.span("2024-04-01", "2026-10-01") == "令和6年4月1日から令和8年9月30日まで"
    assert EN.span("2024-04-01", "2026-10-01") == "1 Apr 2024 to 30 Sep 2026"
    assert (JA.span("2024-04-01", None), EN.span("2024-04-01", None)) == (
        "令和6年4月1日から",
        "from 1 Apr 2024",
    )
    assert (JA.span("2024-04-01", "2024-04-02"), EN.span("2024-04-01", "2024-04-02")) == (
        "令和6年4月1日の1日",
        "1 Apr 2024 only",
    )


@pytest.mark.parametrize(
    ("day", "ja", "en"),
    [
        ("2026-04-01", "令和8年度", "FY2026"),
        ("2027-03-31", "令和8年度", "FY2026"),
        ("2027-04-01", "令和9年度", "FY2027"),
        ("2019-04-01", "令和元年度", "FY2019"),
        ("2019-03-31", "平成30年度", "FY2018"),
        ("1989-03-31", "昭和63年度", "FY1988"),
        ("1989-04-01", "平成元年度", "FY1989"),
    ],
)
def test_a_fiscal_year_begins_in_april(day: str, ja: str, en: str) -> None:
    assert (JA.fiscal_year(day), EN.fiscal_year(day)) == (ja, en)


def test_a_moment_is_that_of_the_clocks_in_japan() -> None:
    at = datetime(2026, 9, 30, 15, 5, tzinfo=UTC)
    assert (JA.moment(at), EN.moment(at)) == ("令和8年10月1日 0:05", "1 Oct 2026, 0:05")
    assert JA.moment("2026-09-30T15:05:00Z") == JA.moment(at)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("12月1日", "2026-12-01"),
        ("１１月２０日", "2026-11-20"),
        ("11/19", "2027-11-19"),
        ("2月29日", "2028-02-29"),
        ("2月30日", "2月30日"),
        ("13/1", "13/1"),
        ("R9.4.1", "R9.4.1"),
        ("令和9年4月", "令和9年4月"),
        ("", ""),
    ],
)
def test_a_day_without_a_year_is_the_next_such_day(typed: str, day: str) -> None:
    assert with_year(typed, date(2026, 11, 20)) == day


@given(DAYS, DAYS)
def test_no_two_days_are_written_alike(one: date, other: date) -> None:
    for dates in (JA, EN):
        assert (dates.long(one) == dates.long(other)) == (one == other)
        assert (dates.short(one) == dates.short(other)) == (one == other)


@given(DAYS)
def test_the_day_after_the_last_is_where_an_interval_ends(end: date) -> None:
    assert last_day(end) + timedelta(days=1) == end
    assert JA.until(end) == f"{JA.short(last_day(end))}まで"
    assert civil(end.isoformat()) == end


@given(DAYS)
def test_a_fiscal_year_is_the_twelve_months_from_april(day: date) -> None:
    first = date(fiscal_year(day), 4, 1)
    assert first <= day < date(first.year + 1, 4, 1)
