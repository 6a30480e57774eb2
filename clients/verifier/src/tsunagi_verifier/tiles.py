"""The pieces in which a log is served (C2SP tlog-tiles): where they lie, and what they come to."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from tsunagi_verifier.refusals import Refused

HEIGHT = 8
WIDTH = 1 << HEIGHT
"""Hashes of a full tile, entries of a full bundle."""

HASH_BYTES = 32
ENTRY_BYTES = 32
"""What Tsunagi's ledger has as entries: commitments."""

PREFIX = ENTRY_BYTES.to_bytes(2, "big")
STRIDE = len(PREFIX) + ENTRY_BYTES
MAX_BUNDLE_BYTES = 1 << 20


@dataclass(frozen=True)
class Piece:
    """A tile, or a bundle of entries where `level` is None."""

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        return self._path() if self.width == WIDTH else f"{self._path()}.p/{self.width}"

    @property
    def fallback(self) -> str | None:
        """Where more than a partial piece may lie, since a log may take away partial ones that are full by now."""
        return None if self.width == WIDTH else self._path()

    @property
    def max_bytes(self) -> int:
        return MAX_BUNDLE_BYTES if self.level is None else WIDTH * HASH_BYTES

    @property
    def first(self) -> int:
        """The position of the first entry that it is about."""
        width: int = WIDTH ** ((self.level or 0) + 1)
        return self.number * width

    def about(self, place: int, last: int | None = None) -> tuple[int, int]:
        """The first and the last of the entries that the hash at this place, or up to the other, stands for."""
        each: int = WIDTH ** (self.level or 0)
        return self.first + place * each, self.first + ((place if last is None else last) + 1) * each - 1

    def _path(self) -> str:
        digits = f"{self.number:d}"
        digits = "0" * (-len(digits) % 3) + digits
        *above, last = (digits[place : place + 3] for place in range(0, len(digits), 3))
        folder = "entries" if self.level is None else str(self.level)
        return "/".join(["tile", folder, *(f"x{three}" for three in above), last])


def edge(size: int) -> Iterator[Piece]:
    """The partial tiles of a tree of so many entries, the lowest first: all that its root is made of."""
    level, hashes = 0, size
    while hashes:
        if width := hashes % WIDTH:
            yield Piece(level, hashes // WIDTH, width)
        level, hashes = level + 1, hashes // WIDTH


def everything(size: int) -> Iterator[Piece]:
    """All full tiles of a tree, and all its bundles, in the order of the entries: each tile before those that lie
    below it."""
    levels = [(level, 1 << HEIGHT * level) for level in range(size.bit_length() // HEIGHT - 1, -1, -1)]
    for number in range(-(-size // WIDTH)):
        for level, bundles in levels:
            if number % bundles == 0 and (number + bundles) * WIDTH <= size:
                yield Piece(level, number // bundles)
        yield Piece(None, number, min(WIDTH, size - number * WIDTH))


def leaf_hashes(bundle: bytes) -> bytes:
    """The hashes of the entries, one behind the other; zeros, which no entry hashes to, where something is no
    entry."""
    sha256 = hashlib.sha256
    width, rest = divmod(len(bundle), STRIDE)
    if not rest and bundle[::STRIDE] == PREFIX[:1] * width and bundle[1::STRIDE] == PREFIX[1:] * width:
        places = range(2, len(bundle), STRIDE)
        return b"".join([sha256(b"\x00" + bundle[place : place + ENTRY_BYTES]).digest() for place in places])
    found, place = [], 0
    while place < len(bundle):
        begin = place + len(PREFIX)
        place = begin + int.from_bytes(bundle[place:begin], "big")
        readable = len(bundle) >= place >= begin <= len(bundle)
        found.append(sha256(b"\x00" + bundle[begin:place]).digest() if readable else bytes(HASH_BYTES))
    return b"".join(found)


def cut(piece: Piece, raw: bytes) -> bytes:
    """The piece, out of the full one that took its place."""
    if piece.level is not None:
        return raw[: piece.width * HASH_BYTES]
    place = 0
    for _ in range(piece.width):
        place += len(PREFIX) + int.from_bytes(raw[place : place + len(PREFIX)], "big")
    return raw[:place]


def tile_hash(row: bytes) -> bytes:
    """The root over a row of hashes, which are as many as a power of two."""
    sha256 = hashlib.sha256
    while len(row) > HASH_BYTES:
        row = b"".join(
            [sha256(b"\x01" + row[place : place + 64]).digest() for place in range(0, len(row), 64)]
        )
    return row


def hash_at(row: bytes, place: int) -> bytes:
    return row[place * HASH_BYTES : (place + 1) * HASH_BYTES]


def first_difference(one: bytes, other: bytes) -> int:
    """The first place at which two rows of hashes differ."""
    least = min(len(one), len(other)) // HASH_BYTES
    return next((place for place in range(least) if hash_at(one, place) != hash_at(other, place)), least)


def exactly(piece: Piece, raw: bytes) -> bytes:
    """The hashes of a tile. Raises Refused when there are more or fewer than it has."""
    if len(raw) != piece.width * HASH_BYTES:
        raise Refused(
            f"タイル {piece.path} の長さが違います（{len(raw)}バイト）",
            f"tile {piece.path} has the wrong length ({len(raw)} bytes)",
            among=piece.about(0, piece.width - 1),
        )
    return raw
