"""How long the published list takes to come in: `python bench/directory_import.py FILE...`

Imports into a fresh database of its own (`DATABASE_URL`, else an embedded PostgreSQL in a temporary
directory), three times: all new, nothing changed, and one row in ten renamed.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tsunagi.cli.context import database
from tsunagi.db import Database
from tsunagi.directory import wam_net
from tsunagi.directory.actions import import_lists
from tsunagi.settings import Settings


def read(paths: list[Path]) -> list[wam_net.ListFile]:
    return [list_ for path in paths for list_ in wam_net.read(path)]


async def timed(db: Database, label: str, paths: list[Path], *, rename_every: int = 0) -> None:
    started = time.perf_counter()
    lists = read(paths)
    offices = [office for list_ in lists for office in list_.offices]
    for office in offices[::rename_every] if rename_every else []:
        office.name += "（新）"
    was_read = time.perf_counter()
    release = max(list_.released_on for list_ in lists) + timedelta(days=rename_every)
    async with db.write() as tx:
        counts = await import_lists(tx, lists, release=release, at=datetime.now(UTC))
    ended = time.perf_counter()
    print(f"{label}: {ended - started:.2f} s (reading {was_read - started:.2f} s)  {counts}")


async def main(paths: list[Path]) -> None:
    with tempfile.TemporaryDirectory(prefix="tsunagi-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        async with database(Settings(data_dir=Path(folder))) as db:
            await timed(db, "all new", paths)
            await timed(db, "unchanged", paths)
            await timed(db, "one in ten renamed", paths, rename_every=10)


if __name__ == "__main__":
    asyncio.run(main([Path(argument) for argument in sys.argv[1:]]))
