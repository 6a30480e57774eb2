"""Texts that are nearly right: records of made-up lives, with something wrong in them."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from typing import Any, get_args

from tests.fuzz.effort import SEED
from tsunagi.synthetic import HandoverType, case

RECEIVER = "00000000-0000-4000-8000-000000000201"
TYPES: tuple[HandoverType, ...] = get_args(HandoverType)

PIECES: tuple[bytes, ...] = (
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"-", b".", b"e", b"0", b"9"),
    *(b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity", b"1e400", b"9" * 20, b"0.1", b"-0"),
    *(
        b"\\u0000",
        b"\\ud800",
        b"\\udc00",
        b"\\ud83d\\ude00",
        b"\\x",
        b"\\/",
        b"\\\\",
        b'\\"',
        b"\x00",
        b"\x1f",
    ),
    *(b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", "髙".encode(), b"\r\n"),
    *(b'"a":1,', b'"schemaVersion":', b"[[[[[[[[", b'{"a":{"a":', b"//", b"/**/", b"'", b"\xe3\x80"),
)


@cache
def records() -> tuple[bytes, ...]:
    return tuple(
        json.dumps(made, ensure_ascii=False, separators=(",", ":") if seed % 2 else None).encode()
        for seed, kind in enumerate(TYPES * 4)
        for made in [case(seed, handover_type=kind, planned_date=date(2027, 4, 1), receiver_id=RECEIVER)]
    )


def put_in(draw: random.Random, raw: bytes) -> bytes:
    at = draw.randrange(len(raw) + 1)
    return raw[:at] + draw.choice(PIECES) + raw[at:]


def cut_out(draw: random.Random, raw: bytes) -> bytes:
    at = draw.randrange(len(raw) + 1)
    return raw[:at] + raw[at + draw.choice((1, 1, 2, 10, 1000)) :]


def change(draw: random.Random, raw: bytes) -> bytes:
    if not raw:
        return raw
    at = draw.randrange(len(raw))
    return raw[:at] + bytes([draw.randrange(256)]) + raw[at + 1 :]


def repeat(draw: random.Random, raw: bytes) -> bytes:
    start = draw.randrange(len(raw) + 1)
    end = min(len(raw), start + draw.randrange(200))
    return raw[:end] + raw[start:end] * draw.randrange(1, 4) + raw[end:]


def move(draw: random.Random, raw: bytes) -> bytes:
    places = sorted(draw.randrange(len(raw) + 1) for _ in range(3))
    one, two, three = places
    return raw[:one] + raw[two:three] + raw[one:two] + raw[three:]


CHANGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (put_in, put_in, cut_out, change, repeat, move)


def texts(count: int) -> Iterator[bytes]:
    """Records that have suffered one to three changes, byte by byte."""
    draw = random.Random(SEED)
    for _ in range(count):
        raw = draw.choice(records())
        for _ in range(draw.randrange(1, 4)):
            raw = draw.choice(CHANGES)(draw, raw)
        yield raw


VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        2**53 - 1,
        "",
        " ",
        "x",
        "2027-02-30",
        "2027-04-01",
        "２０２７",
        "\u3000",
    ),
    *([], {}, [None], {"": None}, [[]], "a" * 300, "0" * 40, "ア", "𠮷", "e\u0301", "\u202e", "true", "null"),
)


def copy(value: Any) -> Any:
    """Of JSON, without the instances that it shares."""
    return json.loads(json.dumps(value))


def documents(count: int, seeds: tuple[Any, ...]) -> Iterator[Any]:
    """JSON values like these, with one to three members that are something else, are gone, or are too many."""
    draw = random.Random(SEED + 1)
    for _ in range(count):
        value = copy(draw.choice(seeds))
        for _ in range(draw.randrange(1, 4)):
            _spoil(draw, value)
        yield value


def _spoil(draw: random.Random, value: Any) -> None:
    node, way = value, draw.randrange(1, 7)
    while isinstance(node, dict | list) and node:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw.choice(keys)
        way -= 1
        if way > 0 and isinstance(node[key], dict | list) and node[key]:
            node = node[key]
            continue
        what = draw.randrange(4)
        if what == 0:
            del node[key]
        elif what == 1 and isinstance(node, dict):
            node[draw.choice(("x", "", "familyName", "__proto__", "$ref", str(key) + "s", str(key)[:-1]))] = (
                node[key]
            )
        elif what == 2 and isinstance(node, list):
            node.extend([node[key]] * draw.choice((1, 2, 60, 300)))
        else:
            node[key] = copy(draw.choice(VALUES))
        return
