"""How long what is known of a person is kept: values in, a day out."""

import csv
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Literal, get_args

Kind = Literal["completed", "ended", "registered"]
"""What the time is counted from: a handover that was completed, one that ended otherwise, or being registered."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Things of this kind are kept so long after their end; everywhere, or in one prefecture."""

    kind: Kind
    prefecture_code: str | None
    years: int
    source: str


@dataclass(frozen=True, slots=True)
class Course:
    """Something with a person that was over on a day, between organizations of these prefectures; or is not over."""

    kind: Kind
    over_on: date | None
    prefectures: Collection[str]


def rules_in(text: str) -> tuple[Rule, ...]:
    """The rules of a CSV file. Raises ValueError with the line that is none, or the kind that has no rule."""
    found = tuple(_rule(number, row) for number, row in enumerate(csv.DictReader(StringIO(text)), 2))
    for kind in get_args(Kind):
        if not any(one.kind == kind and one.prefecture_code is None for one in found):
            raise ValueError(f"no rule says how long {kind!r} is kept everywhere")
    return found


def _rule(number: int, row: dict[str, str]) -> Rule:
    try:
        years = int(row["years"])
        if row["kind"] in get_args(Kind) and 0 <= years <= 100 and row["source"]:
            return Rule(row["kind"], row["prefecture_code"] or None, years, row["source"])  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError):
        pass
    raise ValueError(f"line {number} is no rule: kind, prefecture_code, years and source")


def kept_until(rules: Iterable[Rule], courses: Sequence[Course]) -> date | None:
    """The first day on which nothing needs to be kept any more: the latest that any rule gives. None while something
    is not over."""
    ends = [_end(rules, one) for one in courses]
    return None if None in ends else max(filter(None, ends))


def _end(rules: Iterable[Rule], course: Course) -> date | None:
    if course.over_on is None:
        return None
    years = max(
        rule.years
        for rule in rules
        if rule.kind == course.kind and rule.prefecture_code in (None, *course.prefectures)
    )
    return years_after(course.over_on, years)


def years_after(day: date, years: int) -> date:
    """The same day of the calendar, or the one after where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
