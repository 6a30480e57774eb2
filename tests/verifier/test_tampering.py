"""A log of 100,000 entries, of which any byte was changed: none of them passes, and the first wrong entry is named.

Each edit is met by a whole verification of the whole log. It is quick because the two functions that hash bytes, and
know nothing else, remember what they have hashed.
"""

import functools
import secrets
from collections.abc import Iterator
from random import Random

import pytest

from tests.verifier.logs import KEY, Log, entries, serving
from tsunagi_verifier import Refused, Server, Tree, open_checkpoint, trees
from tsunagi_verifier.sources import Source

SIZE = 100_000
EDITS = {"entries": 700, "tile": 500, "checkpoint": 160}
STRIDE = 34


@pytest.fixture(scope="module")
def log() -> Log:
    return Log(entries(SIZE))


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("leaf_hashes", "tile_hash"):
        monkeypatch.setattr(trees, name, functools.lru_cache(None)(getattr(trees, name)))


def verify(log: Source) -> None:
    """What `tsunagi-verify log` does."""
    Tree(log, open_checkpoint(log.text("checkpoint"), [KEY])).walk()


def edits(log: Log, chance: Random, kind: str, count: int) -> Iterator[tuple[str, int, bytes]]:
    """Paths of this kind, where each is changed, and what it is then."""
    paths = sorted(path for path in log.files if kind_of(path) == kind)
    for _ in range(count):
        path = chance.choice(paths)
        raw = bytearray(log.files[path])
        place = chance.randrange(len(raw))
        raw[place] ^= chance.randrange(1, 256)
        yield path, place, bytes(raw)


def kind_of(path: str) -> str:
    return "entries" if path.startswith("tile/entries") else path.partition("/")[0]


def bundle_number(path: str) -> int:
    digits = path.removeprefix("tile/entries/").partition(".p/")[0]
    return int(digits.replace("x", "").replace("/", ""))


def test_the_log_is_good(log: Log, remembering: None) -> None:
    verify(log)


@pytest.mark.parametrize("kind", list(EDITS))
def test_no_changed_byte_passes(log: Log, remembering: None, kind: str) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # shown where it fails
    chance = Random(seed)
    for path, place, changed in edits(log, chance, kind, EDITS[kind]):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Refused) as refused:
            patch.setitem(log.files, path, changed)
            verify(log)
        if kind == "entries":
            assert refused.value.entry == bundle_number(path) * 256 + place // STRIDE, (path, place)
        else:
            assert refused.value.entry is None
        if kind == "tile":
            assert refused.value.among and "altered" in refused.value.en, (path, place)
    verify(log)


def test_no_changed_byte_passes_over_http(log: Log, tmp_path_factory: pytest.TempPathFactory) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    chance, folder = Random(seed), log.write(tmp_path_factory.mktemp("log"))
    with serving(folder) as url:
        for kind in EDITS:
            ((path, place, changed),) = edits(log, chance, kind, 1)
            (folder / path).write_bytes(changed)
            served = Server(url)
            with pytest.raises(Refused) as refused:
                verify(served)
            served.close()
            (folder / path).write_bytes(log.files[path])
            if kind == "entries":
                assert refused.value.entry == bundle_number(path) * 256 + place // STRIDE
        served = Server(url)
        verify(served)
        served.close()
