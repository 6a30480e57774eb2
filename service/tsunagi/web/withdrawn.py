"""What the receiver of a handover is no longer shown because a consent was taken back, as the sender has to know it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsunagi.web.consents import covered
from tsunagi.web.visit import Visit

SHOWN = frozenset({"offered", "received", "returned", "accepted", "overlapping", "completed"})
"""States in which the receiver reads the record, or will once its window opens."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """One withdrawal, with the sections that nothing else opens."""

    consent_id: str
    at: str
    sections: Sequence[str]


async def withdrawn(visit: Visit, handover: Mapping[str, Any]) -> list[Withdrawn]:
    """The latest first; none to the receiver, which is told section by section. Reading consents is on the ledger."""
    if handover["direction"] != "outgoing" or handover["status"] not in SHOWN:
        return []
    found = (await visit.ask("listConsents", personId=handover["personId"]))["consents"]
    return list(_closing(handover, found))


def _closing(handover: Mapping[str, Any], consents: Sequence[Mapping[str, Any]]) -> Iterator[Withdrawn]:
    """Each section with the latest withdrawal of it, unless another consent of whose data it is opens it."""
    named = [one for one in consents if handover["receiver"]["id"] in one["recipientIds"]]
    done = {(one["subject"], name) for one in named if one["status"] == "active" for name in covered(one)}
    steps = [(step, one) for one in named for step in one.get("withdrawals", ())]
    for step, consent in sorted(steps, key=lambda one: str(one[0]["withdrawnAt"]), reverse=True):
        closed = {(consent["subject"], name) for name in step["sections"]} - done
        sections = [name for name in handover["record"]["sections"] if (consent["subject"], name) in closed]
        if sections:
            yield Withdrawn(consent["id"], step["withdrawnAt"], sections)
        done |= closed
