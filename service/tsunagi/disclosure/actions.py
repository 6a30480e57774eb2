"""Reading handovers: one, one version, or everything that may be pulled."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tsunagi.clock import Clock, civil_date
from tsunagi.consent import rules as consent_rules
from tsunagi.consent import store as consent
from tsunagi.consent.rules import Coverage
from tsunagi.db import Database, ReadTx, WriteTx
from tsunagi.disclosure.rules import READABLE, Content, Reading, etag
from tsunagi.errors import NotFound
from tsunagi.handovers import actions as handovers
from tsunagi.handovers import store
from tsunagi.handovers.rules import Handover
from tsunagi.handovers.steps import By, present, side
from tsunagi.handovers.store import Filter
from tsunagi.ids import HandoverId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Entry, Record
from tsunagi.records import store as records
from tsunagi.records.store import Document

EXPORT_BATCH = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """A handover's entity tag for its reader, and the reading unless the reader already has it."""

    etag: str
    reading: Reading | None


async def read(
    tx: WriteTx, by: By, handover_id: HandoverId, *, version: int | None = None, unless: Collection[str] = ()
) -> Seen:
    """The reader has seen what consent allows today, and the ledger says so. The receiver's first full reading
    receives the handover. Where one of the entity tags `unless` still holds, nothing is read and nothing recorded.

    Raises NotFound for everybody but the two sides, and for a version that does not exist.
    """
    handover = await present(tx, by, handover_id)
    wanted = handover.version if version is None else version
    document = (await records.documents(tx, (handover.id, wanted))).get((handover.id, wanted))
    if document is None:
        raise NotFound
    covered = (await _coverages(tx, by, [handover], {handover.id: document}))[handover.id]
    tag = _tag(handover, covered)
    if tag in unless:
        return Seen(tag, None)
    reading = await _disclose(tx, by, handover, document, covered, version=wanted)
    return Seen(_tag(reading.handover, covered), reading)


async def current_etag(tx: ReadTx, by: By, handover: Handover) -> str:
    """The entity tag that the caller would get for the handover now."""
    names = await records.section_names(tx, handover.id, handover.version)
    covered = (await _coverages(tx, by, [handover], {handover.id: names}))[handover.id]
    return _tag(handover, covered)


def _tag(handover: Handover, covered: Coverage | None) -> str:
    visible = frozenset(covered.visible) if covered else frozenset()
    return etag(handover, visible, "record" if covered else "notice")


def readable(handover: Handover, by: By) -> bool:
    """Whether the caller gets more than the notice."""
    if side(handover, by) == "sender":
        return True
    return handover.status in READABLE and handover.window_open(civil_date(by.at))


async def _coverages(
    tx: ReadTx,
    by: By,
    found: Sequence[Handover],
    sections: dict[HandoverId, Document] | dict[HandoverId, list[str]],
) -> dict[HandoverId, Coverage | None]:
    """What the caller may see of each; None where that is the notice alone. The sender sees its own record."""
    today = civil_date(by.at)
    mine = {handover.id for handover in found if side(handover, by) == "sender"}
    asked = [handover for handover in found if handover.id not in mine and readable(handover, by)]
    rows = await consent.access_rows(
        tx, *((one.person_id, by.organization_id, one.sender_id) for one in asked)
    )
    covered: dict[HandoverId, Coverage | None] = {handover.id: None for handover in found}
    for one in asked:
        between = (one.person_id, by.organization_id, one.sender_id)
        covered[one.id] = consent_rules.coverage(rows[between], _names(sections[one.id]), today)
    for handover_id in mine:
        covered[handover_id] = Coverage(dict.fromkeys(_names(sections[handover_id]), ()), {})
    return covered


def _names(sections: Document | list[str]) -> list[str]:
    return list(sections.sections) if isinstance(sections, Document) else sections


async def _disclose(
    tx: WriteTx, by: By, handover: Handover, document: Document, covered: Coverage | None, *, version: int
) -> Reading:
    whose = side(handover, by)
    if covered is None:
        return Reading(handover, whose, None)
    if whose == "receiver" and handover.status == "offered" and version == handover.version:
        handover = await handovers.receive(tx, by, handover)
    await ledger.append(tx, _entry(by, handover, covered, version, "handovers:read"))
    return Reading(handover, whose, _content(document, covered, version, own=whose == "sender"))


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


def _content(document: Document, covered: Coverage, version: int, *, own: bool) -> Content:
    visible = {name: text for name, text in document.sections.items() if name in covered.visible}
    return Content(
        version=version,
        header=document.header,
        extensions=document.extensions if own else None,
        sections=visible,
        hashes={name: document.hashes[name] for name in visible},
        withheld=covered.withheld,
        consents=tuple(covered.consents),
    )


async def export(db: Database, clock: Clock, by: By) -> AsyncIterator[list[Reading]]:
    """Everything the caller may pull, batch by batch in constant memory.

    Each batch is on the ledger, and received, before its first line is handed out.
    """
    after: tuple[date, HandoverId] | None = None
    while True:
        now = replace(by, at=clock.now())
        async with db.write() as tx:
            found = await _batch(tx, now, after)
            readings = await _disclose_all(tx, now, found)
        if readings:
            yield readings
        if len(found) < EXPORT_BATCH:
            return
        after = (found[-1].due_on, found[-1].id)


async def _batch(tx: ReadTx, by: By, after: tuple[date, HandoverId] | None) -> list[Handover]:
    wanted = Filter(direction="incoming", statuses=sorted(READABLE), window="open")
    return await store.listing(
        tx, by.organization_id, wanted, today=civil_date(by.at), after=after, limit=EXPORT_BATCH
    )


async def _disclose_all(tx: WriteTx, by: By, found: Sequence[Handover]) -> list[Reading]:
    documents = await records.documents(tx, *((one.id, one.version) for one in found)) if found else {}
    of = {one.id: documents[(one.id, one.version)] for one in found}
    covered = await _coverages(tx, by, found, of) if found else {}
    # Rows first, streams later: the order in which every other step takes its locks.
    for handover in found:
        if handover.status == "offered":
            await store.lock(tx, handover.id)
    readings: list[Reading] = []
    entries: list[Entry] = []
    for handover in found:
        shown, current = covered[handover.id], handover
        if handover.status == "offered":
            current = await present(tx, by, handover.id)
            current = await handovers.receive(tx, by, current) if current.status == "offered" else current
        if shown is None or not readable(current, by):
            continue
        entries.append(_entry(by, current, shown, current.version, "handovers:export"))
        content = _content(of[handover.id], shown, handover.version, own=False)
        readings.append(Reading(current, "receiver", content))
    if entries:
        await ledger.append(tx, *entries)
    return readings
