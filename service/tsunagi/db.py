"""The database: one metadata, one wrapper around every transaction, one way past SQLAlchemy for hot statements.

`read()` and `write()` act for one organization, on one day: row-level security shows them its rows and nobody
else's, whatever the statement asks for. `platform()` acts for none and sees all: for the clock, the token
endpoint and the commands. There are no other transactions. A `write()` block has committed when it ends;
callers answer after it, never inside it, so that no acknowledged write can be lost.

`docs/decisions/0014-row-level-security.md` says which rows an organization sees.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Any, NewType
from uuid import UUID

from sqlalchemy import MetaData
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

SERVICE_ROLE, OVERSIGHT_ROLE, PLATFORM_ROLE = "tsunagi_service", "tsunagi_oversight", "tsunagi_platform"
SEQUENCER_ROLE, ERASER_ROLE = "tsunagi_sequencer", "tsunagi_eraser"
"""What a transaction may do. None owns a table or passes by a policy; migrations make them."""

SESSION = {
    "role": SERVICE_ROLE,
    "jit": "off",  # no statement here runs for as long as it takes to compile it
    "plan_cache_mode": "force_generic_plan",  # with its policies a statement takes longer to plan than to run
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
}

DURABLE = {"synchronous_commit": "on"}
"""A commit is acknowledged when it is on disk, and on that of a synchronous standby where one is named: whatever a
default of the role or the database becomes later."""

WAIT_SECONDS = 30
"""For a connection, while all are in use."""

ReadTx = NewType("ReadTx", AsyncConnection)
WriteTx = NewType("WriteTx", ReadTx)


@dataclass(frozen=True, slots=True)
class Acting:
    """The organization that a transaction acts for, and the civil date in Japan on which it does."""

    organization_id: UUID
    today: date
    overseeing: bool = False
    """Whether it looks from above: only then are the people and handovers of its remit (所管) among its rows, and
    records and consents are not."""
    of_many: bool = False
    """Whether it looks at thousands of people at once: policies then list whom it may see once, instead of asking
    about each row. The rows are the same."""

    @property
    def sql(self) -> str:
        """The settings of a transaction that acts for the organization."""
        role = OVERSIGHT_ROLE if self.overseeing else SERVICE_ROLE
        many = "on" if self.of_many else ""
        return _settings(role, str(UUID(int=self.organization_id.int)), f"{self.today:%Y-%m-%d}", many)


@lru_cache(maxsize=1000)
def _settings(role: str, organization: str = "", today: str = "", many: str = "") -> str:
    """The role, and the settings that policies read; they end with the transaction. Always all of them: a `SET`
    that somebody commits stays with its pooled connection, and must not reach the next transaction."""
    values = {
        "role": role,
        "tsunagi.organization": organization,
        "tsunagi.today": today,
        "tsunagi.many": many,
    }
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items())


class CommitDoubtful(ConnectionError):
    """The database has committed, but somebody ended its wait for the standby: promoting that one would lose what
    was to be acknowledged. Whoever asks again gets the answer when the standby has it."""


_SEEN_IS_DURABLE = "SELECT pg_logical_emit_message(true, 'tsunagi', '')"
"""Commits something that changes nothing, and so waits until all that was committed before is as durable as a commit
has to be. After a crash PostgreSQL shows commits that were still waiting for the standby, and may never get there."""


async def seen_is_durable(tx: "WriteTx") -> None:
    """Whatever `tx` has seen is durable when it ends, and not only what it has written."""
    await fetch(tx, _SEEN_IS_DURABLE)


class WallsDown(RuntimeError):
    """The database would not hold organizations apart."""


_SERVING = (SERVICE_ROLE, OVERSIGHT_ROLE, PLATFORM_ROLE)
_ROLES = (*_SERVING, SEQUENCER_ROLE, ERASER_ROLE)

# What lets the role of a transaction pass by row security. $1: the roles that are to pass nowhere, $2: the one of
# them that sees all rows.
_HOLES = """
    SELECT 'is a superuser' AS hole FROM pg_roles WHERE rolname = current_user AND rolsuper
    UNION ALL
    SELECT 'has BYPASSRLS' FROM pg_roles WHERE rolname = current_user AND rolbypassrls
    UNION ALL
    SELECT 'inherits from ' || rolname FROM pg_roles
    WHERE current_user = ANY ($1) AND rolname <> current_user AND pg_has_role(current_user, oid, 'USAGE')
    UNION ALL
    SELECT 'owns ' || relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relowner = CAST(current_user AS regrole)
    UNION ALL
    SELECT 'writes ' || relname || ' without row security' FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND current_user = ANY ($1) AND current_user <> $2
        AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AND NOT row_security_active(oid)
    ORDER BY hole
