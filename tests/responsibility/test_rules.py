"""Who holds what after a claim, an acceptance and a withdrawal, and what is refused."""

from datetime import date
from typing import Any

import pytest

from tests.responsibility.pictures import A, B, C
from tsunagi.errors import ResponsibilityNotHeld, RuleViolated
from tsunagi.ids import OrganizationId
from tsunagi.responsibility.rules import (
    FOREVER,
    Acceptance,
    Chain,
    Interval,
    Picture,
    Segment,
    Support,
    accept,
    claim,
    extend_back,
    gaps,
    hand_over,
    holder_on,
    joined,
    open_chain,
    support_beside,
    withdraw,
)

APRIL, JULY, SEPTEMBER, OCTOBER = (date(2026, month, 1) for month in (4, 7, 9, 10))
HELD_BY_A = Picture(open_chain(APRIL, A, "service_contract"))
NOBODYS = Picture(open_chain(APRIL, None))


def taken(**given: Any) -> Acceptance:
    said: dict[str, Any] = {"sender": A, "receiver": B, "role": "primary", "effective_on": OCTOBER}
    return Acceptance(**said | {"basis": "agreement"} | given)


def claimed(picture: Picture | None, sender: OrganizationId = A, **given: Any) -> Picture:
    said: dict[str, Any] = {"role": "primary", "effective_on": OCTOBER, "since": APRIL, "today": JULY}
    return claim(picture, sender, **said | {"basis": "agreement"} | given)


def refused_with(code: str, violation: RuleViolated) -> bool:
    return [notice.code for notice in violation.errors] == [code]


@pytest.mark.parametrize(
    "segments",
    [
        (),
        (Segment(APRIL, OCTOBER, A),),
        (Segment(APRIL, JULY, A), Segment(OCTOBER, FOREVER, B)),
        (Segment(APRIL, OCTOBER, A), Segment(JULY, FOREVER, B)),
        (Segment(APRIL, FOREVER, A), Segment(OCTOBER, FOREVER, B)),
        (Segment(JULY, FOREVER, B), Segment(APRIL, JULY, A)),
        (Segment(APRIL, JULY, A), Segment(JULY, FOREVER, A)),
    ],
    ids=["empty", "end", "hole", "overlap", "two ends", "disorder", "neighbors alike"],
)
def test_no_other_chain_can_be_made(segments: tuple[Segment, ...]) -> None:
    with pytest.raises(ValueError, match=r"chain|neighbors"):
        Chain(segments)


def test_an_interval_has_at_least_one_day() -> None:
    with pytest.raises(ValueError, match="interval"):
        Interval(APRIL, APRIL)


def test_neighbors_with_the_same_holder_are_joined() -> None:
    assert joined([Segment(APRIL, JULY, A), Segment(JULY, OCTOBER, A)]) == open_chain(APRIL, A)


def test_earlier_days_are_nobodys_until_somebody_claims_them() -> None:
    chain = extend_back(open_chain(JULY, A), APRIL)
    assert chain.segments == (Segment(APRIL, JULY, None), Segment(JULY, FOREVER, A))
    assert gaps(chain, from_day=APRIL) == (Interval(APRIL, JULY),)
    assert holder_on(chain, date(2026, 3, 31)) is None


def test_the_first_claim_opens_the_chain_with_the_day_that_is_said() -> None:
    assert claimed(None) == Picture(open_chain(APRIL, A, "agreement"))


def test_a_sender_who_says_no_day_has_claimed_nothing_and_the_gap_shows() -> None:
    picture = claimed(None, since=None)
    assert gaps(picture.chain, from_day=APRIL, until=OCTOBER) == (Interval(JULY, OCTOBER),)
    assert claimed(picture, since=None) == picture


def test_what_is_nobodys_goes_to_the_sender_who_says_since_when() -> None:
    assert claimed(claimed(None, since=None)) == Picture(open_chain(APRIL, A, "agreement"))


def test_a_sender_who_holds_already_changes_nothing() -> None:
    assert claimed(HELD_BY_A, since=None) == claimed(HELD_BY_A, since=JULY) == HELD_BY_A


def test_a_sender_may_offer_today_what_it_holds_only_later() -> None:
    promised = accept(HELD_BY_A, taken(), today=JULY)
    assert claimed(promised, B, effective_on=date(2029, 10, 1), since=None) == promised


