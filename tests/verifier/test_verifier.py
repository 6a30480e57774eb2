"""What the service proves, checked by code that shares nothing with it: all of it is accepted, and nothing else."""

from base64 import b64encode
from itertools import pairwise
from random import Random

import pytest

from tests.transparency.test_notes import LOG, OTHER
from tests.transparency.test_tree import LEAVES, all_tiles, entry
from tsunagi.transparency import rules as tree
from tsunagi.transparency.notes import Checkpoint as Written
from tsunagi.transparency.notes import proof_file, signed
from tsunagi_verifier import (
    Checkpoint,
    Key,
    Refused,
    check_consistency,
    check_inclusion,
    leaf_hash,
    open_checkpoint,
    read_proof,
)

SIZES = [*range(1, 18), 255, 256, 257, 600, 1_000]
KEY = Key.read(str(LOG.key))


def root_of(size: int) -> bytes:
    return tree.root(size, all_tiles(LEAVES[:size]))


def inclusion(index: int, size: int) -> list[bytes]:
    return tree.hashes(tree.inclusion(index, size), all_tiles(LEAVES[:size]))


def consistency(old: int, size: int) -> list[bytes]:
    return tree.hashes(tree.consistency(old, size), all_tiles(LEAVES[:size]))


def note_of(size: int) -> str:
    return signed(Written(LOG.key.name, size, root_of(size)).text(), LOG, OTHER)


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_is_in_its_log_and_nowhere_else(size: int) -> None:
    root = root_of(size)
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        path = inclusion(index, size)
        check_inclusion(LEAVES[index], index, size, path, root)
        wrong: list[tuple[bytes, int, int, list[bytes], bytes]] = [
            (LEAVES[index + 1], index, size, path, root),
            (LEAVES[index], index, size, path, root_of(size + 1)),
            (LEAVES[index], index, size, [*path, bytes(32)], root),
            (LEAVES[index], size, size, path, root),
            (LEAVES[index], -1, size, path, root),
            *((LEAVES[index], index, size, path[:-1], root) for _ in path[:1]),
            *((LEAVES[index], index, size, path[::-1], root) for _ in path[1:2] if path != path[::-1]),
            *(
                (LEAVES[index], other, size, path, root)
                for other in (index - 1, index + 1)
                if 0 <= other < size
            ),
        ]
        for one in wrong:
            with pytest.raises(Refused):
                check_inclusion(*one)


@pytest.mark.parametrize("size", SIZES)
def test_every_log_begins_with_what_it_was_and_with_nothing_else(size: int) -> None:
    for old in {1, 2, size // 2, size - 1, size} & set(range(1, size + 1)):
        path = consistency(old, size)
        before, after = root_of(old), root_of(size)
        check_consistency(old, before, size, after, path)
        other = leaf_hash(b"another")
        for one in (
            (old, other, size, after, path),
            (old, before, size, other, path),
            (old, before, size, after, [*path, other]),
            *((old, before, size, after, [*path[:n], other, *path[n + 1 :]]) for n in range(len(path))),
            *((old, before, size, after, path[:-1]) for _ in path[:1]),
        ):
            with pytest.raises(Refused):
                check_consistency(*one)


def test_a_log_that_shrank_or_forked_is_refused() -> None:
    for old, size in pairwise(SIZES):
        with pytest.raises(Refused):
            check_consistency(size, root_of(size), old, root_of(old), [])
    with pytest.raises(Refused):
        check_consistency(7, root_of(7), 7, root_of(8), [])
    check_consistency(0, root_of(0), 7, root_of(7), [])


def test_a_checkpoint_is_believed_for_its_key_alone() -> None:
    assert open_checkpoint(note_of(9), [KEY]) == Checkpoint(LOG.key.name, 9, root_of(9))
    with pytest.raises(Refused):
        open_checkpoint(note_of(9), [Key.read(str(OTHER.key))])
    assert open_checkpoint(note_of(9), [Key.read(str(OTHER.key))], origin=LOG.key.name).size == 9


def test_a_proof_file_proves_its_entry() -> None:
    text = proof_file(300, inclusion(300, 1_000), note_of(1_000), extra=b"for whoever asks")
    proof = read_proof(text)
    assert (proof.index, proof.extra) == (300, b"for whoever asks")
    assert proof.check(entry(300), KEY).size == 1_000
    for other in (entry(301), entry(300) + b"\x00", b""):
        with pytest.raises(Refused):
            proof.check(other, KEY)


def test_of_an_entry_alone_the_proof_is_empty() -> None:
    assert read_proof(proof_file(0, [], note_of(1))).check(entry(0), KEY).size == 1


def test_a_proof_file_with_any_byte_changed_proves_nothing() -> None:
    text = proof_file(77, inclusion(77, 300), signed(Written(LOG.key.name, 300, root_of(300)).text(), LOG))
    raw, chance = text.encode(), Random(1)
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] = chance.choice([one for one in range(256) if one != raw[place]])
        try:
            shown = changed.decode()
        except UnicodeDecodeError:
            continue
        with pytest.raises(Refused):
            read_proof(shown).check(entry(77), KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v2\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\n\nindex 0\n",
    ]
    + [f"c2sp.org/tlog-proof@v1\nindex {index}\n\n" for index in ("", "-1", "01", "１", "0x1")]
    + [
        f"c2sp.org/tlog-proof@v1\nindex 0\n{line}\n\n"
        for line in ("AAAA", "?", b64encode(bytes(33)).decode())
    ]
    + ["c2sp.org/tlog-proof@v1\nindex 0\n" + (b64encode(bytes(32)).decode() + "\n") * 64 + "\n"],
)
def test_what_is_no_proof_file_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_proof(text).check(entry(0), KEY)
