"""Looking at timelines, milestones and findings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from tsunagi.clock import civil_date
from tsunagi.db import ReadTx, WriteTx
from tsunagi.directory import store as directory
from tsunagi.directory.rules import AreaRules
from tsunagi.errors import NotFound
from tsunagi.handovers.rules import Handover, as_of
from tsunagi.handovers.steps import By
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Entry, Record
from tsunagi.oversight import store
from tsunagi.oversight.rules import Finding, FindingKind, of_gap, of_handover, overdue
from tsunagi.responsibility import actions as responsibility
from tsunagi.responsibility.actions import Stated, Timeline
from tsunagi.responsibility.milestones import Milestone, milestones
from tsunagi.responsibility.rules import Chain, gaps

PEOPLE_BATCH = 200
BATCHES_PER_PAGE = 10
"""So that nobody's question takes long: about half a second of work."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: so many findings or changes of this person, and all of the people before."""

    person_id: PersonId
    items: int


async def timeline(
    tx: WriteTx, by: By, person_id: PersonId, *, as_of: date, known_at: datetime | None
) -> tuple[Timeline, list[Finding]]:
    """Who holds what on `as_of`, as known at `known_at`, and where nobody does. The look is on the ledger.

    Raises NotFound unless the caller is in relation with the person, or audits an area of theirs.
    """
    await _record_look(tx, by, person_id)
    found = await responsibility.timeline(tx, person_id, as_of=as_of, known_at=known_at)
    return found, [
        of_gap(person_id, one.domain, days)
        for one in found.domains
        for days in gaps(Chain(one.segments), from_day=date.min)
    ]


@dataclass(frozen=True, slots=True)
class Compared:
    """What is known otherwise at one instant than at an earlier one, and the steps from there to here."""

    difference: list[Stated]
    steps: list[Stated]


async def person_changes(
    tx: WriteTx, by: By, person_id: PersonId, *, since: datetime, until: datetime
) -> Compared:
    """Raises NotFound as `timeline`; the look is on the ledger."""
    await _record_look(tx, by, person_id)
    steps = await responsibility.changes(tx, [person_id], since=since, until=until)
    difference = await responsibility.difference(tx, person_id, since=since, until=until)
    return Compared(difference, await _shown(tx, by, steps.get(person_id, [])))


async def _shown(tx: ReadTx, by: By, changes: list[Stated]) -> list[Stated]:
    """The changes, without the ids of handovers between others: who took over later knows that there was one."""
    ids = {one.version.handover_id for one in changes if one.version.handover_id is not None}
    known = await store.known_handovers(tx, by.organization_id, ids)
    return [
        one
        if one.version.handover_id is None or one.version.handover_id in known
        else replace(one, version=replace(one.version, handover_id=None))
        for one in changes
    ]


@dataclass(frozen=True, slots=True)
class ChangesPage:
    changes: list[Stated]
    end: Place | None
    """None when nothing comes after."""


async def all_changes(
    tx: WriteTx,
    by: By,
    *,
    since: datetime,
    until: datetime,
    area: str | None,
    organization: OrganizationId | None,
    after: Place | None,
    limit: int,
) -> ChangesPage:
    """What was recorded after `since`, person by person, of those whom the caller may look at; the look is on the
    ledger. With `organization` only what changed its days, or was recorded by it.

    A page may have fewer changes than asked for: it ends with its last person.
    """
    asked = {"since": since.isoformat(), "until": until.isoformat()}
    await record_look_at_many(tx, by, "responsibility:report", **asked, area=area, organization=organization)
    first = after.person_id if after else None
    people = await store.changed_people(
        tx, by.organization_id, since=since, until=until, area=area, first=first, limit=limit + 1
    )
    of = await responsibility.changes(tx, people[:limit], since=since, until=until)
    found: list[tuple[Stated, Place]] = []
    for person_id in people[:limit]:
        skip = after.items if after and person_id == after.person_id else 0
        for n, one in enumerate(of[person_id], 1):
            concerned = organization in (None, one.version.recorded_by, *one.organizations)
            if n > skip and concerned:
                found.append((one, Place(person_id, n)))
    end = Place(people[limit], 0) if len(people) > limit else None
    if len(found) > limit:
        end = found[limit - 1][1]
    return ChangesPage(await _shown(tx, by, [one for one, _ in found[:limit]]), end)


async def record_look_at_many(tx: WriteTx, by: By, action: Action, **asked: object) -> None:
    """That the caller looked at many people at once is on the ledger: not at whom, but for what."""
    given = {name: str(value) for name, value in asked.items() if value is not None}
    await ledger.append(tx, Entry(action=action, at=by.at, actor=by.caller.actor(by.request_id), asked=given))


@dataclass(frozen=True, slots=True)
class Dated:
    """A milestone, and the handover it belongs to."""

    milestone: Milestone
    handover_id: HandoverId
    overdue: bool


async def dates(tx: WriteTx, by: By, person_id: PersonId) -> list[Dated]:
    """The dates that follow from the person's handovers, those first that come first. Raises NotFound as `timeline`."""
    await _record_look(tx, by, person_id)
    return await dated(tx, by, await visible(tx, by, person_id))


