"""A record on its way into a handover: checked, drawn as a draft, amended."""

from dataclasses import replace
from typing import Any

from tsunagi.clock import civil_date
from tsunagi.db import ReadTx, WriteTx
from tsunagi.directory import store as directory
from tsunagi.directory.rules import AreaRules
from tsunagi.errors import Notice, RuleViolated, Text
from tsunagi.handovers.actions import offer_anew
from tsunagi.handovers.rules import DomainState, Handover, window_opens_on
from tsunagi.handovers.steps import By, enter, keep, permitted
from tsunagi.ids import HandoverId, OrganizationId, PersonId, ordered_id
from tsunagi.people import actions as people
from tsunagi.people.actions import Known, MatchKeys
from tsunagi.records import rules as record_rules
from tsunagi.records import store as records
from tsunagi.records.store import Document
from tsunagi.records.view import DomainOffer, RecordView


async def check(tx: ReadTx, by: By, record: RecordView) -> tuple[AreaRules, tuple[Notice, ...]]:
    """What the rules notice about a record from the caller to its receiver, and the lead times that hold for it.

    Raises RuleViolated when one of them refuses it or the receiver is not in the directory.
    """
    receiver, today = OrganizationId(record.receiver_id), civil_date(by.at)
    area = await directory.area_rules(tx, record.area_code, receiver)
    found = record_rules.check(record, area, today)
    errors = [*await _of_directory(tx, by, record), *(one for one in found if one.level == "error")]
    if errors:
        raise RuleViolated(errors=tuple(errors))
    return area, (*found, *record_rules.before_offer(record, today))


async def _of_directory(tx: ReadTx, by: By, record: RecordView) -> list[Notice]:
    """What is wrong with the receiver or the area that the record names."""
    receiver = OrganizationId(record.receiver_id)
    status = await directory.status_of(tx, receiver)
    errors: list[Notice] = []
    if status is None:
        text = Text("この機関は登録されていません", "This organization is not in the directory")
        errors.append(Notice("organization.unknown", "error", text, "/receiverId"))
    elif status == "closed":
        text = Text("この機関は廃止されています", "This organization has closed")
        errors.append(Notice("organization.closed", "error", text, "/receiverId"))
    if receiver == by.organization_id:
        text = Text("提供先が自機関です", "The receiver is the sender itself")
        errors.append(Notice("handover.same_organization", "error", text, "/receiverId"))
    if record.area_code is not None and await directory.rules_of(tx, record.area_code) is None:
        text = Text("この圏域は登録されていません（GET /v1/areas）", "This area is not known (GET /v1/areas)")
        errors.append(Notice("area.unknown", "error", text, "/areaCode"))
    return errors


async def check_new(tx: ReadTx, by: By, record: RecordView, *, keys: MatchKeys) -> tuple[Notice, ...]:
    """What the rules notice about a record that could be taken as it is; nothing is kept. Raises as `create`."""
    _, warnings = await check(tx, by, record)
    if record.person_id is None:
        await people.check_unknown(tx, by.caller, keys)
    else:
        await people.known(tx, by.caller, PersonId(record.person_id))
    return warnings


async def create(tx: WriteTx, by: By, record: RecordView, document: Document, *, keys: MatchKeys) -> Handover:
    """The record is kept as a draft; nobody but the sender knows of it.

    Raises RuleViolated when a rule refuses the record, NotFound when it names a person the sender is not in
    relation with, PersonAlreadyKnown when it names none but the sender knows somebody just like this.
    """
    area, warnings = await check(tx, by, record)
    person = await _person(tx, by, record, keys)
    receiver = OrganizationId(record.receiver_id)
    draft = Handover(
        id=HandoverId(ordered_id()),
        person_id=person.id,
        stream=person.stream,
        sender_id=by.organization_id,
        receiver_id=receiver,
        status="draft",
        version=1,
        revision=0,
        same_corporation=await directory.same_corporation(tx, by.organization_id, receiver),
        recorded_at=by.at,
        due_on=record.planned_date,
        **await _stated(tx, record, area),
    )
    handover = await keep(tx, draft)
    await records.add_version(tx, by.at, handover.id, handover.version, document, warnings)
    await enter(tx, by, handover, "handovers:create", before=None, sections=list(document.sections))
    return handover


