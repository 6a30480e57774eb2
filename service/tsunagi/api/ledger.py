"""The operations of the tag Ledger: what outsiders verify the ledger with."""

import base64
import re
import struct
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any, TypeVar
from uuid import UUID

from fastapi.responses import PlainTextResponse, Response

from tsunagi.api.bodies import dumped, instant, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer
from tsunagi.api.listing import cursor, opened_cursor, paged
from tsunagi.audit import actions
from tsunagi.audit.rules import Kept
from tsunagi.audit.store import EVERYTHING, NOTHING, Wanted
from tsunagi.errors import NotFound
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream
from tsunagi.transparency import store
from tsunagi.transparency.rules import TILE_WIDTH, Tile, numbered

routes = Routes()

Id = TypeVar("Id", bound=UUID)

# C2SP tlog-tiles: `<L>/<N>[.p/<W>]`, and `entries/<N>[.p/<W>]`.
_TILE = re.compile(r"(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOT_YET = {"Cache-Control": "public, max-age=1"}
"""A checkpoint is good for as long as the next one takes; a tile that is not there may be in a second."""


@routes.operation("getCheckpoint")
async def get_checkpoint(call: Call) -> Response:
    async with call.services.db.platform() as tx:
        newest = await store.newest(tx)
    if newest is None:
        raise NotFound
    headers = {"Last-Modified": format_datetime(newest.signed_at, usegmt=True), **_NOT_YET}
    return PlainTextResponse(newest.note, headers=headers)


@routes.operation("getLedgerKeys")
async def get_ledger_keys(call: Call) -> Response:
    async with call.services.db.platform() as tx:
        newest = await store.newest(tx)
    return PlainTextResponse("".join(f"{key}\n" for key in (newest.keys if newest else ())), headers=_NOT_YET)


@routes.operation("getLedgerTile")
async def get_ledger_tile(call: Call) -> Response:
    level, wanted = _wanted(call.parameters["path"])
    async with call.services.db.platform() as tx:
        if level == "entries":
            first = wanted.number * TILE_WIDTH
            found = await store.commitments(tx, first, first + wanted.width)
        else:
            found = await store.tile(tx, wanted)
    if len(found) < wanted.width:
        raise NotFound
    if level == "entries":
        found = [struct.pack(">H", len(one)) + one for one in found]
    return Response(b"".join(found), headers=_FOR_EVER, media_type="application/octet-stream")


def _wanted(path: str) -> tuple[str, Tile]:
    """What a path below `tile/` names. Raises NotFound for what names nothing, or not as it is written."""
    parts = _TILE.fullmatch(path)
    if parts is None:
        raise NotFound
    level, width = parts[1], int(parts[3] or TILE_WIDTH)
    number = int(re.sub("[x/]", "", parts[2]))
    if width > TILE_WIDTH or numbered(number, width) != path.partition("/")[2]:
        raise NotFound
    return level, Tile(0 if level == "entries" else int(level), number, width)


@routes.operation("getReceipt")
async def get_receipt(call: Call) -> Response:
    async with call.services.db.write(call.acting) as tx:
        found = await actions.receipt(tx, call.by, HandoverId(call.id("handoverId")))
    return Answer(
        {
            "handoverId": str(found.handover.id),
            "status": found.handover.status,
            "issuedAt": instant(call.at),
            "checkpoint": found.signed and found.signed.note,
            "keys": list(found.signed.keys) if found.signed else [],
            "steps": [_step(one, found.proofs) for one in found.steps],
        }
    ).response()


def _step(one: Kept, proofs: Mapping[int, str]) -> dict[str, Any]:
    said = present(
        action=one.action, at=one.recorded_at, organizationId=one.organization_id, recordVersion=one.version
    )
    proof = None if one.position is None else proofs.get(one.position)
    return said | {"entry": entry(one), "proof": proof}


@routes.operation("listLedgerEntries")
async def list_ledger_entries(call: Call) -> Response:
    asked = call.parameters
    after, last = NOTHING, EVERYTHING
    if "cursor" in asked:
        after, last = opened_cursor(asked["cursor"], UUID, UUID)
    wanted = Wanted(
        after,
        last,
        asked["limit"],
        action=asked.get("action"),
        outcome=asked.get("outcome"),
        organization_id=_id(asked, "organizationId", OrganizationId),
        since=_instant(asked, "from"),
        until=_instant(asked, "to"),
    )
    async with call.services.db.write(call.overseeing) as tx:
        page = await actions.entries(
            tx,
            call.by,
            wanted,
            person_id=_id(asked, "personId", PersonId),
            handover_id=_id(asked, "handoverId", HandoverId),
            stream=_id(asked, "stream", Stream),
        )
    items = [dumped(entry(one)) for one in page.entries]
    return paged(call, items, cursor([str(page.end), str(page.last)]) if page.end else None)


def _id(asked: Mapping[str, Any], name: str, kind: Callable[[UUID], Id]) -> Id | None:
    return kind(UUID(asked[name])) if name in asked else None


def _instant(asked: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(asked[name]) if name in asked else None


def entry(one: Kept) -> dict[str, Any]:
    """LedgerEntry. What is erased, or not for the caller, is null."""
    return present(recordedAt=one.recorded_at, stream=one.stream, number=one.number) | {
        "id": str(one.id),
        "position": one.position,
        "commitment": one.commitment.hex(),
        "salt": None if one.salt is None else base64.b64encode(one.salt).decode(),
        "body": one.body,
    }
