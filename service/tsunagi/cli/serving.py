"""`tsunagi serve` and `tsunagi migrate`."""

import contextlib
import gc
import secrets
import signal
import socket
import sys
from collections.abc import Iterator

import prometheus_client
import structlog
import typer
import uvicorn
import uvloop

from tsunagi import logs
from tsunagi.api.connection import connection
from tsunagi.api.edge import Services
from tsunagi.app import create_app, create_services
from tsunagi.cli.context import database, database_url
from tsunagi.cli.ledger import sequencer_beside
from tsunagi.clock import Clock
from tsunagi.db import Database
from tsunagi.migrating import migrate
from tsunagi.settings import Settings

log = structlog.get_logger()


def end_on_sigterm() -> None:
    """A polite kill runs what an exit runs: the embedded database is stopped, not left behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def serve() -> None:
    """Serves the API, the docs and the contract until interrupted. Settings come from the environment."""
    end_on_sigterm()
    settings = Settings()
    logs.configure(settings.log_format)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    url = database_url(settings)
    async with database(settings) as db, sequencer_beside(settings, url):
        if settings.database_url and await db.login_passes():
            log.warning("the role in DATABASE_URL owns the tables: docs/operations.md, Database roles")
        with metrics(settings):
            typer.echo(f"serving {settings.base_url} (docs: {settings.base_url}/docs)", err=True)
            await run(server(settings, db))


async def run(served: uvicorn.Server) -> None:
    """Serves until interrupted. What is there before the first request stays, so that the collector need not look
    at it again: its pauses are what the slowest requests wait for."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    await served.serve()


def server(settings: Settings, db: Database, clock: Clock | None = None) -> uvicorn.Server:
    """An HTTP server over the application, not yet running."""
    return server_over(create_services(settings, db, clock))


def server_over(services: Services) -> uvicorn.Server:
    settings = services.settings
    config = uvicorn.Config(
        create_app(services),
        host=settings.host,
        port=settings.port,
        http=connection(head_seconds=settings.head_seconds, request_seconds=settings.request_seconds),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def metrics(settings: Settings) -> Iterator[None]:
    """`/metrics` on its own port, for the operator's network only; port 0 turns it off."""
    if settings.metrics_port == 0:
        yield
        return
    served, thread = prometheus_client.start_http_server(settings.metrics_port, settings.host)
    try:
        yield
    finally:
        served.shutdown()
        thread.join()


_PORTS = range(15_000, 32_000)


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on now: below those that systems give to outgoing connections, any of which could take it
    before it is used."""
    while choose_port(host, port := _PORTS.start + secrets.randbelow(len(_PORTS))) != port:
        pass
    return port


def choose_port(host: str, wanted: int) -> int:
    """The wanted port, or another one where somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError:
            probe.bind((host, 0))
        return int(probe.getsockname()[1])


def migrate_command() -> None:
    """Brings the database to the newest migration."""
    settings = Settings()
    migrate(database_url(settings), settings.contract_dir / "migrations", settings)
    typer.echo("the database is at the newest migration", err=True)
