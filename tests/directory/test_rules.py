"""Numbers and their check digits, with the worked examples that are published; texts as they are compared."""

from dataclasses import fields

import pytest

from tsunagi.directory import rules
from tsunagi.directory.rules import Identifier


@pytest.mark.parametrize("number", ["1319900013", "1219900428", "1399900073"])
def test_an_office_number_ends_in_its_check_digit(number: str) -> None:
    assert rules.office_number_is_valid(number)
    for digit in set("0123456789") - {number[-1]}:
        assert not rules.office_number_is_valid(number[:-1] + digit)


@pytest.mark.parametrize(
    "number", ["", "131990001", "13199000133", "１３１９９０００１３", "131990001a", "1319900013\n"]
)
def test_an_office_number_is_ten_half_width_digits(number: str) -> None:
    assert not rules.office_number_is_valid(number)


@pytest.mark.parametrize(
    ("base", "number"),
    [
        ("123456789012", "7123456789012"),
        ("000012050002", "7000012050002"),
        ("999999999999", "9999999999999"),
    ],
)
def test_a_corporate_number_begins_with_its_check_digit(base: str, number: str) -> None:
    assert f"{rules.corporate_number_check_digit(base)}{base}" == number
    assert rules.corporate_number_is_valid(number)
    assert not rules.corporate_number_is_valid(("1" if number[0] != "1" else "2") + base)


def test_a_corporate_number_does_not_notice_zero_for_nine() -> None:
    assert rules.corporate_number_check_digit("1" * 11 + "0") == rules.corporate_number_check_digit(
        "1" * 11 + "9"
    )


@pytest.mark.parametrize("number", ["", "123456789012", "71234567890123", "712345678901x"])
def test_a_corporate_number_is_thirteen_digits(number: str) -> None:
    assert not rules.corporate_number_is_valid(number)


@pytest.mark.parametrize(
    ("jis", "code"),
    [
        ("13101", "131016"),
        ("12100", "121002"),
        ("01100", "011002"),
        ("27100", "271004"),
        ("01107", "011070"),
        ("01101", "011011"),
        ("13104", "131041"),
        ("09201", "092011"),
    ],
)
def test_the_local_government_code_has_a_check_digit_of_its_own(jis: str, code: str) -> None:
    assert rules.local_government_code(jis) == code


@pytest.mark.parametrize(
    ("jis", "number"),
    [("09201", "092015"), ("09202", "092023"), ("09345", "093450"), ("13101", "131011")],
)
def test_the_billing_municipality_number_ends_in_another_digit(jis: str, number: str) -> None:
    assert rules.billing_municipality_number(jis) == number


def test_certificate_and_employment_insurance_numbers_are_checked_for_their_form_only() -> None:
    assert rules.certificate_number_is_valid("0123456789")
    assert not rules.certificate_number_is_valid("123456789")
    assert rules.employment_insurance_number_is_valid("1301-123456-7")
    assert not rules.employment_insurance_number_is_valid("13011234567")


@pytest.mark.parametrize(
    ("wam_net", "billing"),
    [("60", "43"), ("62", "47"), ("61", "35"), ("70", "55"), ("45", "45"), ("46", "46")],
)
def test_wam_net_service_codes_become_billing_codes(wam_net: str, billing: str) -> None:
    assert rules.billing_service_code(wam_net) == billing


@pytest.mark.parametrize(
    ("published", "katakana"),
    [
        ("りう゛ぁとれ", "リヴァトレ"),
        ("ひかりのわーくす", "ヒカリノワークス"),
        ("ﾊﾟｿｺﾝ ｺｰﾎﾞｰ", "パソコン コーボー"),
        ("a・ｂ", "a・ｂ"),
    ],
)
def test_kana_become_full_width_katakana_and_all_else_stays(published: str, katakana: str) -> None:
    assert rules.full_width_katakana(published) == katakana


def test_names_keep_their_characters() -> None:
    assert rules.clean("\t㈱髙島　１号\t\t") == "㈱髙島　１号"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ｈｉｂｉ−ｎｏ　Ａ", "HIBI-NO A"),
        ("ひびのしごと", "ヒビノシゴト"),
        ("センター", "ｾﾝﾀｰ"),
    ],
)
def test_texts_are_compared_without_width_case_kana_and_dashes(one: str, other: str) -> None:
    assert rules.comparable(one) == rules.comparable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("陽光町18番24号", "陽光町１８番２４号"),
        ("架空１丁目２番３号", "架空1-2-3"),
        ("架空2番地の１", "架空２−１"),
        ("架空三丁目5番地 ビル2階", "架空三丁目５ビル２階"),
    ],
)
def test_addresses_are_compared_without_their_steps(one: str, other: str) -> None:
    assert rules.comparable_address(one) == rules.comparable_address(other)


def test_bigrams_find_a_word_inside_a_name() -> None:
    assert set(rules.bigrams("ポラリス")) <= set(rules.bigrams("就労支援ポラリス"))
    assert rules.bigrams("一") == []


def test_the_defaults_of_an_area_keep_the_statutory_three_months() -> None:
    assert rules.DEFAULT_AREA_RULES.sharing_lead_months == 3
    assert [field.name for field in fields(rules.AreaRules)] == [
        "conference_lead_months",
        "window_lead_months",
        "sharing_lead_months",
        "overlap_months",
        "answer_limit_days",
    ]


def test_what_is_wrong_with_entered_numbers_is_named_with_its_place() -> None:
    found = rules.identifier_notices(
        (
            Identifier("office_number", "1319900013", "43", 1),
            Identifier("office_number", "1319900014", "43", 1),
            Identifier("office_number", "1319900013"),
            Identifier("corporate_number", "1123456789012"),
            Identifier("employment_insurance_number", "1301"),
            Identifier("center_code", "anything"),
        )
    )
    assert [(notice.code.removeprefix("organization."), notice.pointer) for notice in found] == [
        ("office_number_check_digit", "/identifiers/1/value"),
        ("office_number_without_service", "/identifiers/2/value"),
        ("corporate_number_check_digit", "/identifiers/3/value"),
        ("employment_insurance_number_format", "/identifiers/4/value"),
    ]
