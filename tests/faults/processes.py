"""Processes of `tsunagi`, started and ended by their ids."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.postgres import PATIENCE_SECONDS, environment

TSUNAGI = Path(sys.executable).parent / "tsunagi"


class Process:
    """One process of the service's, with these settings; what it says goes to a file."""

    def __init__(self, arguments: Sequence[str], log: Path, settings: dict[str, str]) -> None:
        self.arguments, self.log, self.settings = arguments, log, settings
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """It has been started, whether or not it is of use yet."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [TSUNAGI, *self.arguments],
                env=environment(**self.settings),
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
            )

    def ended(self) -> int:
        """The status with which it ends by itself."""
        assert self.process is not None
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        if self.process is None or not self.runs:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


class Server(Process):
    """`tsunagi serve` on a port of its own."""

    def __init__(self, port: int, log: Path, settings: dict[str, str]) -> None:
        super().__init__(["serve"], log, settings | {"TSUNAGI_PORT": str(port), "TSUNAGI_METRICS_PORT": "0"})
        self.url = f"http://127.0.0.1:{port}"

    def wait(self) -> None:
        """It answers, and so does its database."""
        for _ in range(PATIENCE_SECONDS * 20):
            assert self.runs, f"the service ended: {self.log.read_text()[-3000:]}"
            try:
                with urlopen(f"{self.url}/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (TimeoutError, URLError, OSError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"the service is not ready: {self.log.read_text()[-3000:]}")
