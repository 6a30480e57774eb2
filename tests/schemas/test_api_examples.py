"""The nouns of the API: good and bad examples of each, and shapes that stay in step with one another."""

import copy
import hashlib
import random
from itertools import pairwise
from pathlib import Path

import pytest
import rfc8785

from tests.schemas.loader import EXAMPLES, SCHEMAS, examples, fast, pointer, read, reference
from tests.schemas.test_examples import INDEXED, label
from tests.schemas.test_parity import ACTS, places

NOUNS = (
    "acceptance", "acceptance-preview", "activity", "activity-resource", "area", "area-responsibility",
    "assignee", "consent-resource", "consent-withdrawal", "directory-entries",
    "disclosed-record", "disclosure", "employer-window", "event", "fee-reduction-evidence", "finding",
    "sharing-guideline", "sharing-guideline-resource",
    "handover", "handover-domain", "handover-notice", "handover-status", "handover-summary", "ledger-entry",
    "milestone", "organization", "person", "person-candidate", "person-match", "person-registration",
    "person-report", "problem", "provision", "reason", "receipt", "responsibility", "responsibility-change",
    "responsibility-correction", "responsibility-end", "validation", "warning", "webhook", "webhook-delivery",
    "webhook-resource", "webhook-test",
)  # fmt: skip
SUBMITTED = (
    "acceptance", "activity", "assignee", "consent-withdrawal", "person-match", "person-registration", "reason",
    "sharing-guideline", "responsibility-correction", "responsibility-end", "webhook",
)  # fmt: skip
"""Nouns that clients send, besides the record and the consent."""
MUTATIONS = 150

each_noun = pytest.mark.parametrize("noun", NOUNS)


def test_the_list_of_nouns_is_whole() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} == {*NOUNS, *INDEXED}


@each_noun
def test_a_noun_has_good_and_bad_examples(noun: str) -> None:
    assert len(examples(noun, "valid")) >= 2
    assert len(examples(noun, "invalid")) >= 2


@each_noun
def test_an_invalid_example_fails_in_one_place_for_the_reason_the_index_gives(noun: str) -> None:
    index = read(EXAMPLES / noun / "invalid" / "expected.json")
    assert sorted(index) == [path.name for path in examples(noun, "invalid")]
    slow, quick = reference(f"{noun}.json"), fast(f"{noun}.json")
    for name, expected in index.items():
        document = read(EXAMPLES / noun / "invalid" / name)
        reason = [(expected["pointer"], expected["keyword"])]
        found = [(pointer(e.absolute_path), e.validator) for e in slow.iter_errors(document)]
        assert found == reason, name
        found = [(pointer(e.instance_path), str(e.schema_path[-1])) for e in quick.iter_errors(document)]
        assert found == reason, name


@pytest.mark.parametrize("noun", SUBMITTED)
def test_both_validators_agree_on_mutations_of_what_clients_send(noun: str) -> None:
    slow, quick = reference(f"{noun}.json"), fast(f"{noun}.json")
    verdicts = set()
    for path in examples(noun, "valid"):
        chance, original = random.Random(path.stem), read(path)
        where = places(original)
        for number in range(MUTATIONS):
            document = copy.deepcopy(original)
            chance.choice(ACTS)(document, chance.choice(where), chance)
            verdict = slow.is_valid(document)
            assert quick.is_valid(document) is verdict, f"{path.name}, mutation {number}"
            verdicts.add(verdict)
    assert verdicts == {True, False}


def test_what_is_disclosed_is_the_record_and_nothing_else() -> None:
    record, disclosed = SCHEMAS["handover-record.json"], SCHEMAS["disclosed-record.json"]
    assert list(disclosed["properties"]) == list(record["properties"])
    assert disclosed["required"] == record["required"]
    sections = record["properties"]["sections"]["properties"]
    assert list(disclosed["properties"]["sections"]["properties"]) == list(sections)
    assert list(SCHEMAS["handover.json"]["properties"]["sectionHashes"]["properties"]) == list(sections)


def test_a_recorded_consent_has_everything_a_consent_has() -> None:
    consent, resource = SCHEMAS["consent.json"], SCHEMAS["consent-resource.json"]
    assert set(consent["properties"]) < set(resource["properties"])
    assert set(consent["required"]) < set(resource["required"])
    assert resource["allOf"] == [{"$ref": "consent.json" + consent["allOf"][0]["$ref"]}]


ROWS_ALONE = {"sharingDueOn", "overlapStartsOn", "serviceEndsOn", "accepted"}
"""Of one handover the milestones say these dates, and its domains what was accepted."""


def test_a_handover_and_its_notice_have_everything_the_summary_has() -> None:
    summary = SCHEMAS["handover-summary.json"]
    assert set(summary["properties"]) - ROWS_ALONE < set(SCHEMAS["handover.json"]["properties"])
    assert set(summary["properties"]) - {"personId", *ROWS_ALONE} < set(
        SCHEMAS["handover-notice.json"]["properties"]
    )
    for name in ("handover.json", "handover-notice.json"):
        assert set(summary["required"]) < set(SCHEMAS[name]["required"])


def test_an_answer_can_say_everything_but_that_it_is_pending() -> None:
    decisions = SCHEMAS["handover-domain.json"]["properties"]["decision"]["enum"]
    answers = SCHEMAS["acceptance.json"]["$defs"]["answer"]["properties"]["decision"]["enum"]
    assert ["pending", *answers] == decisions


@pytest.mark.parametrize("path", examples("handover", "valid"), ids=label)
def test_the_hashes_of_a_handover_are_those_of_its_sections(path: Path) -> None:
    handover = read(path)
    assert handover["sectionHashes"] == {
        code: hashlib.sha256(rfc8785.dumps(section)).hexdigest()
        for code, section in handover["record"]["sections"].items()
    }


@pytest.mark.parametrize("path", examples("responsibility", "valid"), ids=label)
def test_a_chain_has_no_holes_and_an_open_end(path: Path) -> None:
    for chain in read(path)["domains"]:
        assert all(earlier["to"] == later["from"] for earlier, later in pairwise(chain["segments"]))
        assert chain["segments"][-1]["to"] is None
