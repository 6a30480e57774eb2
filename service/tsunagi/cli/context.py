"""What every command starts from: the settings, and a database that is migrated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tsunagi import embedded
from tsunagi.db import Database, WallsDown
from tsunagi.migrating import migrate
from tsunagi.settings import Settings


def database_url(settings: Settings) -> str:
    """The URL that was named, or that of the embedded server, which is running afterwards."""
    return settings.database_url or embedded.start(settings.data_dir)


@asynccontextmanager
async def database(settings: Settings | None = None) -> AsyncIterator[Database]:
    """A database at the newest migration, whose walls stand. Exits where they do not."""
    settings = settings or Settings()
    url = database_url(settings)
    await asyncio.to_thread(migrate, url, settings.contract_dir / "migrations")
    db = Database(url, pool_size=settings.pool_size)
    try:
        await db.check_walls()
        yield db
    except WallsDown as down:
        raise SystemExit(f"The database does not keep organizations apart: {down}") from None
    finally:
        await db.close()
