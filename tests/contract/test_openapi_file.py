"""The hand-written contract is whole: valid, complete, and every example in it is true to its schema."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import rfc8785
import schemathesis
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from schemathesis.core.result import Ok

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
# The schemas' $id, so that ./schemas/x.json in the contract and x.json in a schema name the same thing.
BASE = "https://tsunagi.example/openapi.yaml"
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
CONTRACT: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))

# Schema files the contract does not reach, each with its reason.
UNREACHED = {
    "directory-entries.json": "what `tsunagi directory add` reads; no request carries it",
    "code-list.json": "shape of the data in schemas/codes/, which no request or response carries",
    "instrument.json": "shape of the data in schemas/codes/instruments/, likewise",
}


def read_schemas() -> dict[str, Any]:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")}


REGISTRY: Registry[Any] = Registry().with_resources(
    [(schema["$id"], Resource.from_contents(schema)) for schema in read_schemas().values()]
    + [(BASE, Resource.from_contents(CONTRACT, default_specification=DRAFT202012))]
)


def escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def at(pointer: str) -> Any:
    """The node of the contract at `pointer`, with one reference followed."""
    node: Any = CONTRACT
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        node = node[int(name)] if isinstance(node, list) else node[name]
    return node


def followed(pointer: str) -> tuple[str, Any]:
    """Where `pointer` leads once its own reference within the contract is followed, and what is there."""
    node = at(pointer)
    if isinstance(node, dict) and str(node.get("$ref", "")).startswith("#/"):
        return followed(node["$ref"][1:])
    return pointer, node


def operations() -> dict[str, str]:
    """Pointer of each operation, by operationId."""
    return {
        operation["operationId"]: f"/paths/{escape(path)}/{method}"
        for path, item in CONTRACT["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def media_types() -> Iterator[str]:
    """Pointers of all request and response bodies, those of components once."""
    for pointer in operations().values():
        operation = at(pointer)
        for media_type in operation.get("requestBody", {}).get("content", {}):
            yield f"{pointer}/requestBody/content/{escape(media_type)}"
        for status, response in operation["responses"].items():
            for media_type in response.get("content", {}):
                yield f"{pointer}/responses/{status}/content/{escape(media_type)}"
    for name, response in CONTRACT["components"]["responses"].items():
        for media_type in response.get("content", {}):
            yield f"/components/responses/{name}/content/{escape(media_type)}"


def described_values(pointer: str = "") -> Iterator[str]:
    """Pointers of everything that has a schema and an example or examples."""
    node = at(pointer)
    if isinstance(node, dict):
        if "schema" in node and ("example" in node or "examples" in node):
            yield pointer
            return
        for name in node:
            yield from described_values(f"{pointer}/{escape(str(name))}")
    elif isinstance(node, list):
        for index in range(len(node)):
            yield from described_values(f"{pointer}/{index}")


def errors_of(value: Any, schema_pointer: str) -> list[str]:
    validator = Draft202012Validator(
        {"$ref": f"{BASE}#{schema_pointer}"},
        registry=REGISTRY,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def examples_at(pointer: str) -> dict[str, Any]:
    node = at(pointer)
    if "example" in node:
        return {"example": node["example"]}
    return {
        name: followed(f"{pointer}/examples/{escape(name)}")[1]["value"] for name in node.get("examples", {})
    }


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_file_is_valid_openapi_3_1() -> None:
    assert CONTRACT["openapi"].startswith("3.1.")
    validate(CONTRACT, base_uri=(ROOT / "openapi.yaml").as_uri())


def test_the_file_uses_no_yaml_anchors() -> None:
    events = yaml.parse((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    assert not [event for event in events if getattr(event, "anchor", None)]


def test_every_operation_resolves_for_a_tool_that_follows_references() -> None:
    loaded = schemathesis.openapi.from_path(str(ROOT / "openapi.yaml"))
    resolved = [result for result in loaded.get_all_operations() if isinstance(result, Ok)]
    assert len(resolved) == len(operations())


def test_operation_ids_are_unique() -> None:
    all_operations = [method for item in CONTRACT["paths"].values() for method in item if method in METHODS]
    assert len(operations()) == len(all_operations)


@pytest.mark.parametrize("operation_id", list(operations()))
def test_an_operation_says_what_it_is(operation_id: str) -> None:
    operation = at(operations()[operation_id])
    assert set(operation["tags"]) <= {tag["name"] for tag in CONTRACT["tags"]}
    assert len(operation["tags"]) == 1
    assert " / " in operation["summary"], "Japanese / English"
    assert operation["description"].count("\n\n") == 1, "Japanese, then English"


@pytest.mark.parametrize("operation_id", list(operations()))
def test_an_operation_is_public_or_has_exactly_one_scope(operation_id: str) -> None:
    pointer = operations()[operation_id]
    security = at(pointer)["security"]
    if not pointer.startswith("/paths/~1v1~1"):
        assert security == []
        return
    [requirement] = security
    [scope] = requirement["oauth2"]
    flows = CONTRACT["components"]["securitySchemes"]["oauth2"]["flows"]
    assert scope in flows["clientCredentials"]["scopes"]


def test_every_scope_is_used() -> None:
    flows = CONTRACT["components"]["securitySchemes"]["oauth2"]["flows"]
    used = {
        requirement["oauth2"][0]
        for pointer in operations().values()
        for requirement in at(pointer)["security"]
    }
    assert used == set(flows["clientCredentials"]["scopes"])


@pytest.mark.parametrize("operation_id", list(operations()))
def test_every_parameter_is_described_and_has_an_example(operation_id: str) -> None:
    pointer = operations()[operation_id]
    item = pointer.rsplit("/", 1)[0]
    for owner in (pointer, item):
        for index in range(len(at(owner).get("parameters", []))):
            _, parameter = followed(f"{owner}/parameters/{index}")
            assert {"description", "schema", "example"} <= set(parameter)


@pytest.mark.parametrize("operation_id", list(operations()))
def test_a_protected_operation_states_every_general_refusal(operation_id: str) -> None:
    pointer = operations()[operation_id]
    operation = at(pointer)
    stated = set(operation["responses"])
    if not operation["security"]:
        assert "500" in stated
        return
    assert {"400", "401", "403", "429", "500", "503"} <= stated
    if "{" in pointer:
        assert "404" in stated
    if "requestBody" in operation:
        assert {"413", "415", "422"} <= stated


@pytest.mark.parametrize("operation_id", list(operations()))
def test_every_response_carries_the_request_id(operation_id: str) -> None:
    pointer = operations()[operation_id]
    for status in at(pointer)["responses"]:
        _, response = followed(f"{pointer}/responses/{status}")
        assert "X-Request-Id" in response["headers"]


@pytest.mark.parametrize("pointer", list(media_types()))
def test_every_json_body_has_an_example(pointer: str) -> None:
    media_type = pointer.rsplit("/", 1)[1].replace("~1", "/")
    if "json" in media_type.replace("x-ndjson", "") or "form" in media_type:
        assert at(pointer)["examples"]


@pytest.mark.parametrize("pointer", list(described_values()))
def test_every_example_is_true_to_its_schema(pointer: str) -> None:
    found = {name: errors_of(value, f"{pointer}/schema") for name, value in examples_at(pointer).items()}
    assert not {name: errors for name, errors in found.items() if errors}


def test_every_example_of_the_components_is_used() -> None:
    used = {reference for reference in references(CONTRACT) if reference.startswith("#/components/examples/")}
    assert used == {f"#/components/examples/{name}" for name in CONTRACT["components"]["examples"]}


def problems() -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, cast(dict[str, Any], example))
        for name in CONTRACT["components"]["responses"]
        if "content" in at(f"/components/responses/{name}")
        for example in examples_at(f"/components/responses/{name}/content/application~1problem+json").values()
    ]


def test_every_problem_code_has_an_example_in_a_response() -> None:
    codes = read_schemas()["problem.json"]["$defs"]["problemCode"]["enum"]
    assert {problem["code"] for _, problem in problems()} == set(codes)


def test_a_problem_example_agrees_with_itself_and_with_the_name_of_its_code() -> None:
    labels = read_schemas()["problem.json"]["$defs"]["problemCode"]["x-enum-labels"]
    for _, problem in problems():
        assert problem["type"] == f"https://tsunagi.example/problems/{problem['code']}"
        assert problem["title"] in labels[problem["code"]].values()


@pytest.mark.parametrize("operation_id", list(operations()))
def test_a_problem_example_has_the_status_it_stands_under(operation_id: str) -> None:
    pointer = operations()[operation_id]
    for status in at(pointer)["responses"]:
        where, response = followed(f"{pointer}/responses/{status}")
        if "application/problem+json" in response.get("content", {}):
            examples = examples_at(f"{where}/content/application~1problem+json").values()
            assert {str(example["status"]) for example in examples} == {status}


def test_problems_are_shown_in_japanese_and_some_in_english() -> None:
    labels = read_schemas()["problem.json"]["$defs"]["problemCode"]["x-enum-labels"]
    titles = {problem["title"] for _, problem in problems()}
    assert {label["ja"] for label in labels.values()} <= titles
    assert {label["en"] for label in labels.values()} & titles


def test_every_schema_file_is_reached_from_the_contract() -> None:
    schemas = read_schemas()
    reached: set[str] = set()
    waiting = {reference for reference in references(CONTRACT) if reference.startswith("./schemas/")}
    while waiting:
        name = waiting.pop().removeprefix("./schemas/").partition("#")[0]
        if name and name not in reached:
            reached.add(name)
            waiting |= set(references(schemas[name])) - {""}
    assert reached | set(UNREACHED) == set(schemas)
    assert not reached & set(UNREACHED)


def test_a_line_of_the_export_is_a_handover() -> None:
    pointer = f"{operations()['exportHandovers']}/responses/200/content/application~1x-ndjson"
    assert at(pointer)["x-ndjson-item-schema"] == {"$ref": "./schemas/handover.json"}


def test_hashes_in_the_examples_are_those_of_the_sections() -> None:
    handover = CONTRACT["components"]["examples"]["HandoverReceived"]["value"]
    sections = handover["record"]["sections"]
    assert handover["sectionHashes"] == {
        code: hashlib.sha256(rfc8785.dumps(section)).hexdigest() for code, section in sections.items()
    }


def test_the_page_about_fhir_says_what_the_schema_says() -> None:
    status = read_schemas()["handover-status.json"]["$defs"]["status"]
    page = (ROOT / "docs" / "fhir-task-status.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    mapped = {row[1].strip(" `"): row[4].strip(" `") for row in rows}
    assert mapped == status["x-fhir-task-status"]
    assert list(mapped) == read_schemas()["common.json"]["$defs"]["handoverStatus"]["enum"]
