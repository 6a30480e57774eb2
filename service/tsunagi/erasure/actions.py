"""Looking at what would be erased, erasing it, and holding it."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import uuid4

from tsunagi.clock import civil_date
from tsunagi.db import Database, ReadTx, WriteTx
from tsunagi.erasure import holds, store
from tsunagi.erasure.holds import Hold
from tsunagi.erasure.rules import Rule, kept_until
from tsunagi.erasure.store import Person, Traces
from tsunagi.ids import PersonId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PLATFORM, Action, Actor, Entry, Record

Ground = Literal["request", "retention"]
"""Why somebody is erased: because it was asked for, or because nothing needs to be kept any more."""

BATCH = 100


class NotErasable(Exception):
    """Something stands against it. `why`: `unknown`, `held`, `under_way` or `retained`."""

    def __init__(self, why: Literal["unknown", "held", "under_way", "retained"], text: str = "") -> None:
        super().__init__(text or why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Outlook:
    """What erasing somebody would mean."""

    person: Person
    kept_until: date | None
    """The first day on which no rule keeps anything; None while a handover is under way."""
    under_way: int
    holds: tuple[Hold, ...]
    goes: Mapping[str, int]
    stays: Mapping[str, int]


async def outlook(tx: ReadTx, rules: Iterable[Rule], person_id: PersonId) -> Outlook:
    """Raises NotErasable where there is nobody of this id."""
    who = await store.person(tx, person_id)
    if who is None:
        raise NotErasable("unknown")
    found = await _traces(tx, who)
    goes, stays = await store.counted(tx, who, found)
    held = tuple(await holds.holding(tx, who.id))
    return Outlook(who, kept_until(tuple(rules), found.courses), found.under_way, held, goes, stays)


async def _traces(tx: ReadTx, who: Person) -> Traces:
    return await store.traces(tx, who, civil_date(who.registered_at))


async def erase(
    db: Database,
    at: datetime,
    rules: Iterable[Rule],
    person_id: PersonId,
    *,
    ground: Ground,
    by: str,
    early: bool = False,
) -> Mapping[str, int]:
    """Nothing is left that says who the person was: all of it in one transaction, on the ledger under their pseudonym.
    Returns how many rows of which table went. `early`: also before the rules let it go.

    Raises NotErasable where nobody has the id, a hold is on them, a handover is under way, or a rule keeps them.
    """
    async with db.platform() as tx:
        who = await store.person(tx, person_id, lock=True)
        if who is None:
            raise NotErasable("unknown")
        found = await _traces(tx, who)
        if await holds.holding(tx, who.id):
            raise NotErasable("held")
        if found.under_way:
            raise NotErasable("under_way")
        until = kept_until(tuple(rules), found.courses)
        if not early and (until is None or civil_date(at) < until):
            raise NotErasable("retained", f"{until}")
        gone = await store.erase(tx, at, who, found)
        await _enter(tx, at, who, "people:erase", by=by, code=ground)
    return gone


async def due(db: Database, at: datetime, rules: Iterable[Rule]) -> AsyncIterator[Person]:
    """Everybody whom no rule and no hold keeps any more."""
    rules, after = tuple(rules), None
    while True:
        async with db.platform() as tx:
            people = await store.people_after(tx, after, limit=BATCH)
            ready = [one for one in people if await _is_due(tx, one, at, rules)]
        for one in ready:
            yield one
        if len(people) < BATCH:
            return
        after = people[-1].id


async def _is_due(tx: ReadTx, who: Person, at: datetime, rules: tuple[Rule, ...]) -> bool:
    until = kept_until(rules, (await _traces(tx, who)).courses)
    return until is not None and until <= civil_date(at) and not await holds.holding(tx, who.id)


async def forget_provisions(db: Database, at: datetime) -> int:
    """Records of provision have ends of their own: those that have come to it are gone; how many."""
    async with db.platform() as tx:
        return await store.forget_provisions(tx, civil_date(at))


async def place(db: Database, at: datetime, person_id: PersonId, *, reason: str, by: str) -> Hold:
    """The person is not erased until the hold is released. Raises NotErasable where there is nothing to hold."""
    async with db.platform() as tx:
        who = await _present(tx, person_id)
        hold = await holds.place(tx, at, who.id, reason=reason, by=by)
        await _enter(tx, at, who, "people:hold", by=by)
    return hold


async def release(db: Database, at: datetime, person_id: PersonId, *, by: str) -> int:
    """Nothing holds the person any more; how many holds did. Raises NotErasable where nobody has the id."""
    async with db.platform() as tx:
        who = await _present(tx, person_id)
        number = await holds.release(tx, at, who.id)
        if number:
            await _enter(tx, at, who, "people:release", by=by)
    return number


async def held(db: Database) -> list[Hold]:
    async with db.platform() as tx:
        return await holds.holding(tx)


async def _present(tx: WriteTx, person_id: PersonId) -> Person:
    who = await store.person(tx, person_id, lock=True)
    if who is None or who.erased_at is not None:
        raise NotErasable("unknown")
    return who


async def _enter(
    tx: WriteTx, at: datetime, who: Person, action: Action, *, by: str, code: str | None = None
) -> None:
    entry = Entry(
        action=action,
        at=at,
        actor=Actor(None, PLATFORM, by, f"cli-{uuid4()}"),
        stream=who.stream,
        record=Record("person", who.stream),
        code=code,
    )
    await ledger.append(tx, entry)
