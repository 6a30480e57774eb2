"""The ledger's tables. Rows are added and never changed; the database refuses anything else."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tsunagi.db import ReadTx, Write, WriteTx, columns, fetch, metadata, send
from tsunagi.ids import Stream, ordered_id
from tsunagi.ledger.rules import SALT_BYTES, Action, Entry, body, commitment

streams = Table(
    "ledger_streams",
    metadata,
    Column("stream", Uuid, primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=True, comment="commitment of the newest entry"),
)

entries = Table(
    "ledger_entries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("stream", Uuid, nullable=True),
    Column("number", BigInteger, nullable=True, comment="counts from 1 within the stream"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("commitment", LargeBinary, nullable=False, comment="SHA-256(salt || body)"),
    UniqueConstraint("stream", "number"),
)

contents = Table(
    "ledger_contents",
    metadata,
    Column("id", Uuid, ForeignKey("ledger_entries.id"), primary_key=True),
    Column("organization_id", Uuid, nullable=True),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("record_id", Text, nullable=True, index=True),
    Column("salt", LargeBinary, nullable=False),
    Column("body", Text, nullable=False, comment="RFC 8785 JSON"),
    Index("ledger_contents_organization_idx", "organization_id", "id"),
    comment="apart from the entry, so that it can be erased while the commitment stays",
)

queue = Table(
    "ledger_queue",
    metadata,
    Column("place", BigInteger, Identity(always=True), primary_key=True),
    Column("entry_id", Uuid, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    comment="entries that have no place in the log yet",
)

# Takes the streams' row locks in one order, so that batches cannot deadlock.
_HELD = """
    SELECT stream, entries, head FROM ledger_streams WHERE stream = ANY ($1::uuid[]) ORDER BY stream FOR UPDATE
"""
_BEGUN = """
    INSERT INTO ledger_streams (stream, entries) SELECT stream, 0 FROM unnest($1::uuid[]) AS b (stream)
    ON CONFLICT DO NOTHING
"""
_HEADS = """
    UPDATE ledger_streams s SET entries = h.entries, head = h.head
    FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS h (stream, entries, head)
    WHERE s.stream = h.stream
"""
_NEW_STREAM = "INSERT INTO ledger_streams (stream, entries, head) VALUES ($1, $2, $3)"
_ENTRIES = """
    INSERT INTO ledger_entries (id, stream, number, recorded_at, commitment)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::bytea[])
"""
_CONTENTS = """
    INSERT INTO ledger_contents (id, organization_id, action, outcome, record_id, salt, body)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[])
"""
_QUEUE = """
    INSERT INTO ledger_queue (entry_id, commitment) SELECT * FROM unnest($1::uuid[], $2::bytea[])
"""

# One entry on one stream in one message: the database puts in the number and the commitment before it, which are
# known once the stream's row is held, and hashes what results.
_ONE = """
    INSERT INTO ledger_contents (id, organization_id, action, outcome, record_id, salt, body)
    SELECT $1, $2, $3, $4, $5, $6, body FROM entry_body
"""
_ONE_STEPS = (
    ("stream_head", "SELECT entries, head FROM ledger_streams WHERE stream = $7 FOR UPDATE"),
    (
        "entry_body",
        """
        SELECT coalesce(entries, 0) + 1 AS number,
            $8::text || (coalesce(entries, 0) + 1) || $9::text
                || coalesce(',"previous":"' || encode(head, 'hex') || '"', '') || $10::text AS body
        FROM (SELECT) AS one LEFT JOIN stream_head ON true
        """,
    ),
    (
        "entry_commitment",
        "SELECT number, sha256($6::bytea || convert_to(body, 'UTF8')) AS commitment FROM entry_body",
    ),
    (
        "stream_moved",
        """
        INSERT INTO ledger_streams AS s (stream, entries, head)
        SELECT $7, number, commitment FROM entry_commitment
        ON CONFLICT (stream) DO UPDATE SET entries = excluded.entries, head = excluded.head
        """,
    ),
    (
        "entry_kept",
        """
        INSERT INTO ledger_entries (id, stream, number, recorded_at, commitment)
        SELECT $1, $7, number, $11, commitment FROM entry_commitment
        """,
    ),
    (
        "entry_queued",
        "INSERT INTO ledger_queue (entry_id, commitment) SELECT $1, commitment FROM entry_commitment",
    ),
)

_NUMBER, _PREVIOUS = 0, bytes(32)
"""What stands in an entry's body until the database knows better."""


