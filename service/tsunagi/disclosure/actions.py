"""Reading handovers: one, one version, or everything that may be pulled."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tsunagi.clock import Clock, civil_date
from tsunagi.consent import rules as consent_rules
from tsunagi.consent import store as consent
from tsunagi.consent.rules import Coverage
from tsunagi.db import Database, ReadTx, WriteTx
from tsunagi.disclosure.rules import READABLE, Content, Reading, etag, readable, visible_warnings
from tsunagi.errors import NotFound, Notice
from tsunagi.handovers import actions as handovers
from tsunagi.handovers import store
from tsunagi.handovers.rules import Handover, as_of
from tsunagi.handovers.steps import By, present, side
from tsunagi.ids import HandoverId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Entry, Record
from tsunagi.records import store as records
from tsunagi.records.store import Kept

EXPORT_BATCH = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """A handover's entity tag for its reader, and the reading unless the reader already has it."""

    etag: str
    reading: Reading | None


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
    handover = await present(tx, by, handover_id)
    whose = side(handover, by)
    wanted = version or (await _versions(tx, by, [handover]))[handover.id]
    kept = (await records.load(tx, (handover.id, wanted))).get((handover.id, wanted))
    if kept is None or (whose == "receiver" and kept.offered_at is None):
        raise NotFound
    covered = (await _coverages(tx, by, [handover], {handover.id: kept.document.sections}))[handover.id]
    today = civil_date(by.at)
    tag = etag(handover, whose, covered, today)
    if tag in unless or "*" in unless:  # RFC 9110 section 13.1.2
        return Seen(tag, None)
    if covered is None:
        return Seen(tag, Reading(handover, whose, None))
    if whose == "receiver" and handover.status == "offered" and wanted == handover.version:
        handover = await handovers.receive(tx, by, handover)
    await ledger.append(tx, _entry(by, handover, covered, wanted, "handovers:read"))
    return Seen(
        etag(handover, whose, covered, today),
        Reading(handover, whose, _content(kept, covered, wanted, own=whose == "sender")),
    )


async def standing(tx: ReadTx, by: By, handover: Handover) -> Standing:
    """How the handover stands for the caller now, with the entity tag that reading it would have."""
    whose, version = side(handover, by), (await _versions(tx, by, [handover]))[handover.id]
    names = await records.section_names(tx, handover.id, version)
    covered = (await _coverages(tx, by, [handover], {handover.id: names}))[handover.id]
    warnings = visible_warnings(await records.warnings(tx, handover.id, version), covered)
    return Standing(etag(handover, whose, covered, civil_date(by.at)), covered is not None, warnings)


async def _versions(tx: ReadTx, by: By, found: Sequence[Handover]) -> dict[HandoverId, int]:
    """The version of each that the caller reads: the receiver none that has not been on offer."""
    incoming = [one.id for one in found if side(one, by) == "receiver"]
    offered = await records.newest_offered(tx, *incoming) if incoming else {}
    return {one.id: one.version for one in found} | offered


async def _coverages(
    tx: ReadTx,
    by: By,
    found: Sequence[Handover],
    sections: Mapping[HandoverId, Iterable[str]],
) -> dict[HandoverId, Coverage | None]:
    """What the caller may see of each; None where that is the notice alone. The sender sees its own record."""
    today = civil_date(by.at)
    mine = {handover.id for handover in found if side(handover, by) == "sender"}
    asked = [one for one in found if one.id not in mine and readable(one, "receiver", today)]
    rows = await consent.access_rows(
        tx, *((one.person_id, by.organization_id, one.sender_id) for one in asked)
    )
    covered: dict[HandoverId, Coverage | None] = {handover.id: None for handover in found}
    for one in asked:
        between = (one.person_id, by.organization_id, one.sender_id)
        covered[one.id] = consent_rules.coverage(rows[between], sections[one.id], today)
    for handover_id in mine:
        covered[handover_id] = Coverage(dict.fromkeys(sections[handover_id], ()), {})
    return covered


def _entry(by: By, handover: Handover, covered: Coverage, version: int, action: Action) -> Entry:
    return Entry(
        action=action,
        at=by.at,
        actor=by.caller.actor(by.request_id),
        stream=handover.stream,
        record=Record("handover", handover.id, version),
        sections=list(covered.visible),
        consents=covered.consents,
    )


def _content(kept: Kept, covered: Coverage, version: int, *, own: bool) -> Content:
    document = kept.document
    visible = {name: text for name, text in document.sections.items() if name in covered.visible}
    return Content(
        version=version,
        recorded_at=kept.recorded_at,
        header=document.header,
        extensions=document.extensions if own else None,
        sections=visible,
        hashes={name: document.hashes[name] for name in visible},
        withheld=covered.withheld,
        consents=tuple(covered.consents),
        warnings=visible_warnings(kept.warnings, covered),
    )


async def export(db: Database, clock: Clock, by: By) -> AsyncIterator[list[Reading]]:
    """Everything the caller may pull, batch by batch in constant memory.

    Each batch is on the ledger, and received, before its first line is handed out. The order is that of the ids,
    which do not change meanwhile: nothing comes twice and nothing is passed over.
    """
    after: HandoverId | None = None
    while True:
        now = replace(by, at=clock.now())
        async with db.write() as tx:
            found = await store.pullable(
                tx, by.organization_id, READABLE, today=civil_date(now.at), after=after, limit=EXPORT_BATCH
            )
            readings = await _disclose_all(tx, now, found)
        if readings:
            yield readings
        if len(found) < EXPORT_BATCH:
            return
        after = found[-1].id


async def _disclose_all(tx: WriteTx, by: By, found: Sequence[Handover]) -> list[Reading]:
    # All rows are held before anything is read, and before the ledger's streams: as in every other step.
    fresh = {one.id for one in found if one.status == "offered" and side(one, by) == "receiver"}
    await store.hold(tx, sorted(fresh))
    await ledger.hold(tx, [one.stream for one in found])
    today = civil_date(by.at)
    held = [await present(tx, by, one.id) if one.id in fresh else as_of(one, today) for one in found]
    wanted = await _versions(tx, by, held)
    kept = await records.load(tx, *wanted.items()) if wanted else {}
    of = {handover_id: kept[(handover_id, version)] for handover_id, version in wanted.items()}
    covered = await _coverages(tx, by, held, {one: of[one].document.sections for one in of}) if of else {}
    readings: list[Reading] = []
    entries: list[Entry] = []
    for handover in held:
        shown, version = covered[handover.id], wanted[handover.id]
        if shown is None:
            continue
        whose = side(handover, by)
        first = whose == "receiver" and handover.status == "offered"
        current = await handovers.receive(tx, by, handover) if first else handover
        entries.append(_entry(by, current, shown, version, "handovers:export"))
        readings.append(
            Reading(current, whose, _content(of[handover.id], shown, version, own=whose == "sender"))
        )
    if entries:
        await ledger.append(tx, *entries)
    return readings
