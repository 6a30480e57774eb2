"""Whole logs and growth over HTTP, as the command checks them, and what it keeps."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transparency.test_notes import LOG, OTHER, Held
from tests.verifier.logs import Log, entries, entry, serving
from tsunagi_verifier.command import main

KEY = ["--key", str(LOG.key)]


class Site:
    """A log's folder and where it is served; `shows` is what it shows from now on."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, f"{url}/ledger"

    def shows(self, log: Log) -> Log:
        log.write(self.folder / "ledger")
        return log


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "site").mkdir()
    with serving(tmp_path / "site") as url:
        yield Site(tmp_path / "site", url)


def verify(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, object], str]:
    """Exit status, what it says as JSON, and beside it."""
    status = main([*map(str, arguments), "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out), said.err


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 600, 65_536, 65_800])
def test_a_whole_log_is_good_at_every_size(site: Site, capsys: pytest.CaptureFixture[str], size: int) -> None:
    log = site.shows(Log(entries(size)))
    status, said, _ = verify(capsys, "log", site.url, *KEY)
    assert (status, said["result"], said["size"], said["root"]) == (0, "good", size, log.root.hex())


def test_a_copy_in_a_folder_is_verified_like_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Log(entries(300)).write(tmp_path / "copy")
    assert verify(capsys, "log", tmp_path / "copy", *KEY)[0] == 0
    (tmp_path / "copy/tile/entries/000").unlink()
    assert verify(capsys, "log", tmp_path / "copy", *KEY)[0] == 2


