"""What a consent covers, and why something is withheld."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from tsunagi.errors import Notice, Text
from tsunagi.ids import ConsentId

Subject = Literal["person", "family"]
WithheldReason = Literal[
    "not_consented", "consent_not_started", "consent_ended", "consent_withdrawn", "family_consent_missing"
]
ExceptionCode = Literal["law", "life_protection", "child_welfare", "public_cooperation", "abuse_report"]
"""On what something is given without consent (APPI art. 27 par. 1)."""
FAMILY = "family"
"""The section about other people: it needs their consent beside the person's
(welfare standards art. 36: written consent of the user and of the family)."""


@dataclass(frozen=True, slots=True)
class Access:
    """One access row: a section that a consent opens to the viewing organization from one day to another."""

    section: str
    subject: Subject
    consent_id: ConsentId
    valid_from: date
    valid_to: date
    withdrawn_at: datetime | None
    exception: ExceptionCode | None = None
    """Where it opens the section without anybody's consent: what allows that."""

    def holds(self, today: date) -> bool:
        return self.withdrawn_at is None and self.valid_from <= today < self.valid_to


@dataclass(frozen=True, slots=True)
class Ground:
    """On what a section is given: the consents, or the exception and what records it."""

    exception: ExceptionCode | None
    consents: tuple[ConsentId, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one organization may see of one person's sections on one day."""

    visible: Mapping[str, tuple[ConsentId, ...]]
    withheld: Mapping[str, WithheldReason]
    grounds: Mapping[str, Ground] = field(default_factory=dict)
    """Of the visible sections; none where the organization sees its own record."""

    @property
    def consents(self) -> list[ConsentId]:
        return sorted({consent for consents in self.visible.values() for consent in consents})


def coverage(rows: Iterable[Access], sections: Iterable[str], today: date) -> Coverage:
    """Splits `sections` into what the access rows open on that day and what they do not, with the reason."""
    given: dict[tuple[str, Subject], list[Access]] = defaultdict(list)
    for row in rows:
        given[row.section, row.subject].append(row)
    visible: dict[str, tuple[ConsentId, ...]] = {}
    withheld: dict[str, WithheldReason] = {}
    grounds: dict[str, Ground] = {}
    for section in sections:
        own = given[section, "person"]
        holding = [row for row in own if row.holds(today)]
        families = [row for row in given[section, "family"] if row.holds(today)]
        if not holding:
            withheld[section] = _reason(own, today)
        elif section == FAMILY and not families:
            withheld[section] = "family_consent_missing"
        else:
            visible[section] = tuple(row.consent_id for row in [*holding, *families])
            grounds[section] = _ground(holding, families)
    return Coverage(visible, withheld, grounds)


def _ground(*whose: list[Access]) -> Ground:
    """Consent, where each of those whose data it is has given one; else the first exception that stands in for it."""
    exception: ExceptionCode | None = None
    standing: list[Access] = []
    for rows in filter(None, whose):
        given = [row for row in rows if row.exception is None]
        if not given:
            exception = min(rows, key=lambda row: row.consent_id).exception
            given = [row for row in rows if row.exception == exception]
        standing += given
    return Ground(exception, tuple(row.consent_id for row in standing))


def _reason(rows: list[Access], today: date) -> WithheldReason:
    if any(row.withdrawn_at is None and row.valid_from > today for row in rows):
        return "consent_not_started"
    if any(row.withdrawn_at is not None for row in rows):
        return "consent_withdrawn"
    return "consent_ended" if rows else "not_consented"


def check(document: Mapping[str, Any], today: date) -> tuple[Notice, ...]:
    """What the schema cannot say about a consent."""
    found: list[Notice] = []
    if document["to"] <= document["from"]:
        found.append(
            Notice(
                "consent.period_reversed",
                "error",
                Text(
                    "同意の終了日は開始日より後でなければなりません", "The consent must end after it begins"
                ),
                "/to",
            )
        )
    given_on = document.get("givenOn")
    if given_on is not None and given_on > today.isoformat():
        found.append(
            Notice(
                "consent.given_in_future",
                "error",
                Text("同意日が未来の日付です", "The consent is dated in the future"),
                "/givenOn",
            )
        )
    if document["subject"] == "family" and set(document["sections"]) != {FAMILY}:
        found.append(
            Notice(
                "consent.family_sections",
                "error",
                Text(
                    "家族の同意で示せる項目群は「家族・後見」だけです",
                    "A family's consent covers the family section only",
                ),
                "/sections",
            )
        )
    return tuple(found)


ConsentStatus = Literal["not_yet", "active", "ended", "withdrawn"]


def status(
    valid_from: date, valid_to: date, sections: Iterable[str], withdrawn: Iterable[str], today: date
) -> ConsentStatus:
    if set(sections) <= set(withdrawn):
        return "withdrawn"
    if today < valid_from:
        return "not_yet"
    return "active" if today < valid_to else "ended"
