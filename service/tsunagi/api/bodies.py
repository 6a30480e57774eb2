"""Handovers as the contract has them. Records go out in the very text they came in."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

from tsunagi.clock import JAPAN
from tsunagi.directory.rules import DEFAULT_AREA_RULES, AreaRules, OrganizationKind, OrganizationRef
from tsunagi.disclosure.actions import Standing
from tsunagi.disclosure.listing import Listed
from tsunagi.disclosure.rules import READABLE, Content, Reading
from tsunagi.errors import Notice
from tsunagi.handovers.rules import ENDED, DomainState, Handover, Side, Status, available
from tsunagi.handovers.steps import By, possible
from tsunagi.ids import OrganizationId
from tsunagi.responsibility.milestones import MilestoneKind, milestones

_DIRECTIONS: dict[Side, str] = {"sender": "outgoing", "receiver": "incoming"}

Refs = Mapping[OrganizationId, OrganizationRef]


def present(**members: object) -> dict[str, Any]:
    """The members that have a value, dates and ids as text."""
    return {name: _plain(value) for name, value in members.items() if value is not None}


def instant(at: datetime) -> str:
    """In the time of Japan: the date that is read off it is the one that counts."""
    return at.astimezone(JAPAN).isoformat()


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | dict | str | int | bool):
        return value
    return str(value)


def reference(ref: OrganizationRef) -> dict[str, Any]:
    return {"id": str(ref.id), "name": ref.name, "kind": ref.kind}


def summaries(found: Iterable[Listed], by: By) -> list[str]:
    """HandoverSummary of each, as JSON text: says nothing about the person before the window has opened for the
    receiver. Written without a value object for each: most of what a list costs is here."""
    today, ours = by.acting.today, by.organization_id
    return [_summary(one, today, "sender" if one.sender_id == ours else "receiver") for one in found]


def _summary(one: Listed, today: date, side: Side) -> str:
    window_open = one.window_opened_at is not None or one.window_opens_on <= today
    opened = side == "sender" or (one.status in READABLE and window_open)
    person = f'"personId":"{one.person_id}",' if opened else ""
    sender = _reference(one.sender_id, one.sender_name, one.sender_kind)
    receiver = _reference(one.receiver_id, one.receiver_name, one.receiver_kind)
    common = _common(one, side, sender, receiver, window_open, version=one.version, assignee=one.assignee)
    return (
        f'{{{common},{person}{_dates(one, opened)}{_accepted(one.domains)}"domains":{_names(one.domains)}}}'
    )


def _dates(one: Listed, opened: bool) -> str:
    """What is to happen by when. What follows from the end of the person's service waits for the window."""
    rules = _rules(one.sharing_lead_months, one.overlap_months)
    found = _milestones(one.handover_type, one.service_ends_on if opened else None, one.planned_date, rules)
    return "".join(f'"{_DATED[kind]}":"{on.isoformat()}",' for on, kind in found if kind in _DATED)


_DATED = {
    "sharing_due": "sharingDueOn",
    "overlap_starts": "overlapStartsOn",
    "service_ends": "serviceEndsOn",
}


@lru_cache(maxsize=1_000)
def _rules(sharing_lead_months: int | None, overlap_months: int | None) -> AreaRules:
    if sharing_lead_months is None or overlap_months is None:
        return DEFAULT_AREA_RULES
    return AreaRules(sharing_lead_months=sharing_lead_months, overlap_months=overlap_months)


@lru_cache(maxsize=10_000)
def _milestones(
    handover_type: str, service_ends_on: date | None, planned_date: date, rules: AreaRules
) -> list[tuple[date, MilestoneKind]]:
    found = milestones(
        hired_on=None,
        handover_type=handover_type,
        service_ends_on=service_ends_on,
        planned_date=planned_date,
        rules=rules,
    )
    return [(one.on, one.kind) for one in found]


def _common(
    one: Listed | Handover,
    side: Side,
    sender: str,
    receiver: str,
    window_open: bool,
    *,
    version: int,
    assignee: str | None,
) -> str:
    """The members that summary, notice and reading share, as JSON text without braces. The values are ids, dates
    and codes, which need no escaping, as what the contract takes for an assignee."""
    due = "" if one.status in ENDED else f'"dueOn":"{one.due_on.isoformat()}",'
    area = "" if one.area_code is None else f'"areaCode":{_quoted(one.area_code)},'
    mine = "" if assignee is None else f'"assignee":"{assignee}",'
    return (
        f'"id":"{one.id}","version":{version},"status":"{one.status}","handoverType":"{one.handover_type}",'
        f'"direction":"{_DIRECTIONS[side]}","sender":{sender},"receiver":{receiver},'
        f'"plannedDate":"{one.planned_date.isoformat()}",{due}'
        f'"windowOpensOn":"{one.window_opens_on.isoformat()}","windowOpen":{"true" if window_open else "false"},'
        f'{area}{mine}"availableActions":{_actions(one.status, side, window_open)}'
    )


