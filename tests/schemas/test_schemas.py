"""The schemas themselves: well-formed, bilingual, closed, bounded."""

import re
from collections.abc import Iterator

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.schemas.loader import BASE_URI, REGISTRY, SCHEMAS, Node, everything, subschemas

FORMATS = {"date", "date-time", "uuid", "email", "uri"}
SENSITIVITIES = {"S0", "S1", "S2", "S3"}
SECTION_FILES = {
    node["$ref"] for node in SCHEMAS["handover-record.json"]["properties"]["sections"]["properties"].values()
}

each_schema = pytest.mark.parametrize("name", SCHEMAS)
each_submitted = pytest.mark.parametrize(
    "name", ["common.json", "handover-record.json", "consent.json", *sorted(SECTION_FILES)]
)


def resolved(name: str, node: Node) -> Iterator[Node]:
    """`node` and what its references lead to."""
    resolver = REGISTRY.resolver(BASE_URI + name)
    yield node
    while "$ref" in node:
        found = resolver.lookup(node["$ref"])
        node, resolver = found.contents, found.resolver
        yield node


@each_schema
def test_a_schema_is_valid_against_the_meta_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    jsonschema_rs.meta.validate(SCHEMAS[name])


@each_schema
def test_a_schema_says_who_it_is(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == BASE_URI + name
    assert re.fullmatch(r"\d+\.\d+\.\d+", schema["x-version"])
    assert schema["title"]
    assert schema["x-title-en"]


@each_schema
def test_every_reference_resolves(name: str) -> None:
    resolver = REGISTRY.resolver(BASE_URI + name)
    for node in everything(SCHEMAS[name]):
        if isinstance(node.get("$ref"), str):
            resolver.lookup(node["$ref"])


@each_schema
def test_every_format_has_a_checker(name: str) -> None:
    used = {node["format"] for node in everything(SCHEMAS[name]) if isinstance(node.get("format"), str)}
    assert used <= FORMATS
    assert used <= set(FormatChecker().checkers)


@each_schema
def test_every_property_has_a_title_in_both_languages(name: str) -> None:
    untitled = [
        f"{at}/{member}"
        for at, node in subschemas(SCHEMAS[name])
        for member, inner in node.get("properties", {}).items()
        if not any("title" in one and "x-title-en" in one for one in resolved(name, inner))
    ]
    assert untitled == []


@each_schema
def test_a_text_in_one_language_has_its_other_half(name: str) -> None:
    for at, node in subschemas(SCHEMAS[name]):
        assert ("title" in node) == ("x-title-en" in node), at
        assert ("description" in node) == ("x-description-en" in node), at


@each_schema
def test_every_object_is_closed_or_says_why_not(name: str) -> None:
    loose = [
        at
        for at, node in subschemas(SCHEMAS[name])
        if (node.get("type") == "object" or "properties" in node)
        and node.get("unevaluatedProperties") is not False
        and "x-open" not in node
    ]
    assert loose == []


@each_schema
def test_every_string_and_every_array_is_bounded(name: str) -> None:
    for at, node in subschemas(SCHEMAS[name]):
        types = node.get("type", ())
        if "string" in ([types] if isinstance(types, str) else types):
            assert {"maxLength", "pattern", "enum", "const", "format"} & node.keys(), at
        if types == "array":
            assert "maxItems" in node, at


@each_schema
def test_every_code_has_a_label_in_both_languages_and_a_system(name: str) -> None:
    for at, node in subschemas(SCHEMAS[name]):
        if "enum" in node:
            assert list(node["x-enum-labels"]) == node["enum"], at
            assert all(label["ja"] and label["en"] for label in node["x-enum-labels"].values()), at
            assert node["x-code-system"].startswith("https://tsunagi.example/codes/"), at


@each_schema
def test_every_pattern_is_anchored_and_looks_neither_ahead_nor_behind(name: str) -> None:
    for at, node in subschemas(SCHEMAS[name]):
        if "pattern" in node:
            assert node["pattern"].startswith("^"), at
            assert node["pattern"].endswith("$"), at
            assert "(?" not in node["pattern"], at


@each_submitted
def test_a_pattern_is_not_slipped_past_by_a_line_break_at_the_end(name: str) -> None:
    """`$` also matches before a last line break in Python: the pattern alone would let it through there."""
    for at, node in subschemas(SCHEMAS[name]):
        if "pattern" in node:
            assert re.search(node["not"]["pattern"], "\n"), at


@pytest.mark.parametrize(
    "name", ["common.json", "handover-record.json", "consent.json", *sorted(SECTION_FILES)]
)
def test_every_free_string_of_the_record_refuses_control_characters(name: str) -> None:
    for at, node in subschemas(SCHEMAS[name]):
        if node.get("type") == "string" and not {"pattern", "enum", "format"} & node.keys():
            assert re.search(node["not"]["pattern"], "\x00"), at


def test_every_section_has_a_sensitivity() -> None:
    assert len(SECTION_FILES) == 11
    assert {SCHEMAS[file]["x-sensitivity"] for file in SECTION_FILES} <= SENSITIVITIES


def test_the_sections_of_the_record_are_the_units_of_consent() -> None:
    record = SCHEMAS["handover-record.json"]
    codes = SCHEMAS["common.json"]["$defs"]["section"]["enum"]
    assert list(record["properties"]["sections"]["properties"]) == codes
    assert list(record["$defs"]["sectionSet"]["properties"]) == codes


def test_the_composed_parts_leave_nothing_out() -> None:
    record, consent = SCHEMAS["handover-record.json"], SCHEMAS["consent.json"]
    header = record["$defs"]["header"]
    assert [*header["properties"], "sections", "extensions"] == list(record["properties"])
    assert [*header["required"], "sections"] == record["required"]
    assert list(consent["$defs"]["content"]["properties"]) == list(consent["properties"])
    assert consent["$defs"]["content"]["required"] == consent["required"]
