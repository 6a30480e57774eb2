"""What both sides of a handover did together, as it stands with the record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsunagi.layout.rules import Layout, Part
from tsunagi.web.forms import ACTIVITIES
from tsunagi.web.visit import Visit

_DAYS = {"case_conference": "heldOn", "joint_visit": "visitedOn", "employer_window": "from"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One activity. `parts` are what is said of it beside its day; `replaced`: its side has said otherwise since."""

    activity: Mapping[str, Any]
    day: str
    parts: Sequence[Part]
    replaced: bool

    @property
    def content(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.activity[ACTIVITIES[self.activity["kind"]][0]]
        return found


@dataclass(frozen=True, slots=True)
class Together:
    """The newest days first. `window` is None where one may read one's own alone."""

    entries: Sequence[Entry]
    window: Mapping[str, Any] | None
    withheld: Sequence[Mapping[str, str]]
    may_record: bool
    names: Mapping[str, str]
    """What the two sides are called, by their ids."""


async def together(visit: Visit, handover: Mapping[str, Any]) -> Together:
    """Reading it is on the ledger."""
    found = await visit.ask("listActivities", handoverId=handover["id"])
    entries = list(_entries(visit, found["items"]))
    return Together(
        sorted(entries, key=lambda one: (one.day, one.activity["id"]), reverse=True),
        found.get("employerWindow"),
        found["withheld"],
        "record" in found["availableActions"],
        {handover[side]["id"]: handover[side]["name"] for side in ("sender", "receiver")},
    )


def _entries(visit: Visit, items: Sequence[Mapping[str, Any]]) -> Iterator[Entry]:
    plan = Layout(visit.services.shapes, visit.language)
    windows = [one for one in items if one["kind"] == "employer_window" and "withdrawnAt" not in one]
    last = {one["side"]: one["id"] for one in windows}
    for one in items:
        kind = one["kind"]
        member, uri = ACTIVITIES[kind]
        told = {name: value for name, value in one[member].items() if name != _DAYS[kind]}
        replaced = one in windows and one["id"] != last[one["side"]]
        yield Entry(one, one[member][_DAYS[kind]], plan.parts(uri, told), replaced)
