"""How long the published list takes to come in: `python bench/directory_import.py FILE...`

Imports into a fresh database of its own (an embedded PostgreSQL in a temporary directory), three times: all
new, nothing changed, and one row in ten renamed.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tsunagi import embedded
from tsunagi.db import Database
from tsunagi.directory import wam_net
from tsunagi.directory.actions import import_lists
from tsunagi.migrating import migrate
from tsunagi.settings import ROOT


async def timed(db: Database, label: str, paths: list[Path], *, rename_every: int = 0) -> None:
    started = time.perf_counter()
    lists = [list_ for path in paths for list_ in wam_net.read(path)]
    offices = [office for list_ in lists for office in list_.offices]
    for office in offices[::rename_every] if rename_every else []:
        office.name += "（新）"
    was_read = time.perf_counter()
    release = max(list_.released_on for list_ in lists) + timedelta(days=rename_every)
    async with db.platform() as tx:
        counts = await import_lists(tx, lists, release=release, at=datetime.now(UTC))
    ended = time.perf_counter()
    print(f"{label}: {ended - started:.2f} s (reading {was_read - started:.2f} s)  {counts}")


async def measure(url: str, paths: list[Path]) -> None:
    db = Database(url)
    await timed(db, "all new", paths)
    await timed(db, "unchanged", paths)
    await timed(db, "one in ten renamed", paths, rename_every=10)
    await db.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tsunagi-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = embedded.start(Path(folder))
        migrate(server, ROOT / "migrations")
        asyncio.run(measure(server, [Path(argument) for argument in sys.argv[1:]]))
        embedded.stop(Path(folder))
