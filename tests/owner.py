"""The database as its owner has it, past every wall: for looking at it, and for breaking it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tsunagi.db import Database, ReadTx, WriteTx


@asynccontextmanager
async def owner(db: Database) -> AsyncIterator[WriteTx]:
    """A transaction of the role that logged in."""
    async with db._transaction("BEGIN", "SET LOCAL ROLE NONE") as connection:
        yield WriteTx(ReadTx(connection))
