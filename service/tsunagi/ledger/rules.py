"""The shape of a ledger entry and what it commits to."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from tsunagi.ids import ClientId, OrganizationId, Stream
from tsunagi.strict_json import canonical_bytes

ENTRY_VERSION = 1
SALT_BYTES = 32

Outcome = Literal["permit", "deny"]
Action = Literal[
    "calendars:read",
    "clients:register",
    "clients:revoke",
    "clients:rotate",
    "clients:withdraw",
    "consents:except",
    "consents:give",
    "consents:read",
    "consents:withdraw",
    "directory:import",
    "directory:succeed",
    "disclosures:read",
    "evidence:export",
    "evidence:read",
    "findings:read",
    "guidelines:adopt",
    "guidelines:read",
    "handovers:accept",
    "handovers:amend",
    "handovers:assign",
    "handovers:complete",
    "handovers:create",
    "handovers:decline",
    "handovers:expire",
    "handovers:export",
    "handovers:offer",
    "handovers:open",
    "handovers:overlap",
    "handovers:read",
    "handovers:read_activities",
    "handovers:receive",
    "handovers:record_activity",
    "handovers:return",
    "handovers:withdraw",
    "handovers:withdraw_activity",
    "ledger:read",
    "openid:change",
    "openid:register",
    "openid:remove",
    "people:erase",
    "people:hold",
    "people:match",
    "people:register",
    "people:release",
    "people:report",
    "people:withhold",
    "provisions:export",
    "provisions:read",
    "responsibility:change",
    "responsibility:correct",
    "responsibility:end",
    "responsibility:read",
    "responsibility:report",
    "responsibility:succeed",
    "staff:add",
    "staff:add_passkey",
    "staff:change",
    "staff:join",
    "staff:link",
    "staff:remove_passkey",
    "staff:reset",
    "staff:sign_in",
    "staff:sign_out",
    "staff:unlink",
    "tokens:issue",
    "webhooks:add",
    "webhooks:pause",
    "webhooks:remove",
    "webhooks:resume",
    "webhooks:rotate",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an organization, through a piece of software, by a member of staff if the software names one."""

    organization_id: OrganizationId | None
    client_id: ClientId
    staff: str | None
    request_id: str


PLATFORM = ClientId("tsunagi")
"""The client that acts when the clock does."""

PAGES = ClientId("tsunagi-pages")
"""The client that staff act through in the browser."""


@dataclass(frozen=True, slots=True)
class Record:
    kind: Literal[
        "handover",
        "consent",
        "person",
        "responsibility",
        "provision",
        "guideline",
        "organization",
        "client",
        "staff",
        "webhook",
        "openid_provider",
    ]
    id: UUID | str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. Holds no personal data: people appear as streams, content as section names."""

    action: Action
    at: datetime
    actor: Actor
    outcome: Outcome = "permit"
    stream: Stream | None = None
    record: Record | None = None
    sections: Sequence[str] = ()
    consents: Sequence[UUID] = ()
    content: str | None = None
    """What `content_hash` says of the sections, where their content was taken or shown."""
    code: str | None = None
    """The refusal's code when the outcome is `deny`."""
    change: tuple[str | None, str] | None = None
    """The state before and after."""
    asked: Mapping[str, str] = field(default_factory=dict)
    """Where many are looked at in one go: the filters, which are codes, ids and dates. And which of a handover's
    activities it is about."""
    withheld: Mapping[str, int] | None = None
    """How much the person is not told, by rule."""


def body(entry: Entry, *, entry_id: UUID, number: int | None, previous: bytes | None) -> bytes:
    """The RFC 8785 form of an entry. `number` counts from 1 within the stream; `previous` is the commitment
    of the entry before it, so that a missing step shows."""
    content: dict[str, object] = {
        "v": ENTRY_VERSION,
        "id": str(entry_id),
        "at": entry.at.isoformat(timespec="microseconds"),
        "action": entry.action,
        "outcome": entry.outcome,
        "actor": _present(
            organization=entry.actor.organization_id and str(entry.actor.organization_id),
            client=entry.actor.client_id,
            staff=entry.actor.staff,
        ),
        "requestId": entry.actor.request_id,
    }
    content |= _present(
        stream=entry.stream and str(entry.stream),
        number=number,
        previous=previous and previous.hex(),
        record=entry.record
        and _present(kind=entry.record.kind, id=str(entry.record.id), version=entry.record.version),
        sections=list(entry.sections) or None,
        consents=[str(consent) for consent in entry.consents] or None,
        content=entry.content,
        code=entry.code,
        change=entry.change and {"from": entry.change[0], "to": entry.change[1]},
        asked=dict(entry.asked) or None,
        withheld=None if entry.withheld is None else dict(entry.withheld),
    )
    return canonical_bytes(content)


def commitment(salt: bytes, entry_body: bytes) -> bytes:
    """SHA-256(salt ‖ entry): once salt and body are erased, the commitment leads to nobody."""
    return hashlib.sha256(salt + entry_body).digest()


def content_hash(sections: Mapping[str, bytes]) -> str:
    """One hash for sections by name, of which these are the SHA-256 of the RFC 8785 form: of the object that has them
    in hexadecimal. Whoever has the sections can compute it."""
    named = {name: digest.hex() for name, digest in sections.items()}
    return hashlib.sha256(canonical_bytes(named)).hexdigest()


def _present(**members: object) -> dict[str, object]:
    return {name: value for name, value in members.items() if value is not None}
