"""Who used the processors while something was measured: the service, the database, the measuring itself, others."""

import contextlib
import time
from dataclasses import dataclass

import psutil

DISTURBED = 0.2
"""More of a core than this used by others, or taken by the host, and a span counts as disturbed."""


@dataclass(frozen=True)
class Moment:
    at: float
    busy: float
    """Seconds of all processors, interrupts left out: the loopback's are ours."""

    server: float
    database: float
    generator: float


@dataclass(frozen=True)
class Spent:
    """Processor seconds between two moments, and how much of a core others had meanwhile."""

    server: float
    database: float
    generator: float
    others: float

    @property
    def disturbed(self) -> bool:
        return self.others > DISTURBED


class Watch:
    """Looks at the processes of a benchmark. `postmaster` is 0 where the database is not on this machine."""

    def __init__(self, postmaster: int) -> None:
        self._postmaster = postmaster
        self.servers: list[int] = []
        """Processes of ours that are asked: one at a time is busy."""

    def moment(self) -> Moment:
        times = psutil.cpu_times()
        return Moment(
            at=time.perf_counter(),
            busy=times.user + times.nice + times.system + getattr(times, "steal", 0.0),
            server=sum(map(_tree, self.servers)),
            database=_tree(self._postmaster) if self._postmaster else 0.0,
            generator=_own(),
        )

    def since(self, before: Moment) -> Spent:
        now = self.moment()
        server, database = now.server - before.server, now.database - before.database
        generator = now.generator - before.generator
        others = now.busy - before.busy - server - database - generator
        return Spent(server, database, generator, max(0.0, others / (now.at - before.at)))


def _own() -> float:
    """This process and the children that have ended: pgbench."""
    times = psutil.Process().cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def _tree(pid: int) -> float:
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        times = root.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
        for child in root.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                total += times.user + times.system
    return total
