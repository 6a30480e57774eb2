"""The examples: the good pass, the bad fail for the one reason their name gives, with both validators."""

from pathlib import Path
from typing import Any

import pytest

from tests.schemas.loader import CODES, EXAMPLES, SCHEMAS, examples, fast, pointer, read, reference

NOUNS = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
INDEXED = ("handover-record", "consent")
"""Nouns whose bad examples have an index of where and why each fails."""
HANDOVER_TYPES = SCHEMAS["common.json"]["$defs"]["handoverType"]["enum"]
SECTIONS = SCHEMAS["common.json"]["$defs"]["section"]["enum"]
INSTRUMENTS = {
    (data["instrument"], data["version"]): data
    for data in (read(path) for path in sorted((CODES / "instruments").glob("*.json")))
}


def label(path: object) -> str:
    return f"{path.parents[1].name}/{path.stem}" if isinstance(path, Path) else str(path)


def every(kind: str) -> list[tuple[str, Path]]:
    return [(noun, path) for noun in NOUNS for path in examples(noun, kind)]


def complete_records() -> list[Path]:
    return [path for path in examples("handover-record", "valid") if path.stem != "minimal"]


@pytest.mark.parametrize("noun", NOUNS)
def test_a_folder_of_examples_belongs_to_a_schema(noun: str) -> None:
    assert f"{noun}.json" in SCHEMAS
    assert examples(noun, "valid")


@pytest.mark.parametrize(("noun", "path"), every("valid"), ids=label)
def test_a_valid_example_passes(noun: str, path: Path) -> None:
    document = read(path)
    assert [error.message for error in reference(f"{noun}.json").iter_errors(document)] == []
    assert fast(f"{noun}.json").is_valid(document)


@pytest.mark.parametrize(("noun", "path"), every("invalid"), ids=label)
def test_an_invalid_example_fails(noun: str, path: Path) -> None:
    document = read(path)
    assert not reference(f"{noun}.json").is_valid(document)
    assert not fast(f"{noun}.json").is_valid(document)


@pytest.mark.parametrize("noun", INDEXED)
def test_an_invalid_example_fails_in_one_place_for_the_reason_the_index_gives(noun: str) -> None:
    index = read(EXAMPLES / noun / "invalid" / "expected.json")
    assert sorted(index) == [path.name for path in examples(noun, "invalid")]
    slow, quick = reference(f"{noun}.json"), fast(f"{noun}.json")
    for name, expected in index.items():
        document = read(EXAMPLES / noun / "invalid" / name)
        reason = [(expected["pointer"], expected["keyword"])]
        assert [(pointer(e.absolute_path), e.validator) for e in slow.iter_errors(document)] == reason, name
        assert [
            (pointer(e.instance_path), e.schema_path[-1]) for e in quick.iter_errors(document)
        ] == reason, name


def test_there_are_enough_invalid_examples_and_they_reach_every_section() -> None:
    index = read(EXAMPLES / "handover-record" / "invalid" / "expected.json")
    assert len(index) >= 60
    places = [expected["pointer"] for expected in index.values()]
    for section in SECTIONS:
        assert any(place.startswith(f"/sections/{section}") for place in places), section
    assert len(read(EXAMPLES / "consent" / "invalid" / "expected.json")) >= 8


def test_there_is_a_complete_record_for_each_kind_of_handover() -> None:
    records = [read(path) for path in complete_records()]
    assert {record["handoverType"] for record in records} == set(HANDOVER_TYPES) - {"other"}
    for record in records:
        assert sorted(record["sections"]) == sorted(SECTIONS), record["handoverType"]


@pytest.mark.parametrize("path", complete_records(), ids=label)
def test_assessment_items_point_into_the_instruments_they_name(path: Path) -> None:
    assessment = read(path)["sections"]["assessment"]
    for used in assessment["instruments"]:
        assert (used["instrument"], used["version"]) in INSTRUMENTS
    for item in assessment["items"]:
        data = INSTRUMENTS[item["instrument"], item["version"]]
        assert item["itemCode"] in {one["itemCode"] for one in data["items"]}
        assert item["scale"] == data["scale"]["code"]
        values = {one["value"] for one in data["scale"]["values"]}
        assert {item[key] for key in ("selfValue", "supporterValue") if key in item} <= values


@pytest.mark.parametrize("path", complete_records(), ids=label)
def test_service_codes_in_the_examples_are_in_the_list(path: Path) -> None:
    codes = read(CODES / "service-codes.json")["codes"]
    known = {("billing", one["code"]) for one in codes} | {("wam_net", one["wamNet"]) for one in codes}
    history = read(path)["sections"]["support_history"]
    used = [service["serviceCode"] for service in history["services"] if "serviceCode" in service]
    assert {(one["codeSystem"], one["code"]) for one in used} <= known


@pytest.mark.parametrize("path", examples("handover-record", "rules"), ids=label)
def test_an_example_that_only_breaks_a_rule_has_the_right_shape(path: Path) -> None:
    document = read(path)
    assert [error.message for error in reference("handover-record.json").iter_errors(document)] == []
    assert fast("handover-record.json").is_valid(document)


def contacts(node: Any, names: frozenset[str] = frozenset({"phone", "email"})) -> list[str]:
    if isinstance(node, dict):
        own = [value for key, value in node.items() if key in names and isinstance(value, str)]
        return own + [found for value in node.values() for found in contacts(value, names)]
    return [found for value in node for found in contacts(value, names)] if isinstance(node, list) else []


@pytest.mark.parametrize("path", examples("handover-record", "valid"), ids=label)
def test_nobody_can_be_reached_through_an_example(path: Path) -> None:
    for contact in contacts(read(path)):
        assert contact.endswith("@example.jp") or "-0000-" in contact or "-00-" in contact, contact
