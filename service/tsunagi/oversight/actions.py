"""Looking at timelines, milestones and findings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tsunagi.activities import store as activities
from tsunagi.activities.rules import Window, counted, window
from tsunagi.clock import civil_date
from tsunagi.db import ReadTx, WriteTx
from tsunagi.directory import store as directory
from tsunagi.directory.rules import AreaRules
from tsunagi.errors import NotFound
from tsunagi.handovers import store as handover_store
from tsunagi.handovers.rules import Handover, as_of
from tsunagi.handovers.steps import By
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Entry, Record
from tsunagi.oversight import store
from tsunagi.oversight.holders import of_gap, of_version, service_ends
from tsunagi.oversight.rules import (
    EVIDENCE,
    Evidence,
    Finding,
    FindingKind,
    consent_ended,
    of_handover,
    overdue,
    window_disputed,
    window_double,
)
from tsunagi.responsibility import actions as responsibility
from tsunagi.responsibility.actions import Stated, Timeline
from tsunagi.responsibility.milestones import Milestone, milestones
from tsunagi.responsibility.rules import Chain, gaps, holder_on

PEOPLE_BATCH = 200
MOST_EVIDENCE = 20
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
    stated = [
        of_gap(
            person_id,
            one.domain,
            days,
            before=holder_on(Chain(one.segments), days.valid_from - timedelta(days=1)),
            entry_id=one.entry_id,
        )
        for one in found.domains
        for days in gaps(Chain(one.segments), from_day=date.min)
    ]
    return found, await _proven(tx, stated, known_at or by.at)


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
    actor = by.caller.actor(by.request_id)
    await ledger.append(tx, Entry(action=action, at=by.at, actor=actor, asked=_given(asked)))


def _given(asked: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Dated:
    """A milestone, and the handover it belongs to."""

    milestone: Milestone
    handover_id: HandoverId
    overdue: bool


async def dates(tx: WriteTx, by: By, person_id: PersonId, *, known_at: datetime | None = None) -> list[Dated]:
    """The dates that follow from the person's handovers, as they were known then, those first that come first. Raises
    NotFound as `timeline`."""
    await _record_look(tx, by, person_id)
    found = await _counted(tx, by, await _visible(tx, by, [person_id], known_at), known_at)
    return await dated(tx, by, [one for one, _ in found], on=civil_date(known_at or by.at))


async def visible(tx: ReadTx, by: By, person_id: PersonId) -> list[Handover]:
    """The person's handovers that the caller sends, may read, or audits; as the calendar has them."""
    return [one for one, _ in await _counted(tx, by, await _visible(tx, by, [person_id]), None)]


