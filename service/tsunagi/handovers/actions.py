"""The steps of a handover, each from who may take it to what it leaves behind."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from tsunagi.clock import civil_date
from tsunagi.consent import actions as consent
from tsunagi.consent.rules import Coverage
from tsunagi.db import WriteTx, send
from tsunagi.directory import store as directory
from tsunagi.directory.rules import AreaRules
from tsunagi.errors import ConsentMissing, Notice, ResponsibilityNotHeld, RuleViolated, Text
from tsunagi.handovers import store
from tsunagi.handovers.rules import (
    DOMAIN_NAMES,
    DomainAnswer,
    DomainState,
    Handover,
    Status,
    answer_due_on,
    answered,
    check_answers,
    due_again,
    looked,
)
from tsunagi.handovers.steps import By, enter, entered, keep, opens_now, permitted, settle, tell, telling
from tsunagi.ids import ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action as LedgerAction
from tsunagi.notifications.store import EventType
from tsunagi.people import store as people
from tsunagi.records import rules as record_rules
from tsunagi.records import store as records
from tsunagi.responsibility import actions as responsibility
from tsunagi.responsibility.actions import Chains, Timeline
from tsunagi.responsibility.rules import Acceptance, Basis, Domain

BASES: Mapping[str, tuple[Basis, Basis]] = {
    "transition_to_settlement": ("post_employment_6m_duty", "settlement_contract"),
    "settlement_to_center": ("settlement_contract", "center_registration"),
    "sender_to_center": ("service_contract", "center_registration"),
    "center_to_center": ("center_registration", "center_registration"),
    "selection_to_service": ("service_contract", "service_contract"),
}
"""On what the sender's and the receiver's responsibility rest, by kind of handover; an agreement otherwise."""

NOT_COVERED = "consent.section_not_covered"
NOBODY = "responsibility.nobody_primary"

_AGREED: tuple[Basis, Basis] = ("agreement", "agreement")


async def offer(tx: WriteTx, by: By, handover: Handover) -> Handover:
    """The receiver knows that something is coming; responsibility is the sender's, and stated.

    Raises WrongState, RuleViolated when a section is missing that an offer needs, ConsentMissing when nothing
    covers the receiver, ResponsibilityNotHeld when another organization holds a domain that is offered.
    """
    permitted(handover, "offer", by)
    area = await directory.area_rules(tx, handover.area_code, handover.receiver_id)
    return await offer_anew(
        tx, by, handover, area, "handovers:offer", "handover.offered", before=handover.status
    )


async def offer_anew(
    tx: WriteTx,
    by: By,
    handover: Handover,
    area: AreaRules,
    action: LedgerAction,
    event: EventType,
    *,
    before: Status,
    content: str | None = None,
) -> Handover:
    """What an offer and an amendment of one have in common. `before` is the state it came from, `content` what the
    ledger is to say of a new version."""
    today = civil_date(by.at)
    if handover.planned_date < today:
        raise RuleViolated(errors=(record_rules.planned_date_in_past(),))
    readable_on = handover.readable_on(today)
    names, known = await records.about(tx, handover.id, handover.version)
    covered = await _covered(tx, handover, names, readable_on)
    chains = await responsibility.hold(tx, handover.person_id)
    for index, one in enumerate(handover.domains):
        with _about(one.domain, index):
            _claim(chains, by, handover, one)
    due = answer_due_on(today, readable_on, handover.planned_date, area)
    offered, events = _on_offer(by, handover, event, answer_due_on=due)
    saved = await keep(tx, by.at, offered)  # first of all: only what is on offer may be told to the receiver
    kept = [notice for notice in known if notice.code not in (NOT_COVERED, NOBODY)]
    warnings = [*kept, *not_covered(covered), *_unheld(saved, chains.timeline(today))]
    seen, under = list(covered.visible), covered.consents
    entry = entered(by, saved, action, before=before, sections=seen, consents=under, content=content)
    await send(
        tx,
        *chains.writes,
        records.warning(saved.id, saved.version, warnings),
        telling(by.at, saved, *events),
        ledger.entering(entry, entry_id=chains.entry_id),
    )
    return await settle(tx, by.at, saved)


def _on_offer(
    by: By, handover: Handover, event: EventType, *, answer_due_on: date
) -> tuple[Handover, list[EventType]]:
    """The handover on offer, and what there is to tell of it: also that its window is open, if it is. Why it was
    returned stays: the receiver looks whether it was heeded."""
    offered = replace(
        handover,
        status="offered",
        offered_at=by.at,
        offered_versions=sorted({*handover.offered_versions, handover.version}),
        received_at=None,
        answered_at=None,
        answer_due_on=answer_due_on,
    )
    if opens_now(offered, civil_date(by.at)):
        return replace(offered, window_announced=True), [event, "handover.window_opened"]
    return offered, [event]


async def _covered(tx: WriteTx, handover: Handover, names: Sequence[str], on: date) -> Coverage:
    """What the receiver will see on that day; raises when the record is too thin, or nothing is covered."""
    if missing := record_rules.missing_to_offer(names):
        raise RuleViolated(errors=missing)
    covered = await consent.coverage(
        tx,
        handover.person_id,
        viewer=handover.receiver_id,
        giver=handover.sender_id,
        sections=names,
        today=on,
    )
    if not covered.visible:
        raise ConsentMissing(
            Text(
                f"この提供先に渡すことへの、{on} に有効な同意を登録してください",
                f"Record a consent that names the receiver and holds on {on}",
            )
        )
    return covered


def not_covered(covered: Coverage) -> list[Notice]:
    text = Text("同意がないため提供先には見えません", "No consent: the receiver will not see this section")
    return [Notice(NOT_COVERED, "warning", text, f"/sections/{name}") for name in covered.withheld]


def _unheld(offered: Handover, timeline: Timeline) -> list[Notice]:
    """Offered domains that nobody holds until the receiver does: a gap that the sender may not have meant."""
    nobodys = {one.domain for one in timeline.domains if one.holder is None}
    return [
        Notice(NOBODY, "warning", _nobodys(one.domain), f"/domains/{index}/senderPrimarySince")
        for index, one in enumerate(offered.domains)
        if one.domain in nobodys
    ]


def _nobodys(domain: Domain) -> Text:
    """Said to both sides."""
    name = DOMAIN_NAMES[domain]
    return Text(
        f"{name.ja}：引継ぎの日まで、主担当のいない期間があります。提供元が担っているなら、"
        "提供元が「提供元が主担当になった日」を書きます",
        f"{name.en}: nobody is primary until the handover. If the sender is, it says since when"
        " (Sender primary since)",
    )


def claiming(chains: Chains, by: By, handover: Handover) -> list[Notice]:
    """What an offer of the handover would say of responsibility; what would refuse it is a warning here."""
    refused: list[Notice] = []
    for index, one in enumerate(handover.domains):
        try:
            with _about(one.domain, index):
                _claim(chains, by, handover, one)
        except (ResponsibilityNotHeld, RuleViolated) as refusal:
            refused += [replace(error, level="warning") for error in refusal.errors]
    return [*refused, *_unheld(handover, chains.timeline(civil_date(by.at)))]


def _claim(chains: Chains, by: By, handover: Handover, one: DomainState) -> None:
    chains.claim(
        by.at,
        handover.sender_id,
        one.domain,
        since=one.sender_primary_since,
        role=one.receiver_role,
        effective_on=one.starts_on,
        basis=BASES.get(handover.handover_type, _AGREED)[0],
        handover_id=handover.id,
        recorded_by=by.organization_id,
    )


@contextmanager
def _about(domain: Domain, index: int) -> Iterator[None]:
    """What is refused inside says which domain it is about."""
    try:
        yield
    except ResponsibilityNotHeld:
        text = Text(
            "引継ぎの日以降、別の機関が主担当です",
            "another organization is primary from the day of the handover on",
        )
        error = _named(Notice("responsibility.not_held", "error", text), domain, index)
        raise ResponsibilityNotHeld(errors=(error,)) from None
    except RuleViolated as violated:
        raise RuleViolated(errors=tuple(_named(error, domain, index) for error in violated.errors)) from None


def _named(error: Notice, domain: Domain, index: int) -> Notice:
    name = DOMAIN_NAMES[domain]
    message = Text(f"{name.ja}：{error.message.ja}", f"{name.en}: {error.message.en}")
    return replace(error, message=message, pointer=error.pointer or f"/domains/{index}")


async def open_early(tx: WriteTx, by: By, handover: Handover) -> Handover:
    """The receiver may read the record from now on, before the window would open.

    Opening again changes nothing. Raises WrongState.
    """
    permitted(handover, "open", by)
    if handover.window_open(civil_date(by.at)):
        return handover
    area = await directory.area_rules(tx, handover.area_code, handover.receiver_id)
    today = civil_date(by.at)
    opened = replace(
        handover,
        window_opened_at=by.at,
        window_announced=True,
        answer_due_on=answer_due_on(today, today, handover.planned_date, area),
    )
    opened = await keep(tx, by.at, opened)
    await tell(tx, by.at, opened, "handover.opened")
    await enter(tx, by, opened, "handovers:open", before=handover.status)
    return opened


async def withdraw(tx: WriteTx, by: By, handover: Handover, reason: Mapping[str, str]) -> Handover:
    """The offer is void. After an acceptance, responsibility is the sender's again, for good. Raises WrongState."""
    status = permitted(handover, "withdraw", by)
    withdrawn = await keep(tx, by.at, replace(handover, status=status, reason=dict(reason)))
    entry_id = ordered_id()
    if handover.status == "accepted":
        whose = (handover.person_id, handover.id)
        await responsibility.undo(tx, by.at, *whose, recorded_by=by.organization_id, entry_id=entry_id)
        await tell(tx, by.at, withdrawn, "responsibility.changed")
    await people.part(tx, handover.person_id, handover.receiver_id, through=handover.id)
    if handover.offered_at is not None:
        await tell(tx, by.at, withdrawn, "handover.withdrawn")
    entry = entered(by, withdrawn, "handovers:withdraw", before=handover.status, code=reason["code"])
    await send(tx, ledger.entering(entry, entry_id=entry_id))
    return withdrawn