async def _person(tx: WriteTx, by: By, record: RecordView, keys: MatchKeys) -> Known:
    if record.person_id is None:
        return await people.register(tx, by.at, by.caller, keys, request_id=by.request_id)
    person = await people.known(tx, by.caller, PersonId(record.person_id))
    await people.recognize_by(tx, by.at, by.caller, person, keys)
    return person


async def _stated(tx: ReadTx, record: RecordView, area: AreaRules) -> dict[str, Any]:
    """The members of a handover that repeat what its record says, so that it can be asked for."""
    overlap = record.sections.handover_plan.overlap
    return {
        "handover_type": record.handover_type,
        "area_code": record.area_code or await directory.area_of(tx, OrganizationId(record.receiver_id)),
        "planned_date": record.planned_date,
        "service_ends_on": record.service_ends_on,
        "hired_on": record.hired_on,
        "first_conference_on": record.first_conference_on,
        "shared_on": record.shared_on,
        "continuing_need": record.continuing_need,
        "employer_window_missing": record.needs_employer_window and not record.employer_window,
        "overlap_from": overlap.starts_on if overlap else None,
        "overlap_to": overlap.ends_on if overlap else None,
        "follow_up_until": record.sections.handover_plan.follow_up_until,
        "window_opens_on": window_opens_on(record.planned_date, area),
        "domains": tuple(_domain(record, offer) for offer in record.domains),
    }


def _domain(record: RecordView, offer: DomainOffer) -> DomainState:
    return DomainState(
        domain=offer.domain,
        receiver_role=offer.receiver_role,
        starts_on=record.starts_on(offer),
        sender_role_after=offer.sender_role_after,
        sender_primary_since=offer.sender_primary_since,
        basis=offer.basis,
    )


async def check_amendment(
    tx: ReadTx, by: By, handover: Handover, record: RecordView
) -> tuple[AreaRules, tuple[Notice, ...]]:
    """What `check` says of a record that could take the handover's place; nothing is kept. Raises as `amend`."""
    permitted(handover, "amend", by)
    area, warnings = await check(tx, by, record)
    text = Text("本人と提供先は変えられません", "The person and the receiver cannot be changed")
    changed = {
        "/personId": record.person_id not in (None, handover.person_id),
        "/receiverId": record.receiver_id != handover.receiver_id,
    }
    errors = [Notice("handover.parties_changed", "error", text, at) for at, other in changed.items() if other]
    if errors:
        raise RuleViolated(errors=tuple(errors))
    return area, warnings


async def amend(
    tx: WriteTx, by: By, handover: Handover, record: RecordView, document: Document, *, keys: MatchKeys
) -> Handover:
    """The record has one version more. What was on offer is offered anew: the receiver reads it again.

    Raises WrongState once it was answered, RuleViolated also when it names another person or receiver.
    """
    status = permitted(handover, "amend", by)
    area, warnings = await check_amendment(tx, by, handover, record)
    await people.recognize_by(tx, by.at, by.caller, Known(handover.person_id, handover.stream), keys)
    stated = replace(handover, **await _stated(tx, record, area))
    amended = replace(
        stated,
        status=status,
        version=handover.version + 1,
        window_announced=handover.window_announced and stated.window_open(civil_date(by.at)),
    )
    await records.add_version(tx, by.at, amended.id, amended.version, document, warnings)
    if status == "offered":
        return await offer_anew(
            tx, by, amended, area, "handovers:amend", "handover.amended", before=handover.status
        )
    amended = await keep(tx, amended)
    await enter(tx, by, amended, "handovers:amend", before=handover.status, sections=list(document.sections))
    return amended
