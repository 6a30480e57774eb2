"""The program that `docs/verifying.md` shows to auditors, run as it stands."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.world import EXAMPLES, ROOT

PROGRAM = re.search(r"```python\n(.*?)```", (ROOT / "docs/verifying.md").read_text(), re.DOTALL)
RECEIPT = json.loads((EXAMPLES / "receipt/valid/accepted.json").read_text())


def run(folder: Path, receipt: Any) -> subprocess.CompletedProcess[str]:
    assert PROGRAM is not None
    (folder / "check.py").write_text(PROGRAM[1])
    (folder / "receipt.json").write_text(json.dumps(receipt, ensure_ascii=False))
    command = [sys.executable, "check.py", "receipt.json", RECEIPT["keys"][0]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_it_verifies_every_step(tmp_path: Path) -> None:
    done = run(tmp_path, RECEIPT)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(RECEIPT["steps"]) + 1
    assert "verified" in lines[-1]


def _body(step: dict[str, Any]) -> None:
    step["entry"]["body"] = step["entry"]["body"].replace("permit", "Permit")


def _index(step: dict[str, Any]) -> None:
    step["proof"] = step["proof"].replace("index 2", "index 3")


def _size(step: dict[str, Any]) -> None:
    step["proof"] = step["proof"].replace("\n5\n", "\n6\n")


def _signature(step: dict[str, Any]) -> None:
    step["proof"] = step["proof"][:-6] + "AA=\n"


@pytest.mark.parametrize("tamper", [_body, _index, _size, _signature])
def test_it_refuses_what_was_altered(tmp_path: Path, tamper: Callable[[dict[str, Any]], None]) -> None:
    receipt = json.loads(json.dumps(RECEIPT))
    tamper(receipt["steps"][2])
    assert receipt != RECEIPT
    done = run(tmp_path, receipt)
    assert done.returncode != 0
    assert "verified" not in done.stdout
