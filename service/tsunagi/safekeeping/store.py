"""What a database says of itself."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import text

from tsunagi.db import (
    ERASER_ROLE,
    OVERSIGHT_ROLE,
    PLATFORM_ROLE,
    SEQUENCER_ROLE,
    SERVICE_ROLE,
    ReadTx,
    as_login,
)
from tsunagi.safekeeping.rules import ASKED

_SETTINGS = text(
    "SELECT name, current_setting(name) AS value FROM unnest(CAST(:names AS text[])) AS one (name)"
)
_UNLOGGED = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relpersistence = 'u'
        AND relname <> ALL (CAST(:meant AS name[]))
    ORDER BY relname
""")

EMPTIED_BY_A_CRASH = ["proof_epoch", "rate_counts", "used_proofs"]
"""Unlogged on purpose: what they hold lasts minutes, and the service knows when it was lost."""


async def as_it_comes(url: str) -> tuple[Mapping[str, str], Sequence[str]]:
    """The settings that the database gives to whoever logs in with this URL and asks for nothing (the server's, the
    database's and the role's), and the tables that a crash would empty."""
    async with as_login(url) as connection:
        settings = await connection.execute(_SETTINGS, {"names": list(ASKED)})
        unlogged = await connection.scalars(_UNLOGGED, {"meant": EMPTIED_BY_A_CRASH})
        return {row.name: row.value for row in settings}, list(unlogged)


@asynccontextmanager
async def all_rows(url: str) -> AsyncIterator[ReadTx]:
    """A snapshot of everything, past every wall. Raises NotAllRows where the role may not see it."""
    async with as_login(url) as connection:
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        if not await connection.scalar(_SEES_ALL):
            raise NotAllRows
        yield ReadTx(connection)


class NotAllRows(RuntimeError):
    """The role in DATABASE_URL is held back by row security, and what it saves would have holes."""

    def __init__(self) -> None:
        super().__init__(
            "この操作には、すべての行が見えるロール（スーパーユーザーまたは BYPASSRLS）が必要です / "
            "this needs a role that sees all rows: a superuser, or one with BYPASSRLS (docs/operations.md, Backup)"
        )


_SEES_ALL = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
_MAJOR = text("SELECT current_setting('server_version_num')::int / 10000")
_EMPTY = text("SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)")
_TABLES = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relpersistence = 'p' ORDER BY relname
""")


async def export_snapshot(tx: ReadTx) -> str:
    """The name under which another session sees just what `tx` sees, while it lasts."""
    return str(await tx.scalar(text("SELECT pg_export_snapshot()")))


async def server_major(tx: ReadTx) -> int:
    return int(await tx.scalar(_MAJOR) or 0)


async def is_empty(tx: ReadTx) -> bool:
    return bool(await tx.scalar(_EMPTY))


async def revision(tx: ReadTx) -> str:
    return str(await tx.scalar(text("SELECT version_num FROM alembic_version")))


async def counts(tx: ReadTx) -> dict[str, int]:
    """How many rows each table has, of those that a crash leaves."""
    return {
        name: int(await tx.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0)  # noqa: S608  from the catalog
        for name in await tx.scalars(_TABLES)
    }


_BROKEN = text("""
    SELECT (
        SELECT count(*) FROM (
            SELECT number, row_number() OVER (PARTITION BY stream ORDER BY number) AS expected
            FROM ledger_entries WHERE stream IS NOT NULL) AS numbered
        WHERE number <> expected
    ) + (
        SELECT count(*) FROM ledger_entries e JOIN ledger_contents c ON c.id = e.id
        WHERE e.commitment <> sha256(c.salt || convert_to(c.body, 'UTF8'))
    ) + (
        SELECT count(*) FROM log_entries l LEFT JOIN ledger_entries e ON e.id = l.entry_id
        WHERE e.commitment IS DISTINCT FROM l.commitment
    )
""")
_NEWEST_ENTRY = text("""
    SELECT max(e.recorded_at) FROM ledger_entries e
    WHERE e.id = (SELECT entry_id FROM log_entries ORDER BY position DESC LIMIT 1)
""")
_LEAVES = text(
    "SELECT commitment FROM log_entries WHERE position >= :first AND position < :end ORDER BY position"
)


async def broken_entries(tx: ReadTx) -> int:
    """How many entries of the ledger are not what their stream, their content or the log says they are."""
    return int(await tx.scalar(_BROKEN) or 0)


async def newest_logged(tx: ReadTx) -> datetime | None:
    """When the newest entry that has a place in the log was recorded."""
    found: datetime | None = await tx.scalar(_NEWEST_ENTRY)
    return found


async def leaves(tx: ReadTx, first: int, end: int) -> list[bytes]:
    return list(await tx.scalars(_LEAVES, {"first": first, "end": end}))


PLATFORM_ROLES = (SERVICE_ROLE, OVERSIGHT_ROLE, PLATFORM_ROLE, SEQUENCER_ROLE, ERASER_ROLE)


async def prepare_roles(url: str) -> None:
    """The roles that a dump grants to are there: they belong to the server, and no dump of a database makes them."""
    statements = [
        f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS;
            END IF;
        END $$"""
        for role in PLATFORM_ROLES
    ]
    await _run(url, *statements)


async def finish_privileges(url: str, owner: str | None) -> None:
    """What migrations set for the database and for tables to come, and no dump of a database holds."""
    of_owner = f'FOR ROLE "{owner}"' if owner else ""
    await _run(
        url,
        """
        DO $$ BEGIN
            EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
        END $$""",
        f"""
        ALTER DEFAULT PRIVILEGES {of_owner} IN SCHEMA public
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {PLATFORM_ROLE}""",
    )


async def _run(url: str, *statements: str) -> None:
    async with as_login(url) as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
