"""Reading handovers: one, one version, or everything that may be pulled."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from uuid import UUID

from tsunagi.clock import Clock, civil_date
from tsunagi.consent import rules as consent_rules
from tsunagi.consent.rules import Coverage
from tsunagi.db import Database, ReadTx, WriteTx, send
from tsunagi.directory.rules import OrganizationKind, OrganizationRef
from tsunagi.disclosure import store
from tsunagi.disclosure.rules import READABLE, Content, Reading, etag, readable, visible_warnings
from tsunagi.disclosure.store import Found, Kept
from tsunagi.errors import NotFound, Notice
from tsunagi.handovers import actions as handovers
from tsunagi.handovers import store as handover_store
from tsunagi.handovers.rules import Handover, Side, as_of
from tsunagi.handovers.steps import By, present, side, unsettled
from tsunagi.ids import HandoverId, OrganizationId, ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Entry, Record, content_hash
from tsunagi.provisions import store as provisions
from tsunagi.provisions.actions import STATEMENT, provided
from tsunagi.provisions.rules import Means, Provision

EXPORT_BATCH = 50

Refs = Mapping[OrganizationId, OrganizationRef]


@dataclass(frozen=True, slots=True)
class Seen:
    """A handover's entity tag for its reader, and the reading unless the reader already has it."""

    etag: str
    reading: Reading | None
    refs: Refs


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A reading, and whom it names."""

    reading: Reading
    refs: Refs


@dataclass(frozen=True, slots=True)
class Standing:
    """A handover as one side has it before it, without the content. `opened`: it may read more than the notice."""

    etag: str
    opened: bool
    warnings: tuple[Notice, ...]


async def read(
    tx: WriteTx, by: By, handover_id: HandoverId, *, version: int | None = None, unless: Collection[str] = ()
) -> Seen:
    """The reader has seen what consent allows today, and the ledger says so. The receiver's first full reading
    receives the handover. Where one of the entity tags `unless` still holds, nothing is read and nothing recorded.

    Raises NotFound for everybody but the two sides, and for a version that does not exist or, to the receiver,
    was never on offer.
    """
    one = await _found(tx, by, handover_id, version)
    if _moves(one, by):
        await present(tx, by, handover_id)
        one = await _found(tx, by, handover_id, version)
    handover, kept, today = one.handover, one.kept, civil_date(by.at)
    whose, covered = side(handover, by), _covered(one, by)
    if kept is None and (readable(handover, whose, today) or (version or 1) > handover.version):
        raise NotFound
    tag = etag(handover, whose, covered, today)
    if tag in unless or "*" in unless:  # RFC 9110 section 13.1.2
        return Seen(tag, None, one.refs)
    if covered is None or kept is None:
        return Seen(tag, Reading(handover, whose, None, one.assignee), one.refs)
    if _arrives(one, by):
        handover = await handovers.receive(tx, by, handover)
    entry_id = ordered_id()
    rows = _provided(by, replace(one, handover=handover), covered, "read", entry_id)
    recording = [provisions.recording(rows)] if rows else []
    entry = _entry(by, handover, covered, kept, "handovers:read")
    await send(tx, *recording, ledger.entering(entry, entry_id=entry_id))
    content = _content(kept, covered, own=whose == "sender")
    reading = Reading(handover, whose, content, one.assignee)
    return Seen(tag if handover is one.handover else etag(handover, whose, covered, today), reading, one.refs)


@dataclass(frozen=True, slots=True)
class Looked:
    """A handover as the calendar has it, what one side may see of its record, and of what kind the sides are."""

    handover: Handover
    coverage: Coverage | None
    """None: no more than the notice."""
    kinds: Mapping[Side, OrganizationKind]


async def looked_at(tx: ReadTx, by: By, handover_id: HandoverId) -> Looked:
    """Raises NotFound for everybody but the two sides."""
    one = await _found(tx, by, handover_id, None, texts=())
    return _looked(one, as_of(one.handover, civil_date(by.at)), by)


async def covered(tx: ReadTx, by: By, handover: Handover) -> Looked:
    """As `looked_at`, of a handover that is at hand."""
    (one,) = await store.find(tx, by.organization_id, [handover.id], texts=())
    return _looked(one, handover, by)


def _looked(one: Found, handover: Handover, by: By) -> Looked:
    kinds: dict[Side, OrganizationKind] = {
        "sender": one.refs[handover.sender_id].kind,
        "receiver": one.refs[handover.receiver_id].kind,
    }
    return Looked(handover, _covered(replace(one, handover=handover), by), kinds)


async def _found(
    tx: ReadTx, by: By, handover_id: HandoverId, version: int | None, *, texts: Sequence[str] | None = None
) -> Found:
    found = await store.find(tx, by.organization_id, [handover_id], version=version, texts=texts)
    if not found or found[0].handover.side_of(by.organization_id) is None:
        raise NotFound
    return found[0]


def _moves(one: Found, by: By) -> bool:
    """Whether reading it changes the handover, which then must be held."""
    return unsettled(one.handover, civil_date(by.at)) or _arrives(one, by)


def _arrives(one: Found, by: By) -> bool:
    """Whether this is the receiver's first full reading of what is on offer."""
    handover = one.handover
    newest = one.kept is not None and one.kept.version == handover.version
    return (
        side(handover, by) == "receiver"
        and handover.status == "offered"
        and newest
        and bool(_covered(one, by))
    )


