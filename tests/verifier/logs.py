"""Logs to be verified: made with the service's tree and notes, served as files."""

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.transparency.test_notes import LOG, Held
from tsunagi.transparency import rules as tree
from tsunagi.transparency.notes import Checkpoint, signed
from tsunagi_verifier import Checkpoint as Read
from tsunagi_verifier import Key, open_checkpoint
from tsunagi_verifier.sources import Missing, as_text
from tsunagi_verifier.tiles import Piece, cut

KEY = Key.read(str(LOG.key))


def entry(number: int) -> bytes:
    return hashlib.sha256(b"entry %d" % number).digest()


def entries(count: int) -> list[bytes]:
    return [entry(number) for number in range(count)]


class Log:
    """All that a log serves, by path, as it is at one size. Can be read from as a verifier reads from a server."""

    name = "made"

    def __init__(self, leaves: Sequence[bytes], *signers: Held, origin: str = LOG.key.name) -> None:
        self.size, self.leaves = len(leaves), leaves
        self.tiles = tiles(leaves)
        self.root = tree.root(self.size, self.tiles)
        self.note = signed(Checkpoint(origin, self.size, self.root).text(), *(signers or (LOG,)))
        self.files = {"checkpoint": self.note.encode(), **self._bundles()}
        for (level, number), raw in self.tiles.items():
            self.files[f"tile/{tree.Tile(level, number, len(raw) // 32).path}"] = raw

    def _bundles(self) -> dict[str, bytes]:
        found = {}
        for number in range(-(-self.size // tree.TILE_WIDTH)):
            held = self.leaves[number * tree.TILE_WIDTH : (number + 1) * tree.TILE_WIDTH]
            content = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in held)
            found[f"tile/entries/{tree.numbered(number, len(held))}"] = content
        return found

    def checkpoint(self) -> Read:
        return open_checkpoint(self.note, [KEY])

    def text(self, path: str) -> str:
        return as_text(path, self._read(path))

    def piece(self, piece: Piece) -> bytes:
        if piece.path not in self.files and piece.fallback:
            return cut(piece, self._read(piece.fallback))
        return self._read(piece.path)

    def pieces(self, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, bytes]]:
        return ((piece, self.piece(piece)) for piece in pieces)

    def close(self) -> None:
        """Nothing is open."""

    def _read(self, path: str) -> bytes:
        if path not in self.files:
            raise Missing("ありません", "not there")
        return self.files[path]

    def write(self, folder: Path) -> Path:
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder


def tiles(leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """C2SP tlog-tiles: each hash of a level is that of a full tile of the level below."""
    found, level, row = {}, 0, [tree.leaf_hash(leaf) for leaf in leaves]
    while row:
        for begin in range(0, len(row), tree.TILE_WIDTH):
            found[level, begin // tree.TILE_WIDTH] = b"".join(row[begin : begin + tree.TILE_WIDTH])
        full = len(row) // tree.TILE_WIDTH
        row = [tree.tile_hash(found[level, number]) for number in range(full)]
        level += 1
    return found


class _Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def serving(folder: Path, handler: type[http.server.SimpleHTTPRequestHandler] = _Quiet) -> Iterator[str]:
    """The URL under which a folder's files are served."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
