"""The service as its users meet it: a server on the loopback, over a database of its own with real commits."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import uvicorn

from tsunagi.api.edge import Services
from tsunagi.app import create_app, create_services
from tsunagi.auth.rules import Caller, Scope
from tsunagi.cli.serving import free_port
from tsunagi.clock import Clock
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import Area, OrganizationProfile
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.settings import Settings

AREA = "12-91"


@dataclass(frozen=True)
class RunningService:
    base_url: str
    services: Services
    clock: Clock
    settlement: OrganizationId
    center: OrganizationId

    def token(self, *, now: datetime, organization: OrganizationId | None = None) -> str:
        """A real token of the service's, for the settlement provider unless another is named."""
        caller = Caller(organization or self.settlement, ClientId("test-software"), frozenset(Scope))
        return self.services.tokens.issue(caller, now)


def plain_url(url: str, database: str) -> str:
    """`url`, with another database's name."""
    base, _, query = url.partition("?")
    return base.rsplit("/", 1)[0] + "/" + database + (f"?{query}" if query else "")


async def _sql(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def _organizations(db: Database, at: datetime) -> list[OrganizationId]:
    async with db.write() as tx:
        await directory.add_area(tx, Area(AREA, "架空圏域", "12"))
        profiles = [
            OrganizationProfile(kind="settlement", name="就労定着支援事業所 みほん（架空）", serves=(AREA,)),
            OrganizationProfile(kind="center", name="センター みほん（架空）", serves=(AREA,)),
        ]
        return [await directory.add_organization(tx, one, at=at) for one in profiles]


@contextlib.contextmanager
def running_service(server_url: str, template_url: str, data_dir: Path) -> Iterator[RunningService]:
    """Serves from a thread of its own until the block ends."""
    name = f"tsunagi_running_{uuid4().hex[:8]}"
    template = template_url.partition("?")[0].rsplit("/", 1)[1]
    asyncio.run(_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    port = free_port()
    settings = Settings(data_dir=data_dir, base_url=f"http://127.0.0.1:{port}", port=port, metrics_port=0)
    started: dict[str, object] = {}
    ready = threading.Event()
    clock = Clock()

    async def serve() -> None:
        db = Database(plain_url(server_url, name))
        services = create_services(settings, db, clock)
        ids = await _organizations(db, datetime.now(UTC))
        config = uvicorn.Config(
            create_app(services), host="127.0.0.1", port=port, log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        started.update(server=server, services=services, ids=ids)
        task = asyncio.create_task(server.serve())
        while not server.started and not task.done():
            await asyncio.sleep(0.02)
        ready.set()
        await task
        await db.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(60), "the service did not start"
    settlement, center = started["ids"]  # type: ignore[misc]
    try:
        yield RunningService(settings.base_url, started["services"], clock, settlement, center)  # type: ignore[arg-type]
    finally:
        started["server"].should_exit = True  # type: ignore[attr-defined]
        thread.join(30)
        asyncio.run(_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)"))
