"""The browser's check of growth, run in Node: it says of every log and kept checkpoint what tsunagi_verifier says."""

import json
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.clients.js.test_js_clients import tools
from tests.transparency.test_notes import LOG, OTHER
from tests.verifier.logs import KEY, Log, entries
from tests.web.test_receipt_js import CHECKS
from tsunagi_verifier.growth import grown
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.sources import Folder
from tsunagi_verifier.trust import Trust

GROWTHS = Path(__file__).parent / "growths.mjs"

Case = tuple[str, str, Path]
"""A kept note, the keys, and the folder of the log as it is now."""


def by_the_browser(cases: list[Case]) -> list[dict[str, Any]]:
    node, _ = tools()
    lines = [
        json.dumps({"kept": b64encode(kept.encode()).decode(), "keys": keys, "folder": str(folder)})
        for kept, keys, folder in cases
    ]
    done = subprocess.run(
        [*node, "--no-warnings", str(GROWTHS), str(CHECKS.parent)],
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


def by_the_command(kept: str, folder: Path) -> str:
    log = Folder(folder)
    try:
        grown(log, Trust((KEY,)), log.text("checkpoint"), kept)
    except Refused:
        return "wrong"
    except Unchecked:
        return "unchecked"
    return "good"


SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 255, 256, 257, 300, 511, 512, 513, 700, 65_536 + 300)
FORK = 250
"""From this entry on the other log has others."""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[str, Path]]:
    leaves = entries(max(SIZES))
    made = {size: Log(leaves[:size]) for size in SIZES}
    folder = tmp_path_factory.mktemp("logs")
    return {size: (log.note, log.write(folder / str(size))) for size, log in made.items()}


def test_every_size_goes_on_from_every_smaller_one_and_from_no_larger(
    logs: dict[int, tuple[str, Path]],
) -> None:
    pairs = [(before, now) for before in SIZES for now in SIZES]
    said = by_the_browser([(logs[before][0], str(LOG.key), logs[now][1]) for before, now in pairs])
    for (before, now), one in zip(pairs, said, strict=True):
        assert one["result"] == ("good" if before <= now else "wrong"), (before, now, one)
        assert one["sizes"] == ([before, now] if before <= now else None)
        if before > now:
            assert "rolled back" in one["en"]


def test_another_history_is_told_from_the_same_as_the_command_tells_it(
    logs: dict[int, tuple[str, Path]], tmp_path: Path
) -> None:
    leaves = entries(max(SIZES))
    other = [*leaves[:FORK], *entries(max(SIZES) + 1)[FORK + 1 :]]
    cases = []
    for now in (257, 300, 513, 700, 65_836):
        folder = Log(other[:now]).write(tmp_path / str(now))
        cases += [(before, now, folder) for before in SIZES if before <= now]
    said = by_the_browser([(logs[before][0], str(LOG.key), folder) for before, _, folder in cases])
    for (before, now, folder), one in zip(cases, said, strict=True):
        expected = "good" if before <= FORK else "wrong"
        assert one["result"] == expected == by_the_command(logs[before][0], folder), (before, now, one)
        assert (one["en"] is not None and "forked" in one["en"]) == (before > FORK)


def test_tiles_that_are_not_those_of_the_checkpoint_are_wrong(tmp_path: Path) -> None:
    leaves = entries(700)
    folder = Log(leaves).write(tmp_path)
    path = folder / "tile" / "0" / "000"
    raw = bytearray(path.read_bytes())
    raw[40] ^= 1
    path.write_bytes(raw)
    (said,) = by_the_browser([(Log(leaves[:100]).note, str(LOG.key), folder)])
    assert said["result"] == "wrong"
    path.unlink()
    (said,) = by_the_browser([(Log(leaves[:100]).note, str(LOG.key), folder)])
    assert (said["result"], said["en"]) == ("unchecked", "tile/0/000 is not there")


def test_a_kept_file_that_is_damaged_says_nothing_about_the_log(tmp_path: Path) -> None:
    folder, kept = Log(entries(9)).write(tmp_path), Log(entries(5)).note
    cases = [
        (kept.replace("5\n", "6\n", 1), str(LOG.key)),
        (kept, str(OTHER.key)),
        ("", str(LOG.key)),
        (kept, ""),
    ]
    said = by_the_browser([(note, keys, folder) for note, keys in cases])
    assert [one["result"] for one in said] == ["unchecked"] * 4
