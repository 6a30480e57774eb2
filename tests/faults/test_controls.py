"""Set up to lose data, the service loses data, and the harness sees it; and a full disk loses none."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import run_sql
from tests.faults.ground import FORKED, ground, prepare
from tests.faults.oracle import check, log_holds
from tests.faults.test_crashes import LONG, SEED
from tests.postgres import running

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(0 if LONG else 600)]

DISK_MB, LEFT_MB = 260, 3


async def test_without_synchronous_commit_a_crash_loses_what_was_acknowledged(folder: Path) -> None:
    """A control: this harness sees what is lost. And the sequencer does not sign what is left."""
    with running(folder / "postgres", wal_buffers="16MB") as postgres:
        await prepare(postgres)
        await run_sql(postgres.url, "ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()")
        async with ground(folder, postgres, seed=SEED, size=1, TSUNAGI_ALLOW_DATA_LOSS="1") as here:
            await here.load.after(5)
            postgres.freeze("walwriter", "checkpointer", "background writer")  # who would write in a moment
            await here.load.after(20)
            await here.load.quiet()
            await log_holds(here)
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)
            assert await here.lost() > 0
            assert await asyncio.to_thread(here.sequencer.ended) == FORKED


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own. Skips where it may not be mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "tsunagi-faults", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(not LONG, reason="a part of make faults")
async def test_a_full_disk_refuses_and_loses_nothing(folder: Path) -> None:
    with small_disk(folder / "disk") as disk, running(disk / "postgres", max_wal_size="64MB") as postgres:
        await prepare(postgres)
        async with ground(folder, postgres, seed=SEED, size=1) as here:
            await here.load.after(20)
            ballast = disk / "ballast"
            room = shutil.disk_usage(disk).free - LEFT_MB * 1_000_000
            ballast.write_bytes(bytes(max(room, 0)))
            refused = here.load.refused.total()
            while here.load.refused.total() < refused + 20:
                await asyncio.sleep(0.1)
            ballast.unlink()
            if postgres.process is not None and postgres.process.poll() is not None:
                await asyncio.to_thread(postgres.start)
            await asyncio.to_thread(postgres.wait_until_it_answers)
            await asyncio.to_thread(here.mend)
            await here.load.after(10)
            await here.load.quiet()
            await check(here, newest=100)
