"""A record is taken apart section by section, and not a letter of it changes."""

import hashlib
import json
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tsunagi.records.store import document_of
from tsunagi.strict_json import canonical_bytes, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
SECTIONS = st.dictionaries(st.sampled_from(["identity", "medical", "family"]), VALUES, min_size=1)


@given(
    sections=SECTIONS,
    extensions=st.none() | st.dictionaries(TEXT, VALUES),
    ascii_only=st.booleans(),
    indent=st.none() | st.integers(0, 3),
)
def test_a_record_put_together_again_is_the_record(
    sections: dict[str, Any], extensions: dict[str, Any] | None, ascii_only: bool, indent: int | None
) -> None:
    record: dict[str, Any] = {"schemaVersion": "1.0.0", "sections": sections, "plannedDate": "2027-04-01"}
    record |= {} if extensions is None else {"extensions": extensions}
    source = json.dumps(record, ensure_ascii=ascii_only, indent=indent)
    document = document_of(source)
    assert json.loads(document.header) == {"schemaVersion": "1.0.0", "plannedDate": "2027-04-01"}
    assert {name: json.loads(text) for name, text in document.sections.items()} == sections
    assert list(document.sections) == list(sections)
    assert all(text in source for text in document.sections.values())
    assert (document.extensions is None) == (extensions is None)
    assert document.extensions is None or json.loads(document.extensions) == extensions


@given(VALUES)
def test_the_hash_is_taken_over_the_rfc_8785_form(value: Any) -> None:
    document = document_of(json.dumps({"sections": {"identity": value}}))
    expected = rfc8785.dumps(json.loads(document.sections["identity"]))
    assert canonical_bytes(parse(document.sections["identity"].encode())) == expected
    assert document.hashes["identity"] == hashlib.sha256(expected).digest()


def test_a_key_in_escapes_is_the_key_it_means() -> None:
    document = document_of('{"\\u0073ections":{"\\u0069dentity":{"a":1.50}},"a\\"b":[1, 2]}')
    assert document.sections == {"identity": '{"a":1.50}'}
    assert json.loads(document.header) == {'a"b': [1, 2]}


def test_space_around_everything_does_no_harm() -> None:
    document = document_of(' {\n"a" :\t1 ,\r\n "sections" : { "identity" : { } } } ')
    assert (document.header, document.sections) == ('{"a":1}', {"identity": "{ }"})
