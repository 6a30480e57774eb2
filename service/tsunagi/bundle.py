"""The contract in one file, for tools that cannot follow references to other files."""

from collections.abc import Mapping
from posixpath import basename
from typing import Any

_DROPPED = {"$id", "$schema"}


def bundle(openapi: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """`openapi` with every schema file below `components.schemas`, under its name without `.json`."""
    whole: dict[str, Any] = _local(openapi, None)
    components = whole.setdefault("components", {}).setdefault("schemas", {})
    for uri, schema in schemas.items():
        name = _name(uri)
        components[name] = {key: value for key, value in _local(schema, name).items() if key not in _DROPPED}
    return whole


def _local(node: Any, file: str | None) -> Any:
    """A copy with every reference pointing into the one file; `file` is the schema the node stands in."""
    if isinstance(node, Mapping):
        return {
            key: _reference(value, file) if key == "$ref" and isinstance(value, str) else _local(value, file)
            for key, value in node.items()
        }
    return [_local(item, file) for item in node] if isinstance(node, list) else node


def _reference(ref: str, file: str | None) -> str:
    target, _, fragment = ref.partition("#")
    if not target and file is None:
        return ref
    name = _name(target) if target else file
    return f"#/components/schemas/{name}{fragment}"


def _name(uri: str) -> str:
    return basename(uri).removesuffix(".json")
