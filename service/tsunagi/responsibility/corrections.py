"""What an organization says of its own responsibility apart from any handover: that it did hold days (担っていた),
that it did not, that it ends.

Nobody is given days by another, and nobody's days are taken. What is wrong between two organizations is put right by
both, one after the other: the one gives the days up, the other takes them, and in between they are nobody's, for all
to see (docs/decisions/0019).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar

from tsunagi.auth.rules import Caller
from tsunagi.clock import civil_date
from tsunagi.db import Database, Write, WriteTx, send
from tsunagi.directory.rules import WHOLE, Succession
from tsunagi.errors import Notice, ResponsibilityNotHeld, RuleViolated, Text
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PLATFORM, Actor, Entry, Record
from tsunagi.notifications import store as notifications
from tsunagi.notifications.store import Event
from tsunagi.people import actions as people
from tsunagi.people import store as relations
from tsunagi.people.actions import Known
from tsunagi.responsibility import store
from tsunagi.responsibility.actions import Chains, Stated, hold, stated
from tsunagi.responsibility.rules import (
    DOMAINS,
    FOREVER,
    Basis,
    Chain,
    CorrectionCode,
    Domain,
    EndCode,
    Interval,
    Picture,
    Role,
    Segment,
    Support,
    SupportRole,
    extend_back,
    joined,
    support_beside,
)
from tsunagi.responsibility.store import Reason, Version


@dataclass(frozen=True, slots=True)
class Correction:
    """On these days the organization did have the role, or (`held` false) did not."""

    domain: Domain
    role: Role
    days: Interval
    held: bool
    code: CorrectionCode
    basis: Basis | None = None
    reason: ClassVar[Reason] = "corrected"

    @property
    def effective_on(self) -> date:
        return self.days.valid_from


@dataclass(frozen=True, slots=True)
class End:
    """From `on` on the organization has the role no longer, and nobody follows."""

    domain: Domain
    role: Role
    on: date
    code: EndCode
    reason: ClassVar[Reason] = "ended"

    @property
    def effective_on(self) -> date:
        return self.on


def interval(from_day: date, to_day: date | None, today: date) -> Interval:
    """The days a correction is about. Raises RuleViolated when it has none, or begins ahead."""
    to_day = to_day or FOREVER
    if from_day > today:
        raise _refused(
            "correction.in_future",
            "/from",
            "これから先のことは、訂正ではなく引継ぎか終了（end）で記録してください",
            "What lies ahead is no correction: hand over, or end it",
        )
    if from_day == date.min or not from_day < to_day:
        raise _refused(
            "correction.period_reversed",
            "/to",
            "終わりは始まりより後の日にしてください",
            "It must end after it begins",
        )
    return Interval(from_day, to_day)


def correct(picture: Picture, organization: OrganizationId, said: Correction) -> Picture:
    """What is known once the organization has put right what was recorded of it.

    Raises ResponsibilityNotHeld when a day is another's, or one given up is not its own; RuleViolated when that is
    known already.
    """
    if said.role == "primary":
        corrected = _primary(picture, organization, said)
    else:
        rest = frozenset(_without(picture.support, organization, said.role, said.days))
        own = {Support(said.days.valid_from, said.days.valid_to, organization, said.role)}
        corrected = replace(picture, support=rest | own if said.held else rest)
    if corrected.chain == picture.chain and support_beside(corrected) == support_beside(picture):
        raise _refused(
            "correction.nothing_changes", "", "すでにそのとおり記録されています", "It is recorded so already"
        )
    return corrected


def end(picture: Picture, organization: OrganizationId, said: End, today: date) -> Picture:
    """What is known once the organization has said that it ends: from that day on its days are nobody's.

    Raises RuleViolated when the day has passed (that would be a correction), ResponsibilityNotHeld when there is
    nothing to end.
    """
    if said.on < today or said.on >= FOREVER:
        raise _refused(
            "end.in_past",
            "/on",
            "終了日は今日以降にしてください。過去のことは訂正（corrections）で記録します",
            "It ends today or later; what has passed is put right by a correction",
        )
    ahead = Interval(said.on, FOREVER)
    if said.role != "primary":
        ended = replace(picture, support=frozenset(_without(picture.support, organization, said.role, ahead)))
    else:
        mine = [one for one in _within(picture.chain, ahead) if one.holder == organization]
        chain = picture.chain
        for one in mine:
            chain = painted(chain, one, None)
        ended = replace(picture, chain=chain)
    if ended == picture:
        raise not_held(
            "/role", "その日以降、その役割を担っていません", "There is nothing to end from that day on"
        )
    return ended


def painted(chain: Chain, days: Interval, holder: OrganizationId | None, basis: Basis | None = None) -> Chain:
    """`holder` holds on these days, and the others are as they were."""
    whole = extend_back(chain, days.valid_from)
    before = [one for one in whole.segments if one.valid_from < days.valid_from]
    after = [
        replace(one, valid_from=max(one.valid_from, days.valid_to))
        for one in whole.segments
        if one.valid_to > days.valid_to
    ]
    return joined([*before, Segment(days.valid_from, FOREVER, holder, basis), *after])


def _primary(picture: Picture, organization: OrganizationId, said: Correction) -> Picture:
    holders = {one.holder for one in _within(extend_back(picture.chain, said.days.valid_from), said.days)}
    if said.held and not holders <= {organization, None}:
        raise not_held(
            "/from",
            "別の機関が主担当の日が含まれています。先にその機関が訂正してください",
            "Some of these days are another organization's, which has to give them up first",
        )
    if not said.held and holders != {organization}:
        raise not_held(
            "/from", "自機関が主担当でない日が含まれています", "Some of these days are not its own"
        )
    holder = organization if said.held else None
    return replace(picture, chain=painted(picture.chain, said.days, holder, said.basis))


async def pass_on(
    tx: WriteTx,
    at: datetime,
    person: Known,
    followed: Succession,
    *,
    request_id: str,
) -> int:
    """What the organization still holds and does from the day of its succession on is its successor's, where that
    enters into everything, and otherwise nobody's: stated, one version for each domain, whose number is returned."""
    chains = await hold(tx, person.id)
    to = followed.successor_id if followed.kind in WHOLE else None
    told: frozenset[OrganizationId] = frozenset()
    for domain in DOMAINS:
        before = chains.newest(domain)
        if before is None:
            continue
        new = _passed(before.picture, followed, to)
        change = chains.change(
            at,
            domain,
            lambda _, new=new: new,  # type: ignore[misc]
            reason="succeeded" if to else "ended",
            effective_on=followed.effective_on,
            handover_id=None,
            recorded_by=None,
            code=None if to else "organization_closed",
        )
        made = chains.newest(domain)
        if change and made:
            told |= before.organizations | made.organizations
    if not chains.writes:
        return 0
    entry = _passing_entry(at, person, followed, request_id=request_id)
    events = [Event(one, "responsibility.changed", at, person_id=person.id) for one in sorted(told)]
    written = ledger.entering(entry, entry_id=chains.entry_id)
    await send(tx, *chains.writes, notifications.telling(events), written)
    return chains.made