async def visible(tx: ReadTx, by: By, person_id: PersonId) -> list[Handover]:
    """The person's handovers that the caller sends, may read, or audits; as the calendar has them."""
    return await _visible(tx, by, [person_id])


async def dated(tx: ReadTx, by: By, handovers: Sequence[Handover]) -> list[Dated]:
    """The dates that follow from these handovers, those first that come first."""
    areas = await _areas(tx, handovers)
    found = [
        Dated(one, handover.id, overdue(handover, one, civil_date(by.at)))
        for handover in handovers
        for one in _milestones(handover, areas[_lead_times(handover)])
    ]
    return sorted(found, key=lambda dated: (dated.milestone.on, dated.milestone.kind))


def _milestones(handover: Handover, area: AreaRules) -> list[Milestone]:
    found = list(
        milestones(
            hired_on=handover.hired_on,
            handover_type=handover.handover_type,
            service_ends_on=handover.service_ends_on,
            planned_date=handover.planned_date,
            rules=area,
        )
    )
    if handover.answer_due_on is not None:
        found.append(Milestone(handover.answer_due_on, "answer_due"))
    return found


async def _record_look(tx: WriteTx, by: By, person_id: PersonId) -> None:
    stream = await store.visible_stream(tx, by.organization_id, person_id)
    if stream is None:
        raise NotFound
    await ledger.append(
        tx,
        Entry(
            action="responsibility:read",
            at=by.at,
            actor=by.caller.actor(by.request_id),
            stream=stream,
            record=Record("responsibility", stream),
        ),
    )


async def _visible(tx: ReadTx, by: By, person_ids: Sequence[PersonId]) -> list[Handover]:
    """Of these people's handovers, those the caller sends, may read, or audits; as the calendar has them."""
    remit = await store.remit(tx, by.organization_id)
    today = civil_date(by.at)

    def seen(handover: Handover) -> bool:
        whose = handover.side_of(by.organization_id)
        audits = handover.area_code in remit and handover.offered_at is not None
        return whose == "sender" or audits or (whose == "receiver" and handover.window_open(today))

    return [as_of(one, today) for one in await store.handovers_of(tx, person_ids) if seen(one)]


LeadTimes = tuple[str | None, OrganizationId]
"""Whose lead times hold for a handover: those of the area, or else of the receiver."""


def _lead_times(handover: Handover) -> LeadTimes:
    return handover.area_code, handover.receiver_id


async def _areas(tx: ReadTx, found: Iterable[Handover]) -> dict[LeadTimes, AreaRules]:
    """Each area is asked for once, however many handovers it has."""
    return {whose: await directory.area_rules(tx, *whose) for whose in {_lead_times(one) for one in found}}


@dataclass(frozen=True, slots=True)
class Page:
    findings: list[Finding]
    end: Place | None
    """None when nothing comes after."""


async def findings(
    tx: WriteTx,
    by: By,
    *,
    kind: FindingKind | None,
    area: str | None,
    after: Place | None,
    limit: int,
) -> Page:
    """What needs attention among the people the caller may look at, person by person. The look is on the ledger: not
    at whom, but for what.

    A page that has looked at enough people ends there, however few findings it has.
    """
    found: list[tuple[Finding, Place]] = []
    first = after.person_id if after else None
    for _ in range(BATCHES_PER_PAGE):
        people = await store.people(tx, by.organization_id, first=first, limit=PEOPLE_BATCH + 1)
        first = people[PEOPLE_BATCH] if len(people) > PEOPLE_BATCH else None
        of = await _findings_of(tx, by, people[:PEOPLE_BATCH], area=area)
        for person_id, those in of.items():
            mine = [one for one in those if kind in (None, one.kind)]
            skip = after.items if after and person_id == after.person_id else 0
            found += [(one, Place(person_id, n)) for n, one in enumerate(mine, 1) if n > skip]
        if first is None or len(found) > limit:
            break
    await record_look_at_many(tx, by, "findings:read", kind=kind, area=area)
    page = [one for one, _ in found[:limit]]
    if len(found) > limit:
        return Page(page, found[limit - 1][1])
    return Page(page, Place(first, 0) if first else None)


async def _findings_of(
    tx: ReadTx, by: By, batch: Sequence[PersonId], *, area: str | None
) -> dict[PersonId, list[Finding]]:
    of: dict[PersonId, list[Finding]] = {person_id: [] for person_id in batch}
    visible = [one for one in await _visible(tx, by, batch) if area in (None, one.area_code)]
    areas = await _areas(tx, visible)
    for handover in visible:
        found = of_handover(handover, areas[_lead_times(handover)], civil_date(by.at))
        of[handover.person_id] += found
    concerned = {one.person_id for one in visible} if area else set(batch)
    for gap in await responsibility.gaps(tx, concerned, from_day=date.min):
        of[gap.person_id].append(of_gap(gap.person_id, gap.domain, gap.days))
    return of