async def append(tx: WriteTx, *new: Entry) -> list[UUID]:
    """The entries are part of `tx`; returns their ids. Call it last: it locks each stream until the commit."""
    if len(new) == 1 and new[0].stream is not None:
        entry_id = ordered_id()
        await send(tx, entering(new[0], entry_id=entry_id))
        return [entry_id]
    heads = await hold(tx, (entry.stream for entry in new if entry.stream is not None))
    rows = _rows(new, heads)
    moved = [Write(_HEADS, columns((stream, *head) for stream, head in heads.items()))] if heads else []
    await send(tx, *_inserting(rows), *moved)
    return [row.id for row in rows]


def entering(entry: Entry, *, entry_id: UUID | None = None) -> Write:
    """One more entry on its stream."""
    assert entry.stream is not None, "an entry about nobody has no stream to be numbered in"
    entry_id, salt = entry_id or ordered_id(), secrets.token_bytes(SALT_BYTES)
    whole = body(entry, entry_id=entry_id, number=_NUMBER, previous=_PREVIOUS).decode()
    # Inside of JSON strings quotes are escaped: these are the members themselves.
    before, rest = whole.split(f'"number":{_NUMBER},', 1)
    between, after = rest.split(f',"previous":"{_PREVIOUS.hex()}"', 1)
    content = (entry.actor.organization_id, entry.action, entry.outcome, _record_id(entry), salt)
    template = (before + '"number":', "," + between, after)
    return Write(_ONE, (entry_id, *content, entry.stream, *template, entry.at), _ONE_STEPS)


def opening(*new: Entry) -> list[Write]:
    """The first entries of one stream, which nobody else knows of yet."""
    stream = new[0].stream
    assert stream is not None, "a stream is opened for somebody"
    heads: Heads = {stream: (0, None)}
    inserting = _inserting(_rows(new, heads))
    return [Write(_NEW_STREAM, (stream, *heads[stream])), *inserting]


Heads = dict[Stream, tuple[int, bytes | None]]
"""How many entries each stream has, and the commitment of the newest."""


_NOTED = """
    SELECT FROM ledger_contents c JOIN ledger_entries e ON e.id = c.id
    WHERE c.record_id = $1 AND c.action = $2 AND e.recorded_at >= $3 LIMIT 1
"""


async def noted(tx: ReadTx, action: Action, record_id: UUID, *, since: datetime) -> bool:
    """Whether, from `since` on, something of that kind was recorded about that record."""
    return bool(await fetch(tx, _NOTED, str(record_id), action, since))


async def hold(tx: WriteTx, streams: Iterable[Stream]) -> Heads:
    """Nobody else writes to these streams until `tx` ends. For steps that write to several, one by one: whoever
    holds them in one order cannot wait crosswise for another."""
    ordered = sorted(set(streams))
    found = await fetch(tx, _HELD, ordered) if ordered else []
    if len(found) < len(ordered):
        await fetch(tx, _BEGUN, sorted(set(ordered) - {row["stream"] for row in found}))
        found = await fetch(tx, _HELD, ordered)
    return {row["stream"]: (row["entries"], row["head"]) for row in found}


@dataclass(frozen=True, slots=True)
class _Row:
    """An entry as it is kept: in `ledger_entries`, and apart from it in `ledger_contents`."""

    id: UUID
    number: int | None
    salt: bytes
    body: bytes
    entry: Entry

    @property
    def commitment(self) -> bytes:
        return commitment(self.salt, self.body)


def _rows(new: Sequence[Entry], heads: Heads) -> list[_Row]:
    """The entries, numbered and chained behind the heads, which move on."""
    rows: list[_Row] = []
    for entry in new:
        entry_id, salt = ordered_id(), secrets.token_bytes(SALT_BYTES)
        number, previous = None, None
        if entry.stream is not None:
            count, previous = heads[entry.stream]
            number = count + 1
        row = _Row(
            entry_id, number, salt, body(entry, entry_id=entry_id, number=number, previous=previous), entry
        )
        if entry.stream is not None and number is not None:
            heads[entry.stream] = (number, row.commitment)
        rows.append(row)
    return rows


def _inserting(rows: Sequence[_Row]) -> list[Write]:
    kept = [(row.id, row.entry.stream, row.number, row.entry.at, row.commitment) for row in rows]
    apart = [
        (
            row.id,
            row.entry.actor.organization_id,
            row.entry.action,
            row.entry.outcome,
            _record_id(row.entry),
            row.salt,
            row.body.decode(),
        )
        for row in rows
    ]
    queued = [(row.id, row.commitment) for row in rows]
    return [
        Write(_ENTRIES, columns(kept)),
        Write(_QUEUE, columns(queued)),
        Write(_CONTENTS, columns(apart)),
    ]


def _record_id(entry: Entry) -> str | None:
    return str(entry.record.id) if entry.record else None
