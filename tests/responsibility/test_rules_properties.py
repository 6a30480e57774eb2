"""What holds for every chain and picture that the rules can make."""

from dataclasses import replace
from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.responsibility.pictures import (
    A,
    B,
    C,
    Claim,
    D,
    acceptances_of,
    attempt,
    chains,
    claims,
    days,
    every_day,
    holders_on,
    offers,
    organizations,
    pictures,
    support_roles,
    todays,
)
from tsunagi.errors import Refusal
from tsunagi.ids import OrganizationId
from tsunagi.responsibility.rules import (
    Acceptance,
    Chain,
    Picture,
    accept,
    changes,
    end_support,
    extend_back,
    gaps,
    hand_over,
    holder_on,
    restore,
    support_beside,
    withdraw,
)


def whole(chain: Chain, first_day: date) -> bool:
    return every_day(lambda day: len(holders_on(chain, day)) == (day >= first_day))


@given(chains, st.lists(st.tuples(st.none() | organizations, days)), days, chains)
def test_every_day_from_the_first_one_on_has_exactly_one_holder(
    chain: Chain, moves: list[tuple[OrganizationId | None, date]], first_day: date, other: Chain
) -> None:
    chain = extend_back(chain, first_day)
    for holder, effective_on in moves:
        if effective_on >= chain.first_day:
            chain = hand_over(chain, to=holder, effective_on=effective_on)
    assert chain.first_day <= first_day
    assert whole(chain, chain.first_day)
    restored = restore(chain, other, from_day=first_day)
    assert whole(restored, chain.first_day)


@given(chains, days)
def test_holder_on_a_day_is_that_days_segment(chain: Chain, first_day: date) -> None:
    chain = extend_back(chain, first_day)
    assert every_day(lambda day: [holder_on(chain, day)] == (holders_on(chain, day) or [None]))


@given(chains, days, organizations)
def test_handing_over_changes_the_effective_date_and_after_alone(
    chain: Chain, effective_on: date, to: OrganizationId
) -> None:
    assume(effective_on >= chain.first_day)
    after = hand_over(chain, to=to, effective_on=effective_on)
    assert every_day(
        lambda day: holder_on(after, day) == (to if day >= effective_on else holder_on(chain, day))
    )


@given(chains, chains, days)
def test_restoring_takes_the_days_from_one_side_or_the_other(chain: Chain, before: Chain, day: date) -> None:
    assume(day >= chain.first_day)
    restored = restore(chain, before, from_day=day)
    assert every_day(lambda one: holder_on(restored, one) == holder_on(before if one >= day else chain, one))


@given(chains, chains)
def test_changes_are_the_days_with_another_holder(old: Chain, new: Chain) -> None:
    moved = changes(old, new)
    assert every_day(
        lambda day: (
            any(one.valid_from <= day and (day < one.valid_to or one.to is None) for one in moved)
            == (holder_on(old, day) != holder_on(new, day))
        )
    )
    assert all(one.before == holder_on(old, one.valid_from) for one in moved)
    assert all(one.after == holder_on(new, one.valid_from) for one in moved)


@given(chains, days, days)
def test_gaps_are_the_days_that_are_nobodys(chain: Chain, from_day: date, until: date) -> None:
    found = gaps(chain, from_day=from_day, until=until)
    assert every_day(
        lambda day: (
            any(gap.valid_from <= day < gap.valid_to for gap in found)
            == (holders_on(chain, day) == [None] and from_day <= day < until)
        )
    )


@given(pictures(), claims, todays)
def test_a_claim_takes_nobodys_days_only(picture: Picture, claim: Claim, today: date) -> None:
    after = attempt(claim, picture, today)
    assert every_day(
        lambda day: (
            holder_on(after.chain, day) == holder_on(picture.chain, day)
            or (holder_on(picture.chain, day) is None and holder_on(after.chain, day) == claim.sender)
        )
    )
    assert after.support == picture.support


@given(pictures(), claims, todays)
def test_claiming_again_changes_nothing(picture: Picture, claim: Claim, today: date) -> None:
    once = attempt(claim, picture, today)
    assert attempt(claim, once, today) == once


@given(offers())
def test_an_acceptance_moves_the_senders_days_from_the_effective_date_only(
    offer: tuple[Picture, Acceptance, date],
) -> None:
    picture, acceptance, today = offer
    after = attempt(acceptance, picture, today)
    moved = changes(picture.chain, after.chain)
    assert all(one.before in (acceptance.sender, None) and one.after == acceptance.receiver for one in moved)
    assert all(one.valid_from >= acceptance.effective_on >= today for one in moved)
    assert not moved or acceptance.role == "primary"


