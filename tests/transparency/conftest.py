"""A log with a key of its own, over a database that others only read."""

from pathlib import Path

import pytest

from tsunagi.db import Database
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys

ORIGIN = "tsunagi.example/ledger"


@pytest.fixture
def sequencer(own_database: Database, tmp_path: Path) -> Sequencer:
    return Sequencer(own_database, FileKeys(tmp_path / "keys", ORIGIN), ORIGIN)
