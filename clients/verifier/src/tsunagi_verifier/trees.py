"""The tree behind a checkpoint, out of tiles of which none is believed before it leads to the checkpoint's root."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from tsunagi_verifier import diagnosis
from tsunagi_verifier.merkle import EMPTY_ROOT, check_consistency, leaf_hash, node_hash
from tsunagi_verifier.notes import Checkpoint
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.sources import Source
from tsunagi_verifier.tiles import (
    HASH_BYTES,
    HEIGHT,
    WIDTH,
    Piece,
    edge,
    everything,
    exactly,
    hash_at,
    leaf_hashes,
    tile_hash,
)

KEPT_TILES = 128
"""A megabyte."""

Rows: TypeAlias = Callable[[int, int], bytes]
"""The hashes of the tile of a level and number, at least those that the tree has."""


class Tree:
    """What is read through it is as the checkpoint's root has it: everything else raises Refused."""

    def __init__(self, log: Source, checkpoint: Checkpoint) -> None:
        self.log, self.size, self.root = log, checkpoint.size, checkpoint.root
        self._edge = {
            (piece.level or 0, piece.number): exactly(piece, raw)
            for piece, raw in log.pieces(edge(self.size))
        }
        self._known: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        if self._root_of_edge() != self.root:
            raise diagnosis.of_root(log, self.size, self.root, self._root_with)

    def walk(self, passed: Callable[[int], None] = lambda _: None) -> None:
        """Every tile and every entry is what the checkpoint has signed for; `passed` is told after how many entries.
        Needs as much memory for a large log as for a small one."""
        for piece, raw in self.log.pieces(everything(self.size)):
            if piece.level is None:
                self._check_bundle(piece, raw)
                passed(piece.number * WIDTH + piece.width)
            else:
                self._accept(piece.level, piece.number, raw)

    def leaf(self, position: int) -> bytes:
        """The hash of an entry."""
        return hash_at(self.tile(0, position // WIDTH), position % WIDTH)

    def check_entry(self, position: int, entry: bytes) -> None:
        """The entry at this position is this one. Raises Refused."""
        if not 0 <= position < self.size:
            raise Refused(
                f"{self.size}件のログに位置{position}の記載はありません",
                f"entry {position} is not among {self.size}",
            )
        if self.leaf(position) != leaf_hash(entry):
            raise Refused(
                f"位置{position}の記載が、ログにあるものと違います",
                f"entry {position} is not the one that is in the log",
                entry=position,
            )

    def root_of(self, size: int) -> bytes:
        """The root that the tree had when it had so many entries."""
        return mth(0, size, self.tile) if size else EMPTY_ROOT

    def check_start(self, earlier: Checkpoint) -> None:
        """The tree begins with that of an earlier checkpoint of the log. Raises Refused, and Unchecked when that is
        not earlier."""
        if earlier.size > self.size:
            raise Unchecked(
                f"{earlier.size}件の検証点は、ログの{self.size}件の検証点より新しいものです",
                f"a checkpoint of {earlier.size} entries is newer than the log's of {self.size}",
            )
        if self.root_of(earlier.size) != earlier.root:
            raise Refused(
                f"署名された{earlier.size}件の検証点が、公開されているログと違います（別のログが示されました）",
                f"the signed checkpoint of {earlier.size} entries is not of the log that is published: two were shown",
            )

    def consistency(self, old: int) -> list[bytes]:
        """The proof that the tree begins with that of its first `old` entries (RFC 6962 section 2.1.2)."""
        proof = list(reversed(self._subproof(old, 0, self.size))) if 0 < old < self.size else []
        check_consistency(old, self.root_of(old), self.size, self.root, proof)
        return proof

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile, full or at the edge."""
        if at_edge := self._edge.get((level, number)):
            return at_edge
        if known := self._known.get((level, number)):
            self._known.move_to_end((level, number))
            return known
        return self._accept(level, number, self.log.piece(Piece(level, number)))

    def _accept(self, level: int, number: int, raw: bytes) -> bytes:
        piece = Piece(level, number)
        row = exactly(piece, raw)
        # Only full tiles have a hash above them; those at the edge are proven together, by the root.
        expected = hash_at(self.tile(level + 1, number // WIDTH), number % WIDTH)
        if tile_hash(row) != expected:
            raise diagnosis.of_tile(self.log, piece, row, expected)
        self._known[level, number] = row
        if len(self._known) > KEPT_TILES:
            self._known.popitem(last=False)
        return row

    def _check_bundle(self, piece: Piece, raw: bytes) -> None:
        row = self.tile(0, piece.number)[: piece.width * HASH_BYTES]
        if (leaves := leaf_hashes(raw)) != row:
            raise diagnosis.of_bundle(piece, leaves, row)

    def _subproof(self, old: int, begin: int, end: int) -> list[bytes]:
        if end == old:
            return [mth(begin, end, self.tile)] if begin else []
        middle = begin + _left(end - begin)
        if old <= middle:
            return [mth(middle, end, self.tile), *self._subproof(old, begin, middle)]
        return [mth(begin, middle, self.tile), *self._subproof(old, middle, end)]

    def _root_of_edge(self) -> bytes:
        return mth(0, self.size, lambda *at: self._edge[at]) if self.size else EMPTY_ROOT

    def _root_with(self, piece: Piece, row: bytes) -> tuple[bytes, bytes]:
        """What the edge has there, and what the root would be if it had this."""
        edge = {**self._edge, (piece.level or 0, piece.number): row}
        return self._edge[piece.level or 0, piece.number], mth(0, self.size, lambda *at: edge[at])


def mth(begin: int, end: int, rows: Rows) -> bytes:
    """The root over these entries, which begin where a subtree of their number may (RFC 6962 section 2.1)."""
    count = end - begin
    if count & (count - 1):
        middle = begin + _left(count)
        return node_hash(mth(begin, middle, rows), mth(middle, end, rows))
    level, above = divmod(count.bit_length() - 1, HEIGHT)
    number, first = divmod(begin >> HEIGHT * level, WIDTH)
    return tile_hash(rows(level, number)[first * HASH_BYTES : (first + (1 << above)) * HASH_BYTES])


def _left(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
