"""The schemas straight from their folder, and both validators over them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[2] / "schemas"
EXAMPLES = FOLDER / "examples"
CODES = FOLDER / "codes"
BASE_URI = "https://tsunagi.example/schemas/"

Node = dict[str, Any]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


SCHEMAS: dict[str, Node] = {path.name: read(path) for path in sorted(FOLDER.glob("*.json"))}
REGISTRY: Registry[Any] = Registry().with_resources(
    (BASE_URI + name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)
_FAST_REGISTRY = jsonschema_rs.Registry([(BASE_URI + name, schema) for name, schema in SCHEMAS.items()])


def reference(name: str) -> Draft202012Validator:
    """The reference validator, formats checked."""
    return Draft202012Validator(SCHEMAS[name], registry=REGISTRY, format_checker=FormatChecker())


def fast(name: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of the hot path, set as the service sets it."""
    return jsonschema_rs.Draft202012Validator(
        SCHEMAS[name], registry=_FAST_REGISTRY, validate_formats=True, ignore_unknown_formats=False
    )


def pointer(parts: Any) -> str:
    return "".join(f"/{part}" for part in parts)


def examples(noun: str, kind: str) -> list[Path]:
    return sorted(path for path in (EXAMPLES / noun / kind).glob("*.json") if path.name != "expected.json")


def subschemas(node: Node, at: str = "#") -> Iterator[tuple[str, Node]]:
    """Every schema inside `node` that describes a shape; conditions (if, then, else, not) only test one."""
    yield at, node
    for keyword in ("properties", "$defs"):
        for name, inner in node.get(keyword, {}).items():
            yield from subschemas(inner, f"{at}/{keyword}/{name}")
    if isinstance(node.get("items"), dict):
        yield from subschemas(node["items"], f"{at}/items")
    for index, inner in enumerate(node.get("oneOf", ())):
        yield from subschemas(inner, f"{at}/oneOf/{index}")


def everything(node: Any) -> Iterator[Node]:
    """Every object inside `node`, conditions included."""
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from everything(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from everything(inner)
