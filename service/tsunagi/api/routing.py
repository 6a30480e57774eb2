"""The contract's paths as one route: looked up segment by segment, whatever their number."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from tsunagi.contract import Operation

Endpoint = Callable[[Request], Awaitable[Response]]

REST = "{path}"
"""The parameter that takes all that is left of a path."""


@dataclass(slots=True)
class _Place:
    """A point of the tree of paths: what may follow, and what is served here, by method."""

    literal: dict[str, "_Place"] = field(default_factory=dict)
    parameter: "_Place | None" = None
    takes_rest: bool = False
    served: dict[str, "_Served"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Served:
    operation: Operation
    endpoint: Endpoint
    parameters: tuple[str, ...]


class ContractRoute(BaseRoute):
    """Every operation under its path and method. Raises HTTPException 405 for other methods of a known path."""

    def __init__(self, operations: Iterable[tuple[Operation, Endpoint]]) -> None:
        self._root = _Place()
        for operation, endpoint in operations:
            place = self._root
            for segment in operation.path.split("/")[1:]:
                place = _below(place, segment)
            names = tuple(re.findall(r"\{(\w+)\}", operation.path))
            place.served[operation.method] = _Served(operation, endpoint, names)

    def matches(self, scope: Scope) -> tuple[Match, dict[str, Any]]:
        if scope["type"] != "http":
            return Match.NONE, {}
        values: list[str] = []
        place = _find(self._root, scope["path"].split("/")[1:], values)
        if place is None:
            return Match.NONE, {}
        if scope["method"] not in place.served:
            return Match.PARTIAL, {"served": place.served}
        served = place.served[scope["method"]]
        return Match.FULL, {
            "operation": served.operation.id,
            "endpoint": served.endpoint,
            "path_params": dict(zip(served.parameters, values, strict=True)),
        }

    @property
    def served(self) -> list[tuple[Operation, Endpoint]]:
        """Everything that is served, in the order of the tree."""
        return [(one.operation, one.endpoint) for one in _served(self._root)]

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "operation" not in scope:
            raise HTTPException(405, headers={"Allow": ", ".join(scope["served"])})
        response = await scope["endpoint"](Request(scope, receive, send))
        await response(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)  # links are built from the contract's own paths


def _served(place: _Place) -> Iterator[_Served]:
    yield from place.served.values()
    for below in (*place.literal.values(), *([place.parameter] if place.parameter else [])):
        yield from _served(below)


def _below(place: _Place, segment: str) -> _Place:
    if not segment.startswith("{"):
        return place.literal.setdefault(segment, _Place())
    if place.parameter is None:
        place.parameter = _Place(takes_rest=segment == REST)
    return place.parameter


def _find(place: _Place, segments: Sequence[str], values: list[str]) -> _Place | None:
    """The place these segments lead to, with the parameters' values in `values`. A literal comes first."""
    if not segments:
        return place if place.served else None
    first, rest = segments[0], segments[1:]
    known = len(values)
    if (literal := place.literal.get(first)) is not None:
        found = _find(literal, rest, values)
        if found is not None:
            return found
        del values[known:]
    if place.parameter is None or not first:
        return None
    if place.parameter.takes_rest:
        values.append("/".join(segments))
        return place.parameter
    values.append(first)
    return _find(place.parameter, rest, values)
