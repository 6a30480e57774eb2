"""The database: one metadata, one way to read, one way to write.

`read()` and `write()` are the only transactions there are. A `write()` block has committed when it ends;
callers answer after it, never inside it, so that no acknowledged write can be lost.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NewType

from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

ReadTx = NewType("ReadTx", AsyncConnection)
WriteTx = NewType("WriteTx", ReadTx)


def async_url(url: str) -> str:
    """A PostgreSQL URL as SQLAlchemy's asyncpg dialect wants it."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    return url


class Database:
    """Read and write transactions over one pool."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self._engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text must not hold what was submitted: somebody may log it
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        """A snapshot: everything read inside one block is of one moment."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with connection.begin():
                yield ReadTx(connection)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteTx]:
        """Committed when the block ends, rolled back when it raises."""
        async with self._engine.begin() as connection:
            yield WriteTx(ReadTx(connection))

    async def ping(self) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._engine.dispose()
