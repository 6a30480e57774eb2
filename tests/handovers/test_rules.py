"""The handover as a value: states, dates and answers."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, get_args
from uuid import uuid4

import pytest

from tsunagi.directory.rules import DEFAULT_AREA_RULES
from tsunagi.handovers import rules
from tsunagi.handovers.rules import DomainAnswer, DomainState, Handover, Status
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream
from tsunagi.responsibility.rules import FOREVER

PLANNED = date(2027, 4, 1)
TODAY = date(2026, 11, 20)
AT = datetime(2026, 11, 20, tzinfo=UTC)
STATUSES: tuple[Status, ...] = get_args(Status)


def handover(**changes: Any) -> Handover:
    """An offer of one domain for 2027-04-01, to be answered by the end of the year."""
    domain = DomainState("employment", "primary", PLANNED, "none", None, None)
    offered = Handover(
        id=HandoverId(uuid4()),
        person_id=PersonId(uuid4()),
        stream=Stream(uuid4()),
        sender_id=OrganizationId(uuid4()),
        receiver_id=OrganizationId(uuid4()),
        handover_type="settlement_to_center",
        status="offered",
        version=1,
        revision=1,
        same_corporation=False,
        area_code=None,
        planned_date=PLANNED,
        service_ends_on=None,
        hired_on=None,
        first_conference_on=None,
        shared_on=None,
        continuing_need=False,
        employer_window_missing=False,
        overlap_from=None,
        overlap_to=None,
        follow_up_until=None,
        window_opens_on=date(2026, 10, 1),
        window_announced=True,
        answer_due_on=date(2026, 12, 31),
        due_on=PLANNED,
        recorded_at=AT,
        changed_at=AT,
        offered_at=AT,
        domains=(domain,),
    )
    return replace(offered, **changes)


def answer(**changes: Any) -> DomainAnswer:
    return replace(DomainAnswer("employment", "accept", "primary", PLANNED, None), **changes)


def test_every_state_can_be_reached_and_every_end_is_one() -> None:
    reached: set[str] = {"draft"}
    for _ in STATUSES:
        reached |= {
            after for _, steps in rules.STEPS.values() for before, after in steps.items() if before in reached
        }
    assert reached == set(STATUSES)
    leaving = {before for _, steps in rules.STEPS.values() for before in steps}
    assert set(STATUSES) - leaving == rules.ENDED


def test_what_is_available_is_what_leads_somewhere() -> None:
    for status in STATUSES:
        for side in ("sender", "receiver"):
            actions = rules.available(status, side, window_open=True)
            assert all(rules.after(status, action) for action in actions)
            assert all(rules.STEPS[action][0] == side for action in actions)
            closed = rules.available(status, side, window_open=False)
            assert set(closed) == (set(actions) if side == "sender" else set(actions) & {"decline"})


@pytest.mark.parametrize(
    ("offered", "opens", "planned", "due"),
    [
        ("2026-11-20", "2026-10-01", "2027-04-01", "2026-12-20"),
        ("2026-09-01", "2026-10-01", "2027-04-01", "2026-10-31"),
        ("2027-03-20", "2026-10-01", "2027-04-01", "2027-04-01"),
        ("2027-04-01", "2026-10-01", "2027-04-01", "2027-04-01"),
        ("2027-04-05", "2026-10-01", "2027-04-01", "2027-04-05"),
    ],
)
def test_an_answer_is_due_by_the_limit_from_when_it_can_be_read(
    offered: str, opens: str, planned: str, due: str
) -> None:
    area = replace(DEFAULT_AREA_RULES, answer_limit_days=30)
    days = [date.fromisoformat(day) for day in (offered, opens, planned)]
    assert rules.answer_due_on(days[0], days[1], days[2], area) == date.fromisoformat(due)


def test_a_handover_expires_on_the_day_after_its_limit_and_not_before() -> None:
    for status in ("offered", "received"):
        waiting = handover(status=status)
        assert rules.next_step(waiting, date(2026, 12, 31)) is None
        assert rules.next_step(waiting, date(2027, 1, 1)) == "expire"
        assert rules.as_of(waiting, date(2027, 1, 1)).status == "expired"


def test_nothing_but_an_unanswered_offer_expires() -> None:
    for status in set(STATUSES) - rules.UNANSWERED - {"accepted", "overlapping"}:
        assert rules.next_step(handover(status=status), date(2190, 1, 1)) is None


@pytest.mark.parametrize(
    ("overlap_from", "day", "step"),
    [
        (None, "2027-03-31", None),
        (None, "2027-04-01", "complete"),
        ("2027-01-01", "2026-12-31", None),
        ("2027-01-01", "2027-01-01", "overlap"),
        ("2027-05-01", "2027-04-01", "complete"),
    ],
)
def test_an_accepted_handover_overlaps_and_completes_on_its_days(
    overlap_from: str | None, day: str, step: str | None
) -> None:
    taken = rules.answered(handover().domains[0], answer())
    begins = date.fromisoformat(overlap_from) if overlap_from else None
    accepted = handover(status="accepted", answered_at=AT, overlap_from=begins, domains=(taken,))
    assert rules.next_step(accepted, date.fromisoformat(day)) == step


def test_what_has_ended_is_due_for_ever_after() -> None:
    assert {rules.next_due(handover(status=status)) for status in rules.ENDED} == {FOREVER}
    assert rules.next_due(handover()) == date(2026, 12, 31)
    assert rules.next_due(handover(status="draft", answer_due_on=None)) == PLANNED


@pytest.mark.parametrize(
    ("ends_on", "today", "due"),
    [
        ("2027-03-31", "2026-12-31", "2026-12-31"),
        ("2027-03-31", "2027-01-01", "2027-04-01"),
        ("2027-03-31", "2026-09-30", "2027-04-01"),  # the receiver may not know yet when the service ends
        (None, "2026-12-31", "2027-04-01"),
        ("2028-03-31", "2026-12-31", "2027-04-01"),
    ],
)
def test_what_was_returned_is_due_again_while_it_can_be_shared_in_time(
    ends_on: str | None, today: str, due: str
) -> None:
    ends = date.fromisoformat(ends_on) if ends_on else None
    returned = handover(status="returned", answer_due_on=None, service_ends_on=ends)
    day = rules.due_again(returned, DEFAULT_AREA_RULES, date.fromisoformat(today))
    assert day == date.fromisoformat(due)
    assert rules.looked(replace(returned, due_on=day)).due_on == day


def test_the_clock_looks_when_the_next_step_is_due() -> None:
    assert rules.next_look(handover()) == date(2027, 1, 1)
    assert rules.next_look(handover(window_announced=False)) == date(2026, 10, 1)
    for status in rules.ENDED | {"draft", "returned"}:
        assert rules.next_look(handover(status=status, answer_due_on=None)) is None


def test_the_follow_up_includes_its_last_day() -> None:
    assert handover(follow_up_until=date(2027, 9, 30)).follow_up_ends_before == date(2027, 10, 1)
    assert handover().follow_up_ends_before is None


def test_a_side_is_told_from_a_stranger_and_from_the_receiver_of_a_draft() -> None:
    offered = handover()
    assert offered.side_of(offered.sender_id) == "sender"
    assert offered.side_of(offered.receiver_id) == "receiver"
    assert offered.side_of(OrganizationId(uuid4())) is None
    assert replace(offered, offered_at=None).side_of(offered.receiver_id) is None


@pytest.mark.parametrize(
    ("answers", "codes"),
    [
        ([answer()], []),
        ([answer(starts_on=TODAY)], []),
        ([answer(role="backup")], []),
        ([answer(starts_on=date(2026, 11, 19))], ["acceptance.effective_in_past"]),
        ([], ["acceptance.domains_not_covered"]),
        ([answer(), answer()], ["acceptance.domains_not_covered"]),
        ([answer(domain="daily_life")], ["acceptance.domains_not_covered"]),
        ([answer(decision="decline")], ["acceptance.nothing_accepted"]),
        ([answer(decision="left_with_sender", starts_on=date(2020, 1, 1))], ["acceptance.nothing_accepted"]),
    ],
)
def test_an_acceptance_answers_each_domain_once_and_takes_one_at_least(
    answers: list[DomainAnswer], codes: list[str]
) -> None:
    found = rules.check_answers(answers, handover().domains, TODAY)
    assert [notice.code for notice in found] == codes
    assert all(notice.party == "receiver" for notice in found)


def test_nobody_takes_more_than_was_offered() -> None:
    for place, offered in enumerate(rules.ROLES):
        state = replace(handover().domains[0], receiver_role=offered)
        refused = [bool(rules.check_answers([answer(role=role)], [state], TODAY)) for role in rules.ROLES]
        assert refused == [index < place for index in range(3)]


def test_only_what_is_taken_has_a_role_and_a_day() -> None:
    offered = handover().domains[0]
    taken = rules.answered(offered, answer(role="backup"))
    assert (taken.decision, taken.accepted_role, taken.accepted_from) == ("accept", "backup", PLANNED)
    left = rules.answered(offered, answer(decision="left_with_sender"))
    assert (left.decision, left.accepted_role, left.accepted_from) == ("left_with_sender", None, None)


def test_the_window_is_open_from_its_day_or_once_it_was_opened() -> None:
    offered = handover()
    assert not offered.window_open(date(2026, 9, 30))
    assert offered.window_open(date(2026, 10, 1))
    assert replace(offered, window_opened_at=AT).window_open(date(2026, 1, 1))


def test_the_window_follows_the_area() -> None:
    area = replace(DEFAULT_AREA_RULES, window_lead_months=2)
    assert rules.window_opens_on(PLANNED, area) == date(2027, 2, 1)