def _passing_entry(at: datetime, person: Known, followed: Succession, *, request_id: str) -> Entry:
    return Entry(
        action="responsibility:succeed",
        at=at,
        actor=Actor(None, PLATFORM, None, request_id),
        stream=person.stream,
        record=Record("responsibility", person.stream),
        code=followed.kind,
    )


async def pass_on_all(db: Database, at: datetime, followed: Succession) -> int:
    """What the organization still holds has passed on, person by person: each in a transaction of its own, so that it
    can be begun again. The successor is in relation with all of them. Returns for how many something changed."""
    async with db.platform() as tx:
        everybody = await store.still_held(tx, followed.predecessor_id, followed.effective_on)
    passed = 0
    for person_id, stream in everybody:
        async with db.platform() as tx:
            if followed.successor_id is not None:
                whose = (person_id, followed.successor_id)
                through = HandoverId(followed.id)
                await relations.relate(tx, at, *whose, through=through, sender_id=followed.predecessor_id)
            if followed.kind != "split":  # it goes on, and gives up itself what the other takes
                person = Known(person_id, stream)
                passed += bool(
                    await pass_on(tx, at, person, followed, request_id=f"succession-{followed.id}")
                )
    return passed


def _passed(picture: Picture, followed: Succession, to: OrganizationId | None) -> Picture:
    who, ahead = followed.predecessor_id, Interval(followed.effective_on, FOREVER)
    chain = picture.chain
    for one in [one for one in _within(chain, ahead) if one.holder == who]:
        chain = painted(chain, one, to, one.basis if to else None)
    passing = [one for one in picture.support if one.organization == who and one.valid_to > ahead.valid_from]
    rest = frozenset(picture.support) - frozenset(passing)
    kept = {replace(one, valid_to=ahead.valid_from) for one in passing if one.valid_from < ahead.valid_from}
    taken = {
        replace(one, valid_from=max(one.valid_from, ahead.valid_from), organization=to)
        for one in passing
        if to is not None
    }
    return Picture(chain, rest | kept | taken)


