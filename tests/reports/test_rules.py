"""What counts as a disclosure on which ground, and what the person is not told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import uuid4

import pytest

from tsunagi.consent.rules import ExceptionCode
from tsunagi.directory.rules import OrganizationKind
from tsunagi.ids import ConsentId, OrganizationId
from tsunagi.provisions.rules import AUTHORITIES, WITHHELD, withholding
from tsunagi.reports import words
from tsunagi.reports.rules import (
    Disclosure,
    Facts,
    Granted,
    Offered,
    gathered,
    hidden_handovers,
    split,
    told,
)

AT = datetime(2026, 11, 20, tzinfo=UTC)
CONSENT, REPORT, EMERGENCY = (ConsentId(uuid4()) for _ in range(3))
GIVER, CITY, CENTER = (OrganizationId(uuid4()) for _ in range(3))
FACTS = Facts(
    {
        CONSENT: Granted(frozenset({"identity", "employment"}), "consent"),
        REPORT: Granted(frozenset({"identity", "medical"}), "abuse_report"),
        EMERGENCY: Granted(frozenset({"medical"}), "life_protection"),
    },
    {"both": Offered(GIVER, frozenset({CONSENT, REPORT})), "report": Offered(GIVER, frozenset({REPORT}))},
)


def reading(
    *sections: str, consents: tuple[ConsentId, ...] = (CONSENT,), record_id: str = "both"
) -> Disclosure:
    return Disclosure(
        entry_id=uuid4(),
        at=AT,
        last_at=AT,
        organization_id=CENTER,
        record_id=record_id,
        version=1,
        sections=sections,
        consents=consents,
    )


def test_a_reading_is_told_apart_by_ground() -> None:
    found = list(split(reading("identity", "employment", "medical", consents=(CONSENT, REPORT)), FACTS))
    assert [(one.ground, one.sections, one.consents) for one in found] == [
        ("consent", ("identity", "employment"), (CONSENT,)),
        ("abuse_report", ("medical",), (REPORT,)),
    ]


def test_what_the_person_may_know_of_comes_before_what_is_withheld() -> None:
    (found,) = split(reading("medical", consents=(REPORT, EMERGENCY)), FACTS)
    assert found.ground == "life_protection"


def test_the_senders_own_reading_is_no_disclosure() -> None:
    assert not list(split(reading("identity", consents=()), FACTS))


@pytest.mark.parametrize("kind", get_args(OrganizationKind))
def test_a_report_of_abuse_is_withheld_whoever_received_it(kind: OrganizationKind) -> None:
    assert withholding("abuse_report", kind) == "order_11_1"
    assert withholding("consent", kind) is None
    assert withholding("life_protection", kind) is None
    assert withholding("child_welfare", kind) is None
    assert withholding("law", kind) == ("order_11_4" if kind in AUTHORITIES else None)


def test_every_ground_has_words_and_those_that_are_withheld_are_grounds() -> None:
    assert set(words.GROUNDS) == {"consent", *get_args(ExceptionCode)} >= set(WITHHELD)


def test_what_is_withheld_is_counted_by_rule_and_nowhere_else() -> None:
    parts = list(split(reading("identity", "medical", consents=(CONSENT, REPORT)), FACTS))
    whole = told([*parts, replace(parts[1], times=3)], {CENTER: "center"}, {})
    assert [one.ground for one in whole.disclosures] == ["consent"]
    assert whole.withheld == {"order_11_1": 4}


def test_a_handover_on_nothing_but_withheld_grounds_is_hidden() -> None:
    assert hidden_handovers(FACTS, {"both": "municipality", "report": "municipality", "draft": "center"}) == {
        "report": "order_11_1"
    }


def test_attempts_of_who_may_be_investigating_are_withheld() -> None:
    attempt = replace(reading(consents=()), refused="not_found")
    assert told([attempt], {CENTER: "municipality"}, {}).withheld == {"order_11_4": 1}
    assert told([attempt], {CENTER: "center"}, {}).disclosures == (attempt,)
    assert told([attempt], {CENTER: "center"}, {"both": "order_11_1"}).withheld == {"order_11_1": 1}


def test_what_differs_in_time_and_version_alone_is_one() -> None:
    first, *_ = split(reading("identity"), FACTS)
    later = replace(
        first, at=AT + timedelta(days=9), last_at=AT + timedelta(days=9), version=2, exported=True
    )
    other = replace(later, sections=("employment",))
    found = gathered([other, later, first])
    assert [(one.sections, one.times, one.version, one.exported) for one in found] == [
        (("identity",), 2, 2, True),
        (("employment",), 1, 2, True),
    ]
    assert (found[0].at, found[0].last_at) == (AT, AT + timedelta(days=9))
