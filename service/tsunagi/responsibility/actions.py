"""Claiming, accepting and withdrawing responsibility, and asking who held it.

Every change takes the person's lock, reads the newest picture, lets the rules make the next one, and writes
it as a new version if it says anything new.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tsunagi.clock import civil_date
from tsunagi.db import ReadTx, Write, WriteTx, send
from tsunagi.ids import HandoverId, OrganizationId, PersonId, ordered_id
from tsunagi.responsibility import rules, store
from tsunagi.responsibility.rules import (
    DOMAINS,
    FOREVER,
    Acceptance,
    Basis,
    Code,
    Domain,
    Interval,
    Move,
    Picture,
    Role,
    Segment,
    Support,
)
from tsunagi.responsibility.store import Reason, Version


@dataclass(frozen=True, slots=True)
class Change:
    """A version that was written."""

    domain: Domain
    version: int
    recorded_at: datetime
    moves: tuple[Move, ...]
    """The days that have another holder than before; none when only support changed."""


@dataclass(frozen=True, slots=True)
class DomainTimeline:
    domain: Domain
    version: int
    recorded_at: datetime
    holder: OrganizationId | None
    """The primary on the day asked for; None is nobody."""
    segments: tuple[Segment, ...]
    support: tuple[Support, ...]
    entry_id: UUID | None
    """Of the ledger, behind the version."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Who held what on `as_of`, as known at `known_at` (None: now). Domains nobody spoke of are absent."""

    person_id: PersonId
    as_of: date
    known_at: datetime | None
    domains: tuple[DomainTimeline, ...]

    @property
    def organizations(self) -> frozenset[OrganizationId]:
        """Every organization that appears."""
        holders = {segment.holder for one in self.domains for segment in one.segments}
        supporters = {support.organization for one in self.domains for support in one.support}
        return frozenset(one for one in holders | supporters if one is not None)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days on which a domain of a person is nobody's, by the version that says so."""

    person_id: PersonId
    domain: Domain
    days: Interval
    recorded_at: datetime
    organizations: frozenset[OrganizationId]
    """Who holds or supports on other days."""
    entry_id: UUID | None


class Chains:
    """A person's chains, held until the transaction ends: as they are known, with the changes that come on top.

    `writes` holds the changes until they are sent, and `entry_id` is what their entry on the ledger will be called.
    """

    def __init__(self, person_id: PersonId, known: Iterable[Version], entry_id: UUID) -> None:
        self.person_id = person_id
        self.entry_id = entry_id
        self._known = {one.domain: one for one in known}
        self.writes: list[Write] = []
        self.made = 0

    def timeline(self, as_of: date) -> Timeline:
        """Who holds what on that day, with the changes."""
        domains = tuple(_of_domain(self._known[one], as_of) for one in DOMAINS if one in self._known)
        return Timeline(self.person_id, as_of, None, domains)

    def newest(self, domain: Domain) -> Version | None:
        """The domain as it is known, with the changes."""
        return self._known.get(domain)

    def claim(
        self,
        at: datetime,
        organization_id: OrganizationId,
        domain: Domain,
        *,
        since: date | None,
        role: Role,
        effective_on: date,
        basis: Basis | None,
        handover_id: HandoverId,
        recorded_by: OrganizationId,
    ) -> Change | None:
        """The organization may offer the domain, to be taken as `role` on `effective_on`; see `rules.claim`.

        Raises ResponsibilityNotHeld when another organization holds it, RuleViolated when the effective date lies
        before the organization's first day.
        """
        today = civil_date(at)
        return self.change(
            at,
            domain,
            lambda known: rules.claim(
                known,
                organization_id,
                role=role,
                effective_on=effective_on,
                since=since,
                basis=basis,
                today=today,
            ),
            reason="claimed",
            effective_on=since or today,
            handover_id=handover_id,
            recorded_by=recorded_by,
        )

    def accept(
        self, at: datetime, domain: Domain, acceptance: Acceptance, *, handover_id: HandoverId
    ) -> Change | None:
        """The receiver has the role from the effective date on; see `rules.accept`.

        Raises RuleViolated when the effective date lies in the past or before the sender's first day,
        ResponsibilityNotHeld when the sender does not hold the domain then.
        """
        return self.change(
            at,
            domain,
            lambda known: rules.accept(known, acceptance, today=civil_date(at)),
            reason="handover_accepted",
            effective_on=acceptance.effective_on,
            handover_id=handover_id,
            recorded_by=acceptance.receiver,
        )

    def change(
        self,
        at: datetime,
        domain: Domain,
        make: Callable[[Picture | None], Picture],
        *,
        reason: Reason,
        effective_on: date,
        handover_id: HandoverId | None,
        recorded_by: OrganizationId | None,
        code: Code | None = None,
    ) -> Change | None:
        """What `make` makes of the newest picture is the newest picture; None when it says nothing new."""
        known = self._known.get(domain)
        old = known.picture if known else None
        new = make(old)
        if new == old:
            return None
        version = Version(
            person_id=self.person_id,
            domain=domain,
            version=known.version + 1 if known else 1,
            # Replicas' clocks differ; "as known at" needs the order of the versions.
            recorded_at=max(at, known.recorded_at) if known else at,
            recorded_by=recorded_by,
            reason=reason if known else "opened",
            handover_id=handover_id,
            effective_on=effective_on,
            picture=new,
            code=code,
            entry_id=self.entry_id,
        )
        self._known[domain] = version
        self.writes += store.inserting(version)
        self.made += 1
        moves = rules.changes(old.chain if old else None, new.chain)
        return Change(domain, version.version, version.recorded_at, moves)


