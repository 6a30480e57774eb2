"""The contract in one file, for tools that cannot follow references to other files.

Every schema file becomes a component of its name, and each of its definitions one of both names: generators make a
type of each.
"""

import re
from collections.abc import Mapping
from posixpath import basename
from typing import Any

_DROPPED = {"$id", "$schema", "$defs"}
_DEFINITION = re.compile(r"/\$defs/([^/]+)")


def bundle(openapi: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """`openapi` with every schema of `schemas` (by URI) among its components."""
    whole: dict[str, Any] = _local(openapi, None)
    components = whole.setdefault("components", {}).setdefault("schemas", {})
    for uri, schema in schemas.items():
        name = _name(uri)
        local = _local(schema, name)
        components[name] = {key: value for key, value in local.items() if key not in _DROPPED}
        for definition, value in local.get("$defs", {}).items():
            components[f"{name}_{definition}"] = value
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
    local = _DEFINITION.sub(r"_\1", fragment, count=1)
    return f"#/components/schemas/{name}{local}"


def _name(uri: str) -> str:
    return basename(uri).removesuffix(".json")
