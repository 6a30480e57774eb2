"""What the service sends to its database, seen where the driver hands it to the wire.

asyncpg's own query logger does not see prepared statements being fetched, which is how SQLAlchemy runs all of
its own; so a `Listener` stands in front of each connection's protocol, through which every way leads.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import event
from sqlalchemy.pool import Pool

_listening: ContextVar[list["Statement"] | None] = ContextVar("listening", default=None)
"""Of the request that runs in this context: what the clock's worker sends meanwhile is not the request's."""


@dataclass(frozen=True)
class Statement:
    """One message to the server."""

    text: str
    types: tuple[str, ...] = ()
    """The parameters' types, as the server understood them."""

    rows: tuple[tuple[str | None, ...], ...] = ()
    """The parameters, as text that PostgreSQL reads back: one row, or several that were sent in one go."""

    returned: tuple[dict[str, str | None], ...] = ()
    prepared: bool = True
    """Sent as a prepared statement; else as a simple query, which may hold several statements."""


class Listener:
    """A connection's protocol; what goes through it is also told to whoever listens."""

    def __init__(self, protocol: Any) -> None:
        self.__dict__["_protocol"] = protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._protocol, name, value)

    async def query(self, query: str, *others: Any, **named: Any) -> Any:
        _tell(Statement(query, prepared=False))
        return await self._protocol.query(query, *others, **named)

    async def bind_execute(self, state: Any, args: Sequence[Any], *others: Any, **named: Any) -> Any:
        answer = await self._protocol.bind_execute(state, args, *others, **named)
        rows = answer[0] if isinstance(answer, tuple) else answer
        returned = tuple({name: as_text(value) for name, value in row.items()} for row in rows or ())
        _tell(Statement(state.query, _types(state), (_texts(args),), returned))
        return answer

    async def bind_execute_many(self, state: Any, args: Any, *others: Any, **named: Any) -> Any:
        kept = [tuple(row) for row in args]
        _tell(Statement(state.query, _types(state), tuple(_texts(row) for row in kept)))
        return await self._protocol.bind_execute_many(state, kept, *others, **named)


@dataclass(frozen=True)
class Session:
    """How the service stands at the server: to whom it connects, as whom, under which settings."""

    host: str
    port: int
    user: str
    password: str | None
    database: str
    settings: dict[str, str]

    async def connect(self) -> asyncpg.Connection:
        """One more connection that stands as the service's do."""
        return await asyncpg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.database,
            server_settings=self.settings,
        )


@contextmanager
def listening() -> Iterator[list[Statement]]:
    """What is sent within the block, from here or from tasks begun here, in order."""
    heard: list[Statement] = []
    token = _listening.set(heard)
    try:
        yield heard
    finally:
        _listening.reset(token)


@asynccontextmanager
async def listeners() -> AsyncIterator[list[Session]]:
    """Every connection that a pool opens within the block has a listener; and how each stands at its server."""
    sessions: list[Session] = []

    def connected(dbapi_connection: Any, _record: Any) -> None:
        connection = dbapi_connection.driver_connection
        connection._protocol = Listener(connection._protocol)
        sessions.append(_session(connection))

    event.listen(Pool, "connect", connected)
    try:
        yield sessions
    finally:
        event.remove(Pool, "connect", connected)


def _session(connection: asyncpg.Connection) -> Session:
    address, as_whom = connection._addr, connection._params
    if isinstance(address, str):  # a socket: /folder/.s.PGSQL.5432
        folder, _, name = address.rpartition("/")
        address = (folder, int(name.rpartition(".")[2]))
    settings = dict(as_whom.server_settings or {})
    return Session(*address[:2], as_whom.user, as_whom.password, as_whom.database, settings)


def _tell(statement: Statement) -> None:
    heard = _listening.get()
    if heard is not None and statement.text.strip(" ;\n"):  # without the driver's ping
        heard.append(statement)


def _types(state: Any) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in state._get_parameters())


def _texts(args: Sequence[Any]) -> tuple[str | None, ...]:
    return tuple(as_text(arg) for arg in args)


def as_text(value: Any) -> str | None:
    """A parameter as PostgreSQL would read it from text."""
    match value:
        case None:
            return None
        case bool():
            return "t" if value else "f"
        case bytes() | bytearray() | memoryview():
            return "\\x" + bytes(value).hex()
        case datetime():
            return value.isoformat()
        case date():
            return {date.max: "infinity", date.min: "-infinity"}.get(value, value.isoformat())
        case UUID():
            return str(value)
        case list() | tuple():
            return "{" + ",".join(_element(one) for one in value) + "}"
        case _:
            return str(value)


def _element(value: Any) -> str:
    text = as_text(value)
    if text is None or isinstance(value, list | tuple):
        return text or "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
