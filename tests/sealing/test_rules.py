"""A text opens under its key, in its place, unchanged; anything else is a fault."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from tsunagi.sealing.keys import DataKey
from tsunagi.sealing.rules import KEY_BYTES, SealBroken, master_key, of_data_key, place

NOW = datetime(2026, 11, 20, tzinfo=UTC)
WHERE = ("record_sections", "01a1feac", 1, "identity")


def data_key() -> DataKey:
    return DataKey(b"", AESGCM(secrets.token_bytes(KEY_BYTES)))


@given(st.binary(max_size=200))
def test_a_text_opens_to_itself(text: bytes) -> None:
    key = data_key()
    sealed = key.seal(text, *WHERE)
    assert key.unseal(sealed, *WHERE) == text
    assert key.seal(text, *WHERE) != sealed, "each sealing has a nonce of its own"


def elsewhere() -> Iterator[tuple[object, ...]]:
    yield ("record_versions", *WHERE[1:])
    yield (*WHERE[:1], "01a1fead", *WHERE[2:])
    yield (*WHERE[:2], 2, WHERE[3])
    yield (*WHERE[:3], "family")
    yield WHERE[:3]


@pytest.mark.parametrize("where", list(elsewhere()))
def test_a_text_opens_nowhere_else(where: tuple[object, ...]) -> None:
    key = data_key()
    with pytest.raises(SealBroken):
        key.unseal(key.seal(b"text", *WHERE), *where)


def test_a_changed_byte_is_noticed_wherever_it_is() -> None:
    key = data_key()
    sealed = key.seal("やまだ".encode(), *WHERE)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(SealBroken):
            key.unseal(bytes(changed), *WHERE)


@pytest.mark.parametrize("length", range(29))
def test_a_text_that_was_cut_off_is_noticed(length: int) -> None:
    key = data_key()
    with pytest.raises(SealBroken):
        key.unseal(key.seal(b"text", *WHERE)[:length], *WHERE)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(SealBroken):
        data_key().unseal(data_key().seal(b"text", *WHERE), *WHERE)


def test_a_data_key_opens_in_its_row_alone_and_never_as_a_text() -> None:
    key = master_key(NOW, secrets.token_bytes(KEY_BYTES))
    wrapped = key.wrap(b"k" * KEY_BYTES, of_data_key("consents", 1))
    assert key.unwrap(wrapped, of_data_key("consents", 1)) == b"k" * KEY_BYTES
    for where in (of_data_key("consents", 2), place("consents", 1)):
        with pytest.raises(SealBroken):
            key.unwrap(wrapped, where)


def test_places_are_all_different() -> None:
    places = [
        place("a", "b"),
        place("ab"),
        place("a", "b", ""),
        place("a", 1, 2),
        place("a", 12),
        of_data_key("a"),
    ]
    assert all(one != other for one, other in combinations(places, 2))


def test_a_master_key_of_another_length_is_none() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        master_key(NOW, b"short")
