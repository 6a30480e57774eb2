"""What a reader gets of a handover."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tsunagi.consent.rules import Coverage, WithheldReason
from tsunagi.errors import Notice
from tsunagi.handovers.rules import Handover, Side, Status
from tsunagi.ids import ConsentId
from tsunagi.strict_json import canonical_bytes

READABLE: frozenset[Status] = frozenset(
    {"offered", "received", "returned", "accepted", "overlapping", "completed"}
)
"""States in which the receiver may read the record, once its window is open."""


@dataclass(frozen=True, slots=True)
class Content:
    """The part of a record that its reader may see, each text as it was sent."""

    version: int
    recorded_at: datetime
    header: str
    extensions: str | None
    sections: Mapping[str, str]
    hashes: Mapping[str, bytes]
    withheld: Mapping[str, WithheldReason]
    consents: tuple[ConsentId, ...]
    warnings: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A handover as one side sees it; without content it is a notice that something is coming."""

    handover: Handover
    side: Side
    content: Content | None
    assignee: str | None
    """Of this side."""


def readable(handover: Handover, viewer: Side, today: date) -> bool:
    """Whether this side gets more than the notice."""
    return viewer == "sender" or (handover.status in READABLE and handover.window_open(today))


def visible_warnings(found: Iterable[Notice], covered: Coverage | None) -> tuple[Notice, ...]:
    """What a viewer may know of what the rules noticed: nothing about sections that are withheld from it, and
    nothing at all with a mere notice."""
    if covered is None:
        return ()
    return tuple(notice for notice in found if _section(notice.pointer) not in covered.withheld)


def _section(pointer: str) -> str | None:
    parts = pointer.split("/")
    return parts[2] if parts[1:2] == ["sections"] and len(parts) > 2 else None


def etag(handover: Handover, viewer: Side, covered: Coverage | None, today: date) -> str:
    """Differs between viewers; changes with every step of the handover, when its window opens, and with every
    consent that opens or closes a section or gives another reason for withholding it. Not with the assignee: who
    changes a record must not be held up because a colleague has put somebody in charge of it."""
    seen: list[object] = [viewer, handover.window_open(today)]
    if covered is not None:
        opened = {name: [str(consent) for consent in by] for name, by in covered.visible.items()}
        seen += [opened, dict(covered.withheld)]
    digest = hashlib.sha256(canonical_bytes(seen)).hexdigest()
    return f'"{handover.version}.{handover.revision}-{digest[:12]}"'