@given(offers())
def test_an_acceptance_is_refused_or_holds(offer: tuple[Picture, Acceptance, date]) -> None:
    picture, acceptance, today = offer
    try:
        after = accept(picture, acceptance, today=today)
    except Refusal:
        return
    on, receiver = acceptance.effective_on, acceptance.receiver
    if acceptance.role == "primary":
        assert every_day(lambda day: day < on or holder_on(after.chain, day) == receiver)
    elif holder_on(after.chain, on) != receiver:
        assert (receiver, acceptance.role) in roles(after, on)


@given(offers())
def test_nobody_but_sender_and_receiver_gets_another_support_role(
    offer: tuple[Picture, Acceptance, date],
) -> None:
    picture, acceptance, today = offer
    after = attempt(acceptance, picture, today)
    parties = {acceptance.sender, acceptance.receiver}
    others = [one for one in support_beside(picture) if one.organization not in parties]
    assert [one for one in support_beside(after) if one.organization not in parties] == others


@given(offers(role="primary"), st.data())
def test_what_one_receiver_accepted_no_other_acceptance_of_the_sender_takes(
    offer: tuple[Picture, Acceptance, date], data: st.DataObject
) -> None:
    picture, acceptance, today = offer
    accepted = attempt(acceptance, picture, today)
    assume(acceptance.receiver != acceptance.sender and accepted.chain != picture.chain)
    other = replace(data.draw(acceptances_of(picture)), sender=acceptance.sender)
    after = attempt(other, accepted, today)
    assert every_day(
        lambda day: day < acceptance.effective_on or holder_on(after.chain, day) == acceptance.receiver
    )


@given(offers())
def test_withdrawing_an_acceptance_leaves_no_trace_of_it(offer: tuple[Picture, Acceptance, date]) -> None:
    before, acceptance, today = offer
    assume(acceptance.effective_on > today)
    accepted = attempt(acceptance, before, today)
    left = withdraw(
        accepted, before=before, accepted=accepted, effective_on=acceptance.effective_on, today=today
    )
    assert left == before


@given(offers(), st.data())
def test_withdrawing_keeps_what_others_accepted_since(
    offer: tuple[Picture, Acceptance, date], data: st.DataObject
) -> None:
    before, acceptance, today = offer
    assume(acceptance.effective_on > today)
    accepted = attempt(acceptance, before, today)
    uninvolved = sorted({A, B, C, D} - {acceptance.sender, acceptance.receiver})
    supporting = data.draw(support_roles)
    later = replace(
        data.draw(acceptances_of(accepted)), receiver=data.draw(st.sampled_from(uninvolved)), role=supporting
    )
    since = attempt(later, accepted, today)
    left = withdraw(
        since, before=before, accepted=accepted, effective_on=acceptance.effective_on, today=today
    )
    assert left.chain == before.chain
    assert {one for one in left.support if one.organization == later.receiver} == {
        one for one in since.support if one.organization == later.receiver
    }


@given(offers(), st.data(), todays)
def test_a_withdrawal_never_touches_the_past(
    offer: tuple[Picture, Acceptance, date], data: st.DataObject, then: date
) -> None:
    before, acceptance, today = offer
    assume(today <= then)
    accepted = attempt(acceptance, before, today)
    since = attempt(data.draw(acceptances_of(accepted)), accepted, then)
    try:
        left = withdraw(
            since, before=before, accepted=accepted, effective_on=acceptance.effective_on, today=then
        )
    except Refusal:
        return
    assert every_day(
        lambda day: (
            day >= then
            or (holder_on(left.chain, day), roles(left, day))
            == (holder_on(since.chain, day), roles(since, day))
        )
    )


def roles(picture: Picture, day: date) -> set[tuple[OrganizationId, str]]:
    return {
        (one.organization, one.role)
        for one in support_beside(picture)
        if one.valid_from <= day and (day < one.valid_to or one.to is None)
    }


@given(pictures())
def test_each_organization_has_at_most_one_role_a_day(picture: Picture) -> None:
    def one_each(day: date) -> bool:
        named = [organization for organization, _ in roles(picture, day)]
        return len(named) == len(set(named)) and holder_on(picture.chain, day) not in named

    assert every_day(one_each)


@given(pictures())
def test_support_beside_is_what_was_stated_but_for_ones_own_primary_days(picture: Picture) -> None:
    def stated(day: date) -> set[OrganizationId]:
        return {
            one.organization
            for one in picture.support
            if one.valid_from <= day and (day < one.valid_to or one.to is None)
        }

    assert every_day(
        lambda day: (
            {organization for organization, _ in roles(picture, day)}
            == stated(day) - {holder_on(picture.chain, day)}
        )
    )


@given(pictures(), organizations, days)
def test_ended_support_does_not_reach_the_day(
    picture: Picture, organization: OrganizationId, on: date
) -> None:
    support = end_support(picture.support, organization, on=on)
    assert all(one.valid_to <= on for one in support if one.organization == organization)
    assert {one for one in support if one.organization != organization} == {
        one for one in picture.support if one.organization != organization
    }
