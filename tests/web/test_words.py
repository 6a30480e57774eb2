"""What the pages call things."""

from typing import get_args, get_type_hints

import pytest

from tests.test_glossary import labelled
from tsunagi.contract import Contract
from tsunagi.ledger.rules import Action, Record
from tsunagi.web.words import ACTIONS, RECORDS, SUBJECTS, Words, labels


@pytest.fixture(scope="module")
def ja(contract: Contract) -> Words:
    return Words(contract, labels(contract), "ja")


@pytest.fixture(scope="module")
def en(contract: Contract) -> Words:
    return Words(contract, labels(contract), "en")


def test_a_code_is_called_what_its_schema_calls_it(ja: Words, en: Words) -> None:
    assert (ja.domain("daily_life"), en.domain("daily_life")) == ("生活支援", "Daily life support")
    assert (ja.role("co_support"), en.role("co_support")) == ("併走", "Co-support")
    assert (ja.status("returned"), en.status("returned")) == ("差戻し", "Returned")
    assert (ja.label("version-reason", "opened"), en.finding("gap")) == ("記録の始まり", "Nobody is primary")
    assert (ja.label("outcome", "deny"), en.label("outcome", "deny")) == ("拒否", "Denied")


def test_every_short_way_reaches_a_list_of_codes(ja: Words) -> None:
    shortcuts = [name for name in vars(Words) if not name.startswith("_")]
    ways = set(shortcuts) - {
        "contract",
        "labels",
        "language",
        "label",
        "text",
        "title",
        "action",
        "change_code",
        "number",
        "reason",
        "sections",
    }
    assert len(ways) >= 13
    for way in ways:
        assert getattr(ja, way)("no_such_code") == "no_such_code"


def test_every_labeled_code_of_the_schemas_is_there(ja: Words, contract: Contract) -> None:
    codes = {code for _, known in labelled(list(contract.schemas.values())) for code in known}
    assert codes == {code for system, known in ja.labels.items() if system for code in known}


def test_why_a_version_was_made_has_words_wherever_its_code_stands(ja: Words) -> None:
    codes = ("date_wrong", "moved_away", "organization_closed", "no_such_code")
    assert [ja.change_code(one) for one in codes] == ["日付の誤り", "転居", "機関の廃止", "no_such_code"]


def test_every_action_of_the_ledger_has_words(ja: Words, en: Words) -> None:
    assert set(ACTIONS) == set(get_args(Action))
    assert set(SUBJECTS) == {one.partition(":")[0] for one in ACTIONS}
    assert set(RECORDS) == set(get_args(get_type_hints(Record)["kind"]))
    assert (ja.action("handovers:offer"), en.action("handovers:offer")) == (
        "引継ぎの申込み",
        "Handover offered",
    )
    assert ja.action("handovers:unheard_of") == "handovers:unheard_of"


def test_a_schema_tells_its_title(ja: Words, en: Words) -> None:
    uri = "schemas/responsibility.json#/$defs/segment/properties/basis"
    assert (ja.title(uri), en.title(uri)) == ("根拠", "Basis")


def test_a_text_in_both_languages_is_shown_in_that_of_the_page(ja: Words, en: Words) -> None:
    text = {"ja": "空白", "en": "gap"}
    assert (ja.text(text), en.text(text)) == ("空白", "gap")
