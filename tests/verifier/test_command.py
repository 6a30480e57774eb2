"""What the command says, to whom, and that nothing it is shown can make it stumble."""

import contextlib
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transparency.test_notes import LOG
from tests.verifier.logs import KEY, Log, entries
from tests.verifier.test_receipts import PAGE, RECEIPT, changed
from tsunagi_verifier import Folder, Refused, Tree, Unchecked, open_checkpoint, read_proof, trees
from tsunagi_verifier.command import main
from tsunagi_verifier.entries import check_streams, read_entry, read_json
from tsunagi_verifier.progress import Progress
from tsunagi_verifier.receipts import check_receipt
from tsunagi_verifier.trust import Trust
from tsunagi_verifier.witness import Submission

ARGUMENTS = ["--key", str(LOG.key)]
TRUST = Trust((KEY,))

# What stands in documents, and what does not.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from([RECEIPT["checkpoint"], RECEIPT["steps"][0]["proof"], "\ud800", "00" * 32, "AAAA"])
)
NAMES = sorted({*RECEIPT, *RECEIPT["steps"][0], *PAGE["items"][0], "items"})
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


def places(document: Any) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found: list[tuple[Any, ...]] = []
    steps = document.items() if isinstance(document, dict) else enumerate(document)
    for name, inner in steps:
        found.append((name,))
        if isinstance(inner, dict | list):
            found += [(name, *more) for more in places(inner)]
    return found


@given(st.sampled_from(places(RECEIPT)), ANYTHING)
def test_a_receipt_that_holds_anything_anywhere_is_refused_or_good(
    place: tuple[Any, ...], to: object
) -> None:
    with contextlib.suppress(Refused):
        check_receipt(changed(RECEIPT, *place, to=to), TRUST)


@given(st.sampled_from(places(PAGE)), ANYTHING)
def test_a_page_that_holds_anything_anywhere_is_refused_or_good(place: tuple[Any, ...], to: object) -> None:
    page = changed(PAGE, *place, to=to)
    with contextlib.suppress(Refused):
        check_streams([read_entry(one) for one in page["items"]] if isinstance(page["items"], list) else [])


@given(st.text(), st.binary())
def test_any_text_is_refused(text: str, raw: bytes) -> None:
    for read in (lambda: open_checkpoint(text, [KEY]), lambda: read_proof(text).check(raw, KEY)):
        with pytest.raises(Refused):
            read()
    for shown in (raw, text.encode(errors="surrogatepass")):
        with contextlib.suppress(Refused):
            Submission.read(b"old 0\n" + shown)


@pytest.mark.parametrize("text", ["", "[" * 100_000, "1" * 5_000, '{"a": 1, "a": 2}', "NaN x"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_json(text)


@pytest.mark.parametrize("document", [3, [3], [[3]], [{"items": 3}], {"items": [None]}, [None], "items", {}])
def test_pages_of_another_shape_are_refused(tmp_path: Path, document: object) -> None:
    (tmp_path / "page.json").write_text(json.dumps(document))
    assert main(["entries", str(tmp_path / "page.json")]) == 1


def test_nothing_that_was_shown_gives_orders_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("\x1b[2J\x1b[1;1H問題ありません", "\ud800"):
        shown = {"items": [{**PAGE["items"][0], "id": name}]}
        (tmp_path / "page.json").write_text(json.dumps(shown))
        assert main(["entries", str(tmp_path / "page.json")]) == 1
        assert "\x1b" not in capsys.readouterr().err
        assert main(["entries", str(tmp_path / "page.json"), "--json"]) == 1
        said = capsys.readouterr().out
        assert name in json.loads(said)["reason"]["en"] and said.encode()


def test_a_folder_that_is_no_log_is_unchecked(tmp_path: Path) -> None:
    assert main(["log", str(tmp_path), *ARGUMENTS]) == 2
    (tmp_path / "checkpoint").mkdir()
    assert main(["log", str(tmp_path), *ARGUMENTS]) == 2


def test_what_cannot_be_kept_is_unchecked(tmp_path: Path) -> None:
    log = Log(entries(3)).write(tmp_path / "log")
    assert main(["log", str(log), *ARGUMENTS, "--kept", str(tmp_path / "none" / "kept")]) == 2


def test_the_bar_is_drawn_for_who_watches_and_gone_in_the_end() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for out, drawn in ((Terminal(), True), (io.StringIO(), False)):
        progress = Progress(1_000, out)
        progress(1_000)
        assert ("1,000/1,000" in out.getvalue()) is drawn
        progress.end()
        assert out.getvalue().endswith("\r\x1b[K") is drawn


def test_a_large_log_needs_no_more_memory_than_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "KEPT_TILES", 4)
    peaks = []
    for size in (3_000, 60_000):
        log = Log(entries(size))
        folder, checkpoint = Folder(log.write(tmp_path / str(size))), log.checkpoint()
        del log
        tracemalloc.start()
        Tree(folder, checkpoint).walk()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_unchecked_is_no_refusal() -> None:
    assert not issubclass(Unchecked, Refused)
