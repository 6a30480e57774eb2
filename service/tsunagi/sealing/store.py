"""Which master keys the database needs, and its data keys, whatever table they are in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, DateTime, LargeBinary, Table, Text
from sqlalchemy.dialects import postgresql

from tsunagi.db import ReadTx, WriteTx, columns, fetch, metadata

DATA_KEY = "data_key"
"""The column that holds the wrapped key of a row's sealed texts."""


class Sealed(LargeBinary):
    """The type of a column that holds a sealed text; its place is the table and the primary key."""


_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

master_keys = Table(
    "master_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
    comment="those without which something here cannot be read",
)

_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('master keys', 0))"
_NEEDED = "SELECT id FROM master_keys ORDER BY since, id"
_NEED = "INSERT INTO master_keys (id, since) SELECT * FROM unnest($1::text[], $2::timestamptz[]) ON CONFLICT DO NOTHING"


async def hold(tx: WriteTx) -> None:
    """Nobody else says which master keys are needed until `tx` ends."""
    await fetch(tx, _HOLD)


async def needed(tx: ReadTx) -> list[str]:
    return [row["id"] for row in await fetch(tx, _NEEDED)]


async def need(tx: WriteTx, at: datetime, key_ids: Sequence[str]) -> None:
    await fetch(tx, _NEED, list(key_ids), [at] * len(key_ids))


async def need_no_longer(tx: WriteTx, key_ids: Sequence[str]) -> None:
    await fetch(tx, "DELETE FROM master_keys WHERE id = ANY ($1)", list(key_ids))


@dataclass(frozen=True, slots=True)
class KeyTable:
    """A table whose rows have data keys."""

    name: str
    key: Sequence[str]
    """Its primary key."""
    types: Sequence[str]


def key_tables() -> list[KeyTable]:
    """Of all rooms that are loaded."""
    return [
        KeyTable(
            table.name,
            [column.name for column in table.primary_key.columns],
            [str(column.type.compile(_DIALECT)) for column in table.primary_key.columns],
        )
        for table in metadata.sorted_tables
        if DATA_KEY in table.c
    ]


class Wrapped(NamedTuple):
    """A data key where it is kept: `key` are the values of the primary key."""

    key: tuple[Any, ...]
    data_key: bytes


async def wrapped_otherwise(
    tx: WriteTx, table: KeyTable, newest: bytes, *, after: tuple[Any, ...] | None, limit: int
) -> list[Wrapped]:
    """The next rows of the table, behind the key `after`, whose data keys are not under the newest master key; held
    until `tx` ends. Those that others hold are passed over."""
    names = ", ".join(table.key)
    behind = f"AND ({names}) > ({_places(table, 3)})" if after else ""
    rows = await fetch(
        tx,
        f"SELECT {names}, data_key FROM {table.name}"  # noqa: S608  nothing but names is put in
        f" WHERE substr(data_key, 1, length($1::bytea)) <> $1 {behind}"
        f" ORDER BY {names} LIMIT $2 FOR UPDATE SKIP LOCKED",
        newest,
        limit,
        *(after or ()),
    )
    return [Wrapped(tuple(row)[:-1], row["data_key"]) for row in rows]


async def rewrap(tx: WriteTx, table: KeyTable, rows: Sequence[Wrapped]) -> None:
    """These rows have these data keys."""
    kinds = [f"${place}::{kind}[]" for place, kind in enumerate(table.types, 2)]
    same = " AND ".join(f"t.{name} = n.{name}" for name in table.key)
    await fetch(
        tx,
        f"UPDATE {table.name} t SET data_key = n.data_key"  # noqa: S608  only names of ours
        f" FROM unnest($1::bytea[], {', '.join(kinds)}) AS n (data_key, {', '.join(table.key)}) WHERE {same}",
        [row.data_key for row in rows],
        *columns(row.key for row in rows),
    )


def _places(table: KeyTable, first: int) -> str:
    return ", ".join(f"${place}::{kind}" for place, kind in enumerate(table.types, first))


async def counted(tx: ReadTx, table: KeyTable) -> dict[str, int]:
    """How many data keys of the table are under which master key."""
    found = await fetch(
        tx,
        f"SELECT encode(substr(data_key, 1, 4), 'hex') AS id, count(*) AS number FROM {table.name}"  # noqa: S608  only names of ours
        " WHERE data_key IS NOT NULL GROUP BY 1",
    )
    return {row["id"]: row["number"] for row in found}
