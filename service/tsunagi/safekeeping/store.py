"""What a database says of itself."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tsunagi.db import ReadTx, async_url, fetch
from tsunagi.safekeeping.rules import ASKED

_SETTINGS = "SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS one (name)"
_UNLOGGED = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relpersistence = 'u'
        AND relname <> ALL ($1::name[])
    ORDER BY relname
"""

EMPTIED_BY_A_CRASH = ["proof_epoch", "rate_counts", "used_proofs"]
"""Unlogged on purpose: what they hold lasts minutes, and the service knows when it was lost."""


async def settings_of(tx: ReadTx) -> dict[str, str]:
    """The settings under which this transaction runs."""
    return {row["name"]: row["value"] for row in await fetch(tx, _SETTINGS, list(ASKED))}


async def unlogged_tables(tx: ReadTx) -> list[str]:
    return [row["relname"] for row in await fetch(tx, _UNLOGGED, EMPTIED_BY_A_CRASH)]


async def settings_as_they_come(url: str) -> dict[str, str]:
    """The settings that the database gives to whoever logs in with this URL and asks for nothing: the server's, the
    database's and the role's."""
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            found = await connection.execute(
                text(_SETTINGS.replace("$1::text[]", "CAST(:names AS text[])")), {"names": list(ASKED)}
            )
            return {row.name: row.value for row in found}
    finally:
        await engine.dispose()
