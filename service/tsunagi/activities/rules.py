"""What may be recorded of what both sides did together, and what of it counts. Values only."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, NewType
from uuid import UUID

from tsunagi.clock import civil_date
from tsunagi.consent.rules import Coverage
from tsunagi.directory.rules import OrganizationKind
from tsunagi.errors import Level, Notice, Text
from tsunagi.handovers.rules import Handover, Side, Status
from tsunagi.ids import HandoverId, OrganizationId
from tsunagi.responsibility.milestones import corresponding_day

ActivityId = NewType("ActivityId", UUID)
ActivityKind = Literal["case_conference", "joint_visit", "employer_window"]

MEMBERS: Mapping[ActivityKind, tuple[str, str]] = {
    "case_conference": ("caseConference", "heldOn"),
    "joint_visit": ("jointVisit", "visitedOn"),
    "employer_window": ("employerWindow", "from"),
}
"""Of each kind the member that holds its content, and in it the day."""

SECTION = "handover_plan"
"""Where the sender tells of conferences and visits in its record: whoever may read that may read these."""

MOST = 50
"""Of one handover by one side, those that were taken back included: neither side can use up what is the other's."""

MONTHS_BEFORE, MONTHS_BEHIND = 12, 12
"""A conference or a visit may come before the record of the handover, but not by more than this; and a window begins
at most so long after the planned date."""

_TOGETHER: frozenset[Status] = frozenset({"received", "returned", "accepted", "overlapping"})
RECORDING: Mapping[Side, frozenset[Status]] = {
    "sender": _TOGETHER | {"offered"},
    "receiver": _TOGETHER,
}
"""In which states each side may record: the sender once it has offered, the receiver once it has read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One thing that a side recorded. Members but the document are named as the columns."""

    id: ActivityId
    handover_id: HandoverId
    recorded_by: OrganizationId
    kind: ActivityKind
    on_day: date
    window_id: OrganizationId | None
    recorded_at: datetime
    withdrawn_at: datetime | None = None
    document: Mapping[str, Any] | None = None
    """As it was sent; None where it is only counted."""

    @property
    def counts(self) -> bool:
        return self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class Statement:
    """Through which organization a side says that the employer is addressed, from which day on."""

    organization_id: OrganizationId
    from_day: date
    said_on: date


@dataclass(frozen=True, slots=True)
class Window:
    """What each side said last of the employer's window (窓口の一本化)."""

    sender: Statement | None
    receiver: Statement | None

    @property
    def agreed(self) -> Statement | None:
        """Where both name the same: from the later of their days on."""
        if self.sender is None or self.receiver is None or self.disputed_since is not None:
            return None
        return max(self.sender, self.receiver, key=lambda one: one.from_day)

    @property
    def disputed_since(self) -> date | None:
        """The day on which it was said that made them two."""
        if self.sender is None or self.receiver is None:
            return None
        same = self.sender.organization_id == self.receiver.organization_id
        return None if same else max(self.sender.said_on, self.receiver.said_on)


def window(handover: Handover, activities: Iterable[Activity]) -> Window:
    """`activities` in the order in which they were recorded."""
    last: dict[OrganizationId, Statement] = {}
    for one in activities:
        if one.counts and one.window_id is not None:
            last[one.recorded_by] = Statement(one.window_id, one.on_day, civil_date(one.recorded_at))
    return Window(last.get(handover.sender_id), last.get(handover.receiver_id))


def counted(handover: Handover, activities: Sequence[Activity]) -> Handover:
    """The handover as it stands with what was recorded after it: a conference that was held counts whoever wrote of
    it, and what both sides say of the employer's window counts more than what the record says."""
    held = [one.on_day for one in activities if one.counts and one.kind == "case_conference"]
    first = min(
        [*held, *([handover.first_conference_on] if handover.first_conference_on else [])], default=None
    )
    found = window(handover, activities)
    if found.disputed_since is not None:  # a finding of its own
        return replace(
            handover, first_conference_on=first, employer_window_missing=False, employer_window_id=None
        )
    if found.agreed is None:
        return replace(handover, first_conference_on=first)
    agreed = found.agreed.organization_id
    return replace(
        handover, first_conference_on=first, employer_window_missing=False, employer_window_id=agreed
    )


