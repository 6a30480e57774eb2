"""One PostgreSQL for the whole run: each test in a transaction that is rolled back, or in a database of its own."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.running import plain_url
from tests.web.finding import NO_BROWSER
from tests.world_fixtures import contract, data_dir, http, services, world
from tsunagi import embedded
from tsunagi.db import SERVICE_ROLE, SESSION, Database, WriteTx, async_url, driver
from tsunagi.migrating import migrate

ROOT = Path(__file__).parents[1]


def silent_logs() -> None:
    """Nothing is logged to a terminal that a test may be reading: tests look at logs where they are made."""
    structlog.reset_defaults()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


silent_logs()
# How long it takes to make an example says how busy the machine is, and nothing of what is tested.
settings.register_profile("tsunagi", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tsunagi")

__all__ = ["contract", "data_dir", "http", "services", "world"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.getreports("skipped")
    browsers = sum(NO_BROWSER in str(report.longrepr) for report in skipped)
    if browsers:
        terminalreporter.section("THE PAGES WERE NOT TESTED IN A BROWSER", sep="!", yellow=True, bold=True)
        terminalreporter.write_line(
            f"{browsers} tests were skipped: there is no Chromium. Install one (apt-get install chromium), or say where"
            " it is (TSUNAGI_CHROMIUM=/path/to/chromium)."
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For a second server, TSUNAGI_TESTS=server keeps the tests that ask it something: the others would say the same
    again, also those that start servers of their own; pages ask operations that are tested on both."""
    if os.environ.get("TSUNAGI_TESTS") == "server":
        asking = [
            item
            for item in items
            if "server_url" in getattr(item, "fixturenames", ()) and not item.nodeid.startswith("tests/web/")
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(asking)])
        items[:] = asking


async def run_sql(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="tsunagi-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield embedded.start(Path(folder))
        embedded.stop(Path(folder))


@pytest.fixture(scope="session")
async def template_url(server_url: str) -> AsyncIterator[str]:
    """A migrated database that others are copied from."""
    name = f"tsunagi_template_{uuid4().hex[:8]}"
    await run_sql(server_url, f"CREATE DATABASE {name}")
    url = plain_url(server_url, name)
    await asyncio.to_thread(migrate, url, ROOT / "migrations")
    yield url
    await run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def own_url(server_url: str, template_url: str) -> AsyncIterator[str]:
    """A fresh, migrated database of the test's own, for commits and races that are real."""
    name = f"tsunagi_test_{uuid4().hex[:8]}"
    template = template_url.partition("?")[0].rsplit("/", 1)[1]
    await run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield plain_url(server_url, name)
    await run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def own_database(own_url: str) -> AsyncIterator[Database]:
    database = Database(own_url, pool_size=20)
    yield database
    await database.close()


class RolledBackDatabase(Database):
    """A Database whose transactions are savepoints of one connection that is rolled back in the end.

    Deferred constraints are checked when a block ends, as a commit would.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._settings = "SELECT"

    @asynccontextmanager
    async def _transaction(self, begin: str, settings: str) -> AsyncIterator[AsyncConnection]:
        around, self._settings = self._settings, f"SET LOCAL ROLE {SERVICE_ROLE}; {settings}"
        server = await driver(self._connection)
        await server.execute(f"SAVEPOINT block; {self._settings}")
        self._connection.info["keys"] = self.keys
        try:
            yield self._connection
            await server.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        except BaseException:
            await server.execute("ROLLBACK TO block; RELEASE block")
            raise
        else:
            await server.execute(f"RELEASE block; {around}")
        finally:
            self._settings = around

    async def ping(self) -> None:
        await self._connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """The test's fixture closes the connection."""


PATIENT = SESSION | {"idle_in_transaction_session_timeout": "0"}
"""The one transaction of a test lasts as long as the test."""


@pytest.fixture(scope="session")
async def shared_url(server_url: str, template_url: str) -> AsyncIterator[str]:
    name = f"tsunagi_shared_{uuid4().hex[:8]}"
    template = template_url.partition("?")[0].rsplit("/", 1)[1]
    await run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield plain_url(server_url, name)
    await run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def rolled_back(url: str) -> AsyncIterator[Database]:
    engine = create_async_engine(async_url(url), connect_args={"server_settings": PATIENT})
    async with engine.connect() as connection:
        transaction = await connection.begin()
        await connection.execute(text("SELECT"))  # with its first statement it begins
        yield RolledBackDatabase(connection)
        await transaction.rollback()
    await engine.dispose()


@pytest.fixture
async def db(shared_url: str) -> AsyncIterator[Database]:
    """The database of most tests: nothing a test writes is there for the next one."""
    async with rolled_back(shared_url) as database:
        yield database


@pytest.fixture
async def tx(db: Database) -> AsyncIterator[WriteTx]:
    async with db.platform() as connection:
        yield connection
