"""Servers of ours beside the measuring process, and a database of their own."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import psutil
import uvloop

from tsunagi import embedded, logs
from tsunagi.cli.context import database_url
from tsunagi.cli.serving import free_port
from tsunagi.settings import Settings

ROOT = Path(__file__).parents[1]
OUT = ROOT / "bench" / "out"
UNLIMITED = {
    "metrics_port": 0,
    "client_requests_per_minute": 10**9,
    "organization_requests_per_minute": 10**9,
}
"""Requests are counted as ever, and never too many."""


@contextlib.contextmanager
def ground(prefix: str) -> Iterator[Settings]:
    """Settings for a service in a folder of its own. The embedded server, if it is that, has stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        port = free_port()
        settings = Settings(
            data_dir=Path(folder), base_url=f"http://127.0.0.1:{port}", port=port, **UNLIMITED
        )
        try:
            yield settings
        finally:
            if settings.database_url is None:
                embedded.stop(Path(folder))


@contextlib.asynccontextmanager
async def own_database(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with a new, empty database of their server; it is gone after the block."""
    name, server_url = f"tsunagi_bench_{uuid4().hex[:8]}", database_url(settings)
    server = await asyncpg.connect(server_url)
    await server.execute(f"CREATE DATABASE {name}")
    try:
        url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        yield settings.model_copy(update={"database_url": url})
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()


def apart(name: str, measured: Callable[[Settings], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """What is measured in a folder and a database of its own."""

    async def run(settings: Settings) -> dict[str, Any]:
        async with own_database(settings) as own:
            return await measured(own)

    with ground(f"tsunagi-{name}-") as settings:
        return uvloop.run(run(settings))


def alone(name: str, measured: Callable[[Settings], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """The same for whoever asked for nothing else; also in bench/out/NAME.json."""
    logs.configure("json", quiet=True)
    results = apart(name, measured)
    write(OUT / f"{name}.json", results)
    return results


@contextlib.contextmanager
def service(settings: Settings, *, python: Sequence[str] = ()) -> Iterator[int]:
    """`tsunagi serve` with its logs in a file; the id of its process. Or what Python does with these arguments."""
    given = {
        "DATABASE_URL": settings.database_url or "",
        **{
            f"TSUNAGI_{name}".upper(): str(value)
            for name, value in settings.model_dump(exclude=_UNSAID, exclude_none=True).items()
        },
    }
    command = [sys.executable, *(python or ("-m", "tsunagi.cli", "serve"))]
    with _process(command, settings.port, given) as pid:
        yield pid


_UNSAID = {"database_url", "contract_dir"}


@contextlib.contextmanager
def stack() -> Iterator[tuple[int, int]]:
    """The bare HTTP stack of `bench/floor.py`: port and process."""
    port = free_port()
    quiet = ["--no-access-log", "--log-level", "error", "--no-server-header"]
    command = [sys.executable, "-m", "uvicorn", "bench.floor:app", "--port", str(port), *quiet]
    with _process(command, port, {}) as pid:
        yield port, pid


@contextlib.contextmanager
def _process(command: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    with tempfile.TemporaryFile() as said:
        started = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stderr=said, stdout=said)
        try:
            if not _listens(port, started):
                said.seek(0)
                raise RuntimeError(said.read()[-4000:].decode())
            yield started.pid
        finally:
            started.terminate()
            started.wait(30)


def _listens(port: int, started: "subprocess.Popen[bytes]") -> bool:
    while started.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
    return False


def postmaster(backend_pid: int) -> int:
    """The server's first process, or 0 where it runs elsewhere."""
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(backend_pid).parent()
        if parent is not None and "postgres" in parent.name():
            return parent.pid
    return 0


def write(path: Path, results: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n")
