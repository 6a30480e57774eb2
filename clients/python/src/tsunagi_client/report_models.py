"""What a person is told, as it comes over the wire: as in `models`."""

from typing import Literal, NotRequired, TypedDict

from tsunagi_client.codes import DisclosureGround, Domain, MilestoneKind, Role, Section
from tsunagi_client.models import Holder


class Disclosure(TypedDict):
    entryId: str
    outcome: Literal["permit", "deny"]
    at: str
    lastAt: str
    times: int
    organization: Holder
    giver: NotRequired[Holder]
    handoverId: NotRequired[str]
    version: NotRequired[int]
    sections: list[Section]
    ground: NotRequired[DisclosureGround]
    consents: list[str]
    exported: bool
    code: NotRequired[str]
    sectionLabels: NotRequired[list[str]]
    groundLabel: NotRequired[str]
    purposes: NotRequired[list[str]]


class Office(TypedDict):
    id: str
    name: str
    phone: NotRequired[str]
    department: NotRequired[str]


OfficeSupport = TypedDict(
    "OfficeSupport", {"organization": Office, "role": Role, "from": str, "to": str | None}
)


class InCharge(TypedDict):
    domain: Domain
    label: str
    organization: Office | None
    personInCharge: NotRequired[str]
    support: list[OfficeSupport]


ReportedConsent = TypedDict(
    "ReportedConsent",
    {
        "id": str,
        "status": Literal["not_yet", "active", "ended", "withdrawn"],
        "giver": Office,
        "recipients": list[Office],
        "sections": list[Section],
        "sectionLabels": list[str],
        "withdrawnSections": list[Section],
        "purpose": str,
        "from": str,
        "to": str,
    },
)


class Coming(TypedDict):
    kind: MilestoneKind
    date: str
    handoverId: str
    label: str


class ReportTexts(TypedDict):
    intro: str
    howToWithdraw: str
    whomToAsk: str
    notEverything: str


class PersonReport(TypedDict):
    id: str
    personId: str
    language: Literal["ja", "en"]
    madeAt: str
    madeBy: Office
    responsible: list[InCharge]
    disclosures: list[Disclosure]
    consents: list[ReportedConsent]
    coming: list[Coming]
    texts: ReportTexts