async def standing(tx: ReadTx, by: By, handover: Handover) -> Standing:
    """How the handover stands for the caller now, with the entity tag that reading it would have."""
    (one,) = await store.find(tx, by.organization_id, [handover.id], texts=())
    covered = _covered(replace(one, handover=handover), by)
    warnings = visible_warnings(one.kept.warnings if one.kept else (), covered)
    tag = etag(handover, side(handover, by), covered, civil_date(by.at))
    return Standing(tag, covered is not None, warnings)


def own(by: By, handover: Handover, sections: Iterable[str], warnings: tuple[Notice, ...]) -> Standing:
    """How the caller's own handover stands, with a record of these sections."""
    covered = _all_of(sections)
    return Standing(etag(handover, "sender", covered, civil_date(by.at)), True, warnings)


def _all_of(sections: Iterable[str]) -> Coverage:
    return Coverage(dict.fromkeys(sections, ()), {})


def _covered(one: Found, by: By) -> Coverage | None:
    """What the caller may see of it; None where that is the notice alone. The sender sees its own record."""
    handover, today = one.handover, civil_date(by.at)
    whose, names = side(handover, by), one.kept.section_names if one.kept else ()
    if whose == "sender":
        return _all_of(names)
    return consent_rules.coverage(one.access, names, today) if readable(handover, whose, today) else None


def _entry(by: By, handover: Handover, covered: Coverage, kept: Kept, action: Action) -> Entry:
    return Entry(
        action=action,
        at=by.at,
        actor=by.caller.actor(by.request_id),
        stream=handover.stream,
        record=Record("handover", handover.id, kept.version),
        sections=list(covered.visible),
        consents=covered.consents,
        content=content_hash({name: kept.hashes[name] for name in kept.sections if name in covered.visible}),
    )


