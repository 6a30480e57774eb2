"""What an organization may say of its own responsibility: it takes nobody's days and gives up none but its own."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.responsibility.pictures import (
    START,
    A,
    B,
    C,
    days,
    every_day,
    holders_on,
    organizations,
    pictures,
    roles,
    todays,
)
from tsunagi.errors import Refusal, ResponsibilityNotHeld, RuleViolated
from tsunagi.ids import OrganizationId
from tsunagi.responsibility.corrections import Correction, End, correct, end, interval
from tsunagi.responsibility.rules import (
    FOREVER,
    Interval,
    Picture,
    Role,
    Support,
    hand_over,
    holder_on,
    open_chain,
    support_beside,
)

APRIL, MAY, JUNE = (START + timedelta(days=30 * month) for month in range(3))
HELD = Picture(hand_over(open_chain(APRIL, A), to=B, effective_on=JUNE))
"""A's from April, B's from June on."""


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    from_day = draw(days) - timedelta(days=draw(st.integers(0, 5)))
    to_day = draw(st.none() | days)
    if to_day is None or to_day <= from_day:
        return Interval(from_day, FOREVER)
    return Interval(from_day, to_day)


corrections = st.builds(
    Correction,
    domain=st.just("employment"),
    role=roles,
    days=intervals(),
    held=st.booleans(),
    code=st.just("date_wrong"),
    basis=st.sampled_from([None, "agreement"]),
)
ends = st.builds(End, domain=st.just("employment"), role=roles, on=days, code=st.just("other"))


def said(picture: Picture, who: OrganizationId, what: Correction | End, today: date) -> Picture:
    """What becomes of the picture; the same one where it is refused."""
    with suppress(Refusal):
        return correct(picture, who, what) if isinstance(what, Correction) else end(picture, who, what, today)
    return picture


@given(pictures(), st.lists(st.tuples(organizations, corrections | ends), max_size=6), todays)
def test_no_sequence_makes_a_hole_an_overlap_or_an_end(
    picture: Picture, statements: list[tuple[OrganizationId, Correction | End]], today: date
) -> None:
    for who, what in statements:
        picture = said(picture, who, what, today)
    first = picture.chain.first_day
    assert every_day(lambda day: len(holders_on(picture.chain, day)) == (day >= first))
    assert all(one.valid_from < one.valid_to for one in picture.support)


@given(pictures(), organizations, corrections | ends, todays)
def test_nobodys_days_but_ones_own_are_touched(
    picture: Picture, who: OrganizationId, what: Correction | End, today: date
) -> None:
    after = said(picture, who, what, today)

    def untouched(day: date) -> bool:
        then, now = holder_on(picture.chain, day), holder_on(after.chain, day)
        return then == now or {then, now} == {who, None}

    assert every_day(untouched)
    others = {one for one in picture.support if one.organization != who}
    assert others == {one for one in after.support if one.organization != who}


@given(pictures(), organizations, corrections)
def test_a_correction_changes_its_own_days_alone(
    picture: Picture, who: OrganizationId, what: Correction
) -> None:
    after = said(picture, who, what, START)
    outside: Callable[[date], bool] = lambda day: not what.days.valid_from <= day < what.days.valid_to  # noqa: E731
    assert every_day(
        lambda day: (
            not outside(day)
            or day == date.max
            or holder_on(after.chain, day) == holder_on(picture.chain, day)
        )
    )


@given(pictures(), organizations, corrections)
def test_what_was_taken_can_be_given_up_again(
    picture: Picture, who: OrganizationId, what: Correction
) -> None:
    try:
        after = correct(picture, who, what)
    except Refusal:
        return
    if what.role == "primary" and what.held:
        back = correct(after, who, Correction(what.domain, what.role, what.days, False, what.code))
        assert every_day(
            lambda day: (
                holder_on(back.chain, day)
                == (
                    None
                    if what.days.valid_from <= day < what.days.valid_to
                    or day == FOREVER == what.days.valid_to
                    else holder_on(picture.chain, day)
                )
            )
        )


@given(pictures(), organizations, ends, todays)
def test_an_end_leaves_what_has_been_as_it_was(
    picture: Picture, who: OrganizationId, what: End, today: date
) -> None:
    after = said(picture, who, what, today)
    assert every_day(
        lambda day: day >= what.on or holder_on(after.chain, day) == holder_on(picture.chain, day)
    )
    if after != picture and what.role == "primary":
        assert every_day(lambda day: day < what.on or holder_on(after.chain, day) != who)


def correction(role: Role, days_: Interval, *, held: bool) -> Correction:
    return Correction("employment", role, days_, held, "date_wrong")


def test_a_holder_gives_up_days_and_another_takes_them() -> None:
    month = Interval(MAY, JUNE)
    given_up = correct(HELD, A, correction("primary", month, held=False))
    assert [one.holder for one in given_up.chain.segments] == [A, None, B]
    taken = correct(given_up, B, correction("primary", month, held=True))
    assert [(one.valid_from, one.holder) for one in taken.chain.segments] == [(APRIL, A), (MAY, B)]


@pytest.mark.parametrize("held", [True, False])
def test_nobody_speaks_of_anothers_days(held: bool) -> None:
    with pytest.raises(ResponsibilityNotHeld):
        correct(HELD, C, correction("primary", Interval(APRIL, MAY), held=held))


def test_one_who_began_earlier_takes_the_days_before_the_first() -> None:
    earlier = Interval(APRIL - timedelta(days=10), APRIL)
    taken = correct(HELD, A, correction("primary", earlier, held=True))
    assert taken.chain.first_day == earlier.valid_from
    assert [one.holder for one in taken.chain.segments] == [A, B]


def test_days_before_the_first_are_not_ones_own_to_give_up() -> None:
    with pytest.raises(ResponsibilityNotHeld):
        correct(HELD, A, correction("primary", Interval(APRIL - timedelta(days=1), MAY), held=False))


def test_what_is_recorded_so_already_is_refused() -> None:
    with pytest.raises(RuleViolated):
        correct(HELD, A, correction("primary", Interval(APRIL, MAY), held=True))


def test_support_is_corrected_within() -> None:
    picture = Picture(HELD.chain, frozenset({Support(JUNE, FOREVER, A, "backup")}))
    month = Interval(JUNE + timedelta(days=10), JUNE + timedelta(days=20))
    corrected = correct(picture, A, correction("backup", month, held=False))
    assert [(one.valid_from, one.valid_to) for one in support_beside(corrected)] == [
        (JUNE, month.valid_from),
        (month.valid_to, FOREVER),
    ]
    assert support_beside(correct(corrected, A, correction("backup", month, held=True))) != ()


def test_an_end_is_stated_as_nobodys_and_leaves_the_next_holder() -> None:
    ended = end(HELD, A, End("employment", "primary", MAY, "moved_away"), APRIL)
    assert [(one.valid_from, one.holder) for one in ended.chain.segments] == [
        (APRIL, A),
        (MAY, None),
        (JUNE, B),
    ]


@pytest.mark.parametrize(
    ("what", "refusal"),
    [
        (End("employment", "primary", APRIL - timedelta(days=1), "died"), RuleViolated),
        (End("employment", "primary", FOREVER, "died"), RuleViolated),
        (End("employment", "primary", JUNE, "died"), ResponsibilityNotHeld),
        (End("employment", "backup", MAY, "died"), ResponsibilityNotHeld),
    ],
)
def test_what_has_passed_and_what_there_is_not_cannot_be_ended(what: End, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        end(HELD, A, what, APRIL)


@pytest.mark.parametrize(
    ("from_day", "to_day"), [(JUNE, None), (MAY, MAY), (MAY, APRIL), (date.min, None), (date.max, None)]
)
def test_days_ahead_and_no_days_are_no_correction(from_day: date, to_day: date | None) -> None:
    with pytest.raises(RuleViolated):
        interval(from_day, to_day, MAY)
