"""The Go checksum database's code, which nobody here wrote, accepts every proof and refuses every tampering."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.transparency.test_notes import LOG, OTHER, Held
from tests.verifier.foreign import Foreign, NoGo, running
from tests.verifier.logs import Log, entries, entry, serving
from tsunagi.transparency import rules as tree
from tsunagi_verifier import Key, Tree
from tsunagi_verifier.notes import WITNESS, cosigned, signature_line

pytestmark = pytest.mark.xdist_group("go")  # the program is built once: another worker would wait for it

SIZES = [1, 2, 3, 255, 256, 257, 700, 70_000]
EDITS = 40


@pytest.fixture(scope="module")
def go() -> Iterator[Foreign]:
    try:
        with running() as foreign:
            yield foreign
    except NoGo as reason:
        pytest.skip(f"GO'S VERIFIER WAS NOT RUN: {reason}")


@pytest.fixture(scope="module")
def logs() -> dict[int, Log]:
    return {size: Log(entries(size)) for size in SIZES}


def inclusion(log: Log, index: int) -> list[bytes]:
    return tree.hashes(tree.inclusion(index, log.size), log.tiles)


def good(said: tuple[bool, str]) -> None:
    assert said[0], said[1]


def refused(said: tuple[bool, str]) -> None:
    assert not said[0]
    assert "runtime error" not in said[1] or "slice" in said[1], said


@pytest.mark.parametrize("size", SIZES)
def test_go_accepts_every_entry_that_it_reads_from_the_tiles(
    go: Foreign, logs: dict[int, Log], tmp_path: Path, size: int
) -> None:
    log = logs[size]
    with serving(log.write(tmp_path)) as url:
        about = {"url": url, "key": str(LOG.key)}
        for index in {0, 1, size // 3, size - 1} & set(range(size)):
            good(go("entry", **about, index=index, entry=entry(index)))
            refused(go("entry", **about, index=index, entry=entry(index + 1)))
        refused(go("entry", **about, index=size))
        if size <= 700:
            good(go("all", **about))


def test_go_accepts_the_proofs_that_the_service_makes_and_no_others(
    go: Foreign, logs: dict[int, Log]
) -> None:
    chance = Random(1)
    for size, log in logs.items():
        index = chance.randrange(size)
        asked = {"key": str(LOG.key), "note": log.note, "index": index, "entry": entry(index)}
        path = inclusion(log, index)
        good(go("proof", **asked, path=path))
        refused(go("proof", **asked, path=[*path, bytes(32)]))
        refused(go("proof", **asked | {"entry": entry(index + 1)}, path=path))
        for place in range(len(path)):
            refused(go("proof", **asked, path=[*path[:place], bytes(32), *path[place + 1 :]]))
            refused(go("proof", **asked, path=path[:place]))


def test_go_accepts_that_a_log_has_grown_and_no_fork(
    go: Foreign, logs: dict[int, Log], tmp_path: Path
) -> None:
    large, forked = logs[70_000], Log([*entries(600), b"x" * 32, *entries(99)])
    with serving(large.write(tmp_path)) as url:
        about = {"url": url, "key": str(LOG.key)}
        for size in SIZES:
            good(go("growth", **about, old=logs[size].note))
        refused(go("growth", **about, old=forked.note))
        refused(go("growth", **about, note=logs[256].note, old=logs[257].note))
    for size in SIZES[:-1]:
        path = Tree(large, large.checkpoint()).consistency(size)
        asked = {"key": str(LOG.key), "note": large.note, "old": logs[size].note}
        good(go("consistency", **asked, path=path))
        refused(go("consistency", **asked, path=path[:-1]))
        refused(go("consistency", **asked | {"old": forked.note}, path=path))
        for place in range(len(path)):
            refused(go("consistency", **asked, path=[*path[:place], bytes(32), *path[place + 1 :]]))


def test_go_opens_a_note_as_it_was_signed_and_no_other(go: Foreign, logs: dict[int, Log]) -> None:
    note = logs[700].note
    good(go("checkpoint", key=str(LOG.key), note=note))
    refused(go("checkpoint", key=str(OTHER.key), note=note))
    raw = note.encode()
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            text = changed.decode()
        except UnicodeDecodeError:
            continue
        refused(go("checkpoint", key=str(LOG.key), note=text))


def test_go_accepts_a_cosignature_of_this_checkpoint_alone(go: Foreign, logs: dict[int, Log]) -> None:
    held, at = Held("witness.example/w1", b"w" * 32), 1_800_000_000
    key = Key.of(held.key.name, held.key.public, kind=WITNESS)

    def line(log: Log) -> str:
        text = log.note.partition("\n\n")[0] + "\n"
        return signature_line(key, at.to_bytes(8, "big") + held.sign(cosigned(text, at)))

    asked = {"key": str(LOG.key), "witnesses": [str(key)]}
    good(go("checkpoint", **asked, note=logs[700].note + line(logs[700])))
    good(go("checkpoint", key=str(LOG.key), note=logs[700].note + line(logs[700])))
    refused(go("checkpoint", **asked, note=logs[700].note))
    refused(go("checkpoint", **asked, note=logs[700].note + line(logs[257])))


def test_go_refuses_a_log_with_any_byte_changed(go: Foreign, logs: dict[int, Log], tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    log, chance = logs[700], Random(seed)
    folder = log.write(tmp_path)
    with serving(folder) as url:
        about = {"url": url, "key": str(LOG.key)}
        for _ in range(EDITS):
            path = chance.choice(sorted(log.files))
            raw = bytearray(log.files[path])
            place = chance.randrange(len(raw))
            raw[place] ^= chance.randrange(1, 256)
            (folder / path).write_bytes(bytes(raw))
            assert not go("all", **about)[0], (path, place)
            (folder / path).write_bytes(log.files[path])
        good(go("all", **about))
