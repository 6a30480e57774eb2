"""Checking that the log goes on from a checkpoint that was kept: in the browser, by the tiles that the log publishes;
or here, for whoever has no scripts and trusts us."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.responses import Response

from tsunagi.errors import NotFound, Refusal, Text
from tsunagi.web.ledger import log_keys
from tsunagi.web.site import pages
from tsunagi.web.verifying import Checked, file_text, sent, trusted
from tsunagi.web.visit import Visit
from tsunagi_verifier.growth import grown
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.sources import Missing
from tsunagi_verifier.tiles import Piece

OTHER_HISTORY = Text(
    "違います。今の台帳は、この検証点の続きではありません。このファイルを手元に残し、監査の責任者に知らせてください。",
    "No: today’s log does not go on from this checkpoint. Keep the file, and tell whoever answers for the audit.",
)
"""As checkpoint.js says it."""


@pages.get("/verify/checkpoint")
async def checkpoint_page(visit: Visit) -> Response:
    return visit.page("checkpoint.html", keys=await log_keys(visit), checked=None)


@pages.post("/verify/checkpoint")
async def checkpoint(visit: Visit) -> Response:
    keys, kept = await sent(visit, "checkpoint")
    log = _Published(visit, asyncio.get_running_loop())
    checked = await asyncio.to_thread(continuation, kept, keys, log)
    return visit.page("checkpoint.html", keys=keys, checked=checked)


class _Published:
    """The log as the contract's operations publish it, to a verifier that waits in a thread."""

    name = "this service"

    def __init__(self, visit: Visit, loop: asyncio.AbstractEventLoop) -> None:
        self._visit, self._loop = visit, loop

    def text(self, path: str) -> str:
        return self._had(path, "getCheckpoint").decode()

    def piece(self, piece: Piece) -> bytes:
        return self._had(piece.path, "getLedgerTile", path=piece.path.removeprefix("tile/"))

    def pieces(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, bytes]]:
        return ((piece, self.piece(piece)) for piece in pieces)

    def close(self) -> None:
        """Nothing is open."""

    def _had(self, named: str, operation: str, **parameters: Any) -> bytes:
        asked = self._visit.answer(operation, **parameters)
        try:
            return bytes(asyncio.run_coroutine_threadsafe(asked, self._loop).result().body)
        except NotFound:
            raise Missing(f"{named} がありません", f"{named} is not there") from None
        except Refusal as refusal:
            raise Unchecked(refusal.title.ja, refusal.title.en) from None


def continuation(kept: bytes, keys: str, log: _Published) -> Checked:
    """As `tsunagi-verify` says of a log and a checkpoint that was kept."""
    try:
        trust = trusted(keys)
        before = trust.open_kept(file_text(kept))
        now = grown(log, trust, log.text("checkpoint"), file_text(kept))
    except Unchecked as unchecked:
        return Checked("unchecked", Text(unchecked.ja, unchecked.en))
    except Refused as refused:
        return Checked("wrong", Text(refused.ja, refused.en), OTHER_HISTORY)
    return Checked("good", grown_text(before.size, now.size))


def grown_text(before: int, now: int) -> Text:
    """As checkpoint.js says it."""
    return Text(
        f"同じ歴史の続きです。保存したときの{before:,}件は、今の{now:,}件の最初に、そのまま残っています。",
        f"The same history, continued: the {before:,} entries of then are, unaltered, the first of today’s {now:,}.",
    )
