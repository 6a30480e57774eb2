"""Recognizing two mentions of a person as one, without keeping what they were recognized by."""

import pytest

from tsunagi.people.rules import KEY_BYTES, Certificate, KanaAndBirth, match_key

SECRET = bytes(range(KEY_BYTES))
PERSON = KanaAndBirth("ガッコウ", "パーシー・ヴ", "1996-02-29")


@pytest.mark.parametrize(
    ("family", "given"),
    [
        ("がっこう", "ぱーしー・ゔ"),
        ("ｶﾞｯｺｳ", "ﾊﾟｰｼｰ・ｳﾞ"),
        (" ガッ コウ　", "パー　シー・ヴ"),
        ("がｯコウ", "パーｼー・ヴ"),
    ],
)
def test_a_name_is_the_same_however_its_kana_are_typed(family: str, given: str) -> None:
    assert match_key(SECRET, KanaAndBirth(family, given, "1996-02-29")) == match_key(SECRET, PERSON)


@pytest.mark.parametrize(
    "other",
    [
        KanaAndBirth("カッコウ", "パーシー・ヴ", "1996-02-29"),
        KanaAndBirth("ガツコウ", "パーシー・ヴ", "1996-02-29"),
        KanaAndBirth("ガッコウパ", "ーシー・ヴ", "1996-02-29"),
        KanaAndBirth("パーシー・ヴ", "ガッコウ", "1996-02-29"),
        KanaAndBirth("ガッコウ", "パーシー・ヴ", "1996-03-01"),
        Certificate("12199", "0000012345"),
    ],
)
def test_anybody_else_has_another_key(other: KanaAndBirth | Certificate) -> None:
    assert match_key(SECRET, other) != match_key(SECRET, PERSON)


def test_a_number_belongs_to_its_municipality() -> None:
    keys = {
        match_key(SECRET, Certificate(municipality, number))
        for municipality in ("12199", "12299")
        for number in ("0000012345", "0000012346")
    }
    assert len(keys) == 4


def test_a_key_says_nothing_without_the_secret() -> None:
    other = bytes(KEY_BYTES)
    assert len(match_key(SECRET, PERSON)) == 32
    assert match_key(other, PERSON) != match_key(SECRET, PERSON)
