"""The ledger's tables. Rows are added and never changed; the database refuses anything else."""

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    text,
)

from tsunagi.db import WriteTx, metadata
from tsunagi.ids import Stream, ordered_id
from tsunagi.ledger.rules import SALT_BYTES, Entry, body, commitment

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
    Column("organization_id", Uuid, nullable=True, index=True),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("record_id", Text, nullable=True, index=True),
    Column("salt", LargeBinary, nullable=False),
    Column("body", Text, nullable=False, comment="RFC 8785 JSON"),
    comment="apart from the entry, so that it can be erased while the commitment stays",
)

# Takes the streams' row locks in the order given: callers sort, so that batches cannot deadlock.
_advance_streams = text("""
    INSERT INTO ledger_streams AS s (stream, entries, head)
    SELECT stream, added, NULL FROM unnest(CAST(:streams AS uuid[]), CAST(:added AS bigint[])) AS a (stream, added)
    ON CONFLICT (stream) DO UPDATE SET entries = s.entries + excluded.entries
    RETURNING s.stream, s.entries, s.head
""")

_set_heads = streams.update().where(streams.c.stream == bindparam("of")).values(head=bindparam("to"))


async def append(tx: WriteTx, *new: Entry) -> list[UUID]:
    """The entries are part of `tx`; returns their ids. Call it last: it locks each stream until the commit."""
    added = Counter(entry.stream for entry in new if entry.stream is not None)
    ordered = sorted(added)
    heads: dict[Stream, tuple[int, bytes | None]] = {}
    if ordered:
        rows = await tx.execute(
            _advance_streams, {"streams": ordered, "added": [added[stream] for stream in ordered]}
        )
        heads = {Stream(row.stream): (row.entries - added[row.stream], row.head) for row in rows}
    entry_rows, content_rows = _rows(new, heads)
    await tx.execute(entries.insert(), entry_rows)
    await tx.execute(contents.insert(), content_rows)
    if ordered:
        await tx.execute(_set_heads, [{"of": stream, "to": heads[stream][1]} for stream in ordered])
    return [row["id"] for row in entry_rows]


async def hold(tx: WriteTx, streams: Iterable[Stream]) -> None:
    """Nobody else writes to these streams until `tx` ends. For steps that write to several, one by one: whoever
    holds them in one order cannot wait crosswise for another."""
    ordered = sorted(set(streams))
    if ordered:
        await tx.execute(_advance_streams, {"streams": ordered, "added": [0] * len(ordered)})


def _rows(
    new: Sequence[Entry], heads: dict[Stream, tuple[int, bytes | None]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    entry_rows: list[dict[str, Any]] = []
    content_rows: list[dict[str, Any]] = []
    for entry in new:
        entry_id, salt = ordered_id(), secrets.token_bytes(SALT_BYTES)
        number, previous = None, None
        if entry.stream is not None:
            count, previous = heads[entry.stream]
            number = count + 1
        content = body(entry, entry_id=entry_id, number=number, previous=previous)
        committed = commitment(salt, content)
        if entry.stream is not None and number is not None:
            heads[entry.stream] = (number, committed)
        entry_rows.append(
            {
                "id": entry_id,
                "stream": entry.stream,
                "number": number,
                "recorded_at": entry.at,
                "commitment": committed,
            }
        )
        content_rows.append(
            {
                "id": entry_id,
                "organization_id": entry.actor.organization_id,
                "action": entry.action,
                "outcome": entry.outcome,
                "record_id": entry.record and str(entry.record.id),
                "salt": salt,
                "body": content.decode(),
            }
        )
    return entry_rows, content_rows
