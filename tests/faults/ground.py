"""A service as it is run: two servers over one database, as a role that owns nothing, and clients."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from tests.conftest import run_sql
from tests.faults.load import Load
from tests.faults.processes import Process, Server
from tests.postgres import Postgres
from tests.running import _organizations
from tests.world import ROOT
from tsunagi.auth.server import issuer_of
from tsunagi.auth.tokens import AccessTokens, SigningKeys
from tsunagi.cli.serving import free_port
from tsunagi.db import Database
from tsunagi.migrating import migrate
from tsunagi.transparency.keys import FileKeys

LOGIN, SEQUENCING = "tsunagi_login", "tsunagi_sequencing"
ORIGIN = "faults.invalid/ledger"
FORKED = 3
"""The exit status of a sequencer that was asked to sign another log than it signed before."""

UNLIMITED = {
    "TSUNAGI_CLIENT_REQUESTS_PER_MINUTE": "0",
    "TSUNAGI_ORGANIZATION_REQUESTS_PER_MINUTE": "0",
    "TSUNAGI_WORKER_INTERVAL_SECONDS": "0.5",
    "TSUNAGI_POOL_SIZE": "6",
    "TSUNAGI_SEQUENCER": "none",
    "TSUNAGI_LEDGER_ORIGIN": ORIGIN,
}


@dataclass
class Ground:
    """What can be broken: `postgres` is the server that is written to now."""

    folder: Path
    postgres: Postgres
    servers: list[Server]
    sequencer: Process
    load: Load
    chance: random.Random
    signed: list[tuple[int, bytes]] = field(default_factory=list)
    """Sizes and roots of the log that were seen signed, as somebody outside would keep them."""

    def start(self) -> None:
        """The service runs over the database that is there now, and nothing of it over another."""
        for one, role in [*((server, LOGIN) for server in self.servers), (self.sequencer, SEQUENCING)]:
            one.kill()
            one.settings["DATABASE_URL"] = self.postgres.url_of("tsunagi", role)
        self.mend()

    def mend(self) -> None:
        """Whatever was killed runs again."""
        for one in (*self.servers, self.sequencer):
            if not one.runs:
                one.start()
        for server in self.servers:
            server.wait()

    @property
    def keys(self) -> FileKeys:
        """Of the log; the servers do not know where they are."""
        return FileKeys(self.folder / "ledger-keys", ORIGIN)

    async def lost(self) -> int:
        """How many handovers somebody was told of that are not there."""
        connection = await asyncpg.connect(self.postgres.url_of("tsunagi"))
        rows = {str(row["id"]) for row in await connection.fetch("SELECT id FROM handovers")}
        await connection.close()
        return len({one["id"] for one in self.load.accepted} - rows)


async def prepare(postgres: Postgres) -> None:
    """The server has a migrated database, and a role that owns nothing."""
    await run_sql(postgres.url, "CREATE DATABASE tsunagi")
    url = postgres.url_of("tsunagi")
    await asyncio.to_thread(migrate, url, ROOT / "migrations")
    await run_sql(
        url,
        f"CREATE ROLE {LOGIN} LOGIN NOINHERIT",
        f"GRANT tsunagi_service, tsunagi_oversight, tsunagi_platform TO {LOGIN}",
        f"CREATE ROLE {SEQUENCING} LOGIN NOINHERIT",
        f"GRANT tsunagi_sequencer TO {SEQUENCING}",
    )


@asynccontextmanager
async def ground(
    folder: Path, postgres: Postgres, *, seed: int, size: int = 2, **settings: str
) -> AsyncIterator[Ground]:
    """A service of so many servers over this database, which is prepared, and clients that wait for the gate to
    open."""
    db = Database(postgres.url_of("tsunagi"))
    sender, receiver = await _organizations(db, datetime.now(UTC))
    await db.close()
    ports = [free_port() for _ in range(size)]
    base_url, data = f"http://127.0.0.1:{ports[0]}", folder / "data"
    tokens = AccessTokens(SigningKeys(data / "keys"), issuer_of(base_url))
    given = {"TSUNAGI_BASE_URL": base_url, "TSUNAGI_DATA_DIR": str(data), **UNLIMITED, **settings}
    servers = [Server(port, folder / f"server-{port}.log", dict(given)) for port in ports]
    kept_apart = {**given, "TSUNAGI_LEDGER_KEYS_DIR": str(folder / "ledger-keys")}
    sequencer = Process(["ledger", "sequence"], folder / "sequencer.log", kept_apart)
    chance = random.Random(seed)
    load = Load([one.url for one in servers], tokens, sender, receiver, chance)
    found = Ground(folder, postgres, servers, sequencer, load, chance)
    try:
        await asyncio.to_thread(found.start)
        async with load:
            yield found
    finally:
        for one in (*servers, sequencer):
            one.stop()


class Watch:
    """How long a run has taken."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __str__(self) -> str:
        return f"{time.monotonic() - self._began:.0f} s"
