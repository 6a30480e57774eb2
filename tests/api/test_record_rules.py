"""Every rule about a record, through its example: errors refuse and point, warnings come along."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.world import EXAMPLES, World
from tsunagi.directory.rules import DEFAULT_AREA_RULES
from tsunagi.records import rules
from tsunagi.records.view import RecordView

RULES = sorted((EXAMPLES / "handover-record" / "rules").glob("*.json"))
LEVELS = {
    "certificate.period_reversed": ("error", "/sections/identity/certificate/to"),
    "conference.missing": ("warning", "/sections/handover_plan/caseConferences"),
    "domains.duplicated": ("error", "/domains/1/domain"),
    "domains.since_after_start": ("error", "/domains/0/senderPrimarySince"),
    "employer.corporate_number_check_digit": ("error", "/sections/employment/episodes/0/corporateNumber"),
    "employer_window.undefined": ("warning", "/sections/employer_contacts/singlePointOfContact"),
    "employment.end_before_start": ("error", "/sections/employment/episodes/0/endedOn"),
    "identity.birth_in_future": ("error", "/sections/identity/birthDate"),
    "overlap.reversed": ("error", "/sections/handover_plan/overlap/to"),
    "overlap.shorter_than_area_rule": ("warning", "/sections/handover_plan/overlap/from"),
    "planned_date.gap_after_service_end": ("warning", "/plannedDate"),
    "planned_date.not_after_service_end": ("error", "/plannedDate"),
    "sharing.too_late": ("warning", "/sections/continuing_needs/sharedOn"),
    "support_history.office_number_check_digit": (
        "error",
        "/sections/support_history/services/0/officeNumber",
    ),
    "support_plan.period_reversed": ("error", "/sections/support_plan/items/0/period/to"),
}
BEFORE_OFFER = {"record.section_missing", "planned_date.in_past"}
"""What a draft is only warned of, and an offer refuses. Most examples are too short to be offered."""
FORESEEN = {"responsibility.nobody_primary"}
"""What a dry run says of an offer. The examples do not claim what nobody holds."""


def code_of(path: Path) -> str:
    return path.stem.replace("-", ".", 1)


def record_at(path: Path, world: World) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text())
    return record | {"receiverId": str(world.center.id)}


def found(answer: dict[str, Any], key: str) -> list[tuple[str, str]]:
    return [
        (one["code"], one["pointer"]) for one in answer[key] if one["code"] not in BEFORE_OFFER | FORESEEN
    ]


def test_every_rule_has_an_example() -> None:
    assert [code_of(path) for path in RULES] == sorted(LEVELS)
    source = Path(rules.__file__).read_text()
    written = {code for code in LEVELS if f'"{code}"' in source}
    assert written == set(LEVELS)
    stated = {
        part for part in source.split('"') if part.count(".") == 1 and part.replace(".", "_").isidentifier()
    }
    assert stated == set(LEVELS) | BEFORE_OFFER


@pytest.mark.parametrize("path", RULES, ids=code_of)
async def test_a_rule_speaks_with_its_code_its_level_and_its_place(world: World, path: Path) -> None:
    code = code_of(path)
    level, pointer = LEVELS[code]
    for query, taken in (("?dryRun=true", 200), ("", 201)):
        answer = await world.settlement.post(f"/v1/handovers{query}", record_at(path, world))
        if level == "error":
            assert (answer.status_code, answer.json()["code"]) == (422, "rule_violated")
            assert found(answer.json(), "errors") == [(code, pointer)]
        else:
            assert answer.status_code == taken, answer.text
            assert found(answer.json(), "warnings") == [(code, pointer)]
            assert answer.json()["warnings"][0]["level"] == "warning"


@pytest.mark.parametrize("path", RULES, ids=code_of)
async def test_a_rule_speaks_both_languages(world: World, path: Path) -> None:
    messages = []
    for language in ("ja", "en"):
        answer = (
            await world.settlement.post(
                "/v1/handovers?dryRun=true", record_at(path, world), Accept_Language=language
            )
        ).json()
        messages.append((answer.get("errors") or answer["warnings"])[0]["message"])
    assert not messages[0].isascii()
    assert messages[1].isascii()


async def test_errors_come_with_the_warnings_left_out_and_all_at_once(world: World) -> None:
    record = record_at(EXAMPLES / "handover-record" / "rules" / "domains-duplicated.json", world)
    record["sections"]["identity"]["birthDate"] = "2026-11-21"
    record["plannedDate"], record["receiverId"] = "2027-03-31", "01930000-0000-7000-8000-00000000dead"
    answer = await world.settlement.post("/v1/handovers", record)
    codes = [code for code, _ in found(answer.json(), "errors")]
    assert sorted(codes) == [
        "domains.duplicated",
        "identity.birth_in_future",
        "organization.unknown",
        "planned_date.not_after_service_end",
    ]


async def test_more_mistakes_than_a_problem_may_list_are_cut_off(world: World) -> None:
    record = record_at(EXAMPLES / "handover-record" / "rules" / "support_plan-period_reversed.json", world)
    items = record["sections"]["support_plan"]["items"]
    record["sections"]["support_plan"]["items"] = [items[0] | {"number": one} for one in range(1, 51)]
    episodes = record["sections"]["employment"]["episodes"]
    bad = episodes[0] | {"endedOn": "2000-01-01", "corporateNumber": "1000000000000"}
    record["sections"]["employment"]["episodes"] = [bad] * 30
    answer = await world.settlement.post("/v1/handovers", record)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 100


@pytest.mark.parametrize(
    ("planned", "ends", "shared", "codes"),
    [
        ("2027-04-01", "2027-03-31", "2026-12-31", []),
        ("2027-04-01", "2027-03-31", "2027-01-01", ["sharing.too_late"]),
        ("2027-04-02", "2027-03-31", "2026-12-31", ["planned_date.gap_after_service_end"]),
        ("2027-04-01", "2027-04-01", "2026-12-31", ["planned_date.not_after_service_end"]),
    ],
)
async def test_dates_are_judged_to_the_day(
    world: World, planned: str, ends: str, shared: str, codes: list[str]
) -> None:
    record = record_at(EXAMPLES / "handover-record" / "valid" / "settlement-to-center.json", world)
    record |= {"plannedDate": planned, "serviceEndsOn": ends}
    record["sections"]["continuing_needs"]["sharedOn"] = shared
    record["sections"]["handover_plan"]["overlap"]["from"] = "2026-12-01"
    answer = (await world.settlement.post("/v1/handovers?dryRun=true", record)).json()
    assert [code for code, _ in found(answer, "errors" if "errors" in answer else "warnings")] == codes


def test_a_complete_record_has_nothing_to_be_noticed() -> None:
    for path in (EXAMPLES / "handover-record" / "valid").glob("*-to-*.json"):
        view = RecordView.model_validate(json.loads(path.read_text()))
        today = view.sections.handover_plan.case_conferences[-1].held_on
        assert rules.check(view, DEFAULT_AREA_RULES, today) == (), path.stem


async def test_a_draft_is_warned_of_what_its_offer_will_refuse(world: World) -> None:
    record = record_at(EXAMPLES / "handover-record" / "valid" / "minimal.json", world)
    warned = await world.settlement.post("/v1/handovers", record | {"plannedDate": "2026-11-19"})
    codes = [one["code"] for one in warned.json()["warnings"]]
    assert [code for code in codes if code in BEFORE_OFFER] == [
        *["record.section_missing"] * 2,
        "planned_date.in_past",
    ]
    refused = await world.settlement.post(f"/v1/handovers/{warned.json()['id']}/offer")
    assert refused.status_code == 422


async def test_a_record_names_a_known_area_and_an_open_receiver(world: World) -> None:
    record = record_at(EXAMPLES / "handover-record" / "valid" / "minimal.json", world)
    answer = await world.settlement.post("/v1/handovers", record | {"areaCode": "99-99"})
    assert found(answer.json(), "errors") == [("area.unknown", "/areaCode")]
