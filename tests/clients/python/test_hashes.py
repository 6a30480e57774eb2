"""The client's RFC 8785 form is the one everybody else makes."""

import hashlib

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tsunagi_client import section_matches

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_any_document_has_the_hash_that_rfc8785_gives(document: dict[str, object]) -> None:
    assert section_matches(document, hashlib.sha256(rfc8785.dumps(document)).hexdigest())  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [1e21, 1e20, 1e-6, 1e-7, 123456789012345680.0, -0.0, 37.5, 5e-324])
def test_numbers_are_written_as_ecmascript_writes_them(number: float) -> None:
    document = {"n": number}
    assert section_matches(document, hashlib.sha256(rfc8785.dumps(document)).hexdigest())


def test_no_hash_of_what_json_cannot_hold() -> None:
    with pytest.raises(ValueError, match="no such number"):
        section_matches({"n": float("nan")}, "00")