async def dated(tx: ReadTx, by: By, handovers: Sequence[Handover], *, on: date | None = None) -> list[Dated]:
    """The dates that follow from these handovers, those first that come first; overdue or not on that day (today)."""
    areas = await _areas(tx, handovers)
    found = [
        Dated(one, handover.id, overdue(handover, one, on or civil_date(by.at)))
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


async def _record_look(
    tx: WriteTx, by: By, person_id: PersonId, action: Action = "responsibility:read", **asked: object
) -> None:
    stream = await store.visible_stream(tx, by.organization_id, person_id)
    if stream is None:
        raise NotFound
    await ledger.append(
        tx,
        Entry(
            action=action,
            at=by.at,
            actor=by.caller.actor(by.request_id),
            stream=stream,
            record=Record("responsibility", stream),
            asked=_given(asked),
        ),
    )


async def _visible(
    tx: ReadTx, by: By, person_ids: Sequence[PersonId], known_at: datetime | None = None
) -> list[Handover]:
    """Of these people's handovers, those the caller sends, may read, or audits; as the calendar has them, or had them
    at `known_at`. Who may look is always decided by how they are now."""
    remit = await store.remit(tx, by.organization_id)
    today = civil_date(by.at)

    def seen(handover: Handover) -> bool:
        whose = handover.side_of(by.organization_id)
        audits = handover.area_code in remit and handover.offered_at is not None
        return whose == "sender" or audits or (whose == "receiver" and handover.window_open(today))

    found = [as_of(one, today) for one in await store.handovers_of(tx, person_ids) if seen(one)]
    if known_at is None:
        return found
    ids = {one.id for one in found}
    known = await handover_store.known(tx, person_ids, known_at)
    return [as_of(one, civil_date(known_at)) for one in known if one.id in ids]


async def _counted(
    tx: ReadTx, by: By, found: Sequence[Handover], known_at: datetime | None
) -> list[tuple[Handover, Window]]:
    """The handovers, with what their sides had recorded of conferences and of the employer's window by then."""
    of = await activities.known(tx, [one.id for one in found], known_at or by.at)
    return [(counted(one, of[one.id]), window(one, of[one.id])) for one in found]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which findings are asked for: all, where nothing is said."""

    kind: FindingKind | None = None
    person_id: PersonId | None = None
    area: str | None = None
    organization: OrganizationId | None = None
    from_day: date | None = None
    to_day: date | None = None
    """Exclusive: of the day on which they became one."""
    known_at: datetime | None = None

    @property
    def said(self) -> dict[str, object]:
        """For the ledger, where the person is a stream."""
        at = self.known_at and self.known_at.isoformat()
        whom: dict[str, object] = {"kind": self.kind, "area": self.area, "organization": self.organization}
        return whom | {"from": self.from_day, "to": self.to_day, "knownAt": at}

    def takes(self, finding: Finding) -> bool:
        return (
            self.kind in (None, finding.kind)
            and (self.organization is None or self.organization in finding.organizations)
            and (self.from_day is None or self.from_day <= finding.since)
            and (self.to_day is None or finding.since < self.to_day)
        )


async def findings(tx: WriteTx, by: By, asked: Filter, *, after: Place | None, limit: int) -> Page:
    """What needs attention among the people the caller may look at, person by person, each with the ledger's entries
    behind it as far as the caller may see them. The look is on the ledger: not at whom, but for what, unless one
    person was asked about.

    A page that has looked at enough people ends there, however few findings it has. Raises NotFound as `timeline`: no
    findings would mean that all is well with somebody whom the caller may not look at.
    """
    one = asked.person_id
    if one is None:
        await record_look_at_many(tx, by, "findings:read", **asked.said)
    else:
        await _record_look(tx, by, one, "findings:read", **asked.said)
    found: list[tuple[Finding, Place]] = []
    first, most = after.person_id if after else None, PEOPLE_BATCH + 1
    for _ in range(BATCHES_PER_PAGE):
        people = [one] if one else await store.people(tx, by.organization_id, first=first, limit=most)
        first = people[PEOPLE_BATCH] if len(people) > PEOPLE_BATCH else None
        of = await _findings_of(tx, by, people[:PEOPLE_BATCH], asked)
        for person_id, those in of.items():
            mine = [one for one in those if asked.takes(one)]
            skip = after.items if after and person_id == after.person_id else 0
            found += [(one, Place(person_id, n)) for n, one in enumerate(mine, 1) if n > skip]
        if first is None or len(found) > limit:
            break
    page = await _proven(tx, [finding for finding, _ in found[:limit]], asked.known_at or by.at)
    if len(found) > limit:
        return Page(page, found[limit - 1][1])
    return Page(page, Place(first, 0) if first else None)


async def _proven(tx: ReadTx, found: Sequence[Finding], known_at: datetime) -> list[Finding]:
    """The findings, each with the newest of the entries behind it."""
    entries = await store.entries(tx, found, known_at)

    def behind(finding: Finding) -> tuple[Evidence, ...]:
        records = {str(one) for one in finding.record_ids}
        mine = [
            entry
            for entry, record_id in entries
            if entry.entry_id in finding.entry_ids
            or (record_id in records and entry.action in EVIDENCE[finding.kind])
        ]
        return tuple(mine[-MOST_EVIDENCE:])

    return [replace(one, evidence=behind(one)) for one in found]


async def _findings_of(
    tx: ReadTx, by: By, batch: Sequence[PersonId], asked: Filter
) -> dict[PersonId, list[Finding]]:
    of: dict[PersonId, list[Finding]] = {person_id: [] for person_id in batch}
    today = civil_date(asked.known_at or by.at)
    visible = await _visible(tx, by, batch, asked.known_at)
    visible = [one for one in visible if asked.area in (None, one.area_code)]
    areas = await _areas(tx, visible)
    given = await store.given(tx, batch, asked.known_at or by.at)
    standing = await _counted(tx, by, visible, asked.known_at)
    for handover, said in standing:
        mine = of[handover.person_id]
        mine += of_handover(handover, areas[_lead_times(handover)], today)
        consents = given.get((handover.person_id, handover.sender_id, handover.receiver_id), [])
        if ended := consent_ended(handover, consents, today):
            mine.append(ended)
        since = said.disputed_since
        if since is not None and (disputed := window_disputed(handover, since)):
            mine.append(disputed)
    for person_id in batch:
        of[person_id] += window_double([one for one, _ in standing if one.person_id == person_id])
    concerned = {one.person_id for one in visible} if asked.area else set(batch)
    versions = await responsibility.known(tx, concerned, known_at=asked.known_at)
    closed = await store.closed(tx, {one for version in versions for one in version.organizations})
    ends = service_ends(visible)
    for known in versions:
        of[known.person_id] += of_version(known, closed=closed, ends=ends, today=today)
    return of
