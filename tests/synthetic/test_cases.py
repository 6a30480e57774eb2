import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, get_args

import pytest

from tests.schemas.loader import CODES, fast, read, reference
from tsunagi.directory.rules import DEFAULT_AREA_RULES, Area, AreaRules
from tsunagi.records import rules
from tsunagi.records.view import RecordView
from tsunagi.responsibility.milestones import settlement_period
from tsunagi.synthetic import Flaw, HandoverType, Size, areas, case, organizations

RECEIVER = "00000000-0000-4000-8000-000000000201"
PLANNED = date(2027, 4, 1)
TYPES: tuple[HandoverType, ...] = get_args(HandoverType)
CASES = 500

validator = fast("handover-record.json")


def made(handover_type: HandoverType, count: int = CASES, **told: Any) -> list[dict[str, Any]]:
    return [
        case(seed, handover_type=handover_type, planned_date=PLANNED, receiver_id=RECEIVER, **told)
        for seed in range(count)
    ]


def noticed(
    record: dict[str, Any], *, area: AreaRules = DEFAULT_AREA_RULES, today: date = PLANNED - timedelta(days=1)
) -> list[tuple[str, str]]:
    view = RecordView.model_validate(record)
    return [(notice.code, notice.level) for notice in rules.check(view, area, today)]