async def receive(tx: WriteTx, by: By, handover: Handover) -> Handover:
    """The sender knows that the record has arrived; the receiver is in relation with the person.

    Receiving again changes nothing. Raises WindowNotOpen, WrongState.
    """
    status = permitted(handover, "receive", by)
    if handover.status == status:
        return handover
    received = await keep(tx, by.at, replace(handover, status=status, received_at=by.at))
    await people.relate(
        tx,
        by.at,
        handover.person_id,
        handover.receiver_id,
        through=handover.id,
        sender_id=handover.sender_id,
    )
    await tell(tx, by.at, received, "handover.received")
    await enter(tx, by, received, "handovers:receive", before=handover.status)
    return received


async def accept(
    tx: WriteTx,
    by: By,
    handover: Handover,
    answers: Sequence[Mapping[str, Any]],
    *,
    person_in_charge: Mapping[str, str] | None,
) -> Handover:
    """Each domain is answered; responsibility moves on its effective date, and is the sender's until then.

    Raises WindowNotOpen, WrongState, RuleViolated when an offered domain is left out, none is accepted, or one
    is to begin in the past or with more than was offered.
    """
    accepted, chains = await _accepting(tx, by, handover, answers)
    accepted = replace(accepted, answered_at=by.at, person_in_charge=person_in_charge, reason=None)
    saved, saving = store.saving(tx, by.at, looked(accepted))
    entry = entered(by, saved, "handovers:accept", before=handover.status)
    await send(
        tx,
        saving,
        *chains.writes,
        telling(by.at, saved, "handover.accepted", "responsibility.changed"),
        ledger.entering(entry, entry_id=chains.entry_id),
    )
    return await settle(tx, by.at, saved)


