"""What the service answers, as it comes over the wire: plain dicts with the names of `schemas/`.

Members that a later release of the service adds are there as well. Documents whose shape is a schema of its own
(records, identities, consents) stay plain mappings.
"""

from dataclasses import dataclass
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar, final

from tsunagi_client.codes import (
    Action,
    Basis,
    Decision,
    Direction,
    Domain,
    EventType,
    FindingKind,
    HandoverType,
    MilestoneKind,
    OrganizationKind,
    Party,
    Role,
    Section,
    SenderRoleAfter,
    Status,
    WithheldReason,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """An answer about a handover, with the tag that says which state of it was seen."""

    data: T
    etag: str
    """For `if_match`, and to ask for changes only. Opaque."""
    replayed: bool = False
    """The service had done it before, under the same Idempotency-Key."""


class Reason(TypedDict):
    code: str
    text: NotRequired[str]


class OrganizationRef(TypedDict):
    id: str
    name: str
    kind: OrganizationKind


class RuleWarning(TypedDict):
    code: str
    level: Literal["warning", "info"]
    pointer: NotRequired[str]
    message: str
    responsibleParty: Party


class Validation(TypedDict):
    valid: Literal[True]
    warnings: list[RuleWarning]
    readableOn: NotRequired[str]


OpenPeriod = TypedDict("OpenPeriod", {"from": str, "to": str | None})


HandoverDomain = TypedDict(
    "HandoverDomain",
    {
        "domain": Domain,
        "receiverRole": Role,
        "from": str,
        "senderRoleAfter": SenderRoleAfter,
        "decision": Decision,
        "acceptedRole": NotRequired[Role],
        "acceptedFrom": NotRequired[str],
        "reason": NotRequired[Reason],
    },
)
DomainAnswer = TypedDict(
    "DomainAnswer",
    {
        "domain": Domain,
        "decision": Literal["accept", "decline", "left_with_sender"],
        "role": NotRequired[Role],
        "from": NotRequired[str],
        "reason": NotRequired[Reason],
    },
)
"""What the receiver answers for one offered domain."""


class PersonInCharge(TypedDict):
    name: str
    role: str


class HandoverStatus(TypedDict):
    id: str
    personId: NotRequired[str]
    version: int
    status: Status
    plannedDate: str
    availableActions: list[Action]
    domains: list[HandoverDomain]
    reason: NotRequired[Reason]
    warnings: list[RuleWarning]
    sameCorporation: bool


class _Coming(TypedDict):
    id: str
    version: int
    status: Status
    handoverType: HandoverType
    direction: Direction
    sender: OrganizationRef
    receiver: OrganizationRef
    plannedDate: str
    dueOn: NotRequired[str]
    windowOpensOn: str
    windowOpen: bool
    areaCode: NotRequired[str]
    assignee: NotRequired[str]
    availableActions: list[Action]


class Assignee(TypedDict):
    """Whom one's own organization has put in charge of a handover."""

    assignee: str | None


class AcceptedDomain(TypedDict):
    domain: Domain
    acceptedRole: Role
    acceptedFrom: str


class HandoverSummary(_Coming):
    domains: list[Domain]
    accepted: NotRequired[list[AcceptedDomain]]
    overlapStartsOn: NotRequired[str]
    sharingDueOn: NotRequired[str]
    serviceEndsOn: NotRequired[str]
    personId: NotRequired[str]


@final
class HandoverNotice(_Coming):
    """What a receiver gets before the window opens: that something is coming. Told apart by `"notice" in …`."""

    notice: Literal[True]
    domains: list[Domain]


class Withheld(TypedDict):
    section: Section
    reason: WithheldReason


class ConsentRef(TypedDict):
    id: str


@final
class Handover(_Coming):
    domains: list[HandoverDomain]
    personId: str
    recordedAt: str
    offeredAt: NotRequired[str]
    receivedAt: NotRequired[str]
    answeredAt: NotRequired[str]
    answerDueOn: NotRequired[str]
    serviceEndsOn: NotRequired[str]
    personInCharge: NotRequired[PersonInCharge]
    reason: NotRequired[Reason]
    sameCorporation: bool
    warnings: list[RuleWarning]
    record: dict[str, Any]
    withheld: list[Withheld]
    sectionHashes: dict[Section, str]
    """SHA-256 of the section's RFC 8785 form, in hex."""
    consents: list[ConsentRef]


class Person(TypedDict):
    personId: str


class PersonCandidate(TypedDict):
    personId: str
    confirmationRequired: Literal[True]
    """A human must confirm that it is the same person."""


class Holder(TypedDict):
    id: str
    name: str


class Segment(OpenPeriod):
    organization: Holder | None
    """None: nobody, which is a finding of its own."""
    basis: NotRequired[Basis]


class Support(OpenPeriod):
    organization: Holder
    role: Literal["co_support", "backup"]


class Chain(TypedDict):
    """Who holds one domain of a person's support, without holes."""

    domain: Domain
    version: int
    recordedAt: str
    holder: Holder | None
    segments: list[Segment]
    support: list[Support]


class LocalizedText(TypedDict):
    ja: str
    en: str


class Evidence(TypedDict):
    """An entry of the ledger."""

    entryId: str
    action: str
    at: str


Finding = TypedDict(
    "Finding",
    {
        "kind": FindingKind,
        "severity": Literal["error", "warning", "info"],
        "personId": str,
        "domain": NotRequired[Domain],
        "handoverId": NotRequired[str],
        "from": NotRequired[str],
        "to": NotRequired[str | None],
        "since": str,
        "responsibleParty": Party,
        "responsible": NotRequired[Holder],
        "message": LocalizedText,
        "evidence": NotRequired[list[Evidence]],
    },
)


class Responsibility(TypedDict):
    personId: str
    asOf: str
    knownAt: str
    domains: list[Chain]
    findings: list[Finding]


class AcceptancePreview(TypedDict):
    valid: Literal[True]
    personId: str
    asOf: str
    knownAt: str
    domains: list[Chain]


class Milestone(TypedDict):
    kind: MilestoneKind
    date: str
    handoverId: NotRequired[str]
    overdue: bool


class MilestoneList(TypedDict):
    personId: str
    milestones: list[Milestone]


class ServiceCode(TypedDict):
    code: str
    codeSystem: Literal["billing", "wam_net"]


class Identifier(TypedDict):
    system: Literal[
        "office_number", "corporate_number", "center_code", "school_code", "employment_insurance_number"
    ]
    value: str
    serviceCode: NotRequired[ServiceCode]
    serial: NotRequired[int]


class Succession(TypedDict):
    """What became of an organization, from a day on."""

    kind: Literal["merged", "split", "renumbered", "transferred", "closed"]
    successorId: NotRequired[str]
    effectiveOn: str


class Organization(TypedDict):
    id: str
    kind: OrganizationKind
    name: str
    nameKana: NotRequired[str]
    corporateBody: NotRequired[dict[str, Any]]
    identifiers: list[Identifier]
    address: NotRequired[dict[str, Any]]
    phone: NotRequired[str]
    areaCodes: list[str]
    remitAreaCodes: NotRequired[list[str]]
    handoverContact: NotRequired[dict[str, Any]]
    formerNames: NotRequired[list[dict[str, Any]]]
    closedOn: NotRequired[str]
    successorId: NotRequired[str]
    successions: NotRequired[list[Succession]]


class AreaRules(TypedDict):
    windowMonths: int
    conferenceLeadMonths: int
    sharingLeadMonths: int
    overlapMonths: int
    answerLimitDays: int


class Area(TypedDict):
    code: str
    name: str
    prefectureCode: str
    municipalityCodes: list[str]
    rules: AreaRules


class Event(TypedDict):
    """Something has changed. Says nothing about the person; `position` is what to go on from."""

    position: int
    id: str
    type: EventType
    at: str
    handoverId: NotRequired[str]
    consentId: NotRequired[str]
    personId: NotRequired[str]
    status: NotRequired[Status]