@lru_cache(maxsize=10_000)
def _reference(organization_id: OrganizationId, name: str, kind: OrganizationKind) -> str:
    return dumped(reference(OrganizationRef(organization_id, name, kind)))


@lru_cache(maxsize=10_000)
def _accepted(domains: str) -> str:
    """What was accepted of domains as they are kept, and from when."""
    taken = [
        {"domain": one["domain"], "acceptedRole": one["accepted_role"], "acceptedFrom": one["accepted_from"]}
        for one in json.loads(domains)
        if one.get("accepted_from")
    ]
    return f'"accepted":{json.dumps(taken)},' if taken else ""


@lru_cache(maxsize=10_000)
def _names(domains: str) -> str:
    """The names alone, of domains as they are kept."""
    return json.dumps([one["domain"] for one in json.loads(domains)])


@lru_cache(maxsize=10_000)
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@lru_cache
def _actions(status: Status, side: Side, window_open: bool) -> str:
    return json.dumps(available(status, side, window_open=window_open))


def status(handover: Handover, standing: Standing, by: By, spoken: str) -> dict[str, Any]:
    """HandoverStatus: what every step answers with."""
    return present(
        id=handover.id,
        personId=handover.person_id if standing.opened else None,
        version=handover.version,
        status=handover.status,
        plannedDate=handover.planned_date,
        availableActions=list(possible(handover, by)),
        domains=[domain(one) for one in handover.domains],
        reason=handover.reason,
        warnings=[warning(notice, spoken) for notice in standing.warnings],
        sameCorporation=handover.same_corporation,
    )


def domain(state: DomainState) -> dict[str, Any]:
    return present(
        domain=state.domain,
        receiverRole=state.receiver_role,
        senderRoleAfter=state.sender_role_after,
        decision=state.decision,
        acceptedRole=state.accepted_role,
        acceptedFrom=state.accepted_from,
        reason=state.reason,
    ) | {"from": state.starts_on.isoformat()}


def warning(notice: Notice, spoken: str) -> dict[str, Any]:
    return present(
        code=notice.code,
        level=notice.level,
        pointer=notice.pointer,
        message=notice.message.en if spoken == "en" else notice.message.ja,
        responsibleParty=notice.party,
    )


def reading(seen: Reading, by: By, refs: Refs, spoken: str) -> str:
    """Handover or notice, as JSON text."""
    handover, content = seen.handover, seen.content
    window_open = handover.window_open(by.acting.today)
    version = content.version if content else handover.version
    sides = (refs[handover.sender_id], refs[handover.receiver_id])
    sender, receiver = (_reference(ref.id, ref.name, ref.kind) for ref in sides)
    common = _common(
        handover, seen.side, sender, receiver, window_open, version=version, assignee=seen.assignee
    )
    domains = [domain(one) for one in handover.domains]
    if content is None:
        return f'{{{common},"domains":{json.dumps([one["domain"] for one in domains])},"notice":true}}'
    members = present(
        personId=handover.person_id,
        recordedAt=content.recorded_at,
        offeredAt=handover.offered_at,
        receivedAt=handover.received_at,
        answeredAt=handover.answered_at,
        answerDueOn=handover.answer_due_on,
        serviceEndsOn=handover.service_ends_on,
        domains=domains,
        personInCharge=handover.person_in_charge,
        reason=handover.reason,
        sameCorporation=handover.same_corporation,
        warnings=[warning(notice, spoken) for notice in content.warnings],
        withheld=[{"section": name, "reason": why} for name, why in content.withheld.items()],
        sectionHashes={name: digest.hex() for name, digest in content.hashes.items()},
        consents=[{"id": str(consent_id)} for consent_id in content.consents],
    )
    return f'{{{common},{dumped(members)[1:-1]},"record":{record(content)}}}'


def record(content: Content) -> str:
    """The visible part of the record, each text as it was sent."""
    sections = ",".join(f'"{name}":{text}' for name, text in content.sections.items())
    extensions = f',"extensions":{content.extensions}' if content.extensions is not None else ""
    return f'{content.header[:-1]},"sections":{{{sections}}}{extensions}}}'


def dumped(value: Mapping[str, Any]) -> str:
    return to_json(value).decode()
