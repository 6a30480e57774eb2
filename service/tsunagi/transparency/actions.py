"""The sequencer: gives the ledger's entries their place in the log, and signs for it.

A business transaction writes an entry and a row of the queue, and knows nothing of this. The sequencer takes rows off
the queue, and in the same transaction the entries get the next positions, the tree its new nodes, and the whole a
signed checkpoint: whatever of it is seen, all of it is there. It keeps nothing in memory that a crash could lose.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tsunagi.db import Database, ReadTx, WriteTx
from tsunagi.transparency import store
from tsunagi.transparency.keys import KeyStore, Remembered
from tsunagi.transparency.notes import Checkpoint, proof_file, signed
from tsunagi.transparency.rules import (
    TILE_HEIGHT,
    Edge,
    edge_of,
    edge_root,
    grown,
    hashes,
    inclusion,
    leaf_hash,
    tile_in,
    tiles,
)
from tsunagi.transparency.rules import root as tree_root
from tsunagi.transparency.store import Node, Signed

BATCH = 2_000
"""Entries that one checkpoint adds at most."""


class LogForked(RuntimeError):
    """The database does not hold the log that was signed for last: it was restored, or is another one."""


@dataclass(slots=True)
class Sequencer:
    """One log, its keys, and the database it is in."""

    db: Database
    keys: KeyStore
    origin: str

    async def sequence(self, at: datetime) -> int:
        """The entries that waited longest, up to a batch, are in the log and signed for; returns how many.

        Without any, a checkpoint is signed only if there is none yet, or other keys sign now. Raises LogForked when
        the database is behind, or beside, what these keys have signed.
        """
        async with self.db.sequencing() as tx:
            await store.alone(tx)
            before = await store.newest(tx)
            size = before.size if before else 0
            await self._check(tx, before)
            taken = await store.take(tx, BATCH)
            signers = self.keys.signers()
            names = sorted(str(one.key) for one in signers)
            if before and not taken and sorted(before.keys) == names:
                return 0
            edge, added = grown(size, await _edge(tx, size), [leaf_hash(one.commitment) for one in taken])
            after = size + len(taken)
            checkpoint = Checkpoint(self.origin, after, edge_root(after, edge))
            note = signed(checkpoint.text(), *signers)
            now = Signed(after, checkpoint.root, at, note, names)
            await store.add(tx, size, taken, _nodes(size, added), now)
        self.keys.remember(Remembered(self.origin, after, checkpoint.root))
        return len(taken)

    async def _check(self, tx: ReadTx, newest: Signed | None) -> None:
        """The log still begins with what was signed for last. Raises LogForked."""
        known = self.keys.remembered()
        if newest and (named := newest.note.partition("\n")[0]) != self.origin:
            raise LogForked(f"the log is called {named}, and a log keeps its name")
        if known is None or (newest and (known.size, known.root) == (newest.size, newest.root)):
            return
        size = newest.size if newest else 0
        if known.origin != self.origin:
            raise LogForked(f"these keys sign for {known.origin}")
        if size < known.size:
            raise LogForked(f"{known.size} entries were signed for, and {size} are here")
        if await root(tx, known.size) != known.root:
            raise LogForked(f"the first {known.size} entries are others than were signed for")


async def root(tx: ReadTx, size: int) -> bytes:
    """The hash of the tree that the first `size` entries make."""
    return tree_root(size, await _held(tx, tiles([(0, size)]), size))


async def inclusion_proofs(tx: ReadTx, positions: Iterable[int], of: Signed) -> dict[int, str]:
    """By position: the proof file that the entry is in the log of this checkpoint, for those that are."""
    paths = {position: inclusion(position, of.size) for position in positions if position < of.size}
    needed = {one for path in paths.values() for one in tiles(path)}
    held = await _held(tx, needed, of.size)
    return {position: proof_file(position, hashes(path, held), of.note) for position, path in paths.items()}


async def _held(tx: ReadTx, needed: Iterable[tuple[int, int]], size: int) -> dict[tuple[int, int], bytes]:
    """The tiles of these levels and numbers, as they are in a tree of so many leaves."""
    found = {one: tile for one in needed if (tile := tile_in(one, size)) is not None}
    return {one: b"".join(await store.tile(tx, tile)) for one, tile in found.items()}


async def _edge(tx: WriteTx, size: int) -> Edge:
    return tuple([await store.tile(tx, tile) if tile.width else [] for tile in edge_of(size)])


def _nodes(size: int, added: Sequence[Sequence[bytes]]) -> Iterator[Node]:
    """The new hashes above the leaves."""
    for level, new in enumerate(added[1:], 1):
        first = size >> (TILE_HEIGHT * level)
        yield from (Node(level, first + place, one) for place, one in enumerate(new))
