"""The tree against the definitions of RFC 6962, word for word and slow, and the proofs against RFC 9162's verifiers."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagi.transparency import rules as tree
from tsunagi.transparency.rules import TILE_WIDTH, Tile, leaf_hash, node_hash

SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 70_000]
MOST = max(SIZES)


def entry(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


LEAVES = [leaf_hash(entry(number)) for number in range(MOST)]


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    n = len(leaves)
    if n == 1:
        return []
    k = 1 << (n - 1).bit_length() - 1
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], known: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2."""
    n = len(leaves)
    if m == n:
        return [] if known else [mth(leaves)]
    k = 1 << (n - 1).bit_length() - 1
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def all_tiles(leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """C2SP tlog-tiles: each hash of a level is that of a full tile of the level below."""
    found, level, row = {}, 0, list(leaves)
    while row:
        for number in range(-(-len(row) // TILE_WIDTH)):
            found[level, number] = b"".join(row[number * TILE_WIDTH : (number + 1) * TILE_WIDTH])
        full = len(row) // TILE_WIDTH
        row = [mth(row[n * TILE_WIDTH : (n + 1) * TILE_WIDTH]) for n in range(full)]
        level += 1
    return found


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_that_of_the_definition(size: int) -> None:
    tiles = all_tiles(LEAVES[:size])
    needed = {one: tiles[one] for one in tree.tiles([(0, size)])}
    assert tree.root(size, needed) == mth(LEAVES[:size])
    assert len(needed) <= len(tree.tiles_of(size))


def test_the_root_of_nothing() -> None:
    assert tree.root(0, {}) == mth([])
    assert tree.tiles_of(0) == []


@given(st.integers(1, 1200).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_an_inclusion_proof_is_that_of_the_definition(of: tuple[int, int]) -> None:
    index, size = of
    tiles = all_tiles(LEAVES[:size])
    ranges = tree.inclusion(index, size)
    needed = {one: tiles[one] for one in tree.tiles(ranges)}
    assert tree.hashes(ranges, needed) == path(index, LEAVES[:size])


@given(st.integers(1, 1200).flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size))))
def test_a_consistency_proof_is_that_of_the_definition(of: tuple[int, int]) -> None:
    old, size = of
    tiles = all_tiles(LEAVES[:size])
    ranges = tree.consistency(old, size)
    needed = {one: tiles[one] for one in tree.tiles(ranges)}
    assert tree.hashes(ranges, needed) == subproof(old, LEAVES[:size], True)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 3)])
def test_of_what_is_not_there_nothing_is_proved(index: int, size: int) -> None:
    with pytest.raises(ValueError):
        tree.inclusion(index, size)
    with pytest.raises(ValueError):
        tree.consistency(size + 1, size)
    with pytest.raises(ValueError):
        tree.consistency(0, size)


def test_the_tiles_of_a_tree_are_those_of_the_example() -> None:
    """C2SP tlog-tiles, Partial Tiles: a tree of 70,000, and one of 256."""
    assert tree.tiles_of(70_000) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert tree.tiles_of(256) == [Tile(0, 0), Tile(1, 0, 1)]
    assert [tree.tile_in((0, number), 70_000) for number in (0, 273, 274)] == [
        Tile(0, 0),
        Tile(0, 273, 112),
        None,
    ]
    assert [tree.tile_in((level, 0), 255) for level in (0, 1)] == [Tile(0, 0, 255), None]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "0/000"),
        (Tile(3, 1234067), "3/x001/x234/067"),
        (Tile(1, 1000, 17), "1/x001/000.p/17"),
        (Tile(0, 999, 255), "0/999.p/255"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path


def test_few_tiles_are_needed_for_much() -> None:
    for index, size in ((0, 70_000), (69_999, 70_000), (65_535, 65_537)):
        assert len(tree.tiles(tree.inclusion(index, size))) <= 4
    for old, size in pairwise(SIZES):
        assert len(tree.tiles(tree.consistency(old, size))) <= 6
