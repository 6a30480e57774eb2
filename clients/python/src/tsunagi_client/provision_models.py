"""What the service answers about provisions: plain dicts with the names of `schemas/`."""

from typing import Any, Literal, NotRequired, TypedDict

from tsunagi_client.codes import OrganizationKind, Section


class CorporateBody(TypedDict):
    name: str
    corporateNumber: NotRequired[str]
    address: NotRequired[str]
    representative: NotRequired[str]


class ProvisionParty(TypedDict):
    """A side of a provision, under its name and at its address of that day."""

    id: str
    kind: OrganizationKind
    name: str
    address: NotRequired[str]
    corporateBody: NotRequired[CorporateBody]


class ConsentVersion(TypedDict):
    id: str
    version: int


class Provision(TypedDict):
    """What giver and receiver keep about one transfer (第三者提供記録)."""

    id: str
    role: Literal["giver", "receiver", "auditor"]
    providedOn: str
    providedAt: str
    handoverId: str
    version: int
    personId: str
    personName: NotRequired[str]
    giver: ProvisionParty
    receiver: ProvisionParty
    acquisition: Literal["in_support", "stated"]
    acquisitionStatement: NotRequired[str]
    ground: Literal[
        "consent", "law", "life_protection", "child_welfare", "public_cooperation", "abuse_report"
    ]
    consents: list[ConsentVersion]
    sections: list[Section]
    means: Literal["read", "export"]
    sameCorporation: bool
    statutory: bool
    unknown: NotRequired[list[str]]
    withheldFromPerson: NotRequired[str]
    recordedBy: Literal["platform"]
    ledgerEntryId: str
    retainUntil: str
    """Exclusive."""


class Officer(TypedDict):
    name: str
    role: str
    staffId: NotRequired[str]


class SharingGuideline(TypedDict):
    """A version of an organization's guideline for sharing (指針), with its responsible officer."""

    organizationId: str
    version: int
    title: str
    documentHash: NotRequired[str]
    documentUrl: NotRequired[str]
    officer: Officer
    effectiveFrom: str
    recordedAt: str


FeeReductionEvidence = TypedDict(
    "FeeReductionEvidence",
    {
        "organizationId": str,
        "from": str,
        "to": str,
        "asOf": str,
        "applicable": bool,
        "guideline": NotRequired[SharingGuideline],
        "months": list[dict[str, Any]],
        "people": list[dict[str, Any]],
    },
)
