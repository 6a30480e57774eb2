"""A handover as a value: its states, the one party that may make each step, and what the calendar asks of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from tsunagi.clock import civil_date
from tsunagi.directory.rules import AreaRules
from tsunagi.errors import Notice, Party, Text
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream
from tsunagi.responsibility import milestones
from tsunagi.responsibility.rules import FOREVER, Basis, Domain, Role, SenderRoleAfter

Status = Literal[
    "draft",
    "offered",
    "received",
    "returned",
    "accepted",
    "overlapping",
    "completed",
    "declined",
    "withdrawn",
    "expired",
]
Action = Literal["offer", "open", "withdraw", "amend", "receive", "accept", "decline", "return"]
ClockStep = Literal["expire", "overlap", "complete"]
Side = Literal["sender", "receiver"]
Decision = Literal["accept", "decline", "left_with_sender"]

STEPS: dict[Action | ClockStep, tuple[Side | Literal["clock"], dict[Status, Status]]] = {
    "offer": ("sender", {"draft": "offered", "returned": "offered"}),
    "open": ("sender", {"offered": "offered", "received": "received"}),
    "amend": (
        "sender",
        {"draft": "draft", "offered": "offered", "received": "offered", "returned": "returned"},
    ),
    "withdraw": (
        "sender",
        {
            "draft": "withdrawn",
            "offered": "withdrawn",
            "received": "withdrawn",
            "returned": "withdrawn",
            "accepted": "withdrawn",
        },
    ),
    "receive": ("receiver", {"offered": "received", "received": "received"}),
    "accept": ("receiver", {"received": "accepted"}),
    "decline": ("receiver", {"offered": "declined", "received": "declined"}),
    "return": ("receiver", {"received": "returned"}),
    "expire": ("clock", {"offered": "expired", "received": "expired"}),
    "overlap": ("clock", {"accepted": "overlapping"}),
    "complete": ("clock", {"accepted": "completed", "overlapping": "completed"}),
}
"""Each step, who makes it, and from which state into which. Nothing else changes a state."""

DOMAIN_NAMES: dict[Domain, Text] = {
    "employment": Text("就業支援", "Employment support"),
    "daily_life": Text("生活支援", "Daily life support"),
    "employer_liaison": Text("企業窓口", "Employer liaison"),
}
"""As the schema calls them, for what is said of a domain."""

ACTIONS: tuple[Action, ...] = ("offer", "open", "amend", "withdraw", "receive", "accept", "decline", "return")
UNANSWERED: frozenset[Status] = frozenset({"offered", "received"})
ENDED: frozenset[Status] = frozenset({"completed", "declined", "withdrawn", "expired"})
WITHOUT_RELATION: frozenset[Status] = frozenset({"declined", "withdrawn", "expired"})
"""States after which the receiver is no longer in relation with the person through this handover."""


def available(status: Status, side: Side, *, window_open: bool) -> tuple[Action, ...]:
    """What this side may do now. Before the window opens the receiver can do no more than decline."""
    return tuple(
        action
        for action in ACTIONS
        if STEPS[action][0] == side
        and status in STEPS[action][1]
        and (side == "sender" or window_open or action == "decline")
    )


def turn(status: Status) -> Party:
    """Whose turn it is in this state: `platform` where the clock goes on, `client` where nobody does."""
    if status in UNANSWERED:
        return "receiver"
    if status in ENDED:
        return "client"
    return "sender" if status in ("draft", "returned") else "platform"


def after(status: Status, step: Action | ClockStep) -> Status | None:
    """The state after the step, or None where the step is not possible."""
    return STEPS[step][1].get(status)


@dataclass(frozen=True, slots=True)
class DomainState:
    """One domain of a handover: what was offered, and what was answered."""

    domain: Domain
    receiver_role: Role
    starts_on: date
    sender_role_after: SenderRoleAfter
    sender_primary_since: date | None = None
    basis: Basis | None = None
    decision: Literal["pending"] | Decision = "pending"
    accepted_role: Role | None = None
    accepted_from: date | None = None
    reason: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A handover's row, with its domains. Members are named as the columns."""

    id: HandoverId
    person_id: PersonId
    stream: Stream
    sender_id: OrganizationId
    receiver_id: OrganizationId
    handover_type: str
    status: Status
    version: int
    revision: int
    same_corporation: bool
    area_code: str | None
    planned_date: date
    service_ends_on: date | None
    hired_on: date | None
    first_conference_on: date | None
    shared_on: date | None
    continuing_need: bool | None
    """None: nobody has judged yet (未判断)."""
    employer_window_missing: bool
    employer_window_id: UUID | None = None
    """The organization that is to be the employer's single point of contact, where the record names it by its id."""
    overlap_from: date | None
    overlap_to: date | None
    follow_up_until: date | None
    window_opens_on: date
    window_opened_at: datetime | None = None
    window_announced: bool = False
    answer_due_on: date | None = None
    due_on: date
    clock_on: date | None = None
    recorded_at: datetime
    changed_at: datetime
    """When it became this revision."""
    offered_at: datetime | None = None
    received_at: datetime | None = None
    answered_at: datetime | None = None
    completed_at: datetime | None = None
    offered_versions: Sequence[int] = ()
    person_in_charge: Mapping[str, str] | None = None
    reason: Mapping[str, str] | None = None
    domains: tuple[DomainState, ...] = ()
    erased_at: datetime | None = None

    def side_of(self, organization_id: OrganizationId) -> Side | None:
        """Which side the organization is on; None for others, for the receiver of a mere draft, and of what was
        erased."""
        if self.erased_at is not None:
            return None
        if organization_id == self.sender_id:
            return "sender"
        if organization_id == self.receiver_id and self.offered_at is not None:
            return "receiver"
        return None

    @property
    def follow_up_ends_before(self) -> date | None:
        """The first day without follow-up: the record names its last one."""
        return self.follow_up_until and self.follow_up_until + timedelta(days=1)

    def window_open(self, today: date) -> bool:
        return self.window_opened_at is not None or self.window_opens_on <= today

    def readable_on(self, today: date) -> date:
        """The first day, from today on, on which the receiver may read what is on offer."""
        return today if self.window_open(today) else self.window_opens_on