async def preview(
    tx: WriteTx, by: By, handover: Handover, answers: Sequence[Mapping[str, Any]], *, as_of: date
) -> Timeline:
    """What acceptance would make of responsibility, with nothing kept. Raises what `accept` does."""
    _, chains = await _accepting(tx, by, handover, answers)
    return chains.timeline(as_of)


async def _accepting(
    tx: WriteTx, by: By, handover: Handover, answers: Sequence[Mapping[str, Any]]
) -> tuple[Handover, Chains]:
    """The handover as it will be answered, and the changes of responsibility that are still to be sent."""
    status = permitted(handover, "accept", by)
    given = [_answer(answer, handover) for answer in answers]
    if errors := check_answers(given, handover.domains, civil_date(by.at)):
        raise RuleViolated(errors=errors)
    of = {answer.domain: answer for answer in given}
    chains = await responsibility.hold(tx, handover.person_id)
    for index, state in enumerate(handover.domains):
        if of[state.domain].decision == "accept":
            with _about(state.domain, index):
                _take_over(chains, by, handover, state, of[state.domain])
    domains = tuple(answered(state, of[state.domain]) for state in handover.domains)
    return replace(handover, status=status, domains=domains), chains


def _answer(answer: Mapping[str, Any], handover: Handover) -> DomainAnswer:
    """An answer, with what it leaves out taken from the offer."""
    offered = next((one for one in handover.domains if one.domain == answer["domain"]), None)
    starts_on = date.fromisoformat(answer["from"]) if "from" in answer else None
    return DomainAnswer(
        domain=answer["domain"],
        decision=answer["decision"],
        role=answer.get("role") or (offered.receiver_role if offered else "primary"),
        starts_on=starts_on or (offered.starts_on if offered else handover.planned_date),
        reason=answer.get("reason"),
    )


