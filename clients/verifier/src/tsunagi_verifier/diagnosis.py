"""What is wrong, when something is: the first entry that differs, the tile that was altered, or how much of it can be
told."""

from collections.abc import Callable

from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.sources import Source
from tsunagi_verifier.tiles import (
    HASH_BYTES,
    WIDTH,
    Piece,
    edge,
    exactly,
    first_difference,
    leaf_hashes,
    tile_hash,
)


def of_bundle(piece: Piece, leaves: bytes, signed: bytes) -> Refused:
    """Of entries that are not those of a tile that is as it was signed."""
    at = piece.first + first_difference(leaves, signed)
    return Refused(
        f"位置{at}の記載が、署名されたログのものと違います（最初の誤り）",
        f"entry {at} is not the one that the log has signed for; it is the first that is wrong",
        entry=at,
    )


def of_tile(log: Source, piece: Piece, row: bytes, signed: bytes) -> Refused:
    """Of a full tile that does not come to the hash that was signed for it."""
    below = _recomputed(log, piece)
    if below is not None and tile_hash(below) == signed:
        return _altered(piece, first_difference(row, below))
    first, last = among = piece.about(0, piece.width - 1)
    return Refused(
        f"位置{first}から{last}までの記載のどれかが、署名されたログのものと違います"
        f"（タイル {piece.path} も書き換えられています）",
        f"one of the entries {first} to {last} is not what the log has signed for (tile {piece.path} was altered too)",
        among=among,
    )


def of_root(
    log: Source, size: int, root: bytes, root_with: Callable[[Piece, bytes], tuple[bytes, bytes]]
) -> Refused:
    """Of tiles at the edge that do not come to the root of the checkpoint."""
    for piece in edge(size):
        below = _recomputed(log, piece)
        if below is not None:
            had, other = root_with(piece, below)
            if other == root:
                return _altered(piece, first_difference(had, below))
    return Refused(
        "ログのタイルが、署名された検証点の根に行き着きません。検証点に署名した時と別の内容です"
        "（どの記載からかは、この検証点だけでは分かりません）",
        "the tiles of the log lead to another root than the signed checkpoint's: it shows something else than it has"
        " signed for (from which entry on cannot be told by this checkpoint alone)",
    )


def _altered(piece: Piece, place: int) -> Refused:
    first, last = among = piece.about(place)
    return Refused(
        f"タイル {piece.path} の{place}番のハッシュが書き換えられています"
        f"（位置{first}から{last}までの記載の分。記載は署名どおりです）",
        f"hash {place} of tile {piece.path} was altered (that of the entries {first} to {last}; these are as signed)",
        among=among,
    )


def _recomputed(log: Source, piece: Piece) -> bytes | None:
    """The tile, out of what lies below it, where that can be had."""
    try:
        if not piece.level:
            leaves = leaf_hashes(log.piece(Piece(None, piece.number, piece.width)))
            return leaves if len(leaves) == piece.width * HASH_BYTES else None
        begin = piece.number * WIDTH
        below = (Piece(piece.level - 1, begin + place) for place in range(piece.width))
        return b"".join(tile_hash(exactly(one, raw)) for one, raw in log.pieces(below))
    except (Refused, Unchecked):
        return None
