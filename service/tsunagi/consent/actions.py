"""Giving, reading and withdrawing consent."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tsunagi.auth.rules import Caller
from tsunagi.clock import civil_date
from tsunagi.consent import rules, store
from tsunagi.consent.rules import Coverage
from tsunagi.consent.store import Consent
from tsunagi.db import ReadTx, WriteTx, send
from tsunagi.directory import store as directory
from tsunagi.errors import NotFound, Notice, RuleViolated, Text
from tsunagi.ids import ConsentId, OrganizationId, PersonId, Stream, ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Entry, Record
from tsunagi.notifications import store as notifications
from tsunagi.notifications.store import Event
from tsunagi.people import actions as people
from tsunagi.people import store as people_store


async def give(
    tx: WriteTx, at: datetime, caller: Caller, document: Mapping[str, Any], *, request_id: str
) -> Consent:
    """The consent holds, and its recipients may see what it covers from its first day on.

    Raises NotFound when the caller's organization is not in relation with the person, RuleViolated when a rule
    of the consent is broken or a recipient is not in the directory.
    """
    if errors := rules.check(document, civil_date(at)):
        raise RuleViolated(errors=errors)
    person = await people.known(tx, caller, PersonId(UUID(document["personId"])))
    recipients = list(dict.fromkeys(OrganizationId(UUID(one)) for one in document["recipientIds"]))
    await _check_recipients(tx, recipients)
    consent = Consent(
        id=ConsentId(ordered_id()),
        person_id=person.id,
        giver_id=caller.organization_id,
        recipient_ids=tuple(recipients),
        sections=tuple(document["sections"]),
        valid_from=date.fromisoformat(document["from"]),
        valid_to=date.fromisoformat(document["to"]),
        recorded_at=at,
        document=document,
    )
    entry = Entry(
        action="consents:except" if "legalException" in document else "consents:give",
        at=at,
        actor=caller.actor(request_id),
        stream=person.stream,
        record=Record("consent", consent.id, 1),
        sections=document["sections"],
        consents=[consent.id],
        code=document.get("legalException", {}).get("code"),
    )
    await send(tx, *store.inserting(tx, consent), ledger.entering(entry))
    return consent


async def read(
    tx: WriteTx, at: datetime, caller: Caller, consent_id: ConsentId, *, request_id: str
) -> Consent:
    """Raises NotFound for everybody but the giver and those recipients who have received the person's record:
    before that, a consent would tell them who is coming."""
    consent = await store.find(tx, consent_id)
    if consent is None or not await _may_read(tx, caller.organization_id, consent):
        raise NotFound
    await ledger.append(
        tx,
        Entry(
            action="consents:read",
            at=at,
            actor=caller.actor(request_id),
            stream=await _stream(tx, consent),
            record=Record("consent", consent_id, 1),
            consents=[consent_id],
        ),
    )
    return consent


async def recorded(
    tx: WriteTx, at: datetime, caller: Caller, person_id: PersonId, *, request_id: str
) -> list[Consent]:
    """The consents that the caller's organization has recorded of the person, the newest first.

    Raises NotFound unless the person is in relation with it.
    """
    person = await people.known(tx, caller, person_id)
    found = [one for one in await store.of_person(tx, person_id) if one.giver_id == caller.organization_id]
    await ledger.append(
        tx,
        Entry(
            action="consents:read",
            at=at,
            actor=caller.actor(request_id),
            stream=person.stream,
            consents=[one.id for one in found],
        ),
    )
    return found


async def withdraw(
    tx: WriteTx,
    at: datetime,
    caller: Caller,
    consent_id: ConsentId,
    document: Mapping[str, Any],
    *,
    request_id: str,
) -> Consent:
    """From now on nobody sees these sections under this consent; holders of copies are told.

    Withdrawing again changes nothing. Raises NotFound for everybody but the giver.
    """
    consent = await store.find(tx, consent_id, lock=True)
    if consent is None or caller.organization_id != consent.giver_id:
        raise NotFound
    asked = set(document.get("sections", consent.sections)) & set(consent.sections)
    sections = sorted(asked - set(consent.withdrawn_sections))
    if not sections:
        return consent
    await store.withdraw(tx, at, consent_id, sections, document)
    told = [
        Event(organization, "consent.withdrawn", at, consent_id=consent_id)
        for organization in (consent.giver_id, *consent.recipient_ids)
    ]
    await notifications.append(tx, *told)
    await ledger.append(
        tx,
        Entry(
            action="consents:withdraw",
            at=at,
            actor=caller.actor(request_id),
            stream=await _stream(tx, consent),
            record=Record("consent", consent_id, 1),
            sections=sections,
            consents=[consent_id],
        ),
    )
    return await _present(tx, consent_id)


async def coverage(
    tx: ReadTx,
    person_id: PersonId,
    *,
    viewer: OrganizationId,
    giver: OrganizationId,
    sections: Iterable[str],
    today: date,
) -> Coverage:
    """Which of these sections of the giver's record the viewer may see today."""
    rows = await store.access_rows(tx, person_id, viewer=viewer, giver=giver)
    return rules.coverage(rows, sections, today)


async def _may_read(tx: ReadTx, organization_id: OrganizationId, consent: Consent) -> bool:
    if organization_id == consent.giver_id:
        return True
    related = await people_store.related(tx, consent.person_id, organization_id)
    return organization_id in consent.recipient_ids and related is not None


async def _present(tx: ReadTx, consent_id: ConsentId) -> Consent:
    consent = await store.find(tx, consent_id)
    assert consent is not None
    return consent


async def _stream(tx: ReadTx, consent: Consent) -> Stream | None:
    return await people_store.stream_of(tx, consent.person_id)


async def _check_recipients(tx: ReadTx, recipients: list[OrganizationId]) -> None:
    known = await directory.organization_refs(tx, recipients)
    unknown = tuple(
        Notice(
            "organization.unknown",
            "error",
            Text("この機関は登録されていません", "This organization is not in the directory"),
            f"/recipientIds/{index}",
        )
        for index, recipient in enumerate(recipients)
        if recipient not in known
    )
    if unknown:
        raise RuleViolated(errors=unknown)