def size_of(record: dict[str, Any]) -> int:
    return len(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.mark.parametrize("handover_type", TYPES)
def test_cases_of_every_type_fit_the_schema_and_break_no_rule(handover_type: HandoverType) -> None:
    for record in made(handover_type):
        assert [error.message for error in validator.iter_errors(record)] == []
        assert noticed(record) == []


@pytest.mark.parametrize("handover_type", TYPES)
def test_the_reference_validator_agrees(handover_type: HandoverType) -> None:
    for record in made(handover_type, 5):
        assert list(reference("handover-record.json").iter_errors(record)) == []


@pytest.mark.parametrize("handover_type", TYPES)
def test_a_record_has_about_ten_kilobytes(handover_type: HandoverType) -> None:
    sizes = [size_of(record) for record in made(handover_type)]
    assert 6_000 < sum(sizes) / CASES < 12_000
    assert len(set(sizes)) > CASES / 5


@pytest.mark.parametrize("handover_type", TYPES)
@pytest.mark.parametrize(("size", "least", "most"), [("small", 2_000, 5_000), ("large", 20_000, 90_000)])
def test_records_can_be_small_or_large(
    handover_type: HandoverType, size: Size, least: int, most: int
) -> None:
    for record in made(handover_type, 20, size=size):
        assert [error.message for error in validator.iter_errors(record)] == []
        assert noticed(record) == []
        assert least < size_of(record) < most


def test_equal_arguments_give_equal_records() -> None:
    assert made("settlement_to_center", 50) == made("settlement_to_center", 50)


def test_no_two_cases_are_of_the_same_person() -> None:
    people = [record["sections"]["identity"] for record in made("other")]
    assert len({(who["familyNameKana"], who["givenNameKana"], who["birthDate"]) for who in people}) == CASES
    assert len({who["certificate"]["number"] for who in people}) == CASES


def test_a_seed_is_one_life_in_all_its_handovers() -> None:
    receiver: dict[str, Any] = {"receiver_id": RECEIVER}
    for seed in range(50):
        first = case(
            seed, handover_type="transition_to_settlement", planned_date=date(2026, 10, 1), **receiver
        )
        second = case(seed, handover_type="settlement_to_center", planned_date=date(2029, 10, 1), **receiver)
        one, other = first["sections"], second["sections"]
        for own in ("disability", "medical", "family"):
            assert one[own] == other[own]
        assert {**one["identity"], "certificate": 0} == {**other["identity"], "certificate": 0}
        jobs = [told["employment"]["episodes"][0] for told in (one, other)]
        assert {job["employerName"] for job in jobs} == {jobs[0]["employerName"]}
        assert {job["hiredOn"] for job in jobs} == {"2026-04-01"}


@pytest.mark.parametrize("planned", [date(2027, 4, 1), date(2027, 10, 1), date(2028, 3, 1)])
def test_services_last_as_long_as_the_law_lets_them(planned: date) -> None:
    first = case(1, handover_type="transition_to_settlement", planned_date=planned, receiver_id=RECEIVER)
    second = case(1, handover_type="settlement_to_center", planned_date=planned, receiver_id=RECEIVER)
    assert settlement_period(hired_on(first))[0] == planned
    assert settlement_period(hired_on(second))[1] == planned - timedelta(days=1)


def hired_on(record: dict[str, Any]) -> date:
    return date.fromisoformat(record["sections"]["employment"]["episodes"][0]["hiredOn"])


DONE = {
    *("assessedOn", "confirmedByPersonOn", "createdOn", "agreedByPersonOn", "determinedOn", "consultedOn"),
    *("sharedOn", "heldOn", "visitedOn", "explainedToPersonOn", "explainedToEmployerOn", "endedOn"),
}


def told_as_done(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for inner in node:
            yield from told_as_done(inner)
    elif isinstance(node, dict):
        for name, inner in node.items():
            if name in DONE:
                yield inner
            else:
                yield from told_as_done(inner)


@pytest.mark.parametrize("handover_type", TYPES)
@pytest.mark.parametrize("days_before", [20, 120, 215])
def test_a_record_tells_nothing_that_happens_after_it_is_written(
    handover_type: HandoverType, days_before: int
) -> None:
    written = PLANNED - timedelta(days=days_before)
    for record in made(handover_type, written_on=written, count=50):
        assert max(told_as_done(record)) <= written.isoformat()
        assert validator.is_valid(record)
        assert noticed(record, today=written) == []


FLAWS: list[tuple[Flaw, str]] = [
    ("gap", "planned_date.gap_after_service_end"),
    ("late_conference", "conference.missing"),
    ("late_sharing", "sharing.too_late"),
    ("no_employer_window", "employer_window.undefined"),
    ("short_overlap", "overlap.shorter_than_area_rule"),
]


@pytest.mark.parametrize(("flaw", "code"), FLAWS)
def test_a_flaw_gives_its_one_warning(flaw: Flaw, code: str) -> None:
    for record in made("settlement_to_center", count=25, flaws=[flaw]):
        assert validator.is_valid(record)
        assert noticed(record) == [(code, "warning")]


def test_an_unclaimed_domain_gives_no_warning() -> None:
    for record in made("settlement_to_center", count=25, flaws=["unclaimed"]):
        unclaimed = [one["domain"] for one in record["domains"] if "senderPrimarySince" not in one]
        assert unclaimed == ["daily_life"]
        assert noticed(record) == []


@pytest.mark.parametrize(
    ("handover_type", "told"),
    [
        ("center_to_center", {"flaws": ["gap"]}),
        ("selection_to_service", {"flaws": ["late_conference"]}),
        ("sender_to_center", {"flaws": ["late_sharing"]}),
        ("settlement_to_center", {"flaws": ["no_employer_window"], "size": "small"}),
        ("settlement_to_center", {"flaws": ["late_sharing"], "written_on": date(2026, 10, 20)}),
        ("settlement_to_center", {"written_on": PLANNED}),
        ("settlement_to_center", {"written_on": date(2024, 4, 5)}),
    ],
)
def test_what_cannot_be_told_is_refused(handover_type: HandoverType, told: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="record"):
        case(1, handover_type=handover_type, planned_date=PLANNED, receiver_id=RECEIVER, **told)


def test_longer_lead_times_of_an_area_are_kept() -> None:
    strict = AreaRules(conference_lead_months=8, sharing_lead_months=4, overlap_months=5)
    for record in made("settlement_to_center", count=50, rules=strict):
        assert noticed(record, area=strict) == []


def test_names_of_the_organizations_are_those_given() -> None:
    play = organizations(3)
    record = case(
        1,
        handover_type="settlement_to_center",
        planned_date=PLANNED,
        receiver_id=RECEIVER,
        sender=play.settlement,
        receiver=play.center,
        area=play.areas[1],
    )
    text = json.dumps(record, ensure_ascii=False)
    assert play.settlement.name in text
    assert play.center.name in text
    assert record["sections"]["identity"]["residenceAreaCode"] == play.areas[1].code


def test_people_can_live_in_an_area_that_is_not_made_up() -> None:
    area = Area("08-1", "県北", "08", municipality_codes=("08204",))
    record = made("settlement_to_center", count=1, area=area)[0]
    assert validator.is_valid(record)
    assert record["sections"]["identity"]["address"]["municipalityCode"] == "08204"


def test_assessment_items_are_those_of_the_instruments() -> None:
    known = {
        (data["instrument"], data["version"], data["scale"]["code"], item["itemCode"], value["value"])
        for data in map(read, sorted((CODES / "instruments").glob("*.json")))
        for item in data["items"]
        for value in data.get("scale", {"values": []})["values"]
    }
    for handover_type in TYPES:
        for record in made(handover_type, count=10, size="large"):
            for item in record["sections"]["assessment"]["items"]:
                place = (item["instrument"], item["version"], item["scale"], item["itemCode"])
                assert {(*place, item["selfValue"]), (*place, item["supporterValue"])} <= known


def test_all_made_up_areas_can_be_lived_in() -> None:
    for area in areas():
        record = case(1, handover_type="other", planned_date=PLANNED, receiver_id=RECEIVER, area=area)
        assert validator.is_valid(record)
