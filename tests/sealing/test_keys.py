"""The ring of master keys, and the file that they are in."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tsunagi.sealing import keys
from tsunagi.sealing.keys import BROKEN, KeyFile, Keyring, kept_keys, provider
from tsunagi.sealing.rules import SealBroken, id_in
from tsunagi.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys" / "master.keys")


def test_the_first_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first = kept_keys(settings)
    assert [key.id for key in kept_keys(settings)] == [key.id for key in first]
    path = provider(settings).path
    assert path == tmp_path / "keys" / "master.keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["master.keys"]


def test_the_file_may_be_elsewhere(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", master_keys=tmp_path / "other" / "keys")
    assert list(kept_keys(settings))
    assert (tmp_path / "other" / "keys").exists()
    assert not (tmp_path / "data").exists()


def test_all_who_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: kept_keys(settings).newest.id, range(8)))
    assert len(set(found)) == 1


def test_the_newest_wraps_and_all_unwrap(file: KeyFile) -> None:
    ring = Keyring(file)
    first = ring.add()
    old = ring.fresh("consents", 1)
    second = ring.add()
    new = ring.fresh("consents", 1)
    assert [id_in(one.wrapped) for one in (old, new)] == [first.id, second.id]
    text = old.seal(b"text", "consents", 1)
    assert ring.opened(old.wrapped, "consents", 1).unseal(text, "consents", 1) == b"text"
    again = ring.rewrapped(old.wrapped, "consents", 1)
    assert id_in(again) == second.id
    assert ring.opened(again, "consents", 1).unseal(text, "consents", 1) == b"text"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_process_that_runs_finds_the_key_that_another_made(
    file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, other = Keyring(file), Keyring(file)
    first = running.add()
    assert running.newest.id == first.id
    second = other.add()
    opened = running.opened(
        other.fresh("consents", 1).wrapped, "consents", 1
    )  # at once: it does not know the id
    assert id_in(opened.wrapped) == second.id
    third = other.add()
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0)
    assert running.newest.id == third.id


def test_without_the_key_nothing_opens_and_it_counts(file: KeyFile, tmp_path: Path) -> None:
    ring, other = Keyring(file), Keyring(KeyFile(tmp_path / "other"))
    ring.add(), other.add()
    before = {why: BROKEN.labels(why=why)._value.get() for why in ("no_key", "changed")}
    with pytest.raises(SealBroken, match="no master key"):
        other.opened(ring.fresh("consents", 1).wrapped, "consents", 1)
    with pytest.raises(SealBroken, match="not what was sealed here"):
        ring.opened(ring.fresh("consents", 1).wrapped, "consents", 2)
    with pytest.raises(SealBroken, match="there is no master key"):
        _ = Keyring(KeyFile(tmp_path / "none")).newest
    after = {why: BROKEN.labels(why=why)._value.get() for why in ("no_key", "changed")}
    assert {why: after[why] - before[why] for why in after} == {"no_key": 2, "changed": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line.replace(" ", "  x "), "no master key"),
        (lambda line: line[:-6] + "\n", "no master key"),
        (lambda line: "00000000" + line[8:], "is another one"),
    ],
)
def test_a_file_that_was_damaged_is_not_believed(file: KeyFile, change: object, said: str) -> None:
    Keyring(file).add()
    heading, line = file.path.read_text().splitlines(keepends=True)
    file.path.write_text(heading + change(line))  # type: ignore[operator]
    with pytest.raises(ValueError, match=said) as found:
        file.read()
    assert line.split()[2] not in str(found.value)
