"""What needs attention, found by comparing what happened with what was due."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from tsunagi.clock import civil_date
from tsunagi.consent.rules import Access
from tsunagi.directory.rules import AreaRules
from tsunagi.errors import Party, Text
from tsunagi.handovers.rules import ENDED, UNANSWERED, Handover, Status
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.responsibility import milestones
from tsunagi.responsibility.milestones import Milestone
from tsunagi.responsibility.rules import Domain

FindingKind = Literal[
    "gap",
    "no_answer",
    "conference_late",
    "sharing_late",
    "consent_ended",
    "holder_closed",
    "holder_after_service",
    "employer_window_undefined",
    "employer_window_double",
    "overlap_too_long",
]
Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """An entry of the ledger."""

    entry_id: UUID
    action: str
    at: datetime


_STATED = frozenset(
    {
        *("handovers:create", "handovers:offer", "handovers:amend"),
        *("handovers:record_activity", "handovers:withdraw_activity"),
    }
)
"""Where either side says what was held or settled."""

EVIDENCE: Mapping[FindingKind, frozenset[str]] = {
    "gap": frozenset(),
    "holder_closed": frozenset(),
    "holder_after_service": frozenset(
        {"handovers:create", "handovers:offer", "handovers:amend", "handovers:accept"}
    ),
    "no_answer": frozenset({"handovers:offer", "handovers:open", "handovers:amend", "handovers:expire"}),
    "conference_late": _STATED,
    "sharing_late": frozenset({"handovers:create", "handovers:offer", "handovers:amend"}),
    "consent_ended": frozenset({"handovers:read", "handovers:receive", "consents:give", "consents:withdraw"}),
    "employer_window_undefined": _STATED,
    "employer_window_double": _STATED,
    "overlap_too_long": frozenset({"handovers:accept", "handovers:overlap"}),
}
"""Which steps of the handover, or of the consent, are behind a finding. Behind who holds a domain is what made
the version, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact that somebody should look at. `since` is the day on which it became one."""

    kind: FindingKind
    severity: Severity
    person_id: PersonId
    since: date
    party: Party
    message: Text
    responsible: OrganizationId | None = None
    """The organization whose turn it is, where it is one's."""
    domain: Domain | None = None
    handover_id: HandoverId | None = None
    from_day: date | None = None
    to_day: date | None = None
    """Exclusive; None together with `from_day` means without end."""
    organizations: frozenset[OrganizationId] = frozenset()
    """Whom it concerns: the sides of the handover, or who holds the domain before and after."""
    entry_ids: frozenset[UUID] = frozenset()
    record_ids: frozenset[UUID] = frozenset()
    """Where on the ledger the entries behind it are: by their own ids, or as those of a handover or a consent."""
    evidence: tuple[Evidence, ...] = ()


Rule = Callable[[Handover, AreaRules, date], Iterator[Finding]]


def of_handover(handover: Handover, area: AreaRules, today: date) -> list[Finding]:
    sides = frozenset({handover.sender_id, handover.receiver_id})
    found = (finding for rule in RULES for finding in rule(handover, area, today))
    return [
        replace(
            finding,
            organizations=sides,
            record_ids=frozenset({handover.id}),
            responsible=handover.receiver_id if finding.party == "receiver" else handover.sender_id,
        )
        for finding in found
    ]


def consent_ended(handover: Handover, given: Sequence[Access], today: date) -> Finding | None:
    """The receiver read while a consent held, none holds any more, and the handover goes on: it keeps copies that
    nobody agrees to. A consent that was withdrawn in part still holds for the rest."""
    ends = [
        min(one.valid_to, civil_date(one.withdrawn_at)) if one.withdrawn_at else one.valid_to for one in given
    ]
    running = handover.received_at is not None and handover.status in HOLDING
    if not running or not ends or max(ends) > today:
        return None
    return Finding(
        kind="consent_ended",
        severity="error",
        person_id=handover.person_id,
        handover_id=handover.id,
        since=max(ends),
        party="sender",
        responsible=handover.sender_id,
        organizations=frozenset({handover.sender_id, handover.receiver_id}),
        record_ids=frozenset({handover.id, *(one.consent_id for one in given)}),
        message=Text(
            "提供先が読んだ後に同意が終わり、引継ぎが続いています。同意を得るか取り下げてください",
            "The consent has ended after the receiver read, and the handover goes on: renew it or withdraw",
        ),
    )


HOLDING: frozenset[Status] = frozenset({"received", "returned", "accepted", "overlapping"})
"""States in which a receiver has read, and the handover is not over."""


def window_double(handovers: Sequence[Handover]) -> Iterator[Finding]:
    """Of one person's handovers that are on offer or go on at one time, each that names another organization than an
    earlier one to be the employer's single point of contact."""
    running = [one for one in handovers if one.status in (*HOLDING, "offered") and one.employer_window_id]
    running.sort(key=lambda one: (one.offered_at or one.recorded_at, one.id))
    for number, one in enumerate(running):
        others = [each for each in running[:number] if each.employer_window_id != one.employer_window_id]
        if others:
            yield Finding(
                kind="employer_window_double",
                severity="warning",
                person_id=one.person_id,
                handover_id=one.id,
                domain="employer_liaison",
                since=civil_date(one.offered_at or one.recorded_at),
                party="sender",
                responsible=one.sender_id,
                organizations=frozenset({one.sender_id, one.receiver_id}),
                record_ids=frozenset({one.id, *(each.id for each in others)}),
                message=Text(
                    "同時に進む引継ぎが、企業の窓口として別々の機関を挙げています",
                    "Handovers that go on at one time name different single points of contact for the employer",
                ),
            )