@pytest.mark.parametrize(
    "said",
    [
        {"sender": B},
        {"sender": B, "since": None},
        {"sender": B, "role": "backup"},
    ],
)
def test_nobody_offers_what_another_holds(said: dict[str, Any]) -> None:
    with pytest.raises(ResponsibilityNotHeld):
        claimed(HELD_BY_A, **said)


def test_nobody_claims_days_that_were_anothers() -> None:
    left = Picture(hand_over(HELD_BY_A.chain, to=None, effective_on=JULY))
    with pytest.raises(ResponsibilityNotHeld):
        claimed(left, B, since=APRIL)
    assert holder_on(claimed(left, B, since=JULY).chain, APRIL) == A


@pytest.mark.parametrize("effective_on", [SEPTEMBER, date(2026, 11, 1)])
def test_what_was_promised_to_one_is_not_offered_to_another(effective_on: date) -> None:
    promised = accept(HELD_BY_A, taken(), today=JULY)
    with pytest.raises(ResponsibilityNotHeld):
        claimed(promised, effective_on=effective_on)
    with pytest.raises(ResponsibilityNotHeld):
        accept(promised, taken(receiver=C, effective_on=effective_on), today=JULY)


def test_support_may_still_be_asked_for_until_the_sender_leaves() -> None:
    promised = accept(HELD_BY_A, taken(), today=JULY)
    both = accept(promised, taken(receiver=C, role="backup", effective_on=SEPTEMBER), today=JULY)
    assert both.chain == promised.chain
    assert support_beside(both) == (Support(SEPTEMBER, FOREVER, C, "backup"),)


@pytest.mark.parametrize(
    "said",
    [
        {"since": date(2026, 10, 2)},
        {"effective_on": date(2026, 3, 31), "since": None},
    ],
)
def test_nobody_hands_over_before_its_own_first_day(said: dict[str, Any]) -> None:
    with pytest.raises(RuleViolated) as refused:
        claimed(HELD_BY_A, **said)
    assert refused_with("responsibility.effective_before_start", refused.value)


def test_nobody_hands_over_while_another_is_still_responsible() -> None:
    promised = accept(HELD_BY_A, taken(), today=JULY)
    with pytest.raises(RuleViolated) as refused:
        accept(promised, taken(sender=B, receiver=C, effective_on=SEPTEMBER), today=JULY)
    assert refused_with("responsibility.effective_before_start", refused.value)


@pytest.mark.parametrize("out_of_range", [date.min, date.max])
def test_the_ends_of_the_calendar_are_not_days(out_of_range: date) -> None:
    impossible: list[dict[str, Any]] = [{"since": out_of_range}, {"effective_on": out_of_range}]
    for said in impossible:
        with pytest.raises(RuleViolated) as refused:
            claimed(None, **said)
        assert refused_with("responsibility.date_out_of_range", refused.value)
    picture = accept(
        HELD_BY_A,
        taken(overlap_from=out_of_range, follow_up_until=out_of_range, sender_role_after="backup"),
        today=JULY,
    )
    assert holder_on(picture.chain, OCTOBER) == B


def test_the_receiver_holds_from_the_effective_date_and_not_before() -> None:
    picture = accept(HELD_BY_A, taken(), today=JULY)
    assert picture.chain.segments == (
        Segment(APRIL, OCTOBER, A, "service_contract"),
        Segment(OCTOBER, FOREVER, B, "agreement"),
    )
    assert picture.support == frozenset()


def test_an_acceptance_may_take_effect_today() -> None:
    assert holder_on(accept(HELD_BY_A, taken(effective_on=JULY), today=JULY).chain, JULY) == B


def test_no_acceptance_takes_effect_in_the_past() -> None:
    with pytest.raises(RuleViolated) as refused:
        accept(HELD_BY_A, taken(effective_on=date(2026, 6, 30)), today=JULY)
    assert refused_with("acceptance.effective_in_past", refused.value)
    assert refused.value.errors[0].party == "receiver"


def test_nothing_is_accepted_in_a_domain_nobody_spoke_of() -> None:
    with pytest.raises(ResponsibilityNotHeld):
        accept(None, taken(), today=JULY)


def test_the_receiver_supports_in_the_overlap_and_the_sender_follows_up() -> None:
    picture = accept(
        HELD_BY_A,
        taken(overlap_from=SEPTEMBER, sender_role_after="backup", follow_up_until=date(2027, 4, 1)),
        today=JULY,
    )
    assert support_beside(picture) == (
        Support(SEPTEMBER, OCTOBER, B, "co_support"),
        Support(OCTOBER, date(2027, 4, 1), A, "backup"),
    )


