from datetime import date
from typing import Any, get_args

import pytest

from tests.schemas.loader import fast
from tsunagi.consent import rules
from tsunagi.synthetic import HandoverType, case, consent, family_consent

PERSON = "00000000-0000-4000-8000-000000000901"
RECEIVER = "00000000-0000-4000-8000-000000000201"
WRITTEN = date(2026, 11, 2)

validator = fast("consent.json")


def records(handover_type: HandoverType) -> list[dict[str, Any]]:
    return [
        case(
            seed,
            handover_type=handover_type,
            planned_date=date(2026, 11, 20) if handover_type == "selection_to_service" else date(2027, 4, 1),
            receiver_id=RECEIVER,
            written_on=WRITTEN,
        )
        for seed in range(200)
    ]


@pytest.mark.parametrize("handover_type", get_args(HandoverType))
def test_consents_fit_the_schema_and_break_no_rule(handover_type: HandoverType) -> None:
    for record in records(handover_type):
        for document in (consent(record, PERSON, [RECEIVER]), family_consent(record, PERSON, [RECEIVER])):
            assert [error.message for error in validator.iter_errors(document)] == []
            assert rules.check(document, WRITTEN) == ()


def test_a_consent_covers_all_sections_unless_told_otherwise() -> None:
    record = records("settlement_to_center")[0]
    assert consent(record, PERSON, [RECEIVER])["sections"] == list(record["sections"])
    assert consent(record, PERSON, [RECEIVER], sections=["identity"])["sections"] == ["identity"]
    assert family_consent(record, PERSON, [RECEIVER])["sections"] == ["family"]


def test_a_consent_holds_from_and_until_the_days_given() -> None:
    record = records("settlement_to_center")[0]
    given = consent(
        record,
        PERSON,
        [RECEIVER],
        given_on=date(2026, 9, 1),
        starts_on=date(2026, 9, 2),
        ends_on=date(2026, 12, 1),
    )
    assert (given["givenOn"], given["from"], given["to"]) == ("2026-09-01", "2026-09-02", "2026-12-01")


def test_some_consents_are_given_by_a_guardian_and_some_on_paper() -> None:
    given = [consent(record, PERSON, [RECEIVER]) for record in records("settlement_to_center")]
    assert {document["givenBy"]["kind"] for document in given} == {"person", "guardian"}
    assert {document["method"] for document in given} == {"paper", "electronic"}