def window_disputed(handover: Handover, since: date) -> Finding | None:
    """The sides of one handover name different organizations since that day."""
    if handover.status not in (*HOLDING, "offered"):
        return None
    return Finding(
        kind="employer_window_double",
        severity="warning",
        person_id=handover.person_id,
        handover_id=handover.id,
        domain="employer_liaison",
        since=since,
        party="sender",
        responsible=handover.sender_id,
        organizations=frozenset({handover.sender_id, handover.receiver_id}),
        record_ids=frozenset({handover.id}),
        message=Text(
            "提供元と提供先が、企業の窓口として別々の機関を挙げています",
            "Sender and receiver name different single points of contact for the employer",
        ),
    )


def overdue(handover: Handover, milestone: Milestone, today: date) -> bool:
    """Whether the milestone's day has passed and what was due by then is not done. Most are dates, not dues."""
    if milestone.on >= today:
        return False
    if milestone.kind == "answer_due":
        return handover.status in (*UNANSWERED, "expired")
    if handover.status in ENDED:
        return False
    match milestone.kind:
        case "conference_due":
            return _not_by(handover.first_conference_on, today)
        case "sharing_due":
            return bool(handover.continuing_need) and _not_by(handover.shared_on, today)
        case "planned_date":
            return handover.answered_at is None
    return False


def _not_by(done_on: date | None, today: date) -> bool:
    return done_on is None or done_on > today


def no_answer(handover: Handover, _area: AreaRules, today: date) -> Iterator[Finding]:
    due = handover.answer_due_on
    if due is not None and due < today and handover.status in (*UNANSWERED, "expired"):
        yield Finding(
            kind="no_answer",
            severity="error",
            person_id=handover.person_id,
            handover_id=handover.id,
            since=due + timedelta(days=1),
            party="receiver",
            message=Text(
                "期限までに回答がありません。責任は提供元に残っています",
                "No answer by the limit; responsibility has stayed with the sender",
            ),
        )


def conference_late(handover: Handover, area: AreaRules, today: date) -> Iterator[Finding]:
    due = milestones.conference_due(handover.planned_date, area)
    held = handover.first_conference_on
    in_time = due >= today or (held is not None and held <= due)
    needless = handover.handover_type in milestones.WITHOUT_CONFERENCE
    if needless or in_time or handover.status in ENDED - {"completed"}:
        return
    yield Finding(
        kind="conference_late",
        severity="warning",
        person_id=handover.person_id,
        handover_id=handover.id,
        since=due + timedelta(days=1),
        party="sender",
        message=Text(
            f"引継ぎの{area.conference_lead_months}か月前までにケース会議が開かれていません",
            f"No case conference was held {area.conference_lead_months} months before the handover",
        ),
    )


def sharing_late(handover: Handover, area: AreaRules, today: date) -> Iterator[Finding]:
    if handover.service_ends_on is None or not handover.continuing_need:
        return
    due = milestones.sharing_due(handover.service_ends_on, area)
    shared_on = min(handover.shared_on or today, today)  # what is announced has not been done yet
    if handover.status in ENDED - {"completed"} or shared_on <= due:
        return
    yield Finding(
        kind="sharing_late",
        severity="error",
        person_id=handover.person_id,
        handover_id=handover.id,
        since=due + timedelta(days=1),
        party="sender",
        message=Text(
            "支援終了の3か月前までに情報が共有されていません（支援体制構築未実施減算の要件）",
            "Not shared three months before the end of the service (a condition against the fee reduction)",
        ),
    )


def employer_window(handover: Handover, _area: AreaRules, _today: date) -> Iterator[Finding]:
    if handover.employer_window_missing and handover.status not in ENDED - {"completed"}:
        yield Finding(
            kind="employer_window_undefined",
            severity="warning",
            person_id=handover.person_id,
            handover_id=handover.id,
            domain="employer_liaison",
            since=min(handover.planned_date, civil_date(handover.offered_at or handover.recorded_at)),
            party="sender",
            message=Text(
                "企業の窓口となる機関が決まっていません",
                "No organization is named as the employer's single point of contact",
            ),
        )


def overlap_too_long(handover: Handover, _area: AreaRules, today: date) -> Iterator[Finding]:
    agreed = handover.overlap_to
    if agreed is not None and handover.status == "overlapping" and today >= agreed:
        yield Finding(
            kind="overlap_too_long",
            severity="info",
            person_id=handover.person_id,
            handover_id=handover.id,
            since=agreed,
            from_day=handover.overlap_from,
            to_day=agreed,
            party="receiver",
            message=Text("重なり期間が約束より長くなっています", "The overlap goes on longer than agreed"),
        )


RULES: tuple[Rule, ...] = (no_answer, conference_late, sharing_late, employer_window, overlap_too_long)
"""A finding a rule; each is silent about handovers that were given up before they began."""
