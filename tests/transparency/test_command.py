"""`tsunagi ledger`, and the sequencer as a process beside the server, as an operator runs them."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner, Result

from tests.transparency.test_actions import write
from tests.world import ROOT
from tsunagi.cli import main
from tsunagi.cli.ledger import FORKED
from tsunagi.cli.serving import free_port
from tsunagi.db import Database
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys, Remembered
from tsunagi_verifier.notes import Key, open_checkpoint

PATIENCE_SECONDS = 60
COMMAND = (sys.executable, "-m", "tsunagi.cli")


def environment(url: str, folder: Path, port: int = 0) -> dict[str, str]:
    settings = {
        "DATABASE_URL": url,
        "TSUNAGI_DATA_DIR": str(folder / "data"),
        "TSUNAGI_CONTRACT_DIR": str(ROOT),
        "TSUNAGI_BASE_URL": f"http://127.0.0.1:{port}",
        "TSUNAGI_PORT": str(port),
        "TSUNAGI_METRICS_PORT": "0",
    }
    return os.environ | settings


def ledger(said: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "ledger", *words]
    return subprocess.run(command, env=said, capture_output=True, text=True, timeout=120, check=False)


def until(met: Callable[[], bool], what: str) -> None:
    began = time.monotonic()
    while not met():
        assert time.monotonic() - began < PATIENCE_SECONDS, what
        time.sleep(0.1)


@contextmanager
def serving(said: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*COMMAND, "serve"], env=said, stdout=log, stderr=log)
        try:
            yield server
        finally:
            server.kill()
            server.wait(30)


def sequencers(server: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [one for one in psutil.Process(server.pid).children() if "sequence" in one.cmdline()]


def published(port: int, what: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ledger/{what}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text
    except (urllib.error.URLError, ConnectionError):
        return ""


async def test_the_server_keeps_a_sequencer_beside_it_that_ends_with_it(
    own_url: str, own_database: Database, tmp_path: Path
) -> None:
    port = free_port()
    with serving(environment(own_url, tmp_path, port), tmp_path) as server:
        until(lambda: published(port, "checkpoint") != "", "no checkpoint")
        await write(own_database, 3)
        size = lambda: published(port, "checkpoint").split("\n")[1]  # noqa: E731
        until(lambda: size() == "3", "the entries are not in the log")
        (first,) = sequencers(server)
        first.kill()
        first.wait(30)
        await write(own_database, 2)
        until(lambda: size() == "5", "no other sequencer came")
        key = Key.read(published(port, "keys").strip())
        origin = f"127.0.0.1:{port}/ledger"
        assert open_checkpoint(published(port, "checkpoint"), [key], origin=origin).size == 5
        (second,) = sequencers(server)
        server.kill()
        until(
            lambda: not second.is_running() or second.status() == psutil.STATUS_ZOMBIE,
            "it outlived the server",
        )


async def test_a_sequencer_ends_for_good_over_another_log(
    own_url: str, own_database: Database, tmp_path: Path
) -> None:
    said = environment(own_url, tmp_path)
    await write(own_database, 1)
    keys = FileKeys(tmp_path / "data" / "ledger-keys", "127.0.0.1:0/ledger")
    await Sequencer(own_database, keys, "127.0.0.1:0/ledger").sequence(datetime.now(UTC))
    keys.remember(Remembered("127.0.0.1:0/ledger", 9, bytes(32)))
    refused = ledger(said, "sequence")
    assert refused.returncode == FORKED, refused.stderr
    assert "署名しません" in refused.stderr
    assert "9 entries were signed for, and 1 are here" in refused.stderr


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["ledger", *words])


def test_keys_are_added_and_retired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment("postgresql://nowhere.invalid/none", tmp_path).items():
        monkeypatch.setenv(name, value)  # keys need no database
    old = run("keys").stdout.strip()
    assert old.startswith("127.0.0.1:0/ledger+")
    only = run("retire", old.split("+")[1])
    assert only.exit_code != 0
    assert "rotate" in str(only.exception)
    new = run("rotate").stdout.strip()
    assert sorted(run("keys").stdout.split()) == sorted([old, new])
    assert run("retire", old.split("+")[1]).exit_code == 0
    assert run("keys").stdout.strip() == new
    assert run("retire", old.split("+")[1]).exit_code != 0
    folder = tmp_path / "data" / "ledger-keys"
    assert folder.stat().st_mode & 0o077 == 0
    assert all(one.stat().st_mode & 0o077 == 0 for one in folder.iterdir())
