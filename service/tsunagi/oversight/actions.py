"""Looking at timelines, milestones and findings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tsunagi.clock import civil_date
from tsunagi.db import ReadTx, WriteTx
from tsunagi.directory import store as directory
from tsunagi.directory.rules import AreaRules
from tsunagi.errors import NotFound
from tsunagi.handovers.rules import Handover
from tsunagi.handovers.steps import By
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Entry, Record
from tsunagi.oversight import store
from tsunagi.oversight.rules import Finding, FindingKind, of_gap, of_handover
from tsunagi.people import store as people
from tsunagi.responsibility import actions as responsibility
from tsunagi.responsibility.actions import Timeline
from tsunagi.responsibility.milestones import Milestone, milestones

PEOPLE_BATCH = 200


async def timeline(
    tx: WriteTx, by: By, person_id: PersonId, *, as_of: date, known_at: datetime | None
) -> tuple[Timeline, list[Finding]]:
    """Who holds what on `as_of`, as known at `known_at`, and where nobody does. The look is on the ledger.

    Raises NotFound unless the caller is in relation with the person, or audits an area of theirs.
    """
    await _record_look(tx, by, person_id)
    found = await responsibility.timeline(tx, person_id, as_of=as_of, known_at=known_at)
    holes = await responsibility.gaps(tx, [person_id], from_day=date.min)
    return found, [of_gap(gap.person_id, gap.domain, gap.days) for gap in holes]


@dataclass(frozen=True, slots=True)
class Dated:
    """A milestone, and the handover it belongs to."""

    milestone: Milestone
    handover_id: HandoverId
    overdue: bool


async def dates(tx: WriteTx, by: By, person_id: PersonId) -> list[Dated]:
    """The dates that follow from the person's handovers, those first that come first. Raises NotFound as `timeline`."""
    await _record_look(tx, by, person_id)
    found: list[Dated] = []
    for handover in await _visible(tx, by, [person_id]):
        area = await directory.area_rules(tx, handover.area_code, handover.receiver_id)
        for one in _milestones(handover, area):
            overdue = one.on < civil_date(by.at) and handover.status in (
                "draft",
                "offered",
                "received",
                "returned",
            )
            found.append(Dated(one, handover.id, overdue))
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
    stream = await people.stream_of(tx, person_id)
    if stream is None or not await store.sees(tx, by.organization_id, person_id):
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
    """Of these people's handovers, those the caller sends, may read, or audits."""
    remit = await store.remit(tx, by.organization_id)
    today = civil_date(by.at)

    def seen(handover: Handover) -> bool:
        whose = handover.side_of(by.organization_id)
        audits = handover.area_code in remit and handover.offered_at is not None
        return whose == "sender" or audits or (whose == "receiver" and handover.window_open(today))

    return [handover for handover in await store.handovers_of(tx, person_ids) if seen(handover)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of findings ends: so many findings of this person, and all of those before."""

    person_id: PersonId
    findings: int


@dataclass(frozen=True, slots=True)
class Page:
    findings: list[Finding]
    end: Place | None
    """None when nothing comes after."""


async def findings(
    tx: ReadTx,
    by: By,
    *,
    kind: FindingKind | None,
    area: str | None,
    after: Place | None,
    limit: int,
) -> Page:
    """What needs attention among the people the caller may look at, person by person."""
    found: list[tuple[Finding, Place]] = []
    last = after.person_id if after else None
    batch = await _page_of_people(tx, by.organization_id, last, include=after is not None)
    while batch and len(found) <= limit:
        of = await _findings_of(tx, by, batch, area=area)
        for person_id in batch:
            mine = [one for one in of[person_id] if kind in (None, one.kind)]
            skip = after.findings if after and person_id == after.person_id else 0
            found += [(one, Place(person_id, n)) for n, one in enumerate(mine, 1) if n > skip]
        batch = await _page_of_people(tx, by.organization_id, batch[-1], include=False)
    page = found[:limit]
    return Page([one for one, _ in page], page[-1][1] if len(found) > limit else None)


async def _page_of_people(
    tx: ReadTx, organization_id: OrganizationId, last: PersonId | None, *, include: bool
) -> list[PersonId]:
    batch = await store.people(tx, organization_id, after=last, limit=PEOPLE_BATCH)
    return [last, *batch] if include and last is not None else batch


async def _findings_of(
    tx: ReadTx, by: By, batch: Iterable[PersonId], *, area: str | None
) -> dict[PersonId, list[Finding]]:
    ids = list(batch)
    of: dict[PersonId, list[Finding]] = {person_id: [] for person_id in ids}
    concerned: set[PersonId] = set()
    for handover in await _visible(tx, by, ids):
        if area is None or handover.area_code == area:
            concerned.add(handover.person_id)
            rules = await directory.area_rules(tx, handover.area_code, handover.receiver_id)
            of[handover.person_id] += of_handover(handover, rules, civil_date(by.at))
    for gap in await responsibility.gaps(tx, ids, from_day=date.min):
        if area is None or gap.person_id in concerned:
            of[gap.person_id].append(of_gap(gap.person_id, gap.domain, gap.days))
    return of