"""


def async_url(url: str) -> str:
    """A PostgreSQL URL as SQLAlchemy's asyncpg dialect wants it."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    return url


@asynccontextmanager
async def as_login(url: str) -> AsyncIterator[AsyncConnection]:
    """A transaction of whoever logs in, past the wrapper and its roles: for commands that look at a database as a
    whole, and for nothing that serves."""
    engine = create_async_engine(async_url(url), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


class Database:
    """The transactions, over one pool."""

    keys: object = None
    """The master keys that texts are sealed under, on a ring of the room `sealing`, which every transaction has with
    it: `keys(tx)`. For whoever puts the rooms together to set."""

    def __init__(
        self, url: str, *, pool_size: int = 8, lossy: bool = False, role: str = SERVICE_ROLE
    ) -> None:
        """`lossy`: how durable a commit is, is left to the database. `role`: what connections fall back to; whoever
        logs in must be a member of it."""
        self._free = asyncio.Semaphore(pool_size)
        self._idle: list[AsyncConnection] = []
        self._engine: AsyncEngine = create_async_engine(
            async_url(url),
            poolclass=NullPool,  # connections stay open here: taking one from a pool of SQLAlchemy's costs a query
            isolation_level="AUTOCOMMIT",  # `_transaction` begins and commits: with the settings, in one message
            hide_parameters=True,  # an error's text must not hold what was submitted: somebody may log it
            connect_args={"server_settings": SESSION | {"role": role} | ({} if lossy else DURABLE)},
        )

    @asynccontextmanager
    async def read(self, acting: Acting) -> AsyncIterator[ReadTx]:
        """A snapshot: everything read inside one block is of one moment."""
        async with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", acting.sql) as tx:
            yield ReadTx(tx)

    @asynccontextmanager
    async def write(self, acting: Acting) -> AsyncIterator[WriteTx]:
        """Committed when the block ends, rolled back when it raises."""
        async with self._transaction("BEGIN", acting.sql) as tx:
            yield WriteTx(ReadTx(tx))

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[WriteTx]:
        """As `write`, for what belongs to no organization, or to all."""
        async with self._transaction("BEGIN", _settings(PLATFORM_ROLE)) as tx:
            yield WriteTx(ReadTx(tx))

    @asynccontextmanager
    async def sequencing(self) -> AsyncIterator[WriteTx]:
        """As `write`, for whoever gives entries their place in the log: it reaches nothing else."""
        async with self._transaction("BEGIN", _settings(SEQUENCER_ROLE)) as tx:
            yield WriteTx(ReadTx(tx))

    @asynccontextmanager
    async def _transaction(self, begin: str, settings: str) -> AsyncIterator[AsyncConnection]:
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        try:
            connection = await self._opened(f"{begin}; {settings}")
            connection.info["keys"] = self.keys
            try:
                yield connection
            except BaseException:
                with contextlib.suppress(Exception):  # what went wrong first is what is told
                    await self._end(connection, "ROLLBACK")
                raise
            await self._end(connection, "COMMIT")
        finally:
            self._free.release()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeout("every connection is in use") from None

    async def _opened(self, opening: str) -> AsyncConnection:
        """A connection on which the transaction has begun. Idle ones that died are passed over: nothing has been
        sent on them yet."""
        while self._idle:
            with contextlib.suppress(Exception):
                return await _after(self._idle.pop(), opening)
        connection = await self._engine.connect()
        (await driver(connection)).add_log_listener(partial(_hear, connection.info))
        return await _after(await _after(connection, _SEEN_IS_DURABLE), opening)

    async def _end(self, connection: AsyncConnection, statement: str) -> None:
        """Commits or rolls back; a connection that fails to, or is interrupted, is never used again."""
        connection.info["warned"] = False
        await _after(connection, statement)
        if connection.info["warned"]:
            await connection.close()
            raise CommitDoubtful
        self._idle.append(connection)

    async def check_walls(self, *roles: str) -> None:
        """Nothing in the database lets a transaction see more than its organization's rows; of these roles, or of
        those that serve. Raises WallsDown."""
        for role in roles or _SERVING:
            async with self._transaction("BEGIN READ ONLY", _settings(role)) as tx:
                holes = [row["hole"] for row in await fetch(ReadTx(tx), _HOLES, _ROLES, PLATFORM_ROLE)]
            if holes:
                raise WallsDown(f"role {role} {', '.join(holes)}: see docs/operations.md, Database roles")

    async def login_passes(self) -> bool:
        """Whether the role that logged in, were a statement to fall back to it, would pass every wall."""
        async with self._transaction("BEGIN READ ONLY", _settings("none")) as tx:
            return bool(await fetch(ReadTx(tx), _HOLES, _ROLES, PLATFORM_ROLE))

    async def ping(self) -> None:
        async with self.platform() as tx:
            await fetch(tx, "SELECT 1")

    async def close(self) -> None:
        for connection in self._idle:
            await connection.close()
        await self._engine.dispose()


async def _after(connection: AsyncConnection, statement: str) -> AsyncConnection:
    """The connection, after the statement; closed where that fails."""
    try:
        await (await driver(connection)).execute(statement)
    except BaseException:
        await connection.invalidate()
        await connection.close()
        raise
    return connection


@asynccontextmanager
async def as_eraser(tx: WriteTx) -> AsyncIterator[None]:
    """Inside, a transaction of the platform's may take away what the ledger says, and do nothing else. Where that
    fails the transaction does, and the role ends with it."""
    await fetch(tx, f"SELECT set_config('role', '{ERASER_ROLE}', true)")
    yield
    await fetch(tx, f"SELECT set_config('role', '{PLATFORM_ROLE}', true)")


def _hear(info: dict[str, Any], _connection: object, message: Any) -> None:
    """Keeps in mind that the server warned: of a commit it says so that it waits no longer for the standby."""
    if message.severity_en == "WARNING":
        info["warned"] = True


async def driver(connection: AsyncConnection) -> Any:
    """The asyncpg connection that a transaction runs on."""
    known = connection.info.get("driver")
    if known is None:
        known = connection.info["driver"] = (await connection.get_raw_connection()).driver_connection
    return known


async def fetch(tx: ReadTx, statement: str, *parameters: Any) -> list[Any]:
    """The rows of a statement with `$1` parameters, prepared once per connection: for hot paths, where composing
    a statement with SQLAlchemy takes longer than running it."""
    return await (await driver(tx)).fetch(statement, *parameters)  # type: ignore[no-any-return]  # asyncpg is not typed


@dataclass(frozen=True, slots=True)
class Write:
    """A change that has not been sent yet. Its parameters are `$1`, `$2`, …; `steps` are the parts of its WITH."""

    sql: str
    parameters: tuple[Any, ...]
    steps: tuple[tuple[str, str], ...] = ()


def columns(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    """Rows as the columns that `unnest` takes."""
    return tuple(list(column) for column in zip(*rows, strict=True))


async def send(tx: WriteTx, *writes: Write) -> None:
    """All of these in one statement. Each sees the rows as they were before, none what the others do."""
    if not writes:
        return
    statement = _together(tuple((write.steps, write.sql, len(write.parameters)) for write in writes))
    await fetch(tx, statement, *(value for write in writes for value in write.parameters))


@lru_cache(maxsize=200)
def _together(writes: tuple[tuple[tuple[tuple[str, str], ...], str, int], ...]) -> str:
    """The last one is the statement itself, the others parts of its WITH; parameters are numbered through."""
    parts: list[str] = []
    offset, last = 0, ""
    for number, (steps, sql, parameters) in enumerate(writes):
        moved = [(f"{name}_{number}", _moved(step, offset, steps, number)) for name, step in steps]
        last = _moved(sql, offset, steps, number)
        parts += [f"{name} AS ({step})" for name, step in [*moved, (f"write_{number}", last)]]
        offset += parameters
    before = ", ".join(parts[:-1])
    return f"WITH {before} {last}" if before else last


def _moved(sql: str, offset: int, steps: Iterable[tuple[str, str]], number: int) -> str:
    """With parameters that begin behind `offset`, and the names of steps made this write's own."""
    for name, _ in steps:
        sql = re.sub(rf"\b{name}\b", f"{name}_{number}", sql)
    return re.sub(r"\$([0-9]+)", lambda place: f"${int(place[1]) + offset}", sql)