async def hold(tx: WriteTx, person_id: PersonId, *, entry_id: UUID | None = None) -> Chains:
    """Nobody else changes this person's responsibility until `tx` ends."""
    await store.lock(tx, person_id)
    return Chains(person_id, await store.load(tx, [person_id]), entry_id or ordered_id())


async def undo(
    tx: WriteTx,
    at: datetime,
    person_id: PersonId,
    handover_id: HandoverId,
    *,
    recorded_by: OrganizationId,
    entry_id: UUID | None = None,
) -> tuple[Change, ...]:
    """What the handover's acceptance stated no longer holds, in any domain; see `rules.withdraw`. Undoing
    again, or before an acceptance, changes nothing.

    Raises RuleViolated when responsibility has already moved, or has since been passed on.
    """
    chains = await hold(tx, person_id, entry_id=entry_id)
    changes = [
        await _withdraw(tx, chains, at, accepted, recorded_by=recorded_by)
        for accepted in await store.newest_of(tx, person_id, handover_id)
        if accepted.reason == "handover_accepted"
    ]
    if chains.writes:
        await send(tx, *chains.writes)
    return tuple(change for change in changes if change)


@dataclass(frozen=True, slots=True)
class Stated:
    """A version, and what it says that the one before it did not."""

    version: Version
    moves: tuple[Move, ...]
    begun: tuple[Support, ...] = ()
    ended: tuple[Support, ...] = ()

    @property
    def organizations(self) -> frozenset[OrganizationId]:
        """Whose days are others than before."""
        held = {one for move in self.moves for one in (move.before, move.after) if one is not None}
        return frozenset(held | {one.organization for one in (*self.begun, *self.ended)})


def stated(version: Version, before: Version | None) -> Stated:
    """What `version` says that `before`, an earlier one or none, did not."""
    old = before.picture if before else None
    then = set(rules.support_beside(old)) if old else set()
    now = set(rules.support_beside(version.picture))
    moves = rules.changes(old.chain if old else None, version.picture.chain)
    return Stated(version, moves, tuple(sorted(now - then)), tuple(sorted(then - now)))


async def changes(
    tx: ReadTx, person_ids: Collection[PersonId], *, since: datetime, until: datetime
) -> dict[PersonId, list[Stated]]:
    """What was recorded of these people after `since` and not after `until`, in that order; each against the version
    before it. People of whom nothing was are absent."""
    found: dict[PersonId, list[Stated]] = {}
    before: dict[tuple[PersonId, Domain], Version] = {}
    for version in await store.history(tx, person_ids, until=until):
        key = version.person_id, version.domain
        if version.recorded_at > since:
            found.setdefault(version.person_id, []).append(stated(version, before.get(key)))
        before[key] = version
    for those in found.values():
        those.sort(key=lambda one: (one.version.recorded_at, DOMAINS.index(one.version.domain)))
    return found


async def difference(tx: ReadTx, person_id: PersonId, *, since: datetime, until: datetime) -> list[Stated]:
    """What is known otherwise at `until` than at `since`, domain by domain: the steps in between taken together."""
    then = {one.domain: one for one in await store.load(tx, [person_id], known_at=since)}
    now = await store.load(tx, [person_id], known_at=until)
    compared = [stated(one, then.get(one.domain)) for one in now]
    return [one for one in compared if one.organizations]


async def timeline(tx: ReadTx, person_id: PersonId, *, as_of: date, known_at: datetime | None) -> Timeline:
    """Both answers to "who": on which day, and as known when."""
    known = {one.domain: one for one in await store.load(tx, [person_id], known_at=known_at)}
    domains = tuple(_of_domain(known[domain], as_of) for domain in DOMAINS if domain in known)
    return Timeline(person_id, as_of, known_at, domains)


async def known(
    tx: ReadTx, person_ids: Collection[PersonId], *, known_at: datetime | None = None
) -> Sequence[Version]:
    """What is known of these people, or was at `known_at`, domain by domain."""
    return await store.load(tx, person_ids, known_at=known_at)


async def gaps(
    tx: ReadTx,
    person_ids: Collection[PersonId],
    *,
    from_day: date,
    until: date = FOREVER,
    known_at: datetime | None = None,
) -> tuple[Gap, ...]:
    """The days within [from_day, until) on which a domain of these people is nobody's, as known then."""
    return tuple(
        Gap(known.person_id, known.domain, days, known.recorded_at, known.organizations, known.entry_id)
        for known in await store.load(tx, person_ids, known_at=known_at)
        for days in rules.gaps(known.picture.chain, from_day=from_day, until=until)
    )


def _of_domain(known: Version, as_of: date) -> DomainTimeline:
    return DomainTimeline(
        known.domain,
        known.version,
        known.recorded_at,
        holder=rules.holder_on(known.picture.chain, as_of),
        segments=known.picture.chain.segments,
        support=rules.support_beside(known.picture),
        entry_id=known.entry_id,
    )


async def _withdraw(
    tx: WriteTx, chains: Chains, at: datetime, accepted: Version, *, recorded_by: OrganizationId
) -> Change | None:
    before = await store.find(tx, accepted.person_id, accepted.domain, version=accepted.version - 1)
    if before is None:  # only an opening has nothing before it, and that is no acceptance
        return None
    reverted, today = before.picture, civil_date(at)
    assert accepted.handover_id is not None, "an acceptance is of a handover"
    return chains.change(
        at,
        accepted.domain,
        lambda known: rules.withdraw(
            known or accepted.picture,
            before=reverted,
            accepted=accepted.picture,
            effective_on=accepted.effective_on,
            today=today,
        ),
        reason="handover_withdrawn",
        effective_on=today,
        handover_id=accepted.handover_id,
        recorded_by=recorded_by,
    )
