"""Each condition against the fee reduction, on the days around which it changes."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from tsunagi.evidence.rules import Ending, Evidence, Guideline, Shown, evidence, months
from tsunagi.ids import ConsentId, HandoverId, OrganizationId, PersonId
from tsunagi.provisions.rules import Provision

ENDS, DUE = date(2029, 9, 30), date(2029, 6, 30)
CONSENT = ConsentId(uuid4())


def ending(need: bool | None = True, *, on: date = ENDS) -> Ending:
    return Ending(PersonId(uuid4()), on, need, HandoverId(uuid4()))


def given(on: date, ground: str = "consent", sections: tuple[str, ...] = ("continuing_needs",)) -> Provision:
    """A provision, as far as it matters here."""
    members: dict[str, Any] = {"provided_on": on, "ground": ground, "sections": sections}
    members |= {"id": uuid4(), "entry_id": uuid4(), "consent_ids": [CONSENT]}
    return cast(Provision, SimpleNamespace(**members))


def guideline(effective: date, *, version: int = 1, recorded: date = date(2026, 4, 1)) -> Guideline:
    at = datetime(recorded.year, recorded.month, recorded.day, tzinfo=UTC)
    return Guideline(
        OrganizationId(uuid4()), version, "指針", "ab" * 32, None, "見本 花子", "管理者", effective, at
    )


ADOPTED = [guideline(date(2026, 4, 1))]


def shown(found: Evidence) -> dict[str, str]:
    return {one.condition: one.status for one in found.conditions}


def of(found: Evidence, condition: str) -> Shown:
    return next(one for one in found.conditions if one.condition == condition)


@pytest.mark.parametrize(
    ("ends_on", "due_on"),
    [
        (date(2029, 9, 30), date(2029, 6, 30)),
        (date(2027, 3, 31), date(2026, 12, 31)),
        (date(2027, 2, 28), date(2026, 11, 30)),
        (date(2028, 2, 29), date(2027, 11, 30)),
        (date(2029, 5, 31), date(2029, 2, 28)),
        (date(2029, 11, 29), date(2029, 8, 29)),
    ],
)
def test_three_months_before_the_end(ends_on: date, due_on: date) -> None:
    assert ending(on=ends_on).due_on == due_on


@pytest.mark.parametrize(
    ("on", "status"),
    [(DUE - timedelta(1), "met"), (DUE, "met"), (DUE + timedelta(1), "late"), (ENDS + timedelta(1), "late")],
)
def test_sharing_counts_up_to_three_months_before_the_end(on: date, status: str) -> None:
    found = evidence(ending(), ADOPTED, [given(on)], [])
    assert shown(found) == {"guideline": "met", "consent": "met", "sharing": status, "records": "met"}
    assert found.complete == (status == "met")
    assert of(found, "sharing").done_on == on


@pytest.mark.parametrize(
    ("effective", "status"), [(DUE, "met"), (DUE + timedelta(1), "late"), (None, "missing")]
)
def test_the_guideline_is_in_force_when_it_is_due(effective: date | None, status: str) -> None:
    adopted = [guideline(effective)] if effective else []
    found = evidence(ending(), adopted, [given(DUE)], [])
    assert shown(found)["guideline"] == status
    assert found.complete == (status == "met")


def test_the_newest_version_in_force_counts_and_later_ones_change_nothing() -> None:
    adopted = [
        guideline(DUE + timedelta(1), version=3),
        guideline(date(2028, 4, 1), version=2),
        guideline(date(2026, 4, 1)),
    ]
    found = of(evidence(ending(), adopted, [given(DUE)], []), "guideline")
    assert (found.guideline and found.guideline.version, found.recorded_later) == (2, False)


@pytest.mark.parametrize(("recorded", "later"), [(DUE, False), (DUE + timedelta(1), True)])
def test_a_guideline_that_was_recorded_afterwards_says_so(recorded: date, later: bool) -> None:
    found = evidence(ending(), [guideline(date(2026, 4, 1), recorded=recorded)], [given(DUE)], [])
    assert of(found, "guideline").recorded_later is later


def test_nothing_is_shown_before_anything_is_given_but_a_consent() -> None:
    found = evidence(ending(), ADOPTED, [], [CONSENT])
    assert shown(found) == {"guideline": "met", "consent": "met", "sharing": "missing", "records": "missing"}
    assert shown(evidence(ending(), ADOPTED, [], []))["consent"] == "missing"


def test_what_was_given_without_consent_was_shared_without_consent() -> None:
    found = evidence(ending(), ADOPTED, [given(DUE, "life_protection")], [CONSENT])
    assert shown(found) == {"guideline": "met", "consent": "missing", "sharing": "met", "records": "met"}


def test_other_sections_are_not_the_information_that_counts() -> None:
    found = evidence(ending(), ADOPTED, [given(DUE, sections=("identity", "support_plan"))], [])
    assert shown(found)["sharing"] == "missing"


def test_the_first_time_on_consent_counts() -> None:
    first, again = given(DUE), given(DUE + timedelta(30))
    found = evidence(ending(), ADOPTED, [given(DUE - timedelta(9), "law"), first, again], [])
    assert of(found, "sharing").provisions == [first.id]


@pytest.mark.parametrize("need", [False, None])
def test_nothing_is_asked_of_those_who_need_nothing_or_are_not_judged(need: bool | None) -> None:
    assert evidence(ending(need), [], [], []).conditions == ()


def test_a_month_is_threatened_by_one_person_and_mendable_while_nothing_is_too_late() -> None:
    complete = evidence(ending(), ADOPTED, [given(DUE)], [])
    open_ = evidence(ending(), ADOPTED, [], [])
    late = evidence(ending(), ADOPTED, [given(DUE + timedelta(1))], [])
    none = evidence(ending(None), [], [], [])
    october = evidence(ending(on=date(2029, 10, 31)), ADOPTED, [given(DUE)], [])

    def month(*people: Evidence, today: date = DUE) -> Any:
        return months(people, today)[0]

    assert (month(complete, none).threatened, month(complete).mendable_until) == (False, None)
    assert (month(complete, open_).threatened, month(complete, open_).mendable_until) == (True, DUE)
    assert month(open_, today=DUE + timedelta(1)).mendable_until is None
    assert month(open_, late).mendable_until is None
    counted = month(complete, open_, none)
    assert (counted.ending, counted.needed, counted.complete, counted.undetermined) == (3, 2, 1, 1)
    assert [one.month for one in months([october, complete], DUE)] == ["2029-09", "2029-10"]
