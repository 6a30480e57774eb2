"""Pages of lists: opaque keyset cursors and the link to the next page."""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response

from tsunagi.api.edge import Call
from tsunagi.errors import InvalidParameter, Text


def cursor(parts: list[Any]) -> str:
    """An opaque cursor for a place in a list."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def opened_cursor(text: str, *kinds: Callable[[Any], Any]) -> list[Any]:
    """The parts of a cursor. Raises InvalidParameter when it is none of ours."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return [kind(part) for kind, part in zip(kinds, parts, strict=True)]
    except (ValueError, TypeError, AttributeError):
        raise InvalidParameter(
            Text("cursor: 前の頁の nextCursor を使ってください", "cursor: use nextCursor of the page before")
        ) from None


def paged(call: Call, items: Iterable[str], next_cursor: str | None) -> Response:
    """A page of a list, its items as JSON text, and where the next one is."""
    headers = {}
    if next_cursor is not None:
        asked = [(name, value) for name, value in call.request.query_params.items() if name != "cursor"]
        query = urlencode([*asked, ("cursor", next_cursor)])
        headers["Link"] = f'<{call.request.scope["raw_path"].decode()}?{query}>; rel="next"'
    body = f'{{"items":[{",".join(items)}],"nextCursor":{json.dumps(next_cursor)}}}'
    return Response(body, 200, headers, media_type="application/json")
