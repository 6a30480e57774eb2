"""The form that a schema makes: what is filled in comes back as the document it was made from."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.documents import fitting
from tests.world import EXAMPLES, ROOT
from tsunagi.contract import Contract
from tsunagi.municipalities import name_of
from tsunagi.web.forms import CONSENT, SECTIONS, Field, Forms
from tsunagi.web.forms_posted import added, document, inputs, read, removed, shown

CONTRACT = Contract(ROOT)
FORMS = Forms(CONTRACT)
RECORDS = sorted((EXAMPLES / "handover-record" / "valid").glob("*.json"))
CONSENTS = sorted((EXAMPLES / "consent" / "valid").glob("*.json"))


def same(value: Any) -> Any:
    """What a form cannot tell apart: no end and an end that is nothing, line breaks, the order of codes."""
    if isinstance(value, dict):
        return {name: same(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [same(one) for one in value]
    return value


def there_and_back(field: Field, value: Any) -> Any:
    return document(field, inputs(field, value))


def asked(field: Field, whole: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in field.fields}
    return {name: value for name, value in whole.items() if name in names}


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_every_example_goes_through_its_form(path: Path) -> None:
    record = json.loads(path.read_text())
    for name, section in record["sections"].items():
        assert there_and_back(FORMS.sections[name], section) == same(section)
    overview = asked(FORMS.overview, record)
    assert len(overview) > 3
    assert there_and_back(FORMS.overview, overview) == overview


@pytest.mark.parametrize("path", CONSENTS, ids=lambda path: path.stem)
def test_every_consent_goes_through_its_form(path: Path) -> None:
    whole = json.loads(path.read_text())
    form = (
        FORMS.exceptions[whole["subject"]] if "legalException" in whole else FORMS.consents[whole["subject"]]
    )
    consent = asked(form, whole)
    assert whole.keys() - consent.keys() == {"personId", "subject", "recipientIds"}
    assert there_and_back(form, consent) == consent


def helps(field: Field) -> Iterator[str]:
    """What a form says of its fields."""
    for one in field.fields:
        yield from [one.help.ja] if one.help else ()
        yield from helps(one)


def test_what_a_form_says_is_polite_or_no_sentence_at_all() -> None:
    sets = (FORMS.sections, FORMS.consents, FORMS.exceptions, FORMS.withdrawals, FORMS.activities)
    forms = [FORMS.overview, *(one for each in sets for one in each.values())]
    opening = [one.help.ja for one in forms if one.help]
    said = {text for form in forms for text in helps(form)}.union(opening)
    assert len(said) > 50
    plain = re.compile("(?<![まで])す$|[^0-9]つ$|[いうくぐただぬぶむるか]$")
    sentences = {one for text in said for one in re.sub(r"\(.*?\)", "", text).split("。")}
    assert sorted(filter(plain.search, sentences)) == []


def sorted_codes(field: Field, value: Any) -> Any:
    """The document with lists of codes in the order of the form."""
    if field.kind == "choices":
        return [one.value for one in field.choices if one.value in value]
    if field.kind == "group":
        return {one.name: sorted_codes(one, value[one.name]) for one in field.fields if one.name in value}
    return [sorted_codes(field.item, one) for one in value] if field.kind == "list" else value


@pytest.mark.parametrize("section", SECTIONS)
@settings(max_examples=30)
@given(data=st.data())
def test_whatever_fits_the_schema_goes_through_the_form(section: str, data: st.DataObject) -> None:
    made = data.draw(fitting(CONTRACT, FORMS.uri(section)))
    field = FORMS.sections[section]
    back = there_and_back(field, made)
    assert sorted_codes(field, back) == sorted_codes(field, same(made))
    CONTRACT.check(FORMS.uri(section), back)


def members(uri: str) -> Iterator[tuple[str, bool]]:
    node = CONTRACT.resolve(uri)
    yield from ((name, name in node.get("required", ())) for name in node["properties"])


@pytest.mark.parametrize("section", SECTIONS)
def test_the_form_asks_for_every_member_in_the_order_of_the_schema(section: str) -> None:
    asked = [(one.name, one.required) for one in FORMS.sections[section].fields]
    assert asked == list(members(FORMS.uri(section)))


def test_every_field_is_labeled_in_both_languages() -> None:
    def unlabeled(field: Field, at: str) -> Iterator[str]:
        if not (field.label.ja and field.label.en) and field.name:
            yield at
        for one in field.fields:
            yield from unlabeled(one, f"{at}/{one.name}")

    whole = [FORMS.overview, *FORMS.exceptions.values(), *FORMS.consents.values(), *FORMS.sections.values()]
    assert [at for field in whole for at in unlabeled(field, field.name)] == []


def test_a_consent_is_asked_who_gave_it_when_how_and_who_explained() -> None:
    required = {one.name for one in FORMS.consents["person"].fields if one.required}
    assert required >= {"givenBy", "givenOn", "method", "explainedBy", "sections", "purpose"}
    assert required < set(CONTRACT.resolve(CONSENT)["properties"])


def test_nobody_can_be_chosen_who_may_not_consent() -> None:
    """The schema refuses a family member for the person's data, and the person for the family's."""
    kinds = {
        subject: [one.value for one in form.at("/givenBy/kind").choices]  # type: ignore[union-attr]
        for subject, form in FORMS.consents.items()
    }
    assert kinds == {
        "person": ["person", "legal_representative", "guardian"],
        "family": ["legal_representative", "guardian", "family_member"],
    }


def test_a_family_can_consent_to_its_own_section_alone() -> None:
    for form in (FORMS.consents["family"], FORMS.exceptions["family"]):
        assert [one.value for one in form.at("/sections").choices] == ["family"]  # type: ignore[union-attr]


def test_provision_without_consent_is_asked_for_its_ground_and_not_for_who_consented() -> None:
    asked = {one.name: one.required for one in FORMS.exceptions["person"].fields}
    assert asked["legalException"]
    assert not {"givenBy", "givenOn", "method", "explainedBy", "evidenceHash"} & asked.keys()


def posted(**given: str) -> dict[str, list[str]]:
    return {name: [value] for name, value in given.items()}


def identity(**given: str) -> Any:
    return document(FORMS.sections["identity"], {f"/{name}": [value] for name, value in given.items()})


def test_what_is_empty_is_left_out() -> None:
    assert identity(familyName="相川", givenName="", phone="") == {"familyName": "相川"}
    for field in FORMS.sections.values():
        assert document(field, {}) == {}


@pytest.mark.parametrize(
    ("year", "month", "day", "iso"),
    [
        ("2026", "9", "30", "2026-09-30"),
        ("令和8", "9", "30", "2026-09-30"),
        ("令和元", "5", "1", "2019-05-01"),
        ("R8", "09", "30", "2026-09-30"),
        ("昭和63年", "1", "8", "1988-01-08"),
        ("２０２６", "９", "３０", "2026-09-30"),
        ("令和8年9月30日", "", "", "2026-09-30"),
        ("2026/9/30", "", "", "2026-09-30"),
    ],
)
def test_a_date_is_typed_in_the_calendar_or_the_era(year: str, month: str, day: str, iso: str) -> None:
    typed = {"birthDate:year": year, "birthDate:month": month, "birthDate:day": day}
    assert identity(**typed) == {"birthDate": iso}


@pytest.mark.parametrize(("year", "month", "day"), [("2026", "13", "1"), ("春", "4", ""), ("", "4", "1")])
def test_what_is_no_date_comes_back_as_it_was_typed(year: str, month: str, day: str) -> None:
    typed = {"/birthDate:year": [year], "/birthDate:month": [month], "/birthDate:day": [day]}
    field = FORMS.sections["identity"]
    kept = document(field, typed)
    assert not CONTRACT.validator(FORMS.uri("identity")).is_valid(kept)
    assert inputs(field, kept) == {name: value for name, value in typed.items() if value != [""]}


def test_the_end_of_a_period_is_asked_for_as_its_last_day() -> None:
    plan = FORMS.sections["handover_plan"]
    made = {"overlap": {"from": "2026-07-01", "to": "2026-10-01"}}
    typed = inputs(plan, made)
    assert [typed[f"/overlap/to:{part}"] for part in ("year", "month", "day")] == [["2026"], ["9"], ["30"]]
    assert document(plan, typed)["overlap"] == made["overlap"]


def test_none_is_more_than_nothing_said() -> None:
    disability = FORMS.sections["disability"]
    assert document(disability, posted(**{"/handbooks:items": "0"})) == {}
    assert document(disability, posted(**{"/handbooks:items": "0", "/handbooks:none": "on"})) == {
        "handbooks": []
    }


def test_items_are_added_and_removed_without_losing_what_was_typed() -> None:
    plan = FORMS.sections["handover_plan"]
    made = added(plan, {}, "/jointVisits")
    made = added(plan, made, "/jointVisits")
    made = added(plan, made, "/jointVisits/1/companions")
    typed = inputs(plan, made) | {"/jointVisits/1/companions/0": ["田中"], "/jointVisits/0/content": ["一"]}
    kept = document(plan, typed, blanks=True)
    assert kept["jointVisits"] == [{"content": "一"}, {"companions": ["田中"]}]
    assert removed(plan, kept, "/jointVisits/0")["jointVisits"] == [{"companions": ["田中"]}]
    assert removed(plan, kept, "/jointVisits/1/companions/0")["jointVisits"][1] == {"companions": []}


def test_empty_items_are_dropped_when_a_section_is_saved() -> None:
    needs = FORMS.sections["continuing_needs"]
    typed = {"/unresolved:items": ["3"], "/unresolved/1": ["通勤"]}
    assert document(needs, typed) == {"unresolved": ["通勤"]}


def test_a_full_list_takes_no_more() -> None:
    full = {"domains": [{}, {}, {}]}
    assert added(FORMS.overview, full, "/domains") == full


@pytest.mark.parametrize("at", ["", "/familyName", "/nothing", "/address/rest/0", "/handbooks/x"])
def test_what_is_no_list_is_neither_added_to_nor_removed_from(at: str) -> None:
    whole = {"familyName": "相川"}
    assert added(FORMS.sections["identity"], whole, at) == whole
    assert removed(FORMS.sections["identity"], whole, at) == whole


@pytest.mark.parametrize(
    ("at", "typed", "kept"),
    [
        ("familyNameKana", "やまだ", "ヤマダ"),
        ("familyNameKana", "ﾔﾏﾀﾞ", "ヤマダ"),
        ("familyNameKana", "ヤマダ\u3000ノ", "ヤマダ\u3000ノ"),
        ("familyNameKana", "yamada", "yamada"),
        ("phone", "０９０－１２３４－５６７８", "090-1234-5678"),
        ("phone", "03ー1234ー5678", "03-1234-5678"),
    ],
)
def test_kana_and_telephone_numbers_are_taken_as_one_types_them(at: str, typed: str, kept: str) -> None:
    assert document(FORMS.sections["identity"], {f"/{at}": [typed]}) == {at: kept}


def test_a_municipality_is_known_by_its_name() -> None:
    assert identity(**{"certificate/municipalityCode": "東京都新宿区"}) == {
        "certificate": {"municipalityCode": "13104"}
    }


@pytest.mark.parametrize(
    ("prefecture", "typed", "kept"),
    [
        ("13", "新宿区", "13104"),
        ("13", "府中市", "13206"),
        ("34", "府中市", "34208"),
        ("34", "東京都府中市", "13206"),
        ("08", "久慈郡大子町", "08364"),
        ("13", "１３１０４", "13104"),
        ("13", "新宿区（13104）", "13104"),
        ("27", "新宿区", "新宿区"),
        ("", "新宿区", "新宿区"),
        ("13", "99999", "99999"),
    ],
)
def test_a_municipality_lies_in_the_prefecture_chosen_beside_it(
    prefecture: str, typed: str, kept: str
) -> None:
    said = identity(**{"address/prefectureCode": prefecture, "address/municipalityCode": typed})
    assert said["address"]["municipalityCode"] == kept


def test_every_municipality_is_shown_by_its_name_and_taken_by_it() -> None:
    field = FORMS.sections["identity"].at("/address/municipalityCode")
    assert field and shown(field, "13104") == "東京都新宿区"
    assert shown(field, "99999") == "99999"
    codes = [f"{number:05}" for number in range(1000, 48000) if name_of(f"{number:05}")]
    assert len(codes) > 1_900
    assert [read(field, shown(field, code)) for code in codes] == codes


@given(
    typed=st.dictionaries(
        st.sampled_from(
            sorted(
                name
                for path in RECORDS
                for section, value in json.loads(path.read_text())["sections"].items()
                for name in inputs(FORMS.sections[section], value)
            )
        ),
        st.lists(st.text(max_size=8), max_size=2),
    )
)
def test_whatever_is_posted_makes_a_document(typed: dict[str, list[str]]) -> None:
    for field in FORMS.sections.values():
        json.dumps(document(field, typed), allow_nan=False)
