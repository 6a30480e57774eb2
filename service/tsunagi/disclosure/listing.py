"""An organization's list of handovers, in the order in which something is due.

Each direction has an index of its own in that order: whatever the number of handovers, a page reads a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from tsunagi.db import Acting, ReadTx, fetch
from tsunagi.directory.rules import OrganizationKind
from tsunagi.disclosure.rules import READABLE
from tsunagi.handovers.rules import Status
from tsunagi.ids import HandoverId, OrganizationId, PersonId


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of an organization's handovers to list."""

    direction: str | None = None
    statuses: Sequence[str] = ()
    due_before: date | None = None
    window: str | None = None
    area: str | None = None
    handover_type: str | None = None
    assignee: str | None = None
    unassigned: bool | None = None
    """Whether nobody is in charge."""
    person_id: PersonId | None = None


class Listed(NamedTuple):
    """A row of the list: a handover without its record. Members are named as the columns."""

    id: HandoverId
    version: int
    status: Status
    handover_type: str
    sender_id: OrganizationId
    receiver_id: OrganizationId
    planned_date: date
    service_ends_on: date | None
    due_on: date
    window_opens_on: date
    window_opened_at: datetime | None
    area_code: str | None
    person_id: PersonId
    domains: str
    """JSON, as it is kept."""
    sender_name: str
    sender_kind: OrganizationKind
    receiver_name: str
    receiver_kind: OrganizationKind
    sharing_lead_months: int | None
    """Of the area; None where there is none, as the next."""
    overlap_months: int | None
    assignee: str | None
    """Whom the organization has put in charge."""


_COLUMNS = Listed._fields[:-7]
_SIDES = {
    "incoming": "receiver_id = $1 AND offered_at IS NOT NULL AND erased_at IS NULL",
    "outgoing": "sender_id = $1 AND erased_at IS NULL",
}
_KNOWN = f"""(sender_id = $1
    OR (status IN ({", ".join(f"'{one}'" for one in sorted(READABLE))})
        AND (window_opens_on <= {{}} OR window_opened_at IS NOT NULL)))"""
"""Whom it is about the organization knows."""
_ASSIGNEE = """(
    SELECT own.assignee FROM handover_assignees own
    WHERE own.handover_id = {}.id AND own.organization_id = $1)"""
"""Looked up for one row after the other. A join, of which PostgreSQL does not know how many rows it is for, would read
the whole table, or sort instead of reading rows off the index in their order."""


async def listing(
    tx: ReadTx,
    acting: Acting,
    wanted: Filter,
    *,
    after: tuple[date, HandoverId] | None,
    limit: int,
) -> list[Listed]:
    """The organization's handovers behind the key `after`."""
    conditions = _conditions(wanted, acting.today)
    sides = (wanted.direction,) if wanted.direction else tuple(_SIDES)
    statement = _statement(sides, tuple(condition for condition, _ in conditions), after is not None)
    values = [value for _, value in conditions if value is not None]
    rows = await fetch(tx, statement, acting.organization_id, limit, *(after or ()), *values)
    return [Listed._make(row) for row in rows]


def _conditions(wanted: Filter, today: date) -> list[tuple[str, object]]:
    """What is asked for, each with the value that its `{}` stands for."""
    found: list[tuple[str, object]] = []
    if wanted.statuses:
        found.append(("status = ANY ({})", list(wanted.statuses)))
    if wanted.due_before is not None:
        found.append(("due_on < {}", wanted.due_before))
    if wanted.area is not None:
        found.append(("area_code = {}", wanted.area))
    if wanted.handover_type is not None:
        found.append(("handover_type = {}", wanted.handover_type))
    if wanted.person_id is not None:  # what it cannot read tells a receiver nothing about whom it is of
        found += [(_KNOWN, today), ("person_id = {}", wanted.person_id)]
    if wanted.assignee is not None:
        found.append((f"{_ASSIGNEE.format('handovers')} = {{}}", wanted.assignee))
    if wanted.unassigned is not None:
        found.append((f"({_ASSIGNEE.format('handovers')} IS NULL) = {{}}", wanted.unassigned))
    if wanted.window is not None:
        is_open = "(window_opens_on <= {} OR window_opened_at IS NOT NULL)"
        found.append((is_open if wanted.window == "open" else f"NOT {is_open}", today))
    return found


@lru_cache(maxsize=100)
def _statement(sides: tuple[str, ...], conditions: tuple[str, ...], behind: bool) -> str:
    """$1 is the organization, $2 the limit; then the key, where the page is `behind` one, then the conditions'."""
    first = 5 if behind else 3
    also = [condition.format(f"${place}") for place, condition in enumerate(conditions, first)]
    also += ["(due_on, id) > ($3, $4)"] if behind else []
    pages = [
        f"(SELECT {', '.join(_COLUMNS)} FROM handovers"  # noqa: S608  nothing but names and places is put in
        f" WHERE {' AND '.join([_SIDES[side], *also])} ORDER BY due_on, id LIMIT $2)"
        for side in sides
    ]
    return f"""
        SELECT {", ".join(f"h.{name}" for name in _COLUMNS)}, s.name, s.kind, r.name, r.kind,
            a.sharing_lead_months, a.overlap_months, {_ASSIGNEE.format("h")}
        FROM (SELECT * FROM ({" UNION ALL ".join(pages)}) AS sides ORDER BY due_on, id LIMIT $2) AS h
        JOIN organizations s ON s.id = h.sender_id JOIN organizations r ON r.id = h.receiver_id
        LEFT JOIN areas a ON a.code = h.area_code
        ORDER BY h.due_on, h.id
    """  # noqa: S608  nothing but names and places is put in
