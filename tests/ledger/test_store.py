"""The ledger's rows are final: numbered in their stream, committed, and refused any change."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from tests.owner import owner
from tsunagi.db import Database, WriteTx
from tsunagi.ids import ClientId, Stream, opaque_id
from tsunagi.ledger import store
from tsunagi.ledger.rules import Actor, Entry, commitment

ACTOR = Actor(organization_id=None, client_id=ClientId("test"), staff=None, request_id="r-1")


def entry(stream: Stream | None) -> Entry:
    return Entry(action="people:register", at=datetime(2026, 4, 1, tzinfo=UTC), actor=ACTOR, stream=stream)


async def test_entries_of_a_stream_are_numbered_and_name_the_one_before(tx: WriteTx) -> None:
    stream = Stream(opaque_id())
    await store.append(tx, entry(stream), entry(None))
    await store.append(tx, entry(stream), entry(stream))
    rows = (
        await tx.execute(
            select(store.entries, store.contents.c.salt, store.contents.c.body)
            .join(store.contents, store.contents.c.id == store.entries.c.id)
            .where(store.entries.c.stream == stream)
            .order_by(store.entries.c.number)
        )
    ).all()
    assert [row.number for row in rows] == [1, 2, 3]
    for row in rows:
        assert row.commitment == commitment(row.salt, row.body.encode())
    for before, after in pairwise(rows):
        assert f'"previous":"{before.commitment.hex()}"' in after.body


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET number = 9",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries CASCADE",
        "UPDATE ledger_contents SET body = ''",
        "TRUNCATE ledger_contents",
    ],
)
async def test_ledger_rows_refuse_change(db: Database, statement: str) -> None:
    async with db.platform() as tx:
        await store.append(tx, entry(Stream(opaque_id())))
    with pytest.raises(IntegrityError, match="append-only"):
        async with owner(db) as tx:
            await tx.execute(text(statement))
