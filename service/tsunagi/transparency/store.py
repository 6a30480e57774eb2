"""The log's tables: rows are added and never changed, and everybody may read them.

Tiles are not kept: one is 256 neighboring rows, whichever of them are there. Level 0 is hashed from the entries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Identity,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from tsunagi.db import ReadTx, Write, WriteTx, columns, fetch, metadata, send
from tsunagi.transparency.rules import TILE_WIDTH, Tile, leaf_hash

log_entries = Table(
    "log_entries",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False, comment="counts from 0"),
    Column("entry_id", Uuid, nullable=False, unique=True),
    Column("commitment", LargeBinary, nullable=False, comment="the leaf's data"),
)

log_nodes = Table(
    "log_nodes",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False, comment="of tiles, from 1"),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False, comment="stands for 256 ** level entries"),
)

log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    Column("note", Text, nullable=False, comment="C2SP signed note"),
    Column("keys", ARRAY(Text), nullable=False, comment="that signed it: name, id, public key"),
)

_SEQUENCERS = 0x7473756E6167692D
"""Of the advisory lock, which one sequencer holds at a time."""

_TAKE = """
    DELETE FROM ledger_queue
    WHERE place IN (SELECT place FROM ledger_queue ORDER BY place LIMIT $1) RETURNING place, entry_id, commitment
"""
_NEWEST = "SELECT size, root, signed_at, note, keys FROM log_checkpoints ORDER BY id DESC LIMIT 1"
_ENTRIES = """
    INSERT INTO log_entries (position, entry_id, commitment)
    SELECT $1 + place - 1, entry_id, commitment
    FROM unnest($2::uuid[], $3::bytea[]) WITH ORDINALITY AS e (entry_id, commitment, place)
"""
_NODES = """
    INSERT INTO log_nodes (level, place, hash) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
"""
_CHECKPOINT = "INSERT INTO log_checkpoints (size, root, signed_at, note, keys) VALUES ($1, $2, $3, $4, $5)"
_WAITING = "SELECT count(*) FROM (SELECT FROM ledger_queue LIMIT $1) AS queue"
_LEAVES = "SELECT commitment FROM log_entries WHERE position >= $1 AND position < $2 ORDER BY position"
_ROW = "SELECT hash FROM log_nodes WHERE level = $1 AND place >= $2 AND place < $3 ORDER BY place"


class Queued(NamedTuple):
    """An entry that has no place in the log yet. `place`: in the queue."""

    place: int
    entry_id: UUID
    commitment: bytes


class Node(NamedTuple):
    """A hash that stands for `256 ** level` entries."""

    level: int
    place: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as it was signed, and the keys that did: name, id and public key of each."""

    size: int
    root: bytes
    signed_at: datetime
    note: str
    keys: Sequence[str]


async def alone(tx: WriteTx) -> None:
    """No other sequencer does anything until `tx` ends."""
    await fetch(tx, "SELECT pg_advisory_xact_lock($1)", _SEQUENCERS)


async def take(tx: WriteTx, limit: int) -> list[Queued]:
    """The entries that have waited longest are taken off the queue, in their order. One that follows another in its
    stream comes after it."""
    return sorted(Queued._make(row) for row in await fetch(tx, _TAKE, limit))


async def newest(tx: ReadTx) -> Signed | None:
    """The newest checkpoint; None before the first."""
    return next((Signed(**row) for row in await fetch(tx, _NEWEST)), None)


async def add(
    tx: WriteTx, first: int, taken: Sequence[Queued], nodes: Iterable[Node], signed: Signed
) -> None:
    """The entries are in the log from position `first` on, with the nodes that became whole, and signed for."""
    writes = [Write(_CHECKPOINT, astuple(signed))]
    if taken:
        entries = columns((one.entry_id, one.commitment) for one in taken)
        writes.append(Write(_ENTRIES, (first, *entries)))
    if whole := list(nodes):
        writes.append(Write(_NODES, columns(whole)))
    await send(tx, *writes)


async def waiting(tx: ReadTx, most: int) -> int:
    """How many entries have no place in the log yet, counted up to `most`."""
    ((count,),) = await fetch(tx, _WAITING, most)
    return int(count)


async def tile(tx: ReadTx, wanted: Tile) -> list[bytes]:
    """The hashes of a tile, as many as there are."""
    first = wanted.number * TILE_WIDTH
    if wanted.level == 0:
        return [leaf_hash(one) for one in await commitments(tx, first, first + wanted.width)]
    return [row["hash"] for row in await fetch(tx, _ROW, wanted.level, first, first + wanted.width)]


async def commitments(tx: ReadTx, first: int, end: int) -> list[bytes]:
    """The data of the leaves from position `first` up to, and without, `end`."""
    return [row["commitment"] for row in await fetch(tx, _LEAVES, first, end)]
