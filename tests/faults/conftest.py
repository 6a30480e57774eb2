"""Where the servers of a test lie; and that they end with it, also when it is ended from outside."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import ground_for_servers


@pytest.fixture
def folder() -> Iterator[Path]:
    with ground_for_servers() as found:
        yield found


@pytest.fixture(autouse=True, scope="session")
def ended_politely() -> Iterator[None]:
    """A polite kill leaves no server behind."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    yield
    signal.signal(signal.SIGTERM, before)
