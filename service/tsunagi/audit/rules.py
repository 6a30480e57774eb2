"""Which entries make a receipt, and how much of each a side may see."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tsunagi.ids import OrganizationId, Stream
from tsunagi.ledger.rules import Action, Outcome

READINGS: frozenset[Action] = frozenset({"handovers:read", "handovers:export"})
OF_THE_SENDER_ALONE: frozenset[Action] = frozenset({"handovers:create", "handovers:amend"})
STEPS: frozenset[Action] = READINGS | {
    "handovers:create",
    "handovers:amend",
    "handovers:offer",
    "handovers:open",
    "handovers:receive",
    "handovers:accept",
    "handovers:decline",
    "handovers:return",
    "handovers:withdraw",
    "handovers:expire",
    "handovers:overlap",
    "handovers:complete",
}
"""What is on a receipt: what was delivered, and what became of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it is kept. `position` is None while it waits for its place in the log; salt and body are None once
    they are erased, or where they are not for whoever looks."""

    id: UUID
    recorded_at: datetime
    stream: Stream | None
    number: int | None
    commitment: bytes
    position: int | None
    action: Action | None
    outcome: Outcome | None
    organization_id: OrganizationId | None
    version: int | None
    salt: bytes | None
    body: str | None


def steps(found: Iterable[Kept], *, receiver: OrganizationId) -> Iterator[Kept]:
    """Of the entries about a handover, in their order, those that are on its receipt: of the receiver's readings the
    first of each version, of the sender's own none."""
    read: set[int | None] = set()
    for one in found:
        if one.outcome != "permit" or one.action not in STEPS:
            continue
        if one.action in READINGS:
            if one.organization_id != receiver or one.version in read:
                continue
            read.add(one.version)
        yield one


def for_receiver(found: Iterable[Kept], receiver: OrganizationId, *, opened: bool) -> Iterator[Kept]:
    """What the receiver may see of a receipt: its own steps in full; those of others from the offer on, and what they
    say only while it may read the record."""
    offered = False
    for one in found:
        offered = offered or one.action == "handovers:offer"
        if not offered:
            continue
        hidden = one.organization_id != receiver and not opened
        yield replace(one, salt=None, body=None) if hidden else one