@dataclass(frozen=True, slots=True)
class DomainAnswer:
    domain: Domain
    decision: Decision
    role: Role
    starts_on: date
    reason: dict[str, str] | None


ROLES: tuple[Role, ...] = ("primary", "co_support", "backup")
"""From the heaviest to the lightest."""


def answered(state: DomainState, answer: DomainAnswer) -> DomainState:
    taken = answer.decision == "accept"
    return replace(
        state,
        decision=answer.decision,
        accepted_role=answer.role if taken else None,
        accepted_from=answer.starts_on if taken else None,
        reason=answer.reason,
    )


def check_answers(
    answers: Iterable[DomainAnswer], offered: Iterable[DomainState], today: date
) -> tuple[Notice, ...]:
    """An acceptance answers every domain that was offered, takes at least one, none in the past, and in none more
    than was offered: the sender stays primary where it wants to."""
    answers, roles = list(answers), {one.domain: one.receiver_role for one in offered}
    if sorted(answer.domain for answer in answers) != sorted(roles):
        return (
            _refused(
                "acceptance.domains_not_covered",
                "/domains",
                "申し込まれた領域のすべてに、一度ずつ答えてください",
                "Answer each offered domain exactly once",
            ),
        )
    if all(answer.decision != "accept" for answer in answers):
        return (
            _refused(
                "acceptance.nothing_accepted",
                "/domains",
                "どの領域も受けない場合は、受諾ではなく辞退になります",
                "Where no domain is accepted, the handover is declined",
            ),
        )
    return tuple(_check_taken(answers, roles, today))


