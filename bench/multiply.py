"""Rows that real requests wrote, multiplied inside the database.

A few requests are made of the service itself and their rows are looked at. Copies of them are then inserted by the
database alone, with ids of their own: a copy is whatever the service would have written for somebody else. Only what
is sealed cannot be copied by the database (`sealed.py`). Nothing here knows a table by name, so that nothing here has
to change with them.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from bench.sealed import UUID, copied, originals
from tsunagi.sealing.keys import Keyring

__all__ = ["UUID", "Rows", "copy_of", "copy_sql", "multiply", "observed", "quoted", "tables"]


@dataclass
class Rows:
    """What some requests left in the database."""

    tables: dict[str, list[dict[str, str | None]]] = field(default_factory=dict)
    """Rows as text, tables in the order in which they were created: none refers to a later one."""

    ids: frozenset[str] = frozenset()
    """The ids that these rows have to themselves: a copy has others."""

    ring: Keyring | None = None
    """What their texts are sealed under, where any are."""


@dataclass(frozen=True)
class Table:
    name: str
    columns: Mapping[str, str]
    """Types by name."""

    indexed: frozenset[str]


async def tables(connection: asyncpg.Connection) -> list[Table]:
    """All tables but those that a crash empties, oldest first."""
    found = await connection.fetch("""
        SELECT c.relname,
            array_agg(a.attname ORDER BY a.attnum)::text[] AS names,
            array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types,
            ARRAY(SELECT DISTINCT k.attname::text FROM pg_index i
                JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY (i.indkey)
                WHERE i.indrelid = c.oid) AS indexed
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attgenerated = '' AND a.attidentity <> 'a'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relpersistence = 'p'
            AND c.relname <> 'alembic_version'
        GROUP BY c.oid ORDER BY c.oid
    """)
    return [
        Table(row["relname"], dict(zip(row["names"], row["types"], strict=True)), frozenset(row["indexed"]))
        for row in found
    ]


@asynccontextmanager
async def observed(
    connection: asyncpg.Connection, *, shared: Iterable[object], ring: Keyring | None = None
) -> AsyncIterator[Rows]:
    """Filled when the block ends: the rows it wrote, but for those that name none of its own ids.

    `shared` are ids that are not its own although they occur: of organizations.
    """
    first = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    found = Rows(ring=ring)
    yield found
    for table in await tables(connection):
        texts = ", ".join(f'"{name}"::text AS "{name}"' for name in table.columns)
        rows = await connection.fetch(
            f'SELECT {texts} FROM "{table.name}" WHERE xmin::text::bigint >= $1 ORDER BY ctid', first
        )
        if rows:
            found.tables[table.name] = [dict(row) for row in rows]
            keys = {name for name, kind in table.columns.items() if _may_be_key(table, name, kind)}
            mine = (value for row in rows for name, value in row.items() if name in keys and value)
            found.ids |= {one for value in mine for one in UUID.findall(value)} - set(map(str, shared))
    for name, kept in found.tables.items():
        found.tables[name] = [row for row in kept if _names_any(row, found.ids)]


def _may_be_key(table: Table, name: str, kind: str) -> bool:
    return kind in ("uuid", "uuid[]") or (kind == "text" and name in table.indexed)


def _names_any(row: dict[str, str | None], ids: frozenset[str]) -> bool:
    return any(one in ids for value in row.values() if value for one in UUID.findall(value))


def copy_of(original: str, number: int) -> str:
    """The id that stands in copy `number` where the original has this one. Ordered ids stay ordered."""
    digest = hashlib.md5(f"{original}{number}".encode(), usedforsecurity=False).hexdigest()
    if original[14] == "7":
        digest = f"{_milliseconds(original) + number:012x}7{digest[13:]}"
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def copy_sql(original: str, number: str) -> str:
    """`copy_of` as an SQL expression, `number` being one of type bigint."""
    digest = f"md5('{original}' || ({number}))"
    if original[14] == "7":
        digest = (
            f"(lpad(to_hex({_milliseconds(original)} + ({number})), 12, '0') || '7' || substr({digest}, 14))"
        )
    return f"{digest}::uuid"


def _milliseconds(ordered: str) -> int:
    """The instant in a UUIDv7 (RFC 9562 section 5.7)."""
    return int(ordered[:8] + ordered[9:13], 16)


async def multiply(
    connection: asyncpg.Connection,
    rows: Rows,
    numbers: str,
    *,
    instead: Mapping[str, str] | None = None,
    alike: bool = False,
) -> None:
    """Copies are in the database: one for each row of `numbers g`, a FROM item with a bigint column `n`.

    `instead` gives the SQL expression (over g) that stands where the originals have a certain id. Keys by which
    something is recognized are each copy's own, unless all are to be `alike`.
    """
    expressions = {one: copy_sql(one, "g.n") for one in rows.ids} | dict(instead or {})
    async with connection.transaction():  # some constraints hold once all tables are there
        # Revisions are copied as everything else is, and not made anew.
        await connection.execute("ALTER TABLE handovers DISABLE TRIGGER keep_first")
        for table in await tables(connection):
            kept = rows.tables.get(table.name)
            if kept and rows.ring and (sealed := originals(rows.tables, table.name, rows.ring)):
                await copied(connection, sealed, numbers, expressions, rows.ring)
            elif kept:
                own = frozenset() if alike else table.indexed
                await _multiplied(connection, table, kept, numbers, expressions, own)
        await connection.execute("ALTER TABLE handovers ENABLE TRIGGER keep_first")


async def _multiplied(
    connection: asyncpg.Connection,
    table: Table,
    kept: Iterable[dict[str, str | None]],
    numbers: str,
    expressions: Mapping[str, str],
    own: frozenset[str],
) -> None:
    values = ", ".join(_copied(table, row, expressions, own) for row in kept)
    names = ", ".join(f'"{name}"' for name in table.columns)
    await connection.execute(
        f'INSERT INTO "{table.name}" ({names})'
        f" SELECT v.* FROM {numbers} CROSS JOIN LATERAL (VALUES {values}) v"
    )


def _copied(
    table: Table, row: dict[str, str | None], expressions: Mapping[str, str], own: frozenset[str]
) -> str:
    values = (
        f"({_value(value, name in own, table.columns[name], expressions)})::{table.columns[name]}"
        for name, value in row.items()
    )
    return f"({', '.join(values)})"


def _value(text: str | None, own: bool, kind: str, expressions: Mapping[str, str]) -> str:
    if text is None:
        return "NULL"
    if kind == "bytea" and own:
        return f"sha256(convert_to('{text}' || g.n, 'UTF8'))"
    return _replaced(text, expressions)


def _replaced(text: str, expressions: Mapping[str, str]) -> str:
    """The text with each id replaced, as an SQL expression."""
    parts, end = [], 0
    for found in UUID.finditer(text):
        if (expression := expressions.get(found.group())) is not None:
            if found.group() == text:
                return expression
            parts += [quoted(text[end : found.start()]), f"({expression})::text"]
            end = found.end()
    return " || ".join(part for part in [*parts, quoted(text[end:])] if part != "''") or "''"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
