"""Inclusion and consistency, by the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2."""

import hashlib
from collections.abc import Sequence

from tsunagi_verifier.refusals import Refused

EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """The leaf hash is number `index`, from 0, in the tree of this size and root. Raises Refused."""
    if not 0 <= index < size:
        raise Refused(f"{size}件のログに位置{index}の記載はありません", f"entry {index} is not among {size}")
    position, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise _too_many()
        if position % 2 or position == last:
            found = node_hash(sibling, found)
            while position % 2 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise _too_few()
    if found != root:
        raise _other_root()


def check_consistency(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """The tree of this size and root begins with the old one. Raises Refused."""
    if not 0 <= old <= size:
        raise Refused(
            f"ログは{old}件あったのに、今は{size}件です", f"the log had {old} entries, and has {size}"
        )
    if old in (0, size):
        expected = root if old else EMPTY_ROOT
        if path or old_root != expected:
            raise Refused("ログの根が以前と違います", "the log has another root than it had")
        return
    before, after = _both(old, size, [old_root, *path] if old & (old - 1) == 0 else path)
    if before != old_root:
        raise Refused(
            "証明が、保管していた根に行き着きません",
            "the proof leads to another root than the one that was kept",
        )
    if after != root:
        raise _other_root()


def _both(old: int, size: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of both trees, as the hashes of a proof make them."""
    if not hashes:
        raise _too_few()
    position, last = old - 1, size - 1
    while position % 2:
        position, last = position >> 1, last >> 1
    before = after = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            raise _too_many()
        if position % 2 or position == last:
            before, after = node_hash(one, before), node_hash(one, after)
            while position % 2 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            after = node_hash(after, one)
        position, last = position >> 1, last >> 1
    if last:
        raise _too_few()
    return before, after


def _too_many() -> Refused:
    return Refused("証明のハッシュが多すぎます", "the proof has too many hashes")


def _too_few() -> Refused:
    return Refused("証明のハッシュが足りません", "the proof has too few hashes")


def _other_root() -> Refused:
    return Refused(
        "証明が、検証点の根に行き着きません", "the proof leads to another root than the checkpoint's"
    )
