"""Looking at the ledger; every look is an entry itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tsunagi.audit import store
from tsunagi.audit.rules import Kept, for_receiver, steps
from tsunagi.audit.store import EVERYTHING, Source, Wanted
from tsunagi.clock import civil_date
from tsunagi.db import ReadTx, WriteTx
from tsunagi.disclosure.rules import readable
from tsunagi.errors import NotFound
from tsunagi.handovers import store as handovers
from tsunagi.handovers.rules import Handover, as_of
from tsunagi.handovers.steps import By, side
from tsunagi.ids import HandoverId, PersonId, Stream
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Entry, Record
from tsunagi.oversight import store as oversight
from tsunagi.transparency import store as log
from tsunagi.transparency.actions import inclusion_proofs
from tsunagi.transparency.store import Signed

BATCH = 2_000
BATCHES_PER_PAGE = 5
"""How many entries a page looks at, at most, before it ends with what it found."""

CLOCKS_APART = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was delivered and what became of it, with the proofs of those entries that are in the log."""

    handover: Handover
    steps: Sequence[Kept]
    signed: Signed | None
    proofs: Mapping[int, str]
    """By position."""


async def receipt(tx: WriteTx, by: By, handover_id: HandoverId) -> Receipt:
    """The receipt as this side may have it; that it was asked for is on the ledger. It names the state that the ledger
    knows: a step of the clock that is due is on it once it was taken.

    Raises NotFound for everybody but the two sides.
    """
    found = await handovers.find(tx, handover_id)
    if found is None or found.side_of(by.organization_id) is None:
        raise NotFound
    today = civil_date(by.at)
    handover = as_of(found, today)
    whose = side(handover, by)
    entries = list(steps(await store.of_handover(tx, handover_id), receiver=handover.receiver_id))
    if whose == "receiver":
        opened = readable(handover, whose, today)
        entries = list(for_receiver(entries, handover.receiver_id, opened=opened))
    signed = await log.newest(tx)
    placed = [one.position for one in entries if one.position is not None]
    proofs = await inclusion_proofs(tx, placed, signed) if signed else {}
    await ledger.append(tx, _look(by, handover.stream, Record("handover", handover.id, handover.version)))
    return Receipt(found, entries, signed, proofs)


def _look(by: By, stream: Stream | None, record: Record | None) -> Entry:
    return Entry(
        action="ledger:read",
        at=by.at,
        actor=by.caller.actor(by.request_id),
        stream=stream,
        record=record,
    )


@dataclass(frozen=True, slots=True)
class Page:
    entries: Sequence[Kept]
    end: UUID | None
    """Where the next page begins; None when nothing comes after."""

    last: UUID
    """Where the last page ends: each look is an entry itself, and whoever read on to the newest would never end."""


async def entries(
    tx: WriteTx,
    by: By,
    wanted: Wanted,
    *,
    person_id: PersonId | None = None,
    handover_id: HandoverId | None = None,
    stream: Stream | None = None,
) -> Page:
    """Entries in the order in which they were written: the caller's own acts, and for an auditor everything about the
    people of its remit. That it looked is on the ledger. (What others did about a side's handovers is on receipts.)

    Raises NotFound when the person or handover is not for the caller to see.
    """
    if person_id is not None:
        stream = await _stream_of(tx, by, person_id, stream)
    if handover_id is not None:
        if await handovers.find(tx, handover_id) is None:
            raise NotFound
        wanted = replace(wanted, record_id=str(handover_id))
    if wanted.last == EVERYTHING:
        wanted = replace(wanted, last=await store.newest(tx))
    audits = bool(await oversight.remit(tx, by.organization_id))
    mine = wanted if audits else replace(wanted, organization_id=by.organization_id)
    if stream is not None:
        # Of what was erased, auditors see that it was there. Of whom they may not look at they see nothing.
        seen = (
            mine
            if await store.knows_stream(tx, stream)
            else replace(mine, organization_id=by.organization_id)
        )
        page = await _some(tx, seen, "stream", stream)
    elif handover_id is not None:
        page = await _some(tx, mine, "record", str(handover_id))
    elif audits:
        page = await _walk(tx, wanted)
    else:
        page = await _some(tx, _from_its_day(wanted), "organization", by.organization_id)
    await ledger.append(tx, _look(by, stream, Record("handover", handover_id) if handover_id else None))
    return page


async def _stream_of(tx: ReadTx, by: By, person_id: PersonId, asked: Stream | None) -> Stream:
    """The person's stream. Raises NotFound when it is not for the caller to see, or not the one that was asked for."""
    stream = await oversight.visible_stream(tx, by.organization_id, person_id)
    if stream is None or asked not in (None, stream):
        raise NotFound
    return stream


async def _some(tx: ReadTx, wanted: Wanted, source: Source, key: object) -> Page:
    found = await store.find(tx, replace(wanted, limit=wanted.limit + 1), source, key)
    page = found[: wanted.limit]
    return Page(page, page[-1].id if len(found) > wanted.limit else None, wanted.last)


async def _walk(tx: ReadTx, wanted: Wanted) -> Page:
    """A page that has looked at enough entries ends there, however few of them were for the caller."""
    found: list[Kept] = []
    place: UUID | None = _from_its_day(wanted).after
    for _ in range(BATCHES_PER_PAGE):
        assert place is not None, "the loop ends with the log"
        missing = wanted.limit - len(found)
        more = await store.find(tx, replace(wanted, after=place, limit=missing), "everything", BATCH)
        found += more
        if len(found) == wanted.limit:
            return Page(found, found[-1].id, wanted.last)
        place = await store.reached(tx, place, BATCH)
        if place is None or place >= wanted.last:
            return Page(found, None, wanted.last)
    return Page(found, place, wanted.last)


def _from_its_day(wanted: Wanted) -> Wanted:
    """Entries' ids begin with the time at which they were made (RFC 9562 section 5.7), so that what is long before the
    period that is asked for need not be looked at."""
    if wanted.since is None:
        return wanted
    first = min(wanted.since, datetime.now(UTC)) - CLOCKS_APART
    milliseconds = max(int(first.timestamp() * 1000), 0)
    return replace(wanted, after=max(wanted.after, UUID(int=milliseconds << 80)))
