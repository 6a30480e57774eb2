"""Both validators give the same verdict, also on documents that nobody wrote."""

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.schemas.loader import examples, fast, read, reference

MUTATIONS = 200
NOUNS = ("handover-record", "consent")
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 1.0, 1.5, 10**20, "", " ", "x", "2027-02-30", "0000-01-01", "2027-04-01\n",
    "20270401", "２０２７-04-01", "2027-04-01T00:00:00Z", "カナ\n", "かな", "ｶﾅ", "0000000000\n", "a@b",
    "a..b.@example.jp\n", "03-0000-0000\n", "\u0000", "改行\nあり", "\u0085", "\U00020b9f", "あ" * 201,
    "あ" * 4001, [], {}, [[]], ["x", "x"], [1, 1.0], {"x": 1}, "5999900000004\u3000",
    "{00000000-0000-4000-8000-00000000020}", "00000000_0000-4000-8000-000000000201",
    "00000000-0000-4000-8000-000000000201\n",
)  # fmt: skip


def places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value below `node`."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path for key, value in inner for path in ((*at, key), *places(value, (*at, key)))]


def parent(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def drop(document: Any, path: tuple[Any, ...], _chance: random.Random) -> None:
    del parent(document, path)[path[-1]]


def replace(document: Any, path: tuple[Any, ...], chance: random.Random) -> None:
    parent(document, path)[path[-1]] = copy.deepcopy(chance.choice(VALUES))


def lengthen(document: Any, path: tuple[Any, ...], chance: random.Random) -> None:
    value = parent(document, path)[path[-1]]
    if isinstance(value, str | list) and value:
        parent(document, path)[path[-1]] = value * chance.choice((2, 60))


def append_character(document: Any, path: tuple[Any, ...], chance: random.Random) -> None:
    value = parent(document, path)[path[-1]]
    if isinstance(value, str):
        parent(document, path)[path[-1]] = value + chance.choice(("\n", "\t", "0", "Z", "\u2028", " "))


def add_member(document: Any, path: tuple[Any, ...], chance: random.Random) -> None:
    holder = parent(document, path)
    if isinstance(holder, dict):
        holder[chance.choice(("extensions", "from", "to", "note", "unknown", "legalException"))] = (
            chance.choice(VALUES)
        )


ACTS: tuple[Callable[[Any, tuple[Any, ...], random.Random], None], ...] = (
    drop, replace, lengthen, append_character, add_member,
)  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS)
def test_both_validators_agree_on_mutated_examples(noun: str) -> None:
    slow, quick = reference(f"{noun}.json"), fast(f"{noun}.json")
    verdicts = set()
    for path in examples(noun, "valid"):
        chance, original = random.Random(path.stem), read(path)
        where = places(original)
        for number in range(MUTATIONS):
            document = copy.deepcopy(original)
            chance.choice(ACTS)(document, chance.choice(where), chance)
            verdict = slow.is_valid(document)
            assert quick.is_valid(document) is verdict, f"{path.name}, mutation {number}"
            verdicts.add(verdict)
    assert verdicts == {True, False}
