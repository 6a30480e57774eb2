"""Processes and the database are killed under load, at moments that nobody chose."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.ground import Ground, Watch, ground, prepare
from tests.faults.oracle import check
from tests.postgres import running

LONG = os.environ.get("TSUNAGI_FAULTS") == "long"
CYCLES = int(os.environ.get("FAULT_CYCLES", "100")) if LONG else 2
SEED = int(os.environ.get("FAULT_SEED", "20261121"))


def kill_a_server(here: Ground) -> None:
    here.chance.choice(here.servers).kill()


def kill_both_servers(here: Ground) -> None:
    for server in here.servers:
        server.kill()


def kill_backends(here: Ground) -> None:
    backends = here.postgres.backends()
    here.postgres.kill_backends(here.chance.sample(backends, min(2, len(backends))))


def kill_postgres(here: Ground) -> None:
    here.postgres.kill()
    here.postgres.start()


def kill_the_sequencer_and_a_server(here: Ground) -> None:
    here.sequencer.kill()
    kill_a_server(here)


def kill_everything(here: Ground) -> None:
    here.postgres.kill()
    kill_both_servers(here)
    here.sequencer.kill()
    here.postgres.start()


FAULTS: tuple[Callable[[Ground], None], ...] = (
    kill_backends,
    kill_everything,
    kill_the_sequencer_and_a_server,
    kill_a_server,
    kill_postgres,
    kill_both_servers,
)


@pytest.mark.xdist_group("faults")
@pytest.mark.timeout(0 if LONG else 600)
async def test_nothing_acknowledged_is_lost_when_things_die(folder: Path) -> None:
    took = Watch()
    with running(folder / "postgres", checkpoint_timeout="30s") as postgres:
        await prepare(postgres)
        async with ground(folder, postgres, seed=SEED) as here:
            for cycle in range(CYCLES):
                before = len(here.load.answered)
                await here.load.after(here.chance.randrange(5, 60))
                fault = FAULTS[cycle % len(FAULTS)]
                await asyncio.to_thread(fault, here)
                await asyncio.to_thread(here.postgres.wait_until_it_answers)
                await asyncio.to_thread(here.mend)
                await here.load.after(10)
                await here.load.quiet()
                await check(here, newest=len(here.load.answered) - before)
                print(f"{cycle + 1}/{CYCLES} {fault.__name__}: {len(here.load.answered)} answers, {took}")
            print(f"asked again: {dict(here.load.refused)}")
