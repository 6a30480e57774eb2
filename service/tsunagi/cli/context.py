"""What every command starts from: the settings, and a database that is migrated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog

from tsunagi import embedded, logs
from tsunagi.db import Database, WallsDown
from tsunagi.migrating import migrate
from tsunagi.safekeeping.rules import dangers
from tsunagi.safekeeping.store import as_it_comes
from tsunagi.sealing import actions as sealing
from tsunagi.sealing.actions import MasterKeyMissing
from tsunagi.sealing.keys import Keyring, KeysDamaged, provider
from tsunagi.settings import Settings

log = structlog.get_logger()


def database_url(settings: Settings) -> str:
    """The URL that was named, or that of the embedded server, which is running afterwards."""
    return settings.database_url or embedded.start(settings.data_dir)


@asynccontextmanager
async def database(settings: Settings | None = None) -> AsyncIterator[Database]:
    """A database at the newest migration, whose walls stand and which keeps what it acknowledges. Exits where
    that is not so."""
    settings = settings or Settings()
    url = database_url(settings)
    await asyncio.to_thread(migrate, url, settings.contract_dir / "migrations", settings)
    await refuse_to_lose(url, settings)
    db = Database(url, pool_size=settings.pool_size, lossy=settings.allow_data_loss)
    try:
        await db.check_walls()
        db.keys = ring = Keyring(provider(settings))
        await sealing.begin(db, datetime.now(UTC), ring)
        yield db
    except WallsDown as down:
        raise SystemExit(f"The database does not keep organizations apart: {down}") from None
    except (MasterKeyMissing, KeysDamaged) as missing:
        raise SystemExit(f"What the database holds could not be read: {missing}") from None
    finally:
        await db.close()


async def refuse_to_lose(url: str, settings: Settings) -> None:
    """The database keeps what it acknowledges, or the operator has said that it need not. Exits otherwise."""
    found = dangers(*await as_it_comes(url))
    if found and settings.allow_data_loss:
        if not structlog.is_configured():
            logs.configure(settings.log_format)
        log.error("DATA LOSS IS ALLOWED (TSUNAGI_ALLOW_DATA_LOSS)", dangers=[str(one) for one in found])
    elif found:
        raise SystemExit(
            "データベースの設定により、応答済みの書き込みが失われることがあるため、起動しません。\n"
            "The database is set up so that acknowledged writes can be lost; not starting.\n"
            + "".join(f"  {one}\n" for one in found)
            + "docs/operations.md, Settings that lose data. "
            "失ってよいデータだけの場合 / for data that may be lost: TSUNAGI_ALLOW_DATA_LOSS=1"
        )
