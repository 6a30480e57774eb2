"""JSON as RFC 8259 means it, and the RFC 8785 form that hashes are taken over.

What is refused is refused by place and rule. Everything that a hostile text could make expensive is bounded before
anything is built from it: see MAX_DEPTH and MAX_VALUES.
"""

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in the stubs
from math import isinf
from typing import Any, NoReturn

import rfc8785

from tsunagi.errors import InvalidJson, Notice, Text

MAX_DEPTH = 64
MAX_VALUES = 20_000
"""Members and items, at all depths. A complete record has some 450; 20,000 take 20 ms to read and to refuse."""
MAX_INTEGER = 2**53 - 1
"""Beyond it, and its negative, software that reads numbers as doubles sees another one (RFC 7493 section 2.2)."""

_SPACE = " \t\n\r"
_LOST = re.compile("[\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},:]', re.DOTALL)
_NO_MARK = bytes(set(range(256)) - set(b'"[]{},'))
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")

RULES = {
    "encoding": Text("UTF-8ではありません", "is not UTF-8"),
    "byte_order_mark": Text("先頭にBOMがあります", "begins with a byte order mark"),
    "depth": Text(f"入れ子が{MAX_DEPTH}段を超えています", f"is nested more than {MAX_DEPTH} levels deep"),
    "values": Text(f"値が{MAX_VALUES:,}個を超えています", f"holds more than {MAX_VALUES:,} values"),
    "syntax": Text("JSONの構文が正しくありません", "is not well-formed JSON"),
    "repeated_name": Text("同じ名前の項目が二度あります", "repeats the name of a member"),
    "not_a_number": Text("NaN と Infinity は使えません", "NaN and Infinity are not JSON"),
    "number_range": Text(
        "数が大きすぎます（整数は±9007199254740991まで。長い番号は文字列で送ってください）",
        "has a number that is too large (integers to 9007199254740991 at most; send identifiers as strings)",
    ),
    "lost_character": Text(
        "NUL文字または不完全なサロゲートがあります", "has NUL or half a surrogate pair in a string"
    ),
}
"""What is refused, by the last part of its code."""

Place = tuple[str | int, ...]


class _Fault(Exception):
    """A rule of RULES that was broken, at the moment it is noticed or as the value that stands in its place."""

    def __init__(self, rule: str, name: str | None = None) -> None:
        self.rule = rule
        self.name = name
        """Of the member that is repeated."""


def parse(raw: bytes, *, names: Container[str] = (), max_values: int = MAX_VALUES) -> object:
    """The value of a JSON text.

    Raises InvalidJson when a rule of RULES is broken. Its pointer goes as far as the members on the way are of
    `names`: a name nobody gave out is the sender's, and is not repeated.
    """
    try:
        source = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("encoding", _path_at(raw[: error.start].decode(), error.start), names)
    if source.startswith("\ufeff"):
        _refuse("byte_order_mark", (), names)
    _bound(raw, source, names, max_values)
    try:
        value = _STRICT.decode(source)
    except json.JSONDecodeError as error:
        _refuse("syntax", _path_at(source, error.pos), names, (error.lineno, error.colno))
    except _Fault:
        _refuse_first(source, names)
    if _ESCAPED.search(source):
        _check_strings(value, names)
    return value


def _bound(raw: bytes, source: str, names: Container[str], max_values: int) -> None:
    """Raises InvalidJson when there are too many values, or too deep. Costs little and the same for every text:
    it looks at what is outside of strings only, and not at all at a text too small to be either."""
    opening = raw.count(b"[") + raw.count(b"{")
    commas = raw.count(b",")
    if opening <= MAX_DEPTH and opening + commas <= max_values:
        return
    plain = raw.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in raw else raw
    # Two quotation marks next to each other can go: what is in a string stays in one, what is outside stays outside.
    marks = plain.translate(None, _NO_MARK).replace(b'""', b"")
    if marks.count(b'"') > 4 * max_values:  # a value has two at most, and its name two more
        _refuse("values", _path_at(source, values=max_values), names)
    outside = b"".join(marks.split(b'"')[::2])
    steps = memoryview(outside.translate(_STEPS, b",")).cast("b")
    # Where there are not too many values, these are all the steps.
    if max(accumulate(steps[: 2 * max_values]), default=0) > MAX_DEPTH:
        _refuse("depth", _path_at(source, depth=MAX_DEPTH), names)
    if outside.count(b",") + outside.count(b"[") + outside.count(b"{") > max_values:
        _refuse("values", _path_at(source, values=max_values), names)


def _path_at(
    source: str, at: int | None = None, *, values: int = MAX_VALUES, depth: int = MAX_DEPTH
) -> Place:
    """The path of the innermost container that is open at a position, or where there are more values or levels
    than these."""
    path: list[str | int] = []
    name = ""
    for token in _TOKEN.finditer(source, 0, at if at is not None else len(source)):
        mark = token[0]
        if mark[0] == '"':
            name = mark
        elif mark in "[{":
            values -= 1
            path.append(0 if mark == "[" else "")
        elif not path:
            break
        elif mark == ":":
            path[-1] = name
        elif mark == ",":
            values -= 1
            here = path[-1]
            path[-1] = here + 1 if isinstance(here, int) else ""
        else:
            path.pop()
        if values < 0 or len(path) > depth:
            break
    return tuple(step if isinstance(step, int) else _name(step) for step in path[:-1])


def _name(token: str) -> str:
    try:
        return str(scanstring(token, 1, True)[0])
    except ValueError:
        return ""


def _refuse_first(source: str, names: Container[str]) -> NoReturn:
    """Reads once more, with each fault put in its place, to tell where the first one is."""
    try:
        value = _LENIENT.decode(source)
    except json.JSONDecodeError as error:
        _refuse("syntax", _path_at(source, error.pos), names, (error.lineno, error.colno))
    for path, one in _walk(value):
        if isinstance(one, _Fault):
            _refuse(one.rule, path if one.name is None else (*path, one.name), names)
    raise AssertionError("what raised a fault is put in its place")


def _check_strings(value: object, names: Container[str]) -> None:
    for path, one in _walk(value):
        if isinstance(one, str) and _LOST.search(one):
            _refuse("lost_character", path, names)
        if isinstance(one, dict) and any(map(_LOST.search, one)):
            _refuse("lost_character", path, names)


def _walk(value: object) -> Iterator[tuple[Place, object]]:
    """Every value with its path, containers before what they hold."""
    waiting: list[tuple[Place, object]] = [((), value)]
    while waiting:
        path, one = waiting.pop()
        yield path, one
        if isinstance(one, dict):
            waiting += (((*path, key), item) for key, item in one.items())
        elif isinstance(one, list):
            waiting += (((*path, index), item) for index, item in enumerate(one))


def _refuse(
    rule: str, path: Place, names: Container[str], position: tuple[int, int] | None = None
) -> NoReturn:
    pointer = ""
    for step in path:
        if isinstance(step, str) and step not in names:
            break
        pointer += f"/{step}"
    ja, en = RULES[rule].ja, RULES[rule].en
    if position:
        line, column = position
        ja, en = f"{ja}（{line}行{column}文字目）", f"{en} (line {line}, column {column})"
    raise InvalidJson(
        Text(ja, f"The body {en}"), errors=(Notice(f"json.{rule}", "error", Text(ja, en), pointer),)
    )


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Fault("repeated_name", _repeated(key for key, _ in pairs))
    return value


def _repeated(names: Iterable[str]) -> str | None:
    seen = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _integer(text: str) -> int:
    # A long one is not even made: that takes time in the square of its length.
    if len(text) > len(str(-MAX_INTEGER)) or abs(value := int(text)) > MAX_INTEGER:
        raise _Fault("number_range")
    return value


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise _Fault("number_range")
    return value


def _constant(_name: str) -> NoReturn:
    raise _Fault("not_a_number")


def _in_its_place(hook: Callable[[Any], object]) -> Callable[[Any], Any]:
    def lenient(argument: Any) -> object:
        try:
            return hook(argument)
        except _Fault as fault:
            return fault

    return lenient


_STRICT = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
_LENIENT = json.JSONDecoder(
    object_pairs_hook=_in_its_place(_object),
    parse_int=_in_its_place(_integer),
    parse_float=_in_its_place(_float),
    parse_constant=_in_its_place(_constant),
)


_ACCEPTED = json.JSONDecoder()
"""For what `parse` accepted: without its checks, in C."""

_SORTED = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Members:
    """An object's members in their order, each with its value and the text it was written in."""

    values: dict[str, object]
    texts: dict[str, str]


def split(source: str) -> Members:
    """The top-level members of an object that `parse` accepted, their texts kept to the letter."""
    values: dict[str, object] = {}
    texts: dict[str, str] = {}
    at = _skip(source, source.index("{") + 1)
    while source[at] != "}":
        key, at = scanstring(source, at + 1, True)
        at = _skip(source, source.index(":", at) + 1)
        values[key], end = _ACCEPTED.raw_decode(source, at)
        texts[key] = source[at:end]
        at = _skip(source, end)
        if source[at] == ",":
            at = _skip(source, at + 1)
    return Members(values, texts)


def decode(raw: bytes) -> str:
    """The text of a body that `parse` accepted."""
    return raw.decode("utf-8")


def _skip(source: str, at: int) -> int:
    while source[at] in _SPACE:
        at += 1
    return at


def canonical_bytes(value: object) -> bytes:
    """The RFC 8785 form. Without floats and with keys in the basic plane it is what `json` writes with sorted
    keys, at a fraction of the cost; a test holds the two equal."""
    if _plain(value):
        return _SORTED.encode(value).encode()
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # it says itself what it cannot take


def _plain(value: object) -> bool:
    if isinstance(value, str):
        return True
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii() or not _plain(item):
                return False
        return True
    if isinstance(value, list):
        return all(map(_plain, value))
    if isinstance(value, int):
        return -(2**53) < value < 2**53
    return value is None
