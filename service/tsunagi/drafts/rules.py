"""What a draft is, and what of it may be sent. Values in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from tsunagi.ids import ConsentId, HandoverId, OrganizationId, PersonId

KEPT = timedelta(days=180)
"""How long a draft that nobody touches is there: what it says of a person serves nobody any more."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A handover as far as it is written. Parts may be incomplete, and wrong."""

    id: UUID
    organization_id: OrganizationId
    revision: int
    """One more with every change: who changes an earlier one is told."""
    began_at: datetime
    changed_at: datetime
    changed_by: str
    """The name of the member of staff."""
    receiver_name: str
    overview: Mapping[str, Any]
    """The record without its sections."""
    sections: Mapping[str, Any]
    consents: Mapping[str, Any]
    """By whose data they are of: `person`, `family`."""
    person_id: PersonId | None = None
    handover_id: HandoverId | None = None
    """Once it was recorded, or from the beginning where a handover that is there is mended."""
    version: int | None = None
    """Of the handover's record: the one that the draft rests on."""
    given: Mapping[str, ConsentId] = field(default_factory=dict)
    """The consents that were recorded, by whose data they are of."""
    checked: int | None = None
    """The revision that has passed every check and is being recorded: it is taken up where that stopped."""
    sent: bool = False
    """On offer: nothing of what was written is kept here."""
    proposed: bool = False
    """Whether nobody has saved the overview yet: it holds what the draft began with."""

    @property
    def planned_date(self) -> date | None:
        try:
            return date.fromisoformat(str(self.overview.get("plannedDate", "")))
        except ValueError:
            return None

    @property
    def person_name(self) -> str:
        identity = self.sections.get("identity", {})
        return f"{identity.get('familyName', '')} {identity.get('givenName', '')}".strip()

    def record(self) -> dict[str, Any]:
        """The body of createHandover and amendHandover."""
        known = {"personId": str(self.person_id)} if self.person_id else {}
        return {"schemaVersion": "1.0.0", **known, **self.overview, "sections": dict(self.sections)}

    def says(self, record: Mapping[str, Any]) -> bool:
        """Whether the record is what is written here, about whomever."""
        mine = self.record()
        return {**record, "personId": ""} == {**mine, "personId": ""}

    def consent(self, subject: str, person_id: PersonId) -> dict[str, Any]:
        """The body of createConsent."""
        return {
            "personId": str(person_id),
            "subject": subject,
            "recipientIds": [self.overview.get("receiverId")],
            **self.consents.get(subject, {}),
        }

    def key(self, step: str) -> str:
        """The idempotency key under which this revision takes a step, however often somebody presses."""
        return str(uuid5(self.id, f"{self.revision} {step}"))

    def emptied(self) -> "Draft":
        """What is kept of a draft that was sent."""
        return replace(
            self, overview={}, sections={}, consents={}, receiver_name="", changed_by="", sent=True
        )
