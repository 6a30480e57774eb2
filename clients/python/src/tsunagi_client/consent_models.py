"""Consents, as the service answers them: plain dicts, as in `models`."""

from typing import Literal, NotRequired, TypedDict

from tsunagi_client.codes import Section


class Giver(TypedDict):
    kind: Literal["person", "legal_representative", "guardian", "family_member"]
    name: NotRequired[str]


class StaffMember(TypedDict):
    name: str
    role: str
    staffId: NotRequired[str]


class LegalException(TypedDict):
    code: Literal["law", "life_protection", "child_welfare", "public_cooperation", "abuse_report"]
    reason: str


class Withdrawal(TypedDict):
    withdrawnAt: str
    sections: list[Section]


Consent = TypedDict(
    "Consent",
    {
        "id": str,
        "giverId": str,
        "personId": str,
        "subject": Literal["person", "family"],
        "recipientIds": list[str],
        "sections": list[Section],
        "purpose": str,
        "from": str,
        "to": str,
        "givenBy": NotRequired[Giver],
        "givenOn": NotRequired[str],
        "method": NotRequired[Literal["paper", "electronic"]],
        "evidenceHash": NotRequired[str],
        "explainedBy": NotRequired[StaffMember],
        "companyDisclosureScope": NotRequired[str],
        "legalException": NotRequired[LegalException],
        "recordedAt": str,
        "status": Literal["not_yet", "active", "ended", "withdrawn"],
        "withdrawnAt": NotRequired[str],
        "withdrawnScope": NotRequired[list[Section]],
        "withdrawals": NotRequired[list[Withdrawal]],
    },
)


class ConsentList(TypedDict):
    personId: str
    consents: list[Consent]