def _provided(by: By, one: Found, covered: Coverage, means: Means, entry_id: UUID) -> list[provisions.Row]:
    """The records of provision (第三者提供記録) that this reading makes; nobody provides to itself."""
    if one.kept is None or side(one.handover, by) == "sender":
        return []
    version, header = one.kept.version, one.kept.header
    return provided(
        by.at,
        one.handover,
        covered,
        one.given,
        version=version,
        header=header,
        means=means,
        receiver_kind=one.refs[one.handover.receiver_id].kind,
        entry_id=entry_id,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What a record of provision does not hold itself: it stands in the handover's record, and nowhere else."""

    person_name: str | None = None
    acquisition: str | None = None


async def told(tx: ReadTx, by: By, records: Iterable[Provision]) -> dict[UUID, Told]:
    """Who the person of each record of provision is (本人特定事項), and how the giver states that it came by the data,
    as far as the caller may read that today."""
    of_version: dict[int, list[Provision]] = defaultdict(list)
    for one in records:
        of_version[one.version].append(one)
    found: dict[UUID, Told] = {}
    for version, those in of_version.items():
        ids = list({one.handover_id for one in those})
        kept = await store.find(tx, by.organization_id, ids, version=version, texts=("identity",))
        by_handover = {one.handover.id: _told(one, by) for one in kept}
        found |= {one.id: by_handover.get(one.handover_id, Told()) for one in those}
    return found


def _told(found: Found, by: By) -> Told:
    one = replace(found, handover=as_of(found.handover, civil_date(by.at)))
    covered = _covered(one, by) if one.handover.side_of(by.organization_id) else None
    if covered is None or one.kept is None:
        return Told()
    who = json.loads(one.kept.sections.get("identity", "{}")) if "identity" in covered.visible else {}
    name = f"{who['familyName']} {who['givenName']}" if who else None
    return Told(name, json.loads(one.kept.header).get(STATEMENT))


def _content(kept: Kept, covered: Coverage, *, own: bool) -> Content:
    visible = {name: text for name, text in kept.sections.items() if name in covered.visible}
    return Content(
        version=kept.version,
        recorded_at=kept.recorded_at,
        header=kept.header,
        extensions=kept.extensions if own else None,
        sections=visible,
        hashes={name: kept.hashes[name] for name in visible},
        withheld=covered.withheld,
        consents=tuple(covered.consents),
        warnings=visible_warnings(kept.warnings, covered),
    )


async def export(db: Database, clock: Clock, by: By) -> AsyncIterator[list[Disclosed]]:
    """Everything the caller may pull when it asks, batch by batch.

    Each batch is on the ledger, and received, before its first line is handed out; while one is handed out the next
    is fetched. What has meanwhile been closed to the caller is left out.
    """
    async with db.read(by.acting) as tx:
        ids = await handover_store.pullable(tx, by.organization_id, READABLE, today=civil_date(by.at))
    ids.sort(key=int)  # in the order in which they were made

    async def batch(first: int) -> list[Disclosed]:
        now = replace(by, at=clock.now())
        async with db.write(now.acting) as tx:
            return await _disclose_all(tx, now, ids[first : first + EXPORT_BATCH])

    following = asyncio.create_task(batch(0))
    try:
        for first in range(EXPORT_BATCH, len(ids), EXPORT_BATCH):
            current, following = await following, asyncio.create_task(batch(first))
            yield current
        yield await following
    finally:
        following.cancel()  # whoever was to have it may have gone
        await asyncio.gather(following, return_exceptions=True)


async def _disclose_all(tx: WriteTx, by: By, handover_ids: Sequence[HandoverId]) -> list[Disclosed]:
    # All rows are held before anything is read, and before the ledger's streams: as in every other step.
    pulled = await handover_store.pulled(tx, handover_ids)
    fresh = [one.id for one in pulled if one.status == "offered" and one.receiver_id == by.organization_id]
    if fresh:
        await handover_store.hold(tx, fresh)
    await ledger.hold(tx, [one.stream for one in pulled])
    for handover_id in fresh:
        await present(tx, by, handover_id)
    disclosed: list[Disclosed] = []
    entries: list[Entry] = []
    read: list[tuple[Found, Coverage]] = []
    for found in await store.find(tx, by.organization_id, handover_ids):
        one = replace(found, handover=as_of(found.handover, civil_date(by.at)))
        covered, whose = _covered(one, by), side(one.handover, by)
        if covered is None or one.kept is None:
            continue
        first = one.handover.id in fresh and one.handover.status == "offered"
        current = await handovers.receive(tx, by, one.handover) if first else one.handover
        entries.append(_entry(by, current, covered, one.kept, "handovers:export"))
        read.append((replace(one, handover=current), covered))
        content = _content(one.kept, covered, own=whose == "sender")
        reading = Reading(current, whose, content, one.assignee)
        disclosed.append(Disclosed(reading, one.refs))
    if entries:
        ids = await ledger.append(tx, *entries)
        recorded = [
            _provided(by, *those, "export", entry_id) for those, entry_id in zip(read, ids, strict=True)
        ]
        if rows := list(chain.from_iterable(recorded)):
            await send(tx, provisions.recording(rows))
    return disclosed
