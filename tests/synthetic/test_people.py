import unicodedata

import pytest

from tsunagi.people.rules import Certificate, KanaAndBirth, match_key
from tsunagi.synthetic import PEOPLE, person
from tsunagi.synthetic.names import FAMILY_NAMES, GIVEN_NAMES

SOME = 20_000


def test_there_are_enough_people_for_any_benchmark() -> None:
    assert PEOPLE > 100_000_000


@pytest.mark.parametrize("first", [0, PEOPLE // 2, PEOPLE - SOME])
def test_different_numbers_are_different_people_to_the_matching(first: int) -> None:
    people = [person(number) for number in range(first, first + SOME)]
    by_name = {
        match_key(b"", KanaAndBirth(who.family_name_kana, who.given_name_kana, who.birth_date.isoformat()))
        for who in people
    }
    by_certificate = {match_key(b"", Certificate("13199", who.certificate_number)) for who in people}
    assert len(by_name) == len(by_certificate) == SOME


def test_no_reading_is_listed_twice() -> None:
    families, given = [name.kana for name in FAMILY_NAMES], [name.kana for name in GIVEN_NAMES]
    assert len(families) == len(set(families))
    assert len(given) == len(set(given))


def test_names_are_composed_and_some_lie_beyond_what_old_software_knows() -> None:
    variants = [variant for name in FAMILY_NAMES for variant in name.variants]
    variants += [variant for name in GIVEN_NAMES for variant in name.variants]
    assert all(unicodedata.is_normalized("NFC", variant) for variant in variants)
    assert any(ord(letter) > 0xFFFF for variant in variants for letter in variant)


@pytest.mark.parametrize("number", [-1, PEOPLE])
def test_nobody_has_another_number(number: int) -> None:
    with pytest.raises(ValueError, match="numbered from 0"):
        person(number)
