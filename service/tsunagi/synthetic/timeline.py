"""In which order things happen around a handover, and how far apart.

Months are counted here anew, not by the service's own rules: whatever the rules say of a made-up record is
then said of dates that they did not make.
"""

from calendar import monthrange
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from tsunagi.directory.rules import AreaRules, OrganizationKind

HandoverType = Literal[
    "transition_to_settlement",
    "settlement_to_center",
    "sender_to_center",
    "center_to_center",
    "selection_to_service",
    "other",
]

Flaw = Literal["gap", "unclaimed", "late_conference", "late_sharing", "no_employer_window", "short_overlap"]
"""What can be wrong with a record without being refused.

- `gap`: the sender's service ends two weeks before the planned date.
- `unclaimed`: nobody says since when the sender has been responsible for daily life, so a hole shows there.
- `late_conference`: no case conference was held in time.
- `late_sharing`: what the person still needs was shared later than three months before the service ends.
- `no_employer_window`: the employer is not told whom to call.
- `short_overlap`: sender and receiver walk together for less time than the area agreed on.
"""

GAP_DAYS = 14
SHORTEST_SERVICE = timedelta(days=18)
"""Time enough to assess the person, to hold a conference and to write."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What handovers of one type have in common."""

    sender: OrganizationKind
    receiver: OrganizationKind
    basis: str
    """On what the receiver's responsibility rests."""
    months_at_work: int | None = None
    """From hiring to the planned date; None where nobody is employed."""
    ends: bool = True
    """Whether a service of the sender ends."""
    overlaps: bool = True


SHAPES: dict[HandoverType, Shape] = {
    "transition_to_settlement": Shape(
        sender="transition", receiver="settlement", basis="settlement_contract", months_at_work=6
    ),
    "settlement_to_center": Shape(
        sender="settlement", receiver="center", basis="center_registration", months_at_work=42
    ),
    "sender_to_center": Shape(
        sender="transition", receiver="center", basis="center_registration", months_at_work=6
    ),
    "center_to_center": Shape(
        sender="center", receiver="center", basis="center_registration", months_at_work=60, ends=False
    ),
    "selection_to_service": Shape(
        sender="selection", receiver="transition", basis="service_contract", overlaps=False
    ),
    "other": Shape(sender="continuous_a", receiver="municipal_center", basis="agreement", months_at_work=6),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The days of one handover. What a record tells as done lies on or before `written`."""

    service_from: date
    hired: date | None
    assessed: date
    explained: date
    conference: date
    plan_created: date
    shared: date
    written: date
    overlap_from: date
    service_ends: date | None
    """Last day, inclusive."""
    planned: date
    follow_up_until: date
    """Last day, inclusive."""

    @property
    def hired_yet(self) -> bool:
        """Whether the person has begun to work when the record is written."""
        return self.hired is not None and self.hired <= self.written

    @property
    def at_work(self) -> bool:
        """Whether the person has worked long enough for the record to say how it went."""
        return self.hired is not None and (self.written - self.hired).days > 300


def months_later(day: date, months: int) -> date:
    """The same day so many months later (negative: earlier), or that month's last day where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def timeline(
    rng: Random,
    handover_type: HandoverType,
    planned: date,
    *,
    written_on: date | None = None,
    rules: AreaRules,
    flaws: Collection[Flaw] = (),
) -> Timeline:
    """The days of a handover with this planned date, each as the area's rules want it but for the flaws.

    Raises ValueError when `written_on` leaves the sender's service less than SHORTEST_SERVICE, or lies after it.
    """
    shape = SHAPES[handover_type]
    hired = months_later(planned, -shape.months_at_work) if shape.months_at_work else None
    ends = planned - timedelta(days=1 + (GAP_DAYS if "gap" in flaws else 0)) if shape.ends else None
    sharing_due = _last_day_before((ends + _DAY) if ends else planned, rules.sharing_lead_months)
    written = written_on or _written(rng, handover_type, planned, sharing_due, flaws)
    conference = _conference(rng, handover_type, planned, written, rules)
    service_from = _service_from(rng, handover_type, planned, hired, written)
    if not service_from + SHORTEST_SERVICE <= written < planned:
        raise ValueError("a record is written during the sender's service, and not in its first days")
    shared = min(conference + timedelta(days=rng.randint(0, 8)), written, sharing_due)
    overlap_from = months_later(planned, -rules.overlap_months)
    return Timeline(
        service_from=service_from,
        hired=hired,
        assessed=max(conference - timedelta(days=rng.randint(8, 25)), service_from + _DAY),
        explained=conference - timedelta(days=rng.randint(1, 4)),
        conference=conference,
        plan_created=min(conference + timedelta(days=rng.randint(0, 5)), written),
        shared=sharing_due + timedelta(days=20) if "late_sharing" in flaws else shared,
        written=written,
        overlap_from=overlap_from + timedelta(days=20) if "short_overlap" in flaws else overlap_from,
        service_ends=ends,
        planned=planned,
        follow_up_until=months_later(planned, rng.choice((6, 12))) - _DAY,
    )


def _last_day_before(day: date, months: int) -> date:
    """The last day that leaves so many whole months before `day`."""
    return months_later(day, -months) - _DAY


def _conference(
    rng: Random, handover_type: HandoverType, planned: date, written: date, rules: AreaRules
) -> date:
    """Some days before the record is written, and as early as the area wants it."""
    held = written - timedelta(days=rng.randint(3, 12))
    if handover_type in ("transition_to_settlement", "selection_to_service"):
        return held
    return min(held, _last_day_before(planned, rules.conference_lead_months))


def _written(
    rng: Random, handover_type: HandoverType, planned: date, sharing_due: date, flaws: Collection[Flaw]
) -> date:
    """When such records are usually written: as early as the facts are there, and after what came too late."""
    if "late_sharing" in flaws:
        return sharing_due + timedelta(days=25)
    if handover_type == "selection_to_service":
        return planned - timedelta(days=rng.randint(5, 12))
    return months_later(planned, -6) + timedelta(days=rng.randint(13, 30))


def _service_from(
    rng: Random, handover_type: HandoverType, planned: date, hired: date | None, written: date
) -> date:
    """Since when the sender has been responsible."""
    if handover_type == "selection_to_service":
        return min(months_later(planned, -1), written - SHORTEST_SERVICE)
    if handover_type == "settlement_to_center" and hired is not None:
        first_day = months_later(hired, 6)
        return first_day if first_day.day == hired.day else first_day + _DAY
    begins = months_later(hired or planned, -rng.randint(10, 22))
    return begins.replace(day=1)
