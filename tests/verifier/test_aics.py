"""PyPI's `aics-tlog`, which nobody here wrote, accepts every proof and refuses every tampering."""

import secrets
from pathlib import Path
from random import Random

import pytest

from tests.transparency.test_notes import LOG, OTHER, Held
from tests.verifier.logs import Log, entries, entry, serving
from tsunagi_verifier import Key, Tree
from tsunagi_verifier.notes import WITNESS, cosigned, signature_line

aics_tlog = pytest.importorskip("aics_tlog", reason="AICS-TLOG WAS NOT RUN: it needs Python 3.12")

SIZES = [1, 2, 255, 256, 257, 700, 70_000]
EDITS = 100


@pytest.fixture(scope="module")
def logs() -> dict[int, Log]:
    return {size: Log(entries(size)) for size in SIZES}


def opened(note: str, key: Held = LOG, witnesses: list[str] | None = None) -> bool:
    keys = [aics_tlog.parse_vkey(one) for one in witnesses or []]
    try:
        parsed = aics_tlog.parse_note(note.encode())
        result = aics_tlog.verify_checkpoint(
            parsed, aics_tlog.parse_vkey(str(key.key)), keys, len(keys), expected_origin=LOG.key.name
        )
    except ValueError:
        return False
    return bool(result.ok)


def whole(folder: Path, log: Log) -> bool:
    reader = aics_tlog.FileSystemTileReader(folder)
    try:
        aics_tlog.audit_tiles(reader, log.size, log.root)
    except (aics_tlog.TileVerificationError, aics_tlog.TileMissingError, ValueError):
        return False
    return True


def test_a_whole_log_is_accepted_from_files_and_over_http(logs: dict[int, Log], tmp_path: Path) -> None:
    for size, log in logs.items():
        assert whole(log.write(tmp_path / str(size)), log)
    with serving(tmp_path) as url:
        reader = aics_tlog.HttpTileReader(f"{url}/700")
        aics_tlog.audit_tiles(reader, 700, logs[700].root)
        assert aics_tlog.read_entry(reader, 456, 700) == entry(456)


def test_proofs_are_accepted_and_no_others(logs: dict[int, Log]) -> None:
    large = logs[70_000]
    made = Tree(large, large.checkpoint())
    for size in SIZES:
        path = made.consistency(size)
        good = (size, large.size, logs[size].root, large.root)
        assert aics_tlog.verify_consistency(*good, path)
        assert not aics_tlog.verify_consistency(*good, [*path, bytes(32)])
        assert not aics_tlog.verify_consistency(size, large.size, bytes(32), large.root, path)


def test_a_note_is_opened_as_it_was_signed_and_no_other(logs: dict[int, Log]) -> None:
    note = logs[700].note
    assert opened(note)
    assert not opened(note, OTHER)
    for place in range(0, len(note) - 1, 3):
        assert not opened(note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]), place


def test_a_cosignature_is_accepted_for_this_checkpoint_alone(logs: dict[int, Log]) -> None:
    held, at = Held("witness.example/w1", b"w" * 32), 1_700_000_000
    key = Key.of(held.key.name, held.key.public, kind=WITNESS)
    text = logs[700].note.partition("\n\n")[0] + "\n"
    line = signature_line(key, at.to_bytes(8, "big") + held.sign(cosigned(text, at)))
    assert opened(logs[700].note + line, witnesses=[str(key)])
    assert not opened(logs[700].note, witnesses=[str(key)])
    assert not opened(logs[257].note + line, witnesses=[str(key)])


def test_a_log_with_any_byte_changed_is_refused(logs: dict[int, Log], tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    log, chance = logs[700], Random(seed)
    folder = log.write(tmp_path)
    for _ in range(EDITS):
        path = chance.choice(sorted(set(log.files) - {"checkpoint"}))
        raw = bytearray(log.files[path])
        place = chance.randrange(len(raw))
        raw[place] ^= chance.randrange(1, 256)
        (folder / path).write_bytes(bytes(raw))
        assert not whole(folder, log), (path, place)
        (folder / path).write_bytes(log.files[path])
    assert whole(folder, log)
