"""Proof files (C2SP tlog-proof): that an entry is in a log, for whoever has the log's key."""

from collections.abc import Sequence
from dataclasses import dataclass

from tsunagi_verifier.merkle import check_inclusion, leaf_hash
from tsunagi_verifier.notes import Checkpoint, Key, decoded, number, open_checkpoint
from tsunagi_verifier.refusals import Refused

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63


@dataclass(frozen=True)
class Proof:
    index: int
    path: tuple[bytes, ...]
    note: str
    extra: bytes | None
    """What its maker added. Nothing signs it."""

    def check(
        self,
        entry: bytes,
        *keys: Key,
        origin: str | None = None,
        witnesses: Sequence[Key] = (),
        quorum: int | None = None,
    ) -> Checkpoint:
        """The checkpoint, signed by one of the keys and cosigned as `open_checkpoint` has it, in whose log the entry
        is number `index`. Raises Refused."""
        checkpoint = open_checkpoint(self.note, keys, origin=origin, witnesses=witnesses, quorum=quorum)
        check_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint


def read_proof(text: str) -> Proof:
    """Raises Refused when it is no proof file; nothing of it has been checked yet."""
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEADER:
        raise Refused("証明ファイルではありません", "not a proof file")
    extra = (
        decoded(lines.pop(1).removeprefix("extra ")) if lines[1:2] and lines[1].startswith("extra ") else None
    )
    index = number(lines[1].removeprefix("index ")) if len(lines) > 1 else None
    if index is None or not lines[1].startswith("index "):
        raise Refused("どの記載の証明かが書かれていません", "the proof does not say which entry it is about")
    path = tuple(map(decoded, lines[2:]))
    if len(path) > MAX_HASHES or any(len(one) != 32 for one in path):
        raise Refused("証明がハッシュでできていません", "the proof is not made of hashes")
    return Proof(index, path, note, extra)
