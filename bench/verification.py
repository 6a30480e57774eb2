"""`python -m bench.verification`: how fast a whole log is verified, and that an entry of a large one takes no longer.

Every entry and every tile of logs of 10,000, 100,000 and 1,000,000 entries, read from a folder, by the verifier of
`clients/verifier`. Its floor is `hashlib.sha256` of as many messages: one of 33 bytes for each entry, one of 65 for
each node of the tree. Writes bench/out/verification.json; `make bench` has the same under `verification`.
"""

import hashlib
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.processes import OUT, write
from tsunagi.transparency.notes import Checkpoint, Key, signed
from tsunagi.transparency.rules import (
    TILE_WIDTH,
    Tile,
    edge_root,
    grown,
    leaf_hash,
    numbered,
)
from tsunagi_verifier import Folder, Tree, open_checkpoint
from tsunagi_verifier import Key as Trusted

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 3
ORIGIN = "log.example/ledger"
BATCH = TILE_WIDTH * 64


class Signer:
    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()
        self.key = Key(ORIGIN, self._private.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        return self._private.sign(text)


def measured(sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """Of each size the median of some rounds, in which all take their turns, the floor right after each."""
    with tempfile.TemporaryDirectory(prefix="tsunagi-bench-log-") as folder:
        verifying = {size: _verifying(_made(Path(folder) / str(size), size)) for size in sizes}
        taken: dict[int, list[tuple[float, float, float]]] = {size: [] for size in sizes}
        for _ in range(ROUNDS):
            for size, verify in verifying.items():
                taken[size].append((*_timed(verify), _timed(lambda size=size: _floor(size))[1]))
        memory = {size: _peak(verifying[size]) for size in sizes[-2:]}
    found = {str(size): _figures(size, times, memory.get(size)) for size, times in taken.items()}
    first, last = (found[str(size)]["cpu_ns_per_entry"] for size in (sizes[0], sizes[-1]))
    return {**found, "ns_per_entry_last_of_first": round(last / first, 3)}


def _figures(size: int, times: list[tuple[float, float, float]], peak: int | None) -> dict[str, Any]:
    wall, cpu, floor = (median(one) for one in zip(*times, strict=True))
    return {
        "entries_per_second": round(size / wall),
        "cpu_ns_per_entry": round(cpu / size * 1e9),
        "of_floor": round(floor / cpu, 3),
    } | ({} if peak is None else {"peak_kb": round(peak / 1024)})


def _verifying(made: tuple[Path, Trusted]) -> Callable[[], None]:
    folder, key = made

    def verify() -> None:
        log = Folder(folder)
        Tree(log, open_checkpoint(log.text("checkpoint"), [key])).walk()

    return verify


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and seconds of the processor."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


def _peak(work: Callable[[], None]) -> int:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _floor(size: int) -> None:
    sha256, leaf, node = hashlib.sha256, bytes(33), bytes(65)
    for _ in range(size):
        sha256(leaf).digest()
    for _ in range(size - 1):
        sha256(node).digest()


def _made(folder: Path, size: int) -> tuple[Path, Trusted]:
    """A log's files, as the service would serve them, made by letting it grow."""
    edge: tuple[list[bytes], ...] = ()
    rows: list[list[bytes]] = []
    for first in range(0, size, BATCH):
        count = min(BATCH, size - first)
        data = [hashlib.sha256(b"%d" % number).digest() for number in range(first, first + count)]
        for begin in range(0, count, TILE_WIDTH):
            held = data[begin : begin + TILE_WIDTH]
            bundle = b"".join(len(one).to_bytes(2, "big") + one for one in held)
            _put(folder, f"tile/entries/{numbered((first + begin) // TILE_WIDTH, len(held))}", bundle)
        edge, added = grown(first, edge, [leaf_hash(one) for one in data])
        for level, hashes in enumerate(added):
            rows += [[]] if level == len(rows) else []
            rows[level] += hashes
    for level, row in enumerate(rows):
        for begin in range(0, len(row), TILE_WIDTH):
            held = row[begin : begin + TILE_WIDTH]
            _put(folder, f"tile/{Tile(level, begin // TILE_WIDTH, len(held)).path}", b"".join(held))
    signer = Signer()
    note = signed(Checkpoint(ORIGIN, size, edge_root(size, edge)).text(), signer)
    _put(folder, "checkpoint", note.encode())
    return folder, Trusted.read(str(signer.key))


def _put(folder: Path, path: str, content: bytes) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)


def said(results: dict[str, Any]) -> str:
    """A line for each size."""
    lines = [
        f"{f'verify {size}':<18} {one['entries_per_second']:>8}/s  {one['cpu_ns_per_entry']} ns of CPU an entry"
        f"  of floor {one['of_floor']:.3f}" + (f"  {one['peak_kb']} KB at most" if "peak_kb" in one else "")
        for size, one in results.items()
        if isinstance(one, dict)
    ]
    return "\n".join(
        [
            *lines,
            f"an entry of the largest takes {results['ns_per_entry_last_of_first']} times that of the smallest",
        ]
    )


if __name__ == "__main__":
    found = {"cores": os.cpu_count(), "python": sys.version.split()[0], **measured()}
    write(OUT / "verification.json", found)
    print(said(found))
