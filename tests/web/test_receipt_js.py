"""The browser's check of receipts, run in Node: it says of every receipt, good or tampered with, what tsunagi_verifier
says of it, in the same words."""

import contextlib
import copy
import io
import json
import secrets
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.clients.js.test_js_clients import tools
from tests.transparency.test_notes import LOG, OTHER
from tests.verifier.test_receipts import RECEIPT, SHOWN, changed
from tests.world import EXAMPLES
from tsunagi_verifier.command import main

HERE = Path(__file__).parent
CHECKS = HERE.parents[1] / "service" / "tsunagi" / "web" / "static" / "receipt.js"
KEY = str(LOG.key)
TAMPERED = 800

Case = tuple[bytes, str]


def by_the_browser(cases: list[Case]) -> list[dict[str, Any]]:
    """What the page's code says of each file, given the text in its field for keys."""
    node, _ = tools()
    lines = [json.dumps({"file": b64encode(file).decode(), "keys": keys}) for file, keys in cases]
    done = subprocess.run(
        [*node, "--no-warnings", str(HERE / "verdicts.mjs"), str(CHECKS)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == len(cases)
    return said


@pytest.fixture
def by_the_command(tmp_path: Path) -> Callable[[Case], dict[str, Any]]:
    def run(case: Case) -> dict[str, Any]:
        (tmp_path / "receipt.json").write_bytes(case[0])
        (tmp_path / "keys").write_text(case[1])
        arguments = ["receipt", str(tmp_path / "receipt.json"), "--keys", str(tmp_path / "keys"), "--json"]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            main(arguments)
        said: dict[str, Any] = json.loads(out.getvalue())
        return said

    return run


def written(receipt: Any) -> bytes:
    return json.dumps(receipt).encode()


def test_good_receipts_are_good() -> None:
    example = EXAMPLES / "receipt" / "valid" / "accepted.json"
    (key,) = json.loads(example.read_text())["keys"]
    said = by_the_browser([(written(RECEIPT), KEY), (example.read_bytes(), f"# kept\n{key}\n")])
    assert [one["result"] for one in said] == ["good", "good"]
    assert [one["proven"] for one in said] == [3, len(json.loads(example.read_text())["steps"])]


def test_what_is_in_no_checkpoint_is_not_said_to_be_wrong() -> None:
    waiting = changed(RECEIPT, "steps", 2, "proof", to=None)
    waiting = changed(waiting, "steps", 2, "entry", "position", to=None)
    (said,) = by_the_browser([(written(waiting), KEY)])
    assert (said["result"], said["proven"]) == ("unchecked", 2)


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        (f"{OTHER.key}\n{KEY}", "wrong"),  # the log's name is that of the first key
        (f"{KEY}\n{OTHER.key}", "good"),
        (str(OTHER.key), "wrong"),
        ("", "unchecked"),
        ("# none", "unchecked"),
        (KEY.replace("+", "-"), "unchecked"),
        (KEY[:-4] + "AAA=", "unchecked"),
        (KEY.replace(LOG.key.name, "other.example"), "unchecked"),
        ("log.example+00000000+AAAA", "unchecked"),
    ],
)
def test_keys_are_read_as_the_command_reads_them(
    by_the_command: Callable[[Case], dict[str, Any]], keys: str, result: str
) -> None:
    case = (written(RECEIPT), keys)
    (said,) = by_the_browser([case])
    assert said["result"] == by_the_command(case)["result"] == result


def test_every_tampered_receipt_gets_the_verdict_of_the_command(
    by_the_command: Callable[[Case], dict[str, Any]],
) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # shown where it fails
    cases = [(file, KEY) for file in tampered(Random(seed))]
    results = set()
    for case, said in zip(cases, by_the_browser(cases), strict=True):
        expected = by_the_command(case)
        assert said["result"] == expected["result"], case[0]
        if expected["result"] == "wrong":
            reason = expected["reason"]
            named = (said["en"], said["ja"], said["entry"])
            assert named == (reason["en"], reason["ja"], expected["entry"]), case[0]
            results.add(reason["en"])
    assert len(results) > 15  # many ways of being wrong were met


def tampered(chance: Random) -> Iterator[bytes]:
    raw = written(RECEIPT)
    for _ in range(TAMPERED // 2):
        yield flipped(raw, chance)
        receipt = copy.deepcopy(RECEIPT)
        for _ in range(chance.choice([1, 1, 1, 2])):
            edit(receipt, chance)
        yield written(receipt)


def flipped(raw: bytes, chance: Random) -> bytes:
    """One character of the file is another; mostly one that leaves it JSON."""
    place = chance.randrange(len(raw))
    by = chance.choice([b"0", b"1", b"a", b"A", b"=", b"+", b" ", b'"', b"\\n", b"\xff", b""])
    return raw[:place] + by + raw[place + 1 :]


def edit(receipt: Any, chance: Random) -> None:
    """One member is another: of another kind, of another receipt's, with a character changed, gone, or twice."""
    places = list(members(receipt))
    if not places:
        return
    holder, name = chance.choice(places)
    value = holder[name]
    if isinstance(value, str) and chance.random() < 0.6:
        place = chance.randrange(len(value) + 1)
        holder[name] = (
            value[:place] + chance.choice(["", "0", "\n", "\u3042", "\ud800", "=", "-"]) + value[place + 1 :]
        )
        return
    other_holder, other_name = chance.choice(places)
    other = other_holder[other_name]
    strange = [None, True, 0, 1, -1, 1.0, 2**70, "", "x", [], {}, SHOWN[4], other, f"{value}\n", [value]]
    holder[name] = copy.deepcopy(chance.choice(strange))


def members(value: Any) -> Iterator[tuple[Any, Any]]:
    names = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in list(names):
        yield value, name
        yield from members(value[name])
