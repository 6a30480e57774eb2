"""Handovers as the contract has them. Records go out in the very text they came in."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from tsunagi.clock import JAPAN, civil_date
from tsunagi.directory.rules import OrganizationRef
from tsunagi.disclosure.actions import Standing
from tsunagi.disclosure.rules import Content, Reading, readable
from tsunagi.errors import Notice
from tsunagi.handovers.rules import ENDED, DomainState, Handover
from tsunagi.handovers.steps import By, possible, side
from tsunagi.ids import OrganizationId

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


def summary(handover: Handover, by: By, refs: Refs) -> dict[str, Any]:
    """HandoverSummary: says nothing about the person before the window has opened for the receiver."""
    opened = readable(handover, side(handover, by), civil_date(by.at))
    return _members(handover, by, refs) | present(
        personId=handover.person_id if opened else None,
        domains=[one.domain for one in handover.domains],
    )


def _members(handover: Handover, by: By, refs: Refs) -> dict[str, Any]:
    return present(
        id=handover.id,
        version=handover.version,
        status=handover.status,
        handoverType=handover.handover_type,
        direction="outgoing" if side(handover, by) == "sender" else "incoming",
        sender=reference(refs[handover.sender_id]),
        receiver=reference(refs[handover.receiver_id]),
        plannedDate=handover.planned_date,
        dueOn=None if handover.status in ENDED else handover.due_on,
        windowOpensOn=handover.window_opens_on,
        windowOpen=handover.window_open(civil_date(by.at)),
        areaCode=handover.area_code,
        availableActions=list(possible(handover, by)),
    )


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
    handover = seen.handover
    if seen.content is None:
        notice = _members(handover, by, refs) | {
            "domains": [one.domain for one in handover.domains],
            "notice": True,
        }
        return _dumped(notice)
    content = seen.content
    members = _members(handover, by, refs) | present(
        personId=handover.person_id,
        recordedAt=content.recorded_at,
        offeredAt=handover.offered_at,
        receivedAt=handover.received_at,
        answeredAt=handover.answered_at,
        answerDueOn=handover.answer_due_on,
        serviceEndsOn=handover.service_ends_on,
        domains=[domain(one) for one in handover.domains],
        personInCharge=handover.person_in_charge,
        reason=handover.reason,
        sameCorporation=handover.same_corporation,
        warnings=[warning(notice, spoken) for notice in content.warnings],
        withheld=[{"section": name, "reason": why} for name, why in content.withheld.items()],
        sectionHashes={name: digest.hex() for name, digest in content.hashes.items()},
        consents=[{"id": str(consent_id)} for consent_id in content.consents],
    )
    members["version"] = content.version
    return f'{_dumped(members)[:-1]},"record":{record(content)}}}'


def record(content: Content) -> str:
    """The visible part of the record, each text as it was sent."""
    sections = ",".join(f'"{name}":{text}' for name, text in content.sections.items())
    extensions = f',"extensions":{content.extensions}' if content.extensions is not None else ""
    return f'{content.header[:-1]},"sections":{{{sections}}}{extensions}}}'


def _dumped(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
