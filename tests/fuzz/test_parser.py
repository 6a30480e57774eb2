"""The parser says what Python's own, asked strictly, says of the same bytes; it refuses in words and never fails."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.effort import EFFORT, SEED
from tests.fuzz.mutation import PIECES, records, texts
from tsunagi.errors import InvalidJson
from tsunagi.strict_json import MAX_DEPTH, MAX_INTEGER, RULES, decode, parse, split

FEW = 300
"""So many values are allowed here, so that there can be too many."""
NAMES = frozenset({"a", "sections", "identity", "familyName", "schemaVersion"})


class Refused(Exception):
    pass


def oracle(raw: bytes, max_values: int) -> Any:
    """The value, or Refused: Python's decoder, and rules that look at what it has made."""
    try:
        text = raw.decode("utf-8", "strict")
        if text.startswith("\ufeff"):
            raise Refused
        value = json.loads(text, object_pairs_hook=Pairs, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Refused from None
    sizes: list[int] = []
    plain = checked(value, 0, sizes)
    if sum(sizes) > max_values:
        raise Refused
    return plain


class Pairs(list[tuple[str, Any]]):
    """An object as it was written."""


def refuse(_constant: str) -> None:
    raise Refused


def checked(value: Any, depth: int, sizes: list[int]) -> Any:
    if isinstance(value, Pairs | list):
        sizes.append(max(len(value), 1))
        if depth >= MAX_DEPTH:
            raise Refused
    if isinstance(value, Pairs):
        names = [checked(name, depth + 1, sizes) for name, _ in value]
        if len(set(names)) < len(names):
            raise Refused
        return {name: checked(item, depth + 1, sizes) for name, (_, item) in zip(names, value, strict=True)}
    if isinstance(value, list):
        return [checked(item, depth + 1, sizes) for item in value]
    if isinstance(value, str) and re.search("[\x00\ud800-\udfff]", value):
        raise Refused
    if isinstance(value, int | float) and not isinstance(value, bool):
        limit = MAX_INTEGER if isinstance(value, int) else 1.7976931348623157e308
        if not -limit <= value <= limit:
            raise Refused
    return value


def agrees(raw: bytes, max_values: int = FEW) -> bool:
    """Whether it was taken; fails where parser and oracle differ, or a refusal is not as it should be."""
    try:
        wanted = oracle(raw, max_values)
    except Refused:
        with pytest.raises(InvalidJson) as refused:
            parse(raw, names=NAMES, max_values=max_values)
        (notice,) = refused.value.errors
        assert notice.code.removeprefix("json.") in RULES
        assert set(re.findall(r"[^/]+", notice.pointer)) <= NAMES | set(map(str, range(len(raw))))
        return False
    value = parse(raw, max_values=max_values)
    assert repr(value) == repr(wanted)
    if isinstance(value, dict):
        parts = split(decode(raw))
        assert repr(parts.values) == repr(value)
        assert repr({name: json.loads(text) for name, text in parts.texts.items()}) == repr(value)
    return True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(sorted(NAMES)), inner, max_size=5)
    ),
    max_leaves=40,
)
fuzzed = settings(max_examples=EFFORT.examples, derandomize=EFFORT.derandomize)


@fuzzed
@given(JSON, st.booleans(), st.sampled_from([None, 1]))
def test_what_python_writes_is_read_alike(value: Any, ascii_only: bool, indent: int | None) -> None:
    agrees(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass"))


@fuzzed
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_pieces_of_json_in_any_order_are_read_alike(pieces: list[bytes]) -> None:
    agrees(b"".join(pieces))


@fuzzed
@given(st.binary(max_size=60))
def test_any_bytes_are_read_alike(raw: bytes) -> None:
    agrees(raw)


@fuzzed
@given(st.integers(1, MAX_DEPTH + 3), st.sampled_from([b"[", b'{"a":', b'[{"a":', b'["]",']), st.booleans())
def test_depth_is_counted_alike(depth: int, opening: bytes, closed: bool) -> None:
    ends = {b"[": b"]", b'{"a":': b"}", b'[{"a":': b"}]", b'["]",': b"]"}
    agrees(opening * depth + b"1" + (ends[opening] * depth if closed else b""), max_values=10_000)


@fuzzed
@given(
    st.integers(FEW - 5, FEW + 5),
    st.sampled_from([b"1", b'"\\\\"', b'"\\","', b"[]", b'"]["', b"{}", b'{"a":1}']),
)
def test_values_are_counted_alike(count: int, unit: bytes) -> None:
    agrees(b"[" + b",".join([unit] * count) + b"]")


def test_records_with_something_wrong_are_read_alike() -> None:
    taken = 0
    for number, raw in enumerate(texts(EFFORT.texts)):
        try:
            taken += agrees(raw, max_values=20_000)
        except BaseException as error:
            error.add_note(f"seed {SEED}, text {number}: {raw!r}")
            raise
    assert 0 < taken < EFFORT.texts, "some of them are still JSON, and some are not"


def test_records_are_taken_as_they_are() -> None:
    assert all(agrees(raw, max_values=20_000) for raw in records())
