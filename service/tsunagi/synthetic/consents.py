"""Consents that go with a made-up record."""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from tsunagi.synthetic.timeline import months_later

FAMILY = "family"


def consent(
    record: dict[str, Any],
    person_id: UUID | str,
    recipient_ids: Sequence[UUID | str],
    *,
    sections: Sequence[str] | None = None,
    given_on: date | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> dict[str, Any]:
    """The person's consent to pass sections of the record on, all of them unless told otherwise.

    It is given on the day on which the handover was explained to the person, holds from then on and until
    `ends_on` (exclusive), a year after the planned date. A guardian gives it for people who have one.
    """
    given = given_on or _explained_on(record)
    document = _document(record, person_id, recipient_ids, given, starts_on, ends_on)
    family = record["sections"].get(FAMILY, {"members": [], "guardianship": "none"})
    given_by = {"kind": "person"}
    if family["guardianship"] == "guardianship":
        guardian = next(member for member in family["members"] if "guardian" in member["roles"])
        given_by = {"kind": "guardian", "name": guardian["name"]}
    document |= {"subject": "person", "sections": list(sections or record["sections"]), "givenBy": given_by}
    if "employer_contacts" in document["sections"]:
        document["companyDisclosureScope"] = "支援機関が替わることと、新しい窓口の連絡先。診断名は伝えない。"
    return document


def family_consent(
    record: dict[str, Any],
    person_id: UUID | str,
    recipient_ids: Sequence[UUID | str],
    *,
    given_on: date | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> dict[str, Any]:
    """The family's consent to pass on what is said about it; `consent` says the rest.

    Raises KeyError for a record without the family section.
    """
    members = record["sections"][FAMILY]["members"]
    relatives = [member for member in members if "guardian" not in member["roles"]]
    given = given_on or _explained_on(record)
    return _document(record, person_id, recipient_ids, given, starts_on, ends_on) | {
        "subject": FAMILY,
        "sections": [FAMILY],
        "givenBy": {"kind": "family_member", "name": relatives[0]["name"]},
    }


def _explained_on(record: dict[str, Any]) -> date:
    explained = record["sections"]["handover_plan"].get("explainedToPersonOn")
    return date.fromisoformat(explained or record["sections"]["assessment"]["confirmedByPersonOn"])


def _document(
    record: dict[str, Any],
    person_id: UUID | str,
    recipient_ids: Sequence[UUID | str],
    given: date,
    starts_on: date | None,
    ends_on: date | None,
) -> dict[str, Any]:
    """What both kinds have in common. Names that are written on paper carry the hash of the scanned form."""
    who = record["sections"]["identity"]
    form = hashlib.sha256(f"{who['familyNameKana']}{who['birthDate']}{given}".encode()).hexdigest()
    planned = date.fromisoformat(record["plannedDate"])
    document: dict[str, Any] = {
        "personId": str(person_id),
        "recipientIds": [str(recipient) for recipient in recipient_ids],
        "purpose": _PURPOSES.get(record["handoverType"], _PURPOSES["other"]),
        "from": (starts_on or given).isoformat(),
        "to": (ends_on or months_later(planned, 12)).isoformat(),
        "givenOn": given.isoformat(),
        "method": "electronic",
        "explainedBy": {"name": record["author"]["name"], "role": record["author"]["role"]},
    }
    if int(form[0], 16) < 12:
        document |= {"method": "paper", "evidenceHash": form}
    return document


_PURPOSES = {
    "transition_to_settlement": "就職後の職場定着を続けて支えるため、支援の経過と計画を引き継ぐ。",
    "settlement_to_center": "就労定着支援の終了後も支援を続けるため、支援の経過と計画を引き継ぐ。",
    "selection_to_service": "アセスメントの結果を、これから利用する事業所の支援に生かす。",
    "other": "支援する機関が替わっても同じ支援を受けられるよう、支援の経過と計画を引き継ぐ。",
}
