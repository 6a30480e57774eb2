"""The Merkle tree over the log's entries (RFC 6962 section 2.1), kept in tiles (C2SP tlog-tiles).

Nothing here reads or writes. A question about the tree is answered in three steps: which ranges of leaves its answer
is made of, which tiles hold those, and, once these have been fetched, the hashes.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
"""Hashes of a full tile."""

Range = tuple[int, int]
"""Leaves from the first up to, and without, the second."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = hashlib.sha256().digest()


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Hashes `number * 256` and following of those that stand for `256 ** level` leaves each."""

    level: int
    number: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """C2SP tlog-tiles, Merkle Tree: below `tile/`."""
        return f"{self.level}/{numbered(self.number, self.width)}"


def numbered(number: int, width: int = TILE_WIDTH) -> str:
    """The number of a tile or entry bundle as it stands in paths: in threes of digits, all but the last marked."""
    digits = f"{number:d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    threes = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    return "/".join([*(f"x{three}" for three in threes[:-1]), threes[-1]]) + (
        f".p/{width}" if width < TILE_WIDTH else ""
    )


def tiles_of(size: int) -> list[Tile]:
    """The rightmost tile of each level in a tree of so many leaves; those before it are full."""
    found = []
    level, hashes = 0, size
    while hashes:
        last, width = divmod(hashes, TILE_WIDTH)
        found.append(Tile(level, last, width) if width else Tile(level, last - 1))
        level, hashes = level + 1, last
    return found


def tile_in(tile: tuple[int, int], size: int) -> Tile | None:
    """The tile of this level and number as it is in a tree of so many leaves; None where there is none."""
    level, number = tile
    width = min((size >> (TILE_HEIGHT * level)) - number * TILE_WIDTH, TILE_WIDTH)
    return Tile(level, number, width) if width > 0 else None


def inclusion(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that leaf `index` is in the tree of `size` leaves, from the leaf's sibling up
    (RFC 6962 section 2.1.1). Raises ValueError when it is not."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} of {size}")
    found: list[Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _left(end - begin)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin = middle
    return found[::-1]


def consistency(old: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of `size` leaves begins with that of `old` (RFC 6962 section
    2.1.2). Raises ValueError when it does not hold so many, or `old` is none."""
    if not 0 < old <= size:
        raise ValueError(f"{old} leaves of {size}")
    found: list[Range] = []
    begin, end = 0, size
    while end != old:
        middle = begin + _left(end - begin)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin = middle
    if begin:  # otherwise it is the whole old tree, whose hash is known
        found.append((begin, end))
    return found[::-1]


def complete(ranges: Iterable[Range]) -> list[tuple[int, int]]:
    """The complete subtrees that the ranges consist of: the height of each, and its place among those of its
    height."""
    found = []
    for first, end in ranges:
        begin = first
        while begin < end:
            height = _height(begin, end)
            found.append((height, begin >> height))
            begin += 1 << height
    return found


def tiles(ranges: Iterable[Range]) -> set[tuple[int, int]]:
    """Level and number of each tile that is needed to hash these ranges."""
    return {_tile(height, place)[0] for height, place in complete(ranges)}


def hashes(ranges: Sequence[Range], of: Mapping[tuple[int, int], bytes]) -> list[bytes]:
    """The hash of each range, out of the tiles of these levels and numbers."""
    return [_hash(begin, end, of) for begin, end in ranges]


def root(size: int, of: Mapping[tuple[int, int], bytes]) -> bytes:
    """The hash of the tree of so many leaves; the tiles needed are those of `(0, size)`."""
    return _hash(0, size, of) if size else EMPTY_ROOT


def tile_hash(tile: bytes) -> bytes:
    """What a full tile comes to: the hash that stands for it in the tile above."""
    row = [tile[place : place + HASH_BYTES] for place in range(0, len(tile), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


Edge = tuple[list[bytes], ...]
"""Of each level of tiles, from 0, the hashes of the tile at its end that is not full: all that has to be known of a
tree to let it grow."""


def edge_of(size: int) -> list[Tile]:
    """The tiles that are the edge of a tree of so many leaves, level by level; an empty one has no width."""
    found = []
    level, hashes = 0, size
    while True:
        number, width = divmod(hashes, TILE_WIDTH)
        found.append(Tile(level, number, width))
        if not number:
            return found
        level, hashes = level + 1, number


def grown(size: int, edge: Edge, leaves: Sequence[bytes]) -> tuple[Edge, list[list[bytes]]]:
    """The edge of the tree with these leaf hashes more, and the hashes that are new on each level, from 0: the first
    of a level stands behind those it had."""
    grows, added = [], []
    new, before = list(leaves), size
    for level in range(TILE_HEIGHT):
        row = [*(edge[level] if level < len(edge) else ()), *new]
        added.append(new)
        whole = len(row) - len(row) % TILE_WIDTH
        grows.append(row[whole:])
        new = [tile_hash(b"".join(row[place : place + TILE_WIDTH])) for place in range(0, whole, TILE_WIDTH)]
        before //= TILE_WIDTH
        if not new and not before:
            break
    return tuple(grows), added


def edge_root(size: int, edge: Edge) -> bytes:
    """The hash of the tree of so many leaves with this edge."""
    return root(size, {(tile.level, tile.number): b"".join(edge[tile.level]) for tile in edge_of(size)})


def _hash(begin: int, end: int, of: Mapping[tuple[int, int], bytes]) -> bytes:
    parts = []
    for height, place in complete([(begin, end)]):
        tile, first, count = _tile(height, place)
        parts.append(tile_hash(of[tile][first * HASH_BYTES : (first + count) * HASH_BYTES]))
    whole = parts.pop()
    while parts:  # from the right: each is larger than all that follow it
        whole = node_hash(parts.pop(), whole)
    return whole


def _tile(height: int, place: int) -> tuple[tuple[int, int], int, int]:
    """The tile that a complete subtree can be hashed from, the first of its hashes in it, and how many."""
    level, above = divmod(height, TILE_HEIGHT)
    number, first = divmod(place << above, TILE_WIDTH)
    return (level, number), first, 1 << above


def _left(count: int) -> int:
    """How many of so many leaves, at least two, the left child has: the largest power of two below."""
    return 1 << (count - 1).bit_length() - 1


def _height(begin: int, end: int) -> int:
    """Of the largest complete subtree at the beginning of a range."""
    largest = (end - begin).bit_length() - 1
    return min(largest, (begin & -begin).bit_length() - 1) if begin else largest
