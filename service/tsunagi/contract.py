"""The contract as the service enforces it: `openapi.yaml` and `schemas/`, read once.

The service adds nothing to the shapes: a body is checked against the schema the contract names for its
operation, an operation exists under the path and scope the contract gives it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import jsonschema_rs
import yaml

from tsunagi import violations
from tsunagi.bundle import bundle
from tsunagi.errors import Party, SchemaInvalid

BASE_URI = "https://tsunagi.example/"
"""Where the contract lives by name: `openapi.yaml` and `schemas/` below it, as they are served."""

MAX_ERRORS = 50
MAX_VALUES = 2_000
"""Up to so many values in a document all its mistakes are looked for, else only the first: a mistake costs time,
and a large document can hold hundreds of thousands. A complete record has some 450."""
_METHODS = ("get", "put", "post", "delete", "patch")
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Six times as fast where PyYAML was built with libyaml."""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    location: str
    required: bool
    type: str
    default: Any
    uri: str
    """Of its schema."""


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    tag: str
    scope: str | None
    """None: open to everybody."""
    parameters: tuple[Parameter, ...]
    body: str | None
    """The URI of the request body's schema."""
    body_required: bool
    media_type: str | None
    responses: Mapping[str, Any]


def _faults(validator: Any, value: object) -> Iterator[Any]:
    if _values_up_to(value, MAX_VALUES + 1) <= MAX_VALUES:
        yield from validator.iter_errors(value)
        return
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as first:
        yield first


def _names(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        properties = node.get("properties")
        yield from properties if isinstance(properties, dict) else ()
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _names(item)


def _values_up_to(value: object, limit: int) -> int:
    """How many values a document has; counting stops at `limit`."""
    count, waiting = 0, [iter((value,))]
    while waiting and count < limit:
        for item in waiting.pop():
            count += 1
            if isinstance(item, dict | list):
                waiting.append(iter(item.values() if isinstance(item, dict) else item))
            if count >= limit:
                break
    return count


class Contract:
    """Operations by id, schemas by URI, and the files as they are served."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.openapi_text = (folder / "openapi.yaml").read_text()
        self.openapi: dict[str, Any] = yaml.load(self.openapi_text, _YAML)  # noqa: S506  a safe loader
        self.schemas: dict[str, Any] = {
            f"{BASE_URI}schemas/{path.relative_to(folder / 'schemas').as_posix()}": json.loads(
                path.read_text()
            )
            for path in sorted((folder / "schemas").rglob("*.json"))
            if "examples" not in path.parts and "codes" not in path.parts
        }
        self._registry = jsonschema_rs.Registry(
            [*self.schemas.items(), (f"{BASE_URI}openapi.yaml", self._as_resource())]
        )
        self._validators: dict[str, Any] = {}
        self.operations = {operation.id: operation for operation in self._read_operations()}
        self.names = frozenset(_names(self.schemas)) | frozenset(_names(self.openapi))
        """Of all members that a schema knows: those may be repeated to a caller, others may not."""

    def validator(self, uri: str) -> Any:
        """A compiled validator for the schema at `uri` (a fragment may follow)."""
        if uri not in self._validators:
            self._validators[uri] = jsonschema_rs.Draft202012Validator(
                {"$ref": uri}, registry=self._registry, validate_formats=True, ignore_unknown_formats=False
            )
        return self._validators[uri]

    def check(self, uri: str, value: object, *, party: Party = "sender") -> None:
        """Raises SchemaInvalid with a pointer and a rule for each mistake, never with what was submitted."""
        validator = self.validator(uri)
        if validator.is_valid(value):
            return
        errors = islice(_faults(validator, value), MAX_ERRORS)
        raise SchemaInvalid(errors=violations.notices(errors, root=uri, party=party, schema_at=self.resolve))

    def resolve(self, uri: str) -> Any:
        """The schema at `uri`, fragments included."""
        base, _, fragment = uri.partition("#")
        node: Any = self.openapi if base.endswith("openapi.yaml") else self.schemas[base]
        for part in fragment.strip("/").split("/") if fragment.strip("/") else ():
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            node = node[int(key)] if isinstance(node, list) else node[key]
        return node

    def bundle(self) -> dict[str, Any]:
        """The contract in one file."""
        return bundle(self.openapi, self.schemas)

    def _as_resource(self) -> dict[str, Any]:
        return {**self.openapi, "$schema": "https://json-schema.org/draft/2020-12/schema"}

    def _read_operations(self) -> Iterator[Operation]:
        for path, item in self.openapi["paths"].items():
            for method in _METHODS:
                if method in item:
                    yield self._operation(path, method, item)

    def _operation(self, path: str, method: str, item: dict[str, Any]) -> Operation:
        spec = item[method]
        pointer = f"{BASE_URI}openapi.yaml#/paths/{quote(path.replace('/', '~1'), safe='~')}/{method}"
        body = self._local(spec["requestBody"]) if "requestBody" in spec else None
        media_type = next(iter(body["content"])) if body else None
        return Operation(
            id=spec["operationId"],
            method=method.upper(),
            path=path,
            tag=spec["tags"][0],
            scope=self._scope(spec),
            parameters=(
                *self._parameters(item, pointer.rpartition("/")[0]),
                *self._parameters(spec, pointer),
            ),
            body=self._body_uri(spec, pointer, media_type) if media_type else None,
            body_required=bool(body and body.get("required")),
            media_type=media_type,
            responses=spec["responses"],
        )

    def _parameters(self, node: dict[str, Any], pointer: str) -> Iterator[Parameter]:
        for index, raw in enumerate(node.get("parameters", ())):
            uri = f"{BASE_URI}openapi.yaml{raw['$ref']}" if "$ref" in raw else f"{pointer}/parameters/{index}"
            declared = self._local(raw)
            schema = declared["schema"]
            yield Parameter(
                name=declared["name"],
                location=declared["in"],
                required=declared.get("required", False),
                type=schema.get("type", "string"),
                default=schema.get("default"),
                uri=f"{uri}/schema",
            )

    def _scope(self, spec: dict[str, Any]) -> str | None:
        scopes = [scope for need in spec.get("security", ()) for scope in need.get("oauth2", ())]
        return str(scopes[0]) if scopes else None

    def _body_uri(self, spec: dict[str, Any], pointer: str, media_type: str) -> str:
        if "$ref" in spec["requestBody"]:
            pointer = f"{BASE_URI}openapi.yaml{spec['requestBody']['$ref']}"
        else:
            pointer = f"{pointer}/requestBody"
        schema = self.resolve(pointer)["content"][media_type]["schema"]
        if set(schema) == {"$ref"} and not schema["$ref"].startswith("#"):
            return f"{BASE_URI}{schema['$ref'].removeprefix('./')}"
        return f"{pointer}/content/{media_type.replace('/', '~1')}/schema"

    def _local(self, node: dict[str, Any]) -> Any:
        return self.resolve(f"{BASE_URI}openapi.yaml{node['$ref']}") if "$ref" in node else node
