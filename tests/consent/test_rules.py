"""What access rows cover, and why they do not."""

from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from tsunagi.consent.rules import Access, check, coverage, status
from tsunagi.ids import ConsentId

TODAY = date(2026, 11, 20)
WITHDRAWN = datetime(2026, 11, 1, tzinfo=UTC)


def row(section: str = "medical", **changes: Any) -> Access:
    members: dict[str, Any] = {
        "section": section,
        "subject": "person",
        "consent_id": ConsentId(uuid4()),
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2027, 1, 1),
        "withdrawn_at": None,
    }
    return Access(**members | changes)


HOLDING = row()
COMING = row(valid_from=date(2026, 11, 21))
ENDED = row(valid_to=TODAY)
TAKEN_BACK = row(withdrawn_at=WITHDRAWN)
COMING_BUT_TAKEN_BACK = row(valid_from=date(2026, 11, 21), withdrawn_at=WITHDRAWN)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "not_consented"),
        ([COMING], "consent_not_started"),
        ([ENDED], "consent_ended"),
        ([TAKEN_BACK], "consent_withdrawn"),
        ([COMING_BUT_TAKEN_BACK], "consent_withdrawn"),
        ([ENDED, COMING], "consent_not_started"),
        ([TAKEN_BACK, COMING], "consent_not_started"),
        ([TAKEN_BACK, ENDED], "consent_withdrawn"),
    ],
)
def test_the_reason_does_not_depend_on_the_order_of_the_rows(rows: list[Access], reason: str) -> None:
    for ordered in permutations(rows):
        covered = coverage(ordered, ["medical"], TODAY)
        assert (covered.visible, covered.withheld) == ({}, {"medical": reason})


def test_one_row_that_holds_is_enough() -> None:
    covered = coverage([TAKEN_BACK, ENDED, COMING, HOLDING], ["medical"], TODAY)
    assert covered.visible == {"medical": (HOLDING.consent_id,)}
    assert covered.withheld == {}


def test_a_row_holds_from_its_first_day_to_the_day_before_its_last() -> None:
    one_day = row(valid_from=TODAY, valid_to=date(2026, 11, 21))
    assert [one_day.holds(date(2026, 11, day)) for day in (19, 20, 21)] == [False, True, False]


def test_each_section_of_the_record_is_either_shown_or_withheld() -> None:
    sections = ["identity", "medical", "assessment"]
    covered = coverage([HOLDING, row("support_plan")], sections, TODAY)
    assert set(covered.visible) == {"medical"}
    assert list(covered.withheld) == ["identity", "assessment"]


@pytest.mark.parametrize(
    ("person", "family", "reason"),
    [
        ([row("family")], [row("family", subject="family")], None),
        ([row("family")], [], "family_consent_missing"),
        (
            [row("family")],
            [row("family", subject="family", withdrawn_at=WITHDRAWN)],
            "family_consent_missing",
        ),
        ([], [row("family", subject="family")], "not_consented"),
        ([row("family", withdrawn_at=WITHDRAWN)], [row("family", subject="family")], "consent_withdrawn"),
    ],
)
def test_the_family_section_needs_both(
    person: list[Access], family: list[Access], reason: str | None
) -> None:
    covered = coverage([*person, *family], ["family"], TODAY)
    assert covered.withheld == ({"family": reason} if reason else {})
    if reason is None:
        assert covered.visible == {"family": (person[0].consent_id, family[0].consent_id)}


def test_a_familys_consent_opens_no_other_section() -> None:
    covered = coverage([row(subject="family")], ["medical"], TODAY)
    assert covered.withheld == {"medical": "not_consented"}


def test_consents_are_named_once() -> None:
    shared = ConsentId(uuid4())
    covered = coverage(
        [row("medical", consent_id=shared), row("identity", consent_id=shared)],
        ["medical", "identity"],
        TODAY,
    )
    assert covered.consents == [shared]


@pytest.mark.parametrize(
    ("withdrawn", "today", "expected"),
    [
        ((), date(2025, 12, 31), "not_yet"),
        ((), date(2026, 1, 1), "active"),
        ((), date(2026, 12, 31), "active"),
        ((), date(2027, 1, 1), "ended"),
        (("medical",), TODAY, "active"),
        (("medical", "identity"), TODAY, "withdrawn"),
        (("medical", "identity"), date(2030, 1, 1), "withdrawn"),
    ],
)
def test_a_consent_is_worth_what_its_days_and_withdrawals_say(
    withdrawn: tuple[str, ...], today: date, expected: str
) -> None:
    found = status(date(2026, 1, 1), date(2027, 1, 1), ("identity", "medical"), withdrawn, today)
    assert found == expected


def test_a_consent_that_is_in_order_has_nothing_to_be_noticed() -> None:
    document = {
        "from": "2026-11-20",
        "to": "2026-11-21",
        "givenOn": "2026-11-20",
        "subject": "family",
        "sections": ["family"],
    }
    assert check(document, TODAY) == ()
    wrong = document | {"to": "2026-11-20", "givenOn": "2026-11-21", "sections": ["family", "medical"]}
    assert [notice.code for notice in check(wrong, TODAY)] == [
        "consent.period_reversed",
        "consent.given_in_future",
        "consent.family_sections",
    ]
