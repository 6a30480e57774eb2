"""JSON as RFC 8259 means it, and the RFC 8785 form that hashes are taken over."""

import json
import re
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in the stubs
from typing import NoReturn

import rfc8785

from tsunagi.errors import InvalidJson, Text

MAX_DEPTH = 64
_SPACE = " \t\n\r"
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def parse(raw: bytes) -> object:
    """The value of a JSON text.

    Raises InvalidJson when it is not UTF-8, repeats a key, nests deeper than MAX_DEPTH, or holds NaN, Infinity,
    NUL or half a surrogate pair.
    """
    return _load(_text(raw))


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
        values[key], end = _DECODER.raw_decode(source, at)
        texts[key] = source[at:end]
        at = _skip(source, end)
        if source[at] == ",":
            at = _skip(source, at + 1)
    return Members(values, texts)


def canonical_bytes(value: object) -> bytes:
    """The RFC 8785 form. Without floats and with keys in the basic plane it is what `json` writes with sorted
    keys, at a fraction of the cost; a test holds the two equal."""
    if _plain(value):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # it says itself what it cannot take


def _plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and key.isascii() and _plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_plain, value))
    if isinstance(value, int):
        return -(2**53) < value < 2**53
    return not isinstance(value, float)


def _text(raw: bytes) -> str:
    try:
        source = raw.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("UTF-8ではありません", "The body is not UTF-8")
    if source.startswith("\ufeff"):
        _refuse("先頭にBOMがあります", "The body begins with a byte order mark")
    if _too_deep(source):
        _refuse(
            f"入れ子が{MAX_DEPTH}段を超えています", f"The body is nested more than {MAX_DEPTH} levels deep"
        )
    return source


def decode(raw: bytes) -> str:
    """The text of a body that `parse` accepted."""
    return raw.decode("utf-8")


def _too_deep(source: str) -> bool:
    if source.count("[") + source.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", source)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _load(source: str) -> object:
    try:
        value = _DECODER.decode(source)
    except InvalidJson:
        raise
    except (ValueError, RecursionError):  # ValueError: also an integer too long to be one
        _refuse("JSONの構文が正しくありません", "The body is not well-formed JSON")
    if "\\u" in source or "\\U" in source:
        _check_strings(value)
    return value


def _check_strings(value: object) -> None:
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            _refuse(
                "NUL文字または不完全なサロゲートがあります", "A string holds NUL or half a surrogate pair"
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_strings(key)
            _check_strings(item)
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        _refuse("同じキーが二度あります", "An object repeats a key")
    return value


def _constant(_name: str) -> NoReturn:
    _refuse("NaN と Infinity は使えません", "NaN and Infinity are not JSON")


def _refuse(ja: str, en: str) -> NoReturn:
    raise InvalidJson(Text(ja, en))


def _skip(source: str, at: int) -> int:
    while source[at] in _SPACE:
        at += 1
    return at


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
