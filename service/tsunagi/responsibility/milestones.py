"""The dates that follow from the day of hiring, the end of a service and the planned date (期限).

Periods of months are counted as the Civil Code does: a first day that begins at midnight counts (art. 140),
and a period ends on the day before the corresponding day of its last month, or on that month's last day where
there is no corresponding day (art. 143). Dates beyond the calendar stop at its first or last day.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from tsunagi.directory.rules import AreaRules

MilestoneKind = Literal[
    "follow_up_ends",
    "settlement_starts",
    "settlement_ends",
    "conference_due",
    "window_opens",
    "sharing_due",
    "overlap_starts",
    "service_ends",
    "planned_date",
    "answer_due",
]

FOLLOW_UP_MONTHS = 6
"""就職後6か月の職場定着支援: a duty of transition providers, an effort duty of the others."""
SETTLEMENT_MONTHS = 36
"""就労定着支援: at most three years, counted from its own first day."""

HIRED_TYPES = frozenset({"transition_to_settlement", "settlement_to_center", "sender_to_center"})
"""Handovers around one hiring, so that the six months after it matter."""
SETTLEMENT_TYPES = frozenset({"transition_to_settlement", "settlement_to_center"})
WITHOUT_OVERLAP = frozenset({"selection_to_service"})
"""Nobody is employed yet: there is no employer to visit together, and the service lasts a month or two."""
WITHOUT_CONFERENCE = WITHOUT_OVERLAP | {"transition_to_settlement"}
"""Six months before these the person is not employed yet; the areas' rule is about passing on to a center."""


@dataclass(frozen=True, slots=True, order=True)
class Milestone:
    on: date
    kind: MilestoneKind


def corresponding_day(day: date, months: int) -> date:
    """The same day so many months later (negative: earlier), or that month's last day where there is none."""
    index = min(max(day.year * 12 + day.month - 1 + months, 12), date.max.year * 12 + 11)
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def period_end(first_day: date, months: int) -> date:
    """The last day of a period of so many months that begins on `first_day`."""
    day = corresponding_day(first_day, months)
    return day if day.day < first_day.day else _days_later(day, -1)


def follow_up_end(hired_on: date) -> date:
    """The last day of the six months after hiring."""
    return period_end(hired_on, FOLLOW_UP_MONTHS)


def settlement_period(hired_on: date) -> tuple[date, date]:
    """The first and the last day on which settlement support is possible."""
    first_day = _days_later(follow_up_end(hired_on), 1)
    return first_day, period_end(first_day, SETTLEMENT_MONTHS)


def service_end(handover_type: str, *, hired_on: date | None, service_ends_on: date | None) -> date | None:
    """The last day of the sender's service, as it is stated; settlement support else ends with its period."""
    if service_ends_on is None and hired_on is not None and handover_type == "settlement_to_center":
        return settlement_period(hired_on)[1]
    return service_ends_on


def conference_due(planned_date: date, rules: AreaRules) -> date:
    """The last day on which a case conference leaves the area's full lead before the planned date."""
    return _latest_before(planned_date, rules.conference_lead_months)


def sharing_due(service_ends_on: date, rules: AreaRules) -> date:
    """The last day on which sharing leaves the full lead before the service has ended: by law three months
    (支援体制構築未実施減算, since 2024-04)."""
    return _latest_before(_days_later(service_ends_on, 1), rules.sharing_lead_months)


def window_opens(planned_date: date, rules: AreaRules) -> date:
    """The first day on which the receiver may read."""
    return corresponding_day(planned_date, -rules.window_lead_months)


def overlap_starts(planned_date: date, rules: AreaRules) -> date:
    """The first day of the joint visits before the planned date."""
    return corresponding_day(planned_date, -rules.overlap_months)


def milestones(
    *,
    hired_on: date | None,
    handover_type: str,
    service_ends_on: date | None,
    planned_date: date | None,
    rules: AreaRules,
) -> tuple[Milestone, ...]:
    """What can be known from these dates, earliest first. The answer's limit, which depends on the offer, is not."""
    found: list[Milestone] = []
    if hired_on and handover_type in HIRED_TYPES:
        found.append(Milestone(follow_up_end(hired_on), "follow_up_ends"))
    if hired_on and handover_type in SETTLEMENT_TYPES:
        settlement_starts, settlement_ends = settlement_period(hired_on)
        found.append(Milestone(settlement_starts, "settlement_starts"))
        found.append(Milestone(settlement_ends, "settlement_ends"))
    if service_ends_on:
        found.append(Milestone(service_ends_on, "service_ends"))
    ends_on = service_end(handover_type, hired_on=hired_on, service_ends_on=service_ends_on)
    if handover_type == "settlement_to_center" and ends_on:
        found.append(Milestone(sharing_due(ends_on, rules), "sharing_due"))
    if planned_date:
        found.append(Milestone(window_opens(planned_date, rules), "window_opens"))
        found.append(Milestone(planned_date, "planned_date"))
    if planned_date and handover_type not in WITHOUT_CONFERENCE:
        found.append(Milestone(conference_due(planned_date, rules), "conference_due"))
    if planned_date and handover_type not in WITHOUT_OVERLAP:
        found.append(Milestone(overlap_starts(planned_date, rules), "overlap_starts"))
    return tuple(sorted(found))


def _latest_before(end: date, months: int) -> date:
    """The last day after which a whole period of so many months still fits before `end`."""
    return _days_later(corresponding_day(end, -months), -1)


def _days_later(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
