"""A record on its way into a handover: checked, drawn as a draft, amended."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from tsunagi.clock import civil_date
from tsunagi.consent import actions as consent
from tsunagi.db import ReadTx, Write, WriteTx, send
from tsunagi.directory import store as directory
from tsunagi.directory.rules import Receiving
from tsunagi.errors import Notice, RuleViolated, Text
from tsunagi.handovers import store
from tsunagi.handovers.actions import claiming, not_covered, offer_anew
from tsunagi.handovers.rules import DomainState, Handover, due_again, looked, window_opens_on
from tsunagi.handovers.steps import By, enter, entered, keep, permitted
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream, ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.people import actions as people
from tsunagi.people.actions import Known
from tsunagi.people.rules import MatchKeys
from tsunagi.records import rules as record_rules
from tsunagi.records import store as records
from tsunagi.records.store import Document, Whose
from tsunagi.records.view import DomainOffer, RecordView
from tsunagi.responsibility import actions as responsibility
from tsunagi.responsibility.actions import Chains
from tsunagi.responsibility.store import Version


async def check(tx: ReadTx, by: By, record: RecordView) -> tuple[Receiving, tuple[Notice, ...]]:
    """What the rules notice about a record from the caller to its receiver, and what the directory knows of that.

    Raises RuleViolated when one of them refuses it or the receiver is not in the directory.
    """
    receiver, today = OrganizationId(record.receiver_id), civil_date(by.at)
    known = await directory.receiving(tx, receiver, area_code=record.area_code, sender=by.organization_id)
    found = record_rules.check(record, known.rules, today)
    errors = [*_of_directory(by, record, known), *(one for one in found if one.level == "error")]
    if errors:
        raise RuleViolated(errors=tuple(errors))
    return known, (*found, *record_rules.before_offer(record, today))


def _of_directory(by: By, record: RecordView, known: Receiving) -> list[Notice]:
    """What is wrong with the receiver or the area that the record names."""
    errors: list[Notice] = []
    if known.status is None:
        text = Text("この機関は登録されていません", "This organization is not in the directory")
        errors.append(Notice("organization.unknown", "error", text, "/receiverId"))
    elif known.status == "closed":
        text = Text("この機関は廃止されています", "This organization has closed")
        errors.append(Notice("organization.closed", "error", text, "/receiverId"))
    if record.receiver_id == by.organization_id:
        text = Text("提供先が自機関です", "The receiver is the sender itself")
        errors.append(Notice("handover.same_organization", "error", text, "/receiverId"))
    if record.area_code is not None and not known.area_known:
        text = Text("この圏域は登録されていません", "This area is not known")
        errors.append(Notice("area.unknown", "error", text, "/areaCode"))
    return errors


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What there is to be said of a record before it is kept, and of offering it then."""

    warnings: tuple[Notice, ...]
    readable_on: date
    """The first day on which the receiver could read it."""


async def check_new(tx: ReadTx, by: By, record: RecordView, *, keys: MatchKeys) -> Foreseen:
    """What is noticed about a record that could be taken as it is; nothing is kept. Raises as `create`."""
    known, warnings = await check(tx, by, record)
    if record.person_id is None:
        await people.check_unknown(tx, by.caller, keys)
        person, versions = _NOBODY_YET, tuple[Version, ...]()
    else:
        person = await people.known(tx, by.caller, PersonId(record.person_id))
        versions = tuple(await responsibility.known(tx, [person.id]))
    handover = _draft(by, record, person, known)
    chains = Chains(person.id, versions, handover.id)
    return Foreseen((*warnings, *claiming(chains, by, handover)), handover.readable_on(civil_date(by.at)))


_NOBODY_YET = Known(PersonId(UUID(int=0)), Stream(UUID(int=0)))
"""In place of a person who becomes known with the record."""