def test_the_overlap_does_not_begin_before_the_acceptance() -> None:
    picture = accept(HELD_BY_A, taken(overlap_from=APRIL), today=JULY)
    assert support_beside(picture) == (Support(JULY, OCTOBER, B, "co_support"),)


def test_follow_up_goes_on_where_no_end_is_said() -> None:
    picture = accept(HELD_BY_A, taken(sender_role_after="co_support"), today=JULY)
    assert [one.to for one in support_beside(picture)] == [None]


@pytest.mark.parametrize("role", ["co_support", "backup"])
def test_beside_the_sender_a_receiver_supports_and_the_sender_stays(role: str) -> None:
    picture = accept(HELD_BY_A, taken(role=role, sender_role_after="backup"), today=JULY)
    assert picture.chain == HELD_BY_A.chain
    assert support_beside(picture) == (Support(OCTOBER, FOREVER, B, role),)  # type: ignore[arg-type]


def test_what_a_supporter_accepts_later_takes_the_place_of_what_it_did() -> None:
    picture = accept(HELD_BY_A, taken(role="co_support", effective_on=JULY), today=JULY)
    picture = accept(picture, taken(role="backup"), today=JULY)
    assert support_beside(picture) == (
        Support(JULY, OCTOBER, B, "co_support"),
        Support(OCTOBER, FOREVER, B, "backup"),
    )


def test_a_backup_supports_more_closely_in_the_overlap() -> None:
    picture = accept(HELD_BY_A, taken(role="backup", effective_on=JULY), today=JULY)
    picture = accept(picture, taken(overlap_from=SEPTEMBER), today=JULY)
    assert support_beside(picture) == (
        Support(JULY, SEPTEMBER, B, "backup"),
        Support(SEPTEMBER, OCTOBER, B, "co_support"),
    )


def test_a_primary_is_not_listed_as_its_own_support() -> None:
    picture = accept(HELD_BY_A, taken(role="backup", effective_on=JULY), today=JULY)
    picture = accept(picture, taken(), today=JULY)
    assert support_beside(picture) == (Support(JULY, OCTOBER, B, "backup"),)


def test_a_holder_who_gives_all_away_does_not_slip_back_into_an_old_role() -> None:
    picture = accept(HELD_BY_A, taken(role="backup", effective_on=JULY), today=JULY)
    picture = accept(picture, taken(effective_on=SEPTEMBER), today=JULY)
    picture = accept(picture, taken(sender=B, receiver=C), today=JULY)
    assert support_beside(picture) == (Support(JULY, SEPTEMBER, B, "backup"),)


def test_a_withdrawal_keeps_the_overlap_that_was_lived_through() -> None:
    accepted = accept(HELD_BY_A, taken(overlap_from=JULY, sender_role_after="backup"), today=JULY)
    left = withdraw(accepted, before=HELD_BY_A, accepted=accepted, effective_on=OCTOBER, today=SEPTEMBER)
    assert left == Picture(HELD_BY_A.chain, frozenset({Support(JULY, SEPTEMBER, B, "co_support")}))


def test_a_withdrawn_change_of_role_leaves_the_old_role_whole() -> None:
    before = accept(HELD_BY_A, taken(role="co_support", effective_on=JULY), today=JULY)
    accepted = accept(before, taken(role="backup"), today=JULY)
    assert (
        withdraw(accepted, before=before, accepted=accepted, effective_on=OCTOBER, today=SEPTEMBER) == before
    )


def test_nothing_is_withdrawn_once_it_has_taken_effect() -> None:
    accepted = accept(HELD_BY_A, taken(), today=JULY)
    with pytest.raises(RuleViolated) as refused:
        withdraw(accepted, before=HELD_BY_A, accepted=accepted, effective_on=OCTOBER, today=OCTOBER)
    assert refused_with("responsibility.already_effective", refused.value)


def test_nothing_is_withdrawn_from_under_the_next_receiver() -> None:
    accepted = accept(HELD_BY_A, taken(), today=JULY)
    passed_on = accept(accepted, taken(sender=B, receiver=C, effective_on=date(2029, 10, 1)), today=JULY)
    with pytest.raises(RuleViolated) as refused:
        withdraw(passed_on, before=HELD_BY_A, accepted=accepted, effective_on=OCTOBER, today=JULY)
    assert refused_with("responsibility.passed_on", refused.value)
