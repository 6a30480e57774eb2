"""Lists that leave the service as files: for spreadsheets, and for print."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from fastapi.responses import Response

from tsunagi.api.edge import Call
from tsunagi.contract import BASE_URI
from tsunagi.directory.store import organization_refs
from tsunagi.ids import OrganizationId

Format = Literal["json", "csv", "pdf"]

PDF = "application/pdf"
MEDIA_TYPES: Mapping[str, Format] = {"application/json": "json", "text/csv": "csv", PDF: "pdf"}

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""Spreadsheets take a cell that begins with one of these for a formula, and run it (OWASP, CSV Injection)."""


def format_of(call: Call) -> Format:
    """What the caller wants: as `format` says, or else the best liked of `Accept` that there is; JSON if neither."""
    if "format" in call.parameters:
        return cast(Format, call.parameters["format"])
    best: Format = "json"
    liking = 0.0
    for part in call.request.headers.get("accept", "").lower().split(","):
        name, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            continue
        if name.strip() in MEDIA_TYPES and weight > liking:
            best, liking = MEDIA_TYPES[name.strip()], weight
    return best


def wants_pdf(call: Call) -> bool:
    """JSON, unless a PDF is named and JSON is not, or later."""
    accept = call.request.headers.get("accept", "")
    names = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return PDF in names and "application/json" not in names[: names.index(PDF)]


def sheet(name: str, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A CSV file (RFC 4180, CRLF) that spreadsheets read as it is meant: UTF-8 with a byte order mark, and no cell
    that is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(titles)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return _file(name, "csv", text.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8")


def printed(name: str, content: bytes) -> Response:
    """A PDF file."""
    return _file(name, "pdf", content, PDF)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _file(name: str, ending: str, content: bytes, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"', "Cache-Control": "no-store"}
    return Response(content, 200, headers, media_type=media_type)


def labels(call: Call, schema: str) -> Mapping[str, str]:
    """What the codes of a schema's list are called in Japanese; `schema` as in `common.json#/$defs/section`."""
    found: Mapping[str, Any] = call.services.contract.resolve(f"{BASE_URI}schemas/{schema}")
    return {code: label["ja"] for code, label in found["x-enum-labels"].items()}


async def name_of(call: Call, whose: OrganizationId) -> str:
    """What the organization is called today."""
    async with call.services.db.read(call.acting) as tx:
        return (await organization_refs(tx, [whose]))[whose].name
