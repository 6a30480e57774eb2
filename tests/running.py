"""The service as its users meet it: a server on the loopback, over a database of its own with real commits."""

import asyncio
import contextlib
import functools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import uvicorn
import uvloop

from tests.world import ROOT
from tsunagi.api.edge import Services
from tsunagi.app import create_services
from tsunagi.auth.rules import Caller, Scope
from tsunagi.cli.serving import free_port, server_over
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import Area, OrganizationProfile
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.settings import Settings

AREA = "12-91"


@dataclass(frozen=True)
class RunningService:
    base_url: str
    database_url: str
    services: Services
    clock: Clock
    settlement: OrganizationId
    center: OrganizationId
    thread_id: int

    @property
    def cpu_seconds(self) -> float:
        """What serving has cost so far."""
        return time.clock_gettime(time.pthread_getcpuclockid(self.thread_id))

    def token(self, *, now: datetime, organization: OrganizationId | None = None) -> str:
        """A real token of the service's, for the settlement provider unless another is named."""
        caller = Caller(organization or self.settlement, ClientId("test-software"), frozenset(Scope))
        return self.services.tokens.issue(caller, now, jkt=None)


@functools.cache
def contract_of_this_tree() -> Contract:
    """Read once: its validators take a while to compile."""
    return Contract(ROOT)


def plain_url(url: str, database: str) -> str:
    """`url`, with another database's name."""
    base, _, query = url.partition("?")
    return base.rsplit("/", 1)[0] + "/" + database + (f"?{query}" if query else "")


async def _sql(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def _organizations(db: Database, at: datetime) -> list[OrganizationId]:
    async with db.platform() as tx:
        await directory.add_area(tx, Area(AREA, "架空圏域", "12"))
        profiles = [
            OrganizationProfile(kind="settlement", name="就労定着支援事業所 みほん（架空）", serves=(AREA,)),
            OrganizationProfile(kind="center", name="センター みほん（架空）", serves=(AREA,)),
        ]
        return [await directory.add_organization(tx, one, at=at) for one in profiles]


class _Thread(threading.Thread):
    """Serves one database in an event loop of its own, from `start` to `stop`."""

    services: Services
    organizations: list[OrganizationId]
    server: uvicorn.Server

    def __init__(self, database_url: str, settings: Settings, clock: Clock) -> None:
        super().__init__(daemon=True)
        self.database_url, self.settings, self.clock = database_url, settings, clock
        self.ready = threading.Event()

    def run(self) -> None:
        uvloop.run(self._serve())

    async def _serve(self) -> None:
        db = Database(self.database_url)
        self.services = create_services(self.settings, db, self.clock, contract_of_this_tree())
        self.organizations = await _organizations(db, datetime.now(UTC))
        self.server = server_over(self.services)
        serving = asyncio.create_task(self.server.serve())
        while not self.server.started and not serving.done():
            await asyncio.sleep(0.02)
        self.ready.set()
        await serving
        await db.close()

    def stop(self) -> None:
        self.server.should_exit = True
        self.join(30)


@contextlib.contextmanager
def running_service(
    server_url: str, template_url: str, data_dir: Path, **changes: Any
) -> Iterator[RunningService]:
    """Serves from a thread of its own until the block ends; `changes` are to the settings."""
    name = f"tsunagi_running_{uuid4().hex[:8]}"
    template = template_url.partition("?")[0].rsplit("/", 1)[1]
    asyncio.run(_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    settings = Settings(data_dir=data_dir, base_url=base_url, port=port, metrics_port=0, **changes)
    thread = _Thread(plain_url(server_url, name), settings, Clock())
    thread.start()
    assert thread.ready.wait(60), "the service did not start"
    settlement, center = thread.organizations
    try:
        assert thread.ident is not None
        yield RunningService(
            settings.base_url,
            thread.database_url,
            thread.services,
            thread.clock,
            settlement,
            center,
            thread.ident,
        )
    finally:
        thread.stop()
        asyncio.run(_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)"))
