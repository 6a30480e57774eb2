"""Copies of rows whose texts are sealed. A text opens in its place alone: those of each copy are sealed anew, here,
under the data keys of the originals."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from tsunagi import tables as rooms
from tsunagi.sealing.keys import DataKey, Keyring
from tsunagi.sealing.rules import of_data_key
from tsunagi.sealing.store import DATA_KEY, Sealed

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
BATCH = 500

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Original:
    """A row whose text has been unsealed."""

    table: str
    row: Row
    column: str
    text: bytes
    key: DataKey
    secret: bytes
    """The data key itself."""

    def copy(self, ids: Mapping[str, str], ring: Keyring) -> list[str | None]:
        """The row's values, with other ids in them."""
        row = {
            name: None if value is None else UUID.sub(lambda one: ids.get(one[0], one[0]), value)
            for name, value in self.row.items()
        }
        where = _place(self.table, row)
        row[self.column] = "\\x" + self.key.seal(self.text, *where).hex()
        if DATA_KEY in row:
            row[DATA_KEY] = "\\x" + ring.newest.wrap(self.secret, of_data_key(*where)).hex()
        return list(row.values())


def originals(tables: Mapping[str, Sequence[Row]], name: str, ring: Keyring) -> list[Original]:
    """The table's rows, unsealed; none where it has no sealed text, or not every one of these rows has one."""
    table = rooms.metadata.tables[name]
    column = next((one.name for one in table.c if isinstance(one.type, Sealed)), None)
    if column is None or not all((row[column] or "").startswith("\\x") for row in tables[name]):
        return []
    above = (one.referred_table.name for one in table.foreign_key_constraints)
    holder = (
        name
        if DATA_KEY in table.c
        else next(one for one in above if DATA_KEY in rooms.metadata.tables[one].c)
    )
    wrapped = {_place(holder, row): _bytes(row[DATA_KEY]) for row in tables[holder]}
    return [_original(name, row, column, holder, wrapped, ring) for row in tables[name]]


def _original(
    name: str,
    row: Row,
    column: str,
    holder: str,
    wrapped: Mapping[tuple[str | None, ...], bytes],
    ring: Keyring,
) -> Original:
    under = _place(name, row)
    where = (holder, *under[1 : len(next(iter(wrapped)))])
    key = ring.opened(wrapped[where], *where)
    secret = ring._unwrapped(wrapped[where], of_data_key(*where))
    return Original(name, row, column, key.unseal(_bytes(row[column]), *under), key, secret)


async def copied(
    connection: asyncpg.Connection,
    kept: Sequence[Original],
    numbers: str,
    expressions: Mapping[str, str],
    ring: Keyring,
) -> None:
    """Copies of the rows are in their table: one for each row of `numbers g`, with these expressions for ids."""
    inside = {
        one for original in kept for value in original.row.values() if value for one in UUID.findall(value)
    }
    ids = sorted(inside & set(expressions))
    values = ", ".join(f"({expressions[one]})::text" for one in ids)
    cursor = await connection.cursor(f"SELECT {values} FROM {numbers}")
    while rows := await cursor.fetch(BATCH):
        lines = (one.copy(dict(zip(ids, row, strict=True)), ring) for row in rows for one in kept)
        await connection.copy_to_table(
            kept[0].table, source=_csv(lines), columns=list(kept[0].row), format="csv", null="\\N"
        )


def _csv(rows: Iterator[list[str | None]]) -> io.BytesIO:
    text = io.StringIO()
    csv.writer(text).writerows(["\\N" if value is None else value for value in row] for row in rows)
    return io.BytesIO(text.getvalue().encode())


def _place(name: str, row: Row) -> tuple[str | None, ...]:
    return (name, *(row[column.name] for column in rooms.metadata.tables[name].primary_key.columns))


def _bytes(text: str | None) -> bytes:
    assert text is not None
    return bytes.fromhex(text.removeprefix("\\x"))
