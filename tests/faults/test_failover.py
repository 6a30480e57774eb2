"""A synchronous standby stalls, and takes over."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import httpx2
import pytest

from tests.conftest import run_sql
from tests.faults.ground import FORKED, Ground, Watch, ground, prepare
from tests.faults.load import Request, as_bytes, record_of
from tests.faults.oracle import check, log_holds, rows_are_there_once
from tests.faults.pair import Pair, until
from tests.faults.test_crashes import LONG, SEED
from tests.postgres import ground_for_servers, running

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(0 if LONG else 600)]


CYCLES = int(os.environ.get("FAULT_CYCLES", "20")) if LONG else 1


@asynccontextmanager
async def two(folder: Path, *, synchronous: bool = True, size: int = 2) -> AsyncIterator[tuple[Ground, Pair]]:
    """A service of so many servers over a primary that a standby follows."""
    with running(folder / "postgres") as postgres:
        await prepare(postgres)
        pair = await Pair.of(folder, postgres, synchronous=synchronous)
        try:
            async with ground(folder, postgres, seed=SEED, size=size) as here:
                yield here, pair
        finally:
            pair.stop()


async def turn_to_the_standby(here: Ground, pair: Pair) -> None:
    """The primary is gone for good, the standby has taken its place, and the service turned to it."""
    here.postgres = await pair.promote()
    await asyncio.to_thread(here.start)


async def test_nothing_acknowledged_is_lost_when_the_standby_stalls_and_takes_over(folder: Path) -> None:
    took = Watch()
    async with two(folder, size=2 if LONG else 1) as (here, pair):
        for cycle in range(CYCLES):
            before = len(here.load.answered)
            await here.load.after(here.chance.randrange(5, 60))
            pair.standby.freeze()
            await pair.commits_wait()
            how = ("frozen", "killed", "frozen", "thawed")[cycle % 4]
            if how == "killed":  # and it comes back, with commits that the standby does not have
                await asyncio.to_thread(pair.primary.kill)
                await asyncio.to_thread(pair.primary.start)
                await pair.commits_wait()
            elif how == "thawed":
                pair.standby.thaw()
                await here.load.after(20)
            await turn_to_the_standby(here, pair)
            await here.load.after(10)
            await pair.follow()
            await here.load.after(10)
            await here.load.quiet()
            await check(here, newest=len(here.load.answered) - before)
            print(f"{cycle + 1}/{CYCLES} {how}: {len(here.load.answered)} answers, {took}")
        print(f"asked again: {dict(here.load.refused)}")


@pytest.fixture(scope="module")
async def stalled() -> AsyncIterator[tuple[Ground, Pair]]:
    """One for those who leave it as they found it."""
    with ground_for_servers() as folder:
        async with two(folder) as found:
            yield found


numbers = count(10**6)


async def post_while_frozen(here: Ground, pair: Pair) -> tuple[Request, asyncio.Task[httpx2.Response]]:
    """A handover whose commit waits for the standby, which is frozen."""
    pair.standby.freeze()
    record = as_bytes(record_of(here.load.receiver, next(numbers), here.load.today))
    posted = Request(here.load.sender, "POST", "/v1/handovers", record)
    first = asyncio.create_task(here.load.send(posted))
    await pair.commits_wait()
    return posted, first


async def is_told_when_the_standby_has_it(here: Ground, pair: Pair, posted: Request) -> None:
    """Whoever asks again is not answered before, although the primary shows it already."""
    again = asyncio.create_task(here.load.ask(posted))
    await asyncio.wait([again], timeout=2)
    await pair.commits_wait()
    assert not again.done()
    pair.standby.thaw()
    handover = (await again)["id"]
    await until(pair.standby.url_of("tsunagi"), f"SELECT count(*) FROM handovers WHERE id = '{handover}'")


async def test_what_a_crash_brought_to_light_is_told_when_the_standby_has_it(
    stalled: tuple[Ground, Pair],
) -> None:
    """A primary that crashed shows commits that were still waiting for its standby."""
    here, pair = stalled
    posted, first = await post_while_frozen(here, pair)
    await asyncio.to_thread(pair.primary.kill)
    await asyncio.to_thread(pair.primary.start)
    assert (await first).status_code == 503
    await is_told_when_the_standby_has_it(here, pair, posted)


@pytest.mark.parametrize("ended", ["pg_cancel_backend", "pg_terminate_backend"])
async def test_a_commit_that_is_told_to_wait_no_longer_is_not_acknowledged(
    stalled: tuple[Ground, Pair], ended: str
) -> None:
    here, pair = stalled
    posted, first = await post_while_frozen(here, pair)
    await run_sql(pair.primary.url, f"SELECT {ended}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    assert (await first).status_code == 503
    await is_told_when_the_standby_has_it(here, pair, posted)


@pytest.mark.skipif(not LONG, reason="a part of make faults")
async def test_an_asynchronous_standby_loses_what_was_acknowledged(folder: Path) -> None:
    """A control: this harness sees what is lost. And the sequencer does not sign what is left."""
    async with two(folder, synchronous=False) as (here, pair):
        await here.load.after(10)
        await here.load.quiet()
        await log_holds(here)
        assert await here.lost() == 0
        await asyncio.to_thread(
            pair.standby.kill
        )  # one that is frozen finds what was sent to it when it wakes up
        await here.load.after(20)
        await here.load.quiet()
        await log_holds(here)
        await turn_to_the_standby(here, pair)
        assert await here.lost() > 0
        with pytest.raises(AssertionError, match="missing"):
            await rows_are_there_once(here)
        assert await asyncio.to_thread(here.sequencer.ended) == FORKED