def test_the_first_wrong_entry_is_named_in_both_languages(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    log = site.shows(Log(entries(600)))
    for number, place in ((1, 34 * 100 + 20), (2, 34 * 3 + 20)):
        path = site.folder / f"ledger/tile/entries/00{number}{'.p/88' if number == 2 else ''}"
        raw = bytearray(path.read_bytes())
        raw[place] ^= 1
        path.write_bytes(bytes(raw))
    assert main(["log", site.url, *KEY]) == 1
    said = capsys.readouterr().err
    assert "位置356の記載" in said and "entry 356" in said and "PROVEN WRONG" in said
    status, document, _ = verify(capsys, "log", site.url, *KEY)
    assert (status, document["result"], document["entry"]) == (1, "wrong", 356)
    site.shows(log)
    assert main(["log", site.url, *KEY]) == 0
    assert "600件" in capsys.readouterr().out


def test_a_log_that_was_rewritten_with_its_tiles_is_refused(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where tiles are made from the entries, as the service does at level 0, an altered entry alters its tile too."""
    log = site.shows(Log(entries(70_000)))
    other = Log([*entries(300), b"x" * 32, *entries(70_000)[301:]])
    for paths, among in (
        (["tile/entries/001", "tile/0/001"], [256, 511]),
        (["tile/entries/001", "tile/0/001", "tile/1/000"], [0, 65_535]),
        (["tile/entries/001", "tile/0/001", "tile/1/000", "tile/2/000.p/1"], None),
    ):
        for path in paths:
            (site.folder / "ledger" / path).write_bytes(other.files[path])
        status, said, _ = verify(capsys, "log", site.url, *KEY)
        assert (status, said["among"]) == (1, among)
        site.shows(log)


def test_a_partial_piece_may_be_gone_when_the_full_one_is_there(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = Log(entries(300)), Log(entries(70_000))
    site.shows(new)
    (site.folder / "ledger/checkpoint").write_text(old.note)
    assert verify(capsys, "log", site.url, *KEY)[0] == 0


def test_growth_is_good_and_its_checkpoint_is_kept(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    for size in (0, 7, 7, 256, 700, 70_000):
        log = site.shows(Log(entries(size)))
        assert verify(capsys, "growth", site.url, *KEY, "--kept", kept)[0] == 0
        assert kept.read_text() == log.note
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["kept"]


@pytest.mark.parametrize("command", ["growth", "log"])
@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (Log(entries(500)), "rolled back"),
        (Log([*entries(599), entry(7_000)]), "forked"),
        (Log([*entries(10), entry(7_000), *entries(700)]), "forked"),
    ],
    ids=["rollback", "fork of the same size", "fork that grew"],
)
def test_rollback_and_fork_are_refused_with_both_notes_as_evidence(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, shown: Log, why: str
) -> None:
    kept, log = tmp_path / "kept", Log(entries(600))
    kept.write_text(log.note)
    site.shows(shown)
    status, said, _ = verify(capsys, command, site.url, *KEY, "--kept", kept)
    assert (status, said["result"]) == (1, "wrong")
    assert said["evidence"] == {"kept": log.note, "shown": shown.note}
    assert why in str(said["reason"])
    assert kept.read_text() == log.note
    assert main([command, site.url, *KEY, "--kept", str(kept)]) == 1
    told = capsys.readouterr().err
    assert log.note in told and shown.note in told


def test_two_notes_that_contradict_each_other_are_evidence_without_any_tile(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept, shown = tmp_path / "kept", Log([*entries(599), entry(7_000)])
    kept.write_text(Log(entries(600)).note)
    (site.folder / "ledger").mkdir()
    (site.folder / "ledger/checkpoint").write_text(shown.note)
    status, said, _ = verify(capsys, "growth", site.url, *KEY, "--kept", kept)
    assert (status, said["evidence"]) == (1, {"kept": kept.read_text(), "shown": shown.note})


def test_what_fails_later_leaves_the_kept_checkpoint_alone(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    site.shows(Log(entries(100)))
    assert verify(capsys, "log", site.url, *KEY, "--kept", kept)[0] == 0
    had = kept.read_text()
    site.shows(Log(entries(600)))
    (site.folder / "ledger/tile/entries/000").write_bytes(bytes(34 * 256))
    assert verify(capsys, "log", site.url, *KEY, "--kept", kept)[0] == 1
    assert kept.read_text() == had


def test_a_kept_file_that_was_damaged_says_nothing_about_the_log(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_text(Log(entries(5)).note.replace("5", "6", 1))
    site.shows(Log(entries(100)))
    assert verify(capsys, "growth", site.url, *KEY, "--kept", kept)[0] == 2


def test_while_a_key_is_replaced_either_is_good(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    new = Held(LOG.key.name, b"n" * 32)
    both = ["--key", str(LOG.key), "--key", str(new.key)]
    kept = tmp_path / "kept"
    site.shows(Log(entries(5)))
    assert verify(capsys, "growth", site.url, *KEY, "--kept", kept)[0] == 0
    site.shows(Log(entries(6), LOG, new))
    for keys in (KEY, ["--key", str(new.key)], both):
        assert verify(capsys, "log", site.url, *keys)[0] == 0
    site.shows(Log(entries(7), new))
    assert verify(capsys, "log", site.url, *KEY)[0] == 1
    assert verify(capsys, "growth", site.url, "--key", new.key, "--kept", kept)[0] == 2
    assert verify(capsys, "growth", site.url, *both, "--kept", kept)[0] == 0


def test_without_a_key_the_first_use_is_loud_and_later_ones_hold_to_it(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log, keys = site.shows(Log(entries(5))), tmp_path / "keys"
    (site.folder / "ledger/keys").write_text(f"{LOG.key}\n")
    assert main(["log", site.url]) == 0
    assert "WARNING" in capsys.readouterr().err
    status, said, _ = verify(capsys, "log", site.url, "--keys", keys)
    assert status == 0 and "no key was given" in str(said["warnings"])
    assert keys.read_text() == f"{LOG.key}\n"
    status, said, _ = verify(capsys, "log", site.url, "--keys", keys)
    assert status == 0 and "warnings" not in said
    stranger = Held(LOG.key.name, b"s" * 32)
    (site.folder / "ledger/keys").write_text(f"{stranger.key}\n")
    site.shows(Log(log.leaves, stranger))
    assert verify(capsys, "log", site.url, "--keys", keys)[0] == 1


@pytest.mark.parametrize("key", ["", "x", str(OTHER.key)[:-4], "a+b+c"])
def test_a_key_that_is_none_says_nothing_about_the_log(
    site: Site, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    site.shows(Log(entries(5)))
    assert verify(capsys, "log", site.url, "--key", key)[0] == 2


def test_another_log_of_the_same_key_is_refused_unless_it_is_meant(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.shows(Log(entries(5), origin="another.example/log"))
    assert verify(capsys, "log", site.url, *KEY)[0] == 1
    assert verify(capsys, "log", site.url, *KEY, "--origin", "another.example/log")[0] == 0