def readable(
    activities: Iterable[Activity], side: Side, reader: OrganizationId, covered: Coverage | None
) -> list[Activity]:
    """What a side may read: its own always, the other's as long as it may read the section they belong to."""
    whole = opens(side, covered)
    return [one for one in activities if whole or one.recorded_by == reader]


def opens(side: Side, covered: Coverage | None) -> bool:
    """Whether a side may read what the other one recorded."""
    return side == "sender" or (covered is not None and SECTION in covered.visible)


def check(new: Activity, handover: Handover, today: date) -> tuple[Notice, ...]:
    """What is wrong with it beyond its shape."""
    member, day = MEMBERS[new.kind]
    at = f"/{member}/{day}"
    if new.kind == "employer_window":
        return tuple(_check_window(new, handover, at))
    if new.on_day > today:
        return (_refused("activity.in_future", at, "まだ来ていない日です", "The day has not come yet"),)
    earliest = corresponding_day(civil_date(handover.recorded_at), -MONTHS_BEFORE)
    return _check_earliest(new.on_day, earliest, at)


def _check_window(new: Activity, handover: Handover, at: str) -> Iterator[Notice]:
    if new.window_id not in (handover.sender_id, handover.receiver_id):
        yield _refused(
            "employer_window.not_a_side",
            "/employerWindow/organizationId",
            "窓口になれるのは、この引継ぎの提供元か提供先です",
            "The window is the sender or the receiver of this handover",
        )
    if new.on_day > corresponding_day(handover.planned_date, MONTHS_BEHIND):
        yield _refused(
            "employer_window.too_late",
            at,
            f"引継ぎ予定日の{MONTHS_BEHIND}か月後までの日にしてください",
            f"At most {MONTHS_BEHIND} months after the planned date",
        )
    yield from _check_earliest(
        new.on_day, corresponding_day(civil_date(handover.recorded_at), -MONTHS_BEFORE), at
    )


def _check_earliest(day: date, earliest: date, at: str) -> tuple[Notice, ...]:
    if day >= earliest:
        return ()
    return (
        _refused(
            "activity.too_early",
            at,
            f"引継ぎの登録の{MONTHS_BEFORE}か月前より前の日です",
            f"More than {MONTHS_BEFORE} months before the handover was recorded",
        ),
    )


def too_many() -> Notice:
    return _refused(
        "activity.too_many",
        "",
        f"一つの引継ぎにそれぞれの側が記録できる連携は{MOST}までです",
        f"Each side can record at most {MOST} activities of a handover",
    )


def warnings(document: Mapping[str, Any], kinds: Mapping[Side, OrganizationKind]) -> tuple[Notice, ...]:
    """What both sides should look at: a conference of both has somebody of each."""
    if document["kind"] != "case_conference":
        return ()
    there = {one["organizationKind"] for one in document["caseConference"]["participants"]}
    at = "/caseConference/participants"
    return tuple(_missing(side, at) for side, kind in kinds.items() if kind not in there)


def _missing(side: Side, at: str) -> Notice:
    ja, en = {"sender": ("提供元", "the sender's"), "receiver": ("提供先", "the receiver's")}[side]
    return _noticed(
        f"conference.{side}_missing",
        at,
        f"出席者に{ja}の種別の機関がありません",
        f"Nobody of {en} kind is among the participants",
        "warning",
    )


def _refused(code: str, pointer: str, ja: str, en: str) -> Notice:
    return _noticed(code, pointer, ja, en, "error")


def _noticed(code: str, pointer: str, ja: str, en: str, level: Level) -> Notice:
    return Notice(code, level, Text(ja, en), pointer, "client")