def _check_taken(
    answers: Sequence[DomainAnswer], roles: Mapping[Domain, Role], today: date
) -> Iterator[Notice]:
    for index, answer in enumerate(answers):
        if answer.decision != "accept":
            continue
        if answer.starts_on < today:
            yield _refused(
                "acceptance.effective_in_past",
                f"/domains/{index}/from",
                "責任の開始日を過去にはできません",
                "Responsibility cannot begin in the past",
            )
        if ROLES.index(answer.role) < ROLES.index(roles[answer.domain]):
            yield _refused(
                "acceptance.more_than_offered",
                f"/domains/{index}/role",
                "申し込まれたより重い役割は受けられません",
                "The role is more than what was offered",
            )


def _refused(code: str, pointer: str, ja: str, en: str) -> Notice:
    return Notice(code, "error", Text(ja, en), pointer, "receiver")


def window_opens_on(planned: date, area: AreaRules) -> date:
    return milestones.window_opens(planned, area)


def answer_due_on(offered: date, opens_on: date, planned: date, area: AreaRules) -> date:
    """The last day for an answer: the area's limit counts from the day on which the record can be read, and a
    handover whose planned date has come is no longer waiting."""
    return min(max(offered, opens_on) + timedelta(days=area.answer_limit_days), max(planned, offered))


def next_look(handover: Handover) -> date | None:
    """The day on which the clock next has something to do with the handover."""
    if handover.status in UNANSWERED and handover.answer_due_on is not None:
        if not handover.window_announced and not handover.window_opened_at:
            return handover.window_opens_on
        return handover.answer_due_on + timedelta(days=1)
    if handover.status == "accepted":
        return min(_overlap_begins(handover), _completes(handover))
    return _completes(handover) if handover.status == "overlapping" else None


def next_step(handover: Handover, today: date) -> ClockStep | None:
    """The step that is due, if any."""
    if handover.status in UNANSWERED and handover.answer_due_on is not None:
        return "expire" if today > handover.answer_due_on else None
    if handover.status == "accepted" and _overlap_begins(handover) <= today:
        return "overlap" if _overlap_begins(handover) < _completes(handover) else "complete"
    if handover.status == "overlapping" and _completes(handover) <= today:
        return "complete"
    return None


def as_of(handover: Handover, today: date) -> Handover:
    """The handover in the state that the calendar gives it, whether or not the clock has been there yet."""
    while (step := next_step(handover, today)) is not None:
        handover = replace(handover, status=STEPS[step][1][handover.status])
    return handover


def _accepted(handover: Handover) -> list[date]:
    return [one.accepted_from for one in handover.domains if one.accepted_from is not None]


def _overlap_begins(handover: Handover) -> date:
    """The first day on which both support the person: not before the answer, whatever was planned."""
    planned = min(_accepted(handover) + ([handover.overlap_from] if handover.overlap_from else []))
    return max(planned, civil_date(handover.answered_at)) if handover.answered_at else planned


def _completes(handover: Handover) -> date:
    return max(_accepted(handover))


def due_again(handover: Handover, area: AreaRules, today: date) -> date:
    """By when what was returned is to be on offer again: while there is time to share it as the law asks, else by the
    planned date. Before its window is open the receiver is not to learn when the service ends."""
    found = milestones.milestones(
        hired_on=None,
        handover_type=handover.handover_type,
        service_ends_on=handover.service_ends_on if handover.window_open(today) else None,
        planned_date=None,
        rules=area,
    )
    sharing = [one.on for one in found if one.kind == "sharing_due" and one.on >= today]
    return min([handover.planned_date, *sharing])


def next_due(handover: Handover) -> date:
    """By when something is next expected of somebody: the planned date when nothing else is, FOREVER once it has
    ended, so that what is over comes last. Of what was returned it is the day that was found then."""
    if handover.status in ENDED:
        return FOREVER
    if handover.status in UNANSWERED and handover.answer_due_on is not None:
        return handover.answer_due_on
    if handover.status in ("accepted", "overlapping"):
        return _completes(handover)
    return handover.due_on if handover.status == "returned" else handover.planned_date


def looked(handover: Handover) -> Handover:
    """With the dates that follow from its state."""
    return replace(handover, clock_on=next_look(handover), due_on=next_due(handover))
