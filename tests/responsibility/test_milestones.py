"""Dates as the law and the field count them."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tsunagi.directory.rules import AreaRules
from tsunagi.responsibility.milestones import (
    Milestone,
    conference_due,
    corresponding_day,
    follow_up_end,
    milestones,
    overlap_starts,
    period_end,
    settlement_period,
    sharing_due,
    window_opens,
)

RULES = AreaRules()
any_day = st.dates()
this_century = st.dates(date(2000, 1, 1), date(2099, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("hired_on", "ends_on"),
    [
        ("2026-04-01", "2026-09-30"),
        ("2026-08-31", "2027-02-28"),
        ("2028-08-29", "2029-02-28"),
        ("2028-08-30", "2029-02-28"),
        ("2028-08-31", "2029-02-28"),
        ("2027-08-29", "2028-02-28"),
        ("2027-08-30", "2028-02-29"),
        ("2027-08-31", "2028-02-29"),
    ],
)
def test_follow_up_ends_six_months_after_hiring(hired_on: str, ends_on: str) -> None:
    assert follow_up_end(day(hired_on)) == day(ends_on)


@pytest.mark.parametrize(
    ("hired_on", "first_day", "last_day"),
    [
        ("2026-04-01", "2026-10-01", "2029-09-30"),
        ("2026-08-31", "2027-03-01", "2030-02-28"),
        ("2024-08-29", "2025-03-01", "2028-02-29"),
    ],
)
def test_settlement_lasts_three_years_from_its_first_day(
    hired_on: str, first_day: str, last_day: str
) -> None:
    assert settlement_period(day(hired_on)) == (day(first_day), day(last_day))


def test_conference_is_due_half_a_year_before_the_receiver_takes_over() -> None:
    assert conference_due(day("2029-10-01"), RULES) == day("2029-03-31")


def test_sharing_is_due_three_months_before_the_end() -> None:
    assert sharing_due(day("2029-09-30"), RULES) == day("2029-06-30")


def test_overlap_is_the_last_three_months() -> None:
    assert overlap_starts(day("2029-10-01"), RULES) == day("2029-07-01")


def test_window_opens_six_months_before() -> None:
    assert window_opens(day("2029-10-01"), RULES) == day("2029-04-01")


def test_an_area_sets_its_own_lead_times() -> None:
    rules = AreaRules(
        conference_lead_months=4, window_lead_months=12, sharing_lead_months=5, overlap_months=1
    )
    assert conference_due(day("2029-10-01"), rules) == day("2029-05-31")
    assert window_opens(day("2029-10-01"), rules) == day("2028-10-01")
    assert sharing_due(day("2029-09-30"), rules) == day("2029-04-30")
    assert overlap_starts(day("2029-10-01"), rules) == day("2029-09-01")


@given(this_century, st.integers(1, 48))
def test_a_lead_is_the_shortest_whole_period_before_the_end(ends_on: date, months: int) -> None:
    due = sharing_due(ends_on, AreaRules(sharing_lead_months=months))
    assert period_end(due + timedelta(days=1), months) <= ends_on
    assert period_end(due + timedelta(days=2), months) > ends_on


@given(this_century, st.integers(0, 48))
def test_a_corresponding_day_keeps_its_number_unless_the_month_is_shorter(start: date, months: int) -> None:
    there = corresponding_day(start, months)
    assert (there.year - start.year) * 12 + there.month - start.month == months
    assert there.day == start.day or (there + timedelta(days=1)).day == 1


@given(any_day, st.integers(-1200, 1200))
@example(date.min, 6)
@example(date.max, 6)
def test_no_date_is_too_early_or_too_late(any_date: date, months: int) -> None:
    rules = AreaRules(
        conference_lead_months=months,
        window_lead_months=months,
        sharing_lead_months=months,
        overlap_months=months,
    )
    assert milestones(
        hired_on=any_date,
        handover_type="settlement_to_center",
        service_ends_on=any_date,
        planned_date=any_date,
        rules=rules,
    )


def found(**given: object) -> list[tuple[str, str]]:
    dates: dict[str, object] = {"hired_on": None, "service_ends_on": None, "planned_date": None}
    listed: tuple[Milestone, ...] = milestones(**(dates | given), rules=RULES)  # type: ignore[arg-type]
    return [(one.on.isoformat(), one.kind) for one in listed]


def test_settlement_to_center_has_every_milestone_in_order() -> None:
    assert found(
        handover_type="settlement_to_center",
        hired_on=day("2026-04-01"),
        service_ends_on=day("2029-09-30"),
        planned_date=day("2029-10-01"),
    ) == [
        ("2026-09-30", "follow_up_ends"),
        ("2026-10-01", "settlement_starts"),
        ("2029-03-31", "conference_due"),
        ("2029-04-01", "window_opens"),
        ("2029-06-30", "sharing_due"),
        ("2029-07-01", "overlap_starts"),
        ("2029-09-30", "service_ends"),
        ("2029-09-30", "settlement_ends"),
        ("2029-10-01", "planned_date"),
    ]


def test_sharing_is_due_by_the_hiring_date_where_no_end_is_stated() -> None:
    listed = found(handover_type="settlement_to_center", hired_on=day("2026-04-01"))
    assert ("2029-06-30", "sharing_due") in listed


def test_a_handover_into_settlement_has_no_conference_before_the_hiring() -> None:
    listed = found(
        handover_type="transition_to_settlement",
        hired_on=day("2026-04-01"),
        planned_date=day("2026-10-01"),
    )
    assert listed == [
        ("2026-04-01", "window_opens"),
        ("2026-07-01", "overlap_starts"),
        ("2026-09-30", "follow_up_ends"),
        ("2026-10-01", "planned_date"),
        ("2026-10-01", "settlement_starts"),
        ("2029-09-30", "settlement_ends"),
    ]


def test_a_choice_of_service_has_no_employer_to_visit() -> None:
    listed = found(handover_type="selection_to_service", planned_date=day("2026-10-01"))
    assert listed == [("2026-04-01", "window_opens"), ("2026-10-01", "planned_date")]


def test_what_is_not_known_has_no_milestone() -> None:
    assert found(handover_type="settlement_to_center") == []
