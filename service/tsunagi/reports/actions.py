"""Answering what a person asks: who received what, and everything in one report."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from tsunagi.clock import civil_date
from tsunagi.consent import store as consents
from tsunagi.consent.store import Consent
from tsunagi.db import ReadTx, WriteTx
from tsunagi.errors import NotFound
from tsunagi.handovers import store as handovers
from tsunagi.handovers.rules import Handover
from tsunagi.handovers.steps import By
from tsunagi.ids import OrganizationId, PersonId, Stream
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PLATFORM, Action, Actor, Entry, Record
from tsunagi.oversight import actions as oversight
from tsunagi.oversight import store as overseen
from tsunagi.oversight.actions import Dated
from tsunagi.people import store as people
from tsunagi.reports import store
from tsunagi.reports.rules import (
    Disclosure,
    Facts,
    Told,
    gathered,
    hidden_handovers,
    split,
    told,
)
from tsunagi.reports.store import Named, Office
from tsunagi.responsibility import actions as responsibility
from tsunagi.responsibility.actions import Timeline

FORESEEN = frozenset({"offered", "received", "returned", "accepted", "overlapping"})
"""States in which a handover's dates are still to come; a draft is nobody's plan yet."""
MOST_ACCEPTED = 20
"""Of a person's handovers: whoever was in charge before them is so no more."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of disclosures, the newest first; `end`: where the next one begins, None when nothing comes after."""

    disclosures: Sequence[Disclosure]
    givers: Mapping[str, OrganizationId]
    names: Named
    end: int | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What is needed to tell disclosures of a person."""

    facts: Facts
    handovers: Mapping[str, Handover]
    """Those that the caller may see."""
    audited: bool = False

    @property
    def givers(self) -> Mapping[str, OrganizationId]:
        return {handover: offered.giver_id for handover, offered in self.facts.offered.items()}

    def of_caller(self, one: Disclosure) -> bool:
        return not self.audited or one.record_id in self.handovers

    def asked_by(self, person_id: PersonId) -> Collection[UUID]:
        """The ids by which somebody may have asked about the person."""
        return [person_id, *(handover.id for handover in self.handovers.values())]

    @property
    def receivers(self) -> Mapping[str, OrganizationId]:
        return {str(one.id): one.receiver_id for one in self.handovers.values()}


async def disclosures(
    tx: WriteTx, by: By, person_id: PersonId, *, before: int | None, limit: int
) -> Page | None:
    """Who received which sections of the person's, and who was refused, but for what a rule withholds; the look is on
    the ledger, and so is how much was withheld. None where the organization is not in relation with the person."""
    related = await people.related(tx, person_id, by.organization_id)
    if related is None:
        return None
    known = await _known(tx, by, person_id, related.stream)
    attempts = await store.attempts(tx, known.asked_by(person_id)) if before is None else []
    return await _page(tx, by, related.stream, known, attempts, before=before, limit=limit)


async def audited_disclosures(
    tx: WriteTx, by: By, person_id: PersonId, *, before: int | None, limit: int
) -> Page:
    """As `disclosures`, of the handovers in the caller's remit, and without attempts that were refused: those stand in
    nobody's stream. Raises NotFound unless the caller audits an area of the person's."""
    stream = await overseen.visible_stream(tx, by.organization_id, person_id)
    if stream is None:
        raise NotFound
    known = await _known(tx, by, person_id, stream)
    return await _page(tx, by, stream, replace(known, audited=True), [], before=before, limit=limit)


async def _page(
    tx: WriteTx,
    by: By,
    stream: Stream,
    known: _Known,
    attempts: Iterable[Disclosure],
    *,
    before: int | None,
    limit: int,
) -> Page:
    looked = await store.looked(tx, stream, before=before)
    found: list[Disclosure] = []
    end = last = looked.end
    for number, reading in looked.readings:
        parts = [one for one in split(reading, known.facts) if known.of_caller(one)]
        if found and len(found) + len(parts) > limit:
            end = last
            break
        found += parts
        last = number
    whole = await _told(tx, known, [*found, *attempts])
    await _record(tx, by, "disclosures:read", stream, whole)
    return Page(whole.disclosures, known.givers, await _names(tx, whole.disclosures, known.givers), end)


async def _known(tx: ReadTx, by: By, person_id: PersonId, stream: Stream) -> _Known:
    visible = {str(one.id): one for one in await oversight.visible(tx, by, person_id)}
    return _Known(await store.facts(tx, stream), visible)


async def _told(tx: ReadTx, known: _Known, found: Sequence[Disclosure]) -> Told:
    asked = {*(one.organization_id for one in found), *known.receivers.values()}
    kinds = {one: office.kind for one, office in (await store.offices(tx, asked)).items()}
    hidden = hidden_handovers(
        known.facts, {one: kinds[receiver] for one, receiver in known.receivers.items()}
    )
    return told(found, kinds, hidden)


async def _names(tx: ReadTx, found: Iterable[Disclosure], givers: Mapping[str, OrganizationId]) -> Named:
    asked = {(one.organization_id, civil_date(one.at)) for one in found}
    asked |= {(givers[one.record_id], civil_date(one.at)) for one in found if one.record_id in givers}
    return await store.names(tx, asked)


async def _record(tx: WriteTx, by: By, action: Action, stream: Stream, whole: Told) -> UUID:
    """The caller's look, and beside it in the platform's name how much was withheld: always, so that nobody who sees
    only the first, or only that there are two, learns whether there was anything. Returns the first one's id."""
    record = Record("person", stream)
    looked = Entry(
        action=action, at=by.at, actor=by.caller.actor(by.request_id), stream=stream, record=record
    )
    withheld = Entry(
        action="people:withhold",
        at=by.at,
        actor=Actor(None, PLATFORM, None, by.request_id),
        stream=stream,
        record=record,
        withheld={str(rule): number for rule, number in whole.withheld.items()},
    )
    return (await ledger.append(tx, looked, withheld))[0]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a person is told, as of today."""

    id: UUID
    person_id: PersonId
    by: By
    timeline: Timeline
    disclosures: Sequence[Disclosure]
    givers: Mapping[str, OrganizationId]
    names: Named
    consents: Sequence[Consent]
    coming: Sequence[Dated]
    accepted: Sequence[Handover]
    """The handovers, of those that the caller may see, in which somebody took a domain; the newest last."""
    offices: Mapping[OrganizationId, Office]
    """Whoever is named, as they can be reached today."""

    @property
    def today(self) -> date:
        return civil_date(self.by.at)

    @property
    def issuer(self) -> Office:
        return self.offices[self.by.organization_id]


async def _accepted(tx: ReadTx, known: _Known, whole: Told) -> list[Handover]:
    """With their notes: who is in charge is one of them."""
    taken = [
        one
        for key, one in known.handovers.items()
        if key not in whole.hidden and any(part.decision == "accept" for part in one.domains)
    ]
    newest = sorted(taken, key=lambda one: one.recorded_at)[-MOST_ACCEPTED:]
    found = [await handovers.find(tx, one.id) for one in newest]
    return [one for one in found if one is not None]


async def report(tx: WriteTx, by: By, person_id: PersonId) -> Report:
    """The report that the caller's organization makes for the person; it and how much was withheld are on the ledger.

    Raises NotFound unless the organization is in relation with the person.
    """
    related = await people.related(tx, person_id, by.organization_id)
    if related is None:
        raise NotFound
    stream, today = related.stream, civil_date(by.at)
    known = await _known(tx, by, person_id, stream)
    found = [part for one in await store.readings(tx, stream) for part in split(one, known.facts)]
    found += await store.attempts(tx, known.asked_by(person_id))
    whole = await _told(tx, known, found)
    shown = gathered(whole.disclosures)
    timeline = await responsibility.timeline(tx, person_id, as_of=today, known_at=None)
    given = [one for one in await consents.of_person(tx, person_id) if "legalException" not in one.document]
    plans = [
        one for key, one in known.handovers.items() if key not in whole.hidden and one.status in FORESEEN
    ]
    named = {by.organization_id, *timeline.organizations, *known.givers.values()}
    named |= {one for consent in given for one in (consent.giver_id, *consent.recipient_ids)}
    return Report(
        id=await _record(tx, by, "people:report", stream, whole),
        person_id=person_id,
        by=by,
        timeline=timeline,
        disclosures=shown,
        givers=known.givers,
        names=await _names(tx, shown, known.givers),
        consents=given,
        coming=[one for one in await oversight.dated(tx, by, plans) if one.milestone.on >= today],
        accepted=await _accepted(tx, known, whole),
        offices=await store.offices(tx, named),
    )