def _within(chain: Chain, days: Interval) -> list[Segment]:
    """The parts of the chain's segments that lie within these days."""
    return [
        replace(
            one,
            valid_from=max(one.valid_from, days.valid_from),
            valid_to=min(one.valid_to, days.valid_to),
        )
        for one in chain.segments
        if one.valid_from < days.valid_to and days.valid_from < one.valid_to
    ]


def _without(
    support: frozenset[Support], organization: OrganizationId, role: SupportRole, days: Interval
) -> Iterator[Support]:
    """The support, where the organization does not have that role on these days."""
    for one in support:
        if (one.organization, one.role) != (organization, role):
            yield one
            continue
        if one.valid_from < days.valid_from:
            yield replace(one, valid_to=min(one.valid_to, days.valid_from))
        if one.valid_to > days.valid_to:
            yield replace(one, valid_from=max(one.valid_from, days.valid_to))


def not_held(pointer: str, ja: str, en: str) -> ResponsibilityNotHeld:
    notice = Notice("responsibility.not_held", "error", Text(ja, en), pointer, "client")
    return ResponsibilityNotHeld(errors=(notice,), turn="client")


async def say(
    tx: WriteTx,
    at: datetime,
    caller: Caller,
    person_id: PersonId,
    said: Correction | End,
    *,
    request_id: str,
    try_only: bool,
) -> Stated:
    """What the caller's organization says of its own responsibility is a version of its own. Earlier ones stay, and
    whoever holds or supports is told. With `try_only` nothing is kept.

    Raises NotFound unless in relation with the person; ResponsibilityNotHeld when it never took part in the domain,
    or speaks of another's days; RuleViolated when that is known already, or lies on the wrong side of today.
    """
    person, organization = await people.known(tx, caller, person_id), caller.organization_id
    chains = await hold(tx, person_id)
    before = await _spoken_of(tx, chains, said.domain, organization)
    new = _stating(before.picture, organization, said, civil_date(at))
    chains.change(
        at,
        said.domain,
        lambda _: new,
        reason=said.reason,
        effective_on=said.effective_on,
        handover_id=None,
        recorded_by=organization,
        code=said.code,
    )
    made = chains.newest(said.domain)
    assert made is not None, "it was known before"
    if not try_only:
        entry = _entry(at, caller, person, made, request_id=request_id)
        told = _telling(at, before, made)
        await send(tx, *chains.writes, told, ledger.entering(entry, entry_id=chains.entry_id))
    return stated(made, before)


def _stating(picture: Picture, who: OrganizationId, said: Correction | End, today: date) -> Picture:
    return correct(picture, who, said) if isinstance(said, Correction) else end(picture, who, said, today)


async def _spoken_of(tx: WriteTx, chains: Chains, domain: Domain, organization: OrganizationId) -> Version:
    """What is known of a domain that the organization may speak of."""
    known = chains.newest(domain)
    if known is None or not await store.took_part(tx, chains.person_id, domain, organization):
        raise not_held(
            "/domain",
            "この領域を担った記録のある機関だけが述べられます",
            "Only who is recorded as having taken part in the domain can say so",
        )
    return known


def _entry(at: datetime, caller: Caller, person: Known, made: Version, *, request_id: str) -> Entry:
    return Entry(
        action="responsibility:correct" if made.reason == "corrected" else "responsibility:end",
        at=at,
        actor=caller.actor(request_id),
        stream=person.stream,
        record=Record("responsibility", f"{person.stream}/{made.domain}", made.version),
        code=made.code,
    )


def _telling(at: datetime, before: Version, made: Version) -> Write:
    """Everybody who holds or supports, before or after, finds it in the feed."""
    told = sorted(before.organizations | made.organizations)
    return notifications.telling(
        Event(one, "responsibility.changed", at, person_id=made.person_id) for one in told
    )


def _refused(code: str, pointer: str, ja: str, en: str) -> RuleViolated:
    return RuleViolated(errors=(Notice(code, "error", Text(ja, en), pointer, "client"),))
