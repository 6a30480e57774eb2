"""What a reader gets of a handover."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tsunagi.consent.rules import WithheldReason
from tsunagi.handovers.rules import Handover, Side, Status
from tsunagi.ids import ConsentId

READABLE: frozenset[Status] = frozenset(
    {"offered", "received", "returned", "accepted", "overlapping", "completed"}
)
"""States in which the receiver may read the record, once its window is open."""


@dataclass(frozen=True, slots=True)
class Content:
    """The part of a record that its reader may see, each text as it was sent."""

    version: int
    header: str
    extensions: str | None
    sections: Mapping[str, str]
    hashes: Mapping[str, bytes]
    withheld: Mapping[str, WithheldReason]
    consents: tuple[ConsentId, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A handover as one side sees it; without content it is a notice that something is coming."""

    handover: Handover
    side: Side
    content: Content | None


def etag(handover: Handover, visible: frozenset[str], kind: Literal["record", "notice"]) -> str:
    """Changes with every step of the handover and with every consent that opens or closes a section."""
    seen = hashlib.sha256(f"{kind}:{','.join(sorted(visible))}".encode()).hexdigest()[:12]
    return f'"{handover.version}.{handover.revision}-{seen}"'
