"""What the rules say of one part of a draft, though the rest is not written yet: dates in order, check digits.

The rules are those of the rooms that own them. Here is only what stands in for the rest of the record.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tsunagi.consent import rules as consents
from tsunagi.directory.rules import DEFAULT_AREA_RULES
from tsunagi.errors import Notice
from tsunagi.records import rules as records
from tsunagi.records.view import RecordView

_OVERVIEW: Mapping[str, Any] = {
    "schemaVersion": "1.0.0",
    "handoverType": "other",
    "receiverId": "00000000-0000-0000-0000-000000000000",
    "plannedDate": "2199-01-01",
    "domains": [],
}
_SECTIONS: Mapping[str, Any] = {
    "identity": {"familyNameKana": "", "givenNameKana": "", "birthDate": "1900-01-02"},
    "handover_plan": {},
}


def broken_overview(content: Mapping[str, Any], today: date) -> Iterator[Notice]:
    """The errors of an overview that its schema accepts. Pointers lead into it."""
    yield from _errors({**_OVERVIEW, **content, "sections": _SECTIONS}, "", today)


def broken_section(name: str, content: Mapping[str, Any], today: date) -> Iterator[Notice]:
    """The errors of a section that its schema accepts. Pointers lead into the record."""
    whole = {**_OVERVIEW, "sections": {**_SECTIONS, name: content}}
    yield from _errors(whole, f"/sections/{name}", today)


def broken_consent(document: Mapping[str, Any], today: date) -> Iterator[Notice]:
    """The errors of a consent that its schema accepts. Pointers lead into it."""
    yield from consents.check(document, today)


def _errors(record: Mapping[str, Any], at: str, today: date) -> Iterator[Notice]:
    found = records.check(RecordView.model_validate(record), DEFAULT_AREA_RULES, today)
    return (one for one in found if one.level == "error" and one.pointer.startswith(at))