def _take_over(chains: Chains, by: By, handover: Handover, state: DomainState, answer: DomainAnswer) -> None:
    overlap = handover.overlap_from
    acceptance = Acceptance(
        sender=handover.sender_id,
        receiver=handover.receiver_id,
        role=answer.role,
        effective_on=answer.starts_on,
        sender_role_after=state.sender_role_after,
        overlap_from=max(overlap, civil_date(by.at)) if overlap and overlap < answer.starts_on else None,
        follow_up_until=handover.follow_up_ends_before,
        basis=state.basis or BASES.get(handover.handover_type, _AGREED)[1],
    )
    chains.accept(by.at, state.domain, acceptance, handover_id=handover.id)


async def decline(tx: WriteTx, by: By, handover: Handover, reason: Mapping[str, str]) -> Handover:
    """The handover has ended; responsibility stays with the sender. Raises WindowNotOpen, WrongState."""
    declined = replace(
        handover, status=permitted(handover, "decline", by), answered_at=by.at, reason=dict(reason)
    )
    declined = await keep(tx, by.at, declined)
    await people.part(tx, handover.person_id, handover.receiver_id, through=handover.id)
    await tell(tx, by.at, declined, "handover.declined")
    await enter(tx, by, declined, "handovers:decline", before=handover.status, code=reason["code"])
    return declined


async def give_back(tx: WriteTx, by: By, handover: Handover, reason: Mapping[str, str]) -> Handover:
    """It is the sender's turn to amend the record; the answer limit stands still. Raises WindowNotOpen, WrongState."""
    status = permitted(handover, "return", by)
    area = await directory.area_rules(tx, handover.area_code, handover.receiver_id)
    due = due_again(handover, area, civil_date(by.at))
    returned = replace(handover, status=status, answer_due_on=None, due_on=due, reason=dict(reason))
    returned = await keep(tx, by.at, returned)
    await tell(tx, by.at, returned, "handover.returned")
    await enter(tx, by, returned, "handovers:return", before=handover.status, code=reason["code"])
    return returned
