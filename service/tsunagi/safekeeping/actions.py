"""Looks whether what is acknowledged stays."""

from tsunagi.db import Database
from tsunagi.safekeeping import store
from tsunagi.safekeeping.rules import Danger, dangers


async def dangers_of(url: str, db: Database) -> list[Danger]:
    """What would lose acknowledged writes, in how the database is set up for whoever logs in, or in what the
    service's own transactions run with (a pooler may have dropped what they asked for)."""
    async with db.platform() as tx:
        unlogged = await store.unlogged_tables(tx)
        ours = await store.settings_of(tx)
    return list(dict.fromkeys(dangers(await store.settings_as_they_come(url), unlogged) + dangers(ours)))
