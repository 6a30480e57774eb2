"""The operations of the tag Ledger: what outsiders verify the ledger with."""

import re
import struct
from email.utils import format_datetime

from fastapi.responses import PlainTextResponse, Response

from tsunagi.api.edge import Call, Routes
from tsunagi.errors import NotFound
from tsunagi.transparency import store
from tsunagi.transparency.rules import TILE_WIDTH, Tile, numbered

routes = Routes()

# C2SP tlog-tiles: `<L>/<N>[.p/<W>]`, and `entries/<N>[.p/<W>]`.
_TILE = re.compile(r"(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
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
