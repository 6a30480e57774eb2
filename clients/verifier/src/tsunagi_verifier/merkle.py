"""Inclusion and consistency, by the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2."""

import hashlib
from collections.abc import Sequence


class Refused(ValueError):
    """What was shown does not prove what it is said to."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """The leaf hash is number `index`, from 0, in the tree of this size and root. Raises Refused."""
    if not 0 <= index < size:
        raise Refused(f"entry {index} is not among {size}")
    position, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise Refused("the proof has too many hashes")
        if position % 2 or position == last:
            found = _node(sibling, found)
            while position % 2 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            found = _node(found, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise Refused("the proof has too few hashes")
    if found != root:
        raise Refused("the proof leads to another root than the checkpoint's")


def check_consistency(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """The tree of this size and root begins with the old one. Raises Refused."""
    if not 0 <= old <= size:
        raise Refused(f"the log had {old} entries, and has {size}")
    if old in (0, size):
        expected = root if old else hashlib.sha256().digest()
        if path or old_root != expected:
            raise Refused("the log has another root than it had")
        return
    before, after = _both(old, size, [old_root, *path] if old & (old - 1) == 0 else path)
    if before != old_root:
        raise Refused("the proof leads to another root than the one that was kept")
    if after != root:
        raise Refused("the proof leads to another root than the checkpoint's")


def _both(old: int, size: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of both trees, as the hashes of a proof make them."""
    if not hashes:
        raise Refused("the proof has too few hashes")
    position, last = old - 1, size - 1
    while position % 2:
        position, last = position >> 1, last >> 1
    before = after = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            raise Refused("the proof has too many hashes")
        if position % 2 or position == last:
            before, after = _node(one, before), _node(one, after)
            while position % 2 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            after = _node(after, one)
        position, last = position >> 1, last >> 1
    if last:
        raise Refused("the proof has too few hashes")
    return before, after
