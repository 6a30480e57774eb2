"""How long what is known of a person is kept."""

from datetime import date
from pathlib import Path

import pytest

from tsunagi import erasure
from tsunagi.erasure.rules import Course, Rule, kept_until, rules_in, years_after

RULES = rules_in((Path(erasure.__file__).parent / "retention.csv").read_text())
CHIBA = Rule("completed", "12", 10, "千葉県の条例（架空）")
DONE = Course("completed", date(2026, 3, 31), ("12", "13"))


def test_five_years_after_completion_unless_told_otherwise() -> None:
    assert {one.years for one in RULES} == {5}
    assert all(one.source for one in RULES)
    assert kept_until(RULES, [DONE]) == date(2031, 3, 31)


def test_the_longest_rule_of_either_side_counts() -> None:
    assert kept_until([*RULES, CHIBA], [DONE]) == date(2036, 3, 31)
    elsewhere = Course("completed", date(2026, 3, 31), ("13",))
    assert kept_until([*RULES, CHIBA], [elsewhere]) == date(2031, 3, 31)


def test_a_rule_is_of_its_kind_alone() -> None:
    assert kept_until([*RULES, CHIBA], [Course("ended", date(2026, 3, 31), ("12",))]) == date(2031, 3, 31)


def test_the_last_thing_counts() -> None:
    later = Course("ended", date(2027, 1, 1), ())
    assert kept_until(RULES, [DONE, later]) == date(2032, 1, 1)


def test_while_something_is_not_over_there_is_no_end() -> None:
    assert kept_until(RULES, [DONE, Course("ended", None, ())]) is None


def test_a_leap_day_ends_on_the_day_after() -> None:
    assert years_after(date(2028, 2, 29), 5) == date(2033, 3, 1)
    assert years_after(date(2028, 2, 29), 4) == date(2032, 2, 29)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind,prefecture_code,years,source\ncompleted,,five,x\n", "line 2"),
        ("kind,prefecture_code,years,source\nfinished,,5,x\n", "line 2"),
        ("kind,prefecture_code,years,source\ncompleted,,5,\n", "line 2"),
        ("kind,prefecture_code,years,source\ncompleted,12,5,x\n", "'completed'"),
        ("completed,,5,x\n", "no rule"),
    ],
)
def test_what_is_no_rule_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rules_in(text)