async def foresee_amendment(
    tx: ReadTx, by: By, handover: Handover, record: RecordView, *, names: Iterable[str]
) -> Foreseen:
    """As `check_amendment`, and what offering these sections then would say, under the consents there are."""
    known, warnings = await check_amendment(tx, by, handover, record)
    stated = replace(handover, **_stated(record, known))
    on = stated.readable_on(civil_date(by.at))
    sides = {"viewer": handover.receiver_id, "giver": handover.sender_id}
    covered = await consent.coverage(tx, handover.person_id, **sides, sections=names, today=on)
    chains = Chains(handover.person_id, await responsibility.known(tx, [handover.person_id]), ordered_id())
    return Foreseen((*warnings, *not_covered(covered), *claiming(chains, by, stated)), on)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A handover that is there once its writes have been sent, and what the rules noticed about its record."""

    handover: Handover
    warnings: tuple[Notice, ...]
    writes: list[Write]


async def create(tx: WriteTx, by: By, record: RecordView, document: Document, *, keys: MatchKeys) -> Drafted:
    """The record is kept as a draft; nobody but the sender knows of it.

    Raises RuleViolated when a rule refuses the record, NotFound when it names a person the sender is not in
    relation with, PersonAlreadyKnown when it names none but the sender knows somebody just like this.
    """
    known, warnings = await check(tx, by, record)
    if record.person_id is None:
        person, writes = await people.registering(tx, by.at, by.caller, keys)
    else:
        person_id, writes = PersonId(record.person_id), []
        person = await people.recognized(tx, by.at, by.caller, person_id, keys)
    handover = _draft(by, record, person, known)
    sections, content = list(document.sections), document.content_hash
    entry = entered(by, handover, "handovers:create", before=None, sections=sections, content=content)
    registered = people.registered(by.at, by.caller, person, request_id=by.request_id)
    entries = ledger.opening(registered, entry) if record.person_id is None else [ledger.entering(entry)]
    writes = [
        *writes,
        store.inserting(tx, handover),
        *_adding(tx, by, handover, document, warnings),
        *entries,
    ]
    return Drafted(handover, warnings, writes)


def _draft(by: By, record: RecordView, person: Known, known: Receiving) -> Handover:
    draft = Handover(
        id=HandoverId(ordered_id()),
        person_id=person.id,
        stream=person.stream,
        sender_id=by.organization_id,
        receiver_id=OrganizationId(record.receiver_id),
        status="draft",
        version=1,
        revision=1,
        same_corporation=known.same_corporation,
        recorded_at=by.at,
        changed_at=by.at,
        due_on=record.planned_date,
        **_stated(record, known),
    )
    return looked(draft)


def _adding(
    tx: ReadTx, by: By, handover: Handover, document: Document, warnings: Iterable[Notice]
) -> list[Write]:
    """The handover's version of its record is kept."""
    whose = Whose(handover.person_id, handover.sender_id, handover.receiver_id)
    return records.adding_version(
        tx, by.at, handover.id, handover.version, document, whose=whose, warnings=warnings
    )


def _stated(record: RecordView, known: Receiving) -> dict[str, Any]:
    """The members of a handover that repeat what its record says, so that it can be asked for."""
    overlap = record.sections.handover_plan.overlap
    return {
        "handover_type": record.handover_type,
        "area_code": record.area_code or known.own_area,
        "planned_date": record.planned_date,
        "service_ends_on": record.service_ends_on,
        "hired_on": record.hired_on,
        "first_conference_on": record.first_conference_on,
        "shared_on": record.shared_on,
        "continuing_need": record.continuing_need,
        "employer_window_missing": record.needs_employer_window and not record.employer_window,
        "employer_window_id": record.employer_window_id,
        "overlap_from": overlap.starts_on if overlap else None,
        "overlap_to": overlap.ends_on if overlap else None,
        "follow_up_until": record.sections.handover_plan.follow_up_until,
        "window_opens_on": window_opens_on(record.planned_date, known.rules),
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
) -> tuple[Receiving, tuple[Notice, ...]]:
    """What `check` says of a record that could take the handover's place; nothing is kept. Raises as `amend`."""
    permitted(handover, "amend", by)
    known, warnings = await check(tx, by, record)
    text = Text("本人と提供先は変えられません", "The person and the receiver cannot be changed")
    changed = {
        "/personId": record.person_id not in (None, handover.person_id),
        "/receiverId": record.receiver_id != handover.receiver_id,
    }
    errors = [Notice("handover.parties_changed", "error", text, at) for at, other in changed.items() if other]
    if errors:
        raise RuleViolated(errors=tuple(errors))
    return known, warnings


async def amend(
    tx: WriteTx, by: By, handover: Handover, record: RecordView, document: Document, *, keys: MatchKeys
) -> Handover:
    """The record has one version more. What was on offer is offered anew: the receiver reads it again.

    Raises WrongState once it was answered, RuleViolated also when it names another person or receiver.
    """
    status = permitted(handover, "amend", by)
    known, warnings = await check_amendment(tx, by, handover, record)
    stated = replace(handover, **_stated(record, known))
    amended = replace(
        stated,
        status=status,
        version=handover.version + 1,
        window_announced=handover.window_announced and stated.window_open(civil_date(by.at)),
    )
    await people.recognized(tx, by.at, by.caller, handover.person_id, keys)
    await send(tx, *_adding(tx, by, amended, document, warnings))
    before, content = handover.status, document.content_hash
    if status == "offered":
        return await offer_anew(
            tx,
            by,
            amended,
            known.rules,
            "handovers:amend",
            "handover.amended",
            before=before,
            content=content,
        )
    due = due_again(amended, known.rules, civil_date(by.at))  # of a draft it is the planned date
    amended = await keep(tx, by.at, replace(amended, due_on=due))
    sections = list(document.sections)
    await enter(tx, by, amended, "handovers:amend", before=before, sections=sections, content=content)
    return amended
