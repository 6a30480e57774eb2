"""Who is responsible: a chain of primary holders without overlap, hole or end, and support beside it.

Every function takes values and returns a value or a refusal. Intervals are half-open: `valid_to` is the first
day that no longer belongs to them.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Literal, TypeVar, get_args

from tsunagi.errors import Notice, Party, ResponsibilityNotHeld, RuleViolated, Text
from tsunagi.ids import OrganizationId

Domain = Literal["employment", "daily_life", "employer_liaison"]
Role = Literal["primary", "co_support", "backup"]
SupportRole = Literal["co_support", "backup"]
SenderRoleAfter = Literal["none", "co_support", "backup"]
Basis = Literal[
    "post_employment_6m_duty", "service_contract", "settlement_contract", "center_registration", "agreement"
]

CorrectionCode = Literal[
    "date_wrong", "domain_wrong", "role_wrong", "organization_wrong", "not_recorded", "entered_in_error"
]
EndCode = Literal[
    "person_wish", "moved_away", "died", "service_ended", "employment_ended", "contact_lost", "other"
]
Code = CorrectionCode | EndCode | Literal["organization_closed"]
"""Why a version was made that no handover made; the last one by the operator, of an organization without successor."""

DOMAINS: tuple[Domain, ...] = get_args(Domain)
FOREVER = date.max
"""Where an open interval ends; PostgreSQL's 'infinity', as asyncpg maps it in both directions."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """At least one day long; anything else is a ValueError."""

    valid_from: date
    valid_to: date

    def __post_init__(self) -> None:
        if self.valid_from >= self.valid_to:
            raise ValueError("an interval ends after it begins")

    @property
    def to(self) -> date | None:
        """The first day after the interval, None when it is open."""
        return None if self.valid_to == FOREVER else self.valid_to


@dataclass(frozen=True, slots=True)
class Segment(Interval):
    holder: OrganizationId | None
    """The primary; None is nobody, stated."""
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class Move(Interval):
    """Days whose holder is another than before."""

    before: OrganizationId | None
    after: OrganizationId | None


@dataclass(frozen=True, slots=True, order=True)
class Support(Interval):
    organization: OrganizationId
    role: SupportRole


@dataclass(frozen=True, slots=True)
class Chain:
    """Exactly one holder for every day from the first one on.

    Each segment begins on the day the one before it ends, the last one is open, and neighbors differ in their
    holder. No other chain can be made: it would be a ValueError. The database holds the same by constraints.
    """

    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        starts = [segment.valid_from for segment in self.segments]
        if not starts or [*starts[1:], FOREVER] != [segment.valid_to for segment in self.segments]:
            raise ValueError("a chain has no overlap, no hole and no end")
        if any(one.holder == next_one.holder for one, next_one in pairwise(self.segments)):
            raise ValueError("neighbors with the same holder are one segment")

    @property
    def first_day(self) -> date:
        return self.segments[0].valid_from


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is stated about one domain of a person: what one version holds.

    `support` is as it was stated and may overlap; `support_beside` says what it comes to.
    """

    chain: Chain
    support: frozenset[Support] = frozenset()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a receiver takes. Days of the past and empty intervals are left out of overlap and follow-up."""

    sender: OrganizationId
    receiver: OrganizationId
    role: Role
    effective_on: date
    sender_role_after: SenderRoleAfter = "none"
    overlap_from: date | None = None
    follow_up_until: date | None = None
    """The first day on which the sender no longer supports; None: it goes on."""
    basis: Basis | None = None


def joined(segments: Iterable[Segment]) -> Chain:
    """The chain of these segments, in order: each ends where the next begins, the last one never, and
    neighbors with the same holder are one."""
    kept: list[Segment] = []
    for segment in segments:
        if kept and kept[-1].holder == segment.holder:
            continue
        if kept:
            kept[-1] = _until(kept[-1], segment.valid_from)
        kept.append(segment)
    if kept:
        kept[-1] = _until(kept[-1], FOREVER)
    return Chain(tuple(kept))


def _until(segment: Segment, day: date) -> Segment:
    """What is on record ends there already: a thousand copies would take as long as reading them does."""
    return segment if segment.valid_to == day else replace(segment, valid_to=day)


def open_chain(first_day: date, holder: OrganizationId | None, basis: Basis | None = None) -> Chain:
    return joined([Segment(first_day, FOREVER, holder, basis)])


def extend_back(chain: Chain, first_day: date) -> Chain:
    """The chain begins no later than `first_day`; days that it did not know are nobody's."""
    if first_day >= chain.first_day:
        return chain
    return joined([Segment(first_day, FOREVER, None), *chain.segments])


def hand_over(
    chain: Chain, *, to: OrganizationId | None, effective_on: date, basis: Basis | None = None
) -> Chain:
    """`to` holds from `effective_on` for ever after; the days before stay as they are."""
    if effective_on < chain.first_day:
        raise _before_start()
    before = [segment for segment in chain.segments if segment.valid_from < effective_on]
    return joined([*before, Segment(effective_on, FOREVER, to, basis)])


def restore(chain: Chain, before: Chain, *, from_day: date) -> Chain:
    """`chain` until `from_day`, and as `before` has it from then on."""
    tail = [
        replace(segment, valid_from=max(segment.valid_from, from_day))
        for segment in extend_back(before, from_day).segments
        if segment.valid_to > from_day
    ]
    return joined([*(segment for segment in chain.segments if segment.valid_from < from_day), *tail])


def holder_on(chain: Chain, day: date) -> OrganizationId | None:
    """Before the first day nobody is known to hold."""
    begun = bisect_right(chain.segments, day, key=lambda segment: segment.valid_from)
    return chain.segments[begun - 1].holder if begun else None


def gaps(chain: Chain, *, from_day: date, until: date = FOREVER) -> tuple[Interval, ...]:
    """The days that are nobody's, from the chain's first day on and within [from_day, until)."""
    return tuple(
        Interval(max(segment.valid_from, from_day), min(segment.valid_to, until))
        for segment in chain.segments
        if segment.holder is None and max(segment.valid_from, from_day) < min(segment.valid_to, until)
    )


def changes(old: Chain | None, new: Chain) -> tuple[Move, ...]:
    """The days that have another holder in `new` than in `old`."""
    chains = [chain for chain in (old, new) if chain]
    days = {segment.valid_from for chain in chains for segment in chain.segments}
    runs = _runs(days, lambda day: (holder_on(old, day) if old else None, holder_on(new, day)))
    return tuple(Move(start, end, before, after) for start, end, (before, after) in runs if before != after)


def end_support(support: frozenset[Support], organization: OrganizationId, *, on: date) -> frozenset[Support]:
    """The organization supports no longer from that day on."""
    return frozenset(
        replace(one, valid_to=min(one.valid_to, on)) if one.organization == organization else one
        for one in support
        if one.organization != organization or one.valid_from < on
    )


def support_beside(picture: Picture) -> tuple[Support, ...]:
    """What each organization does beside the primary: at most one role a day, co_support before backup, and
    none on days on which it is the primary itself."""
    days = {segment.valid_from for segment in picture.chain.segments}
    days |= {day for one in picture.support for day in (one.valid_from, one.valid_to)}
    beside = [
        Support(start, end, organization, role)
        for organization in {one.organization for one in picture.support}
        for start, end, role in _runs(days, partial(_support_on, picture, organization))
        if role
    ]
    return tuple(sorted(beside))


def claim(
    picture: Picture | None,
    sender: OrganizationId,
    *,
    role: Role,
    effective_on: date,
    since: date | None,
    basis: Basis | None,
    today: date,
) -> Picture:
    """What is known once `sender` offers the domain, to be taken as `role` on `effective_on`.

    1. A domain nobody has spoken of opens: the sender's from `since` on, or, without `since`, nobody's from
       today. Silence is no claim, and the gap shows.
    2. If it is nobody's on the effective date, a sender who says `since` takes it from then on.
    3. Otherwise nothing changes, so claiming again changes nothing.

    Raises ResponsibilityNotHeld when another organization holds what is offered or claimed, RuleViolated when
    the effective date lies before the sender's first day.
    """
    _check_days(effective_on, since or today)
    if since is not None and since > effective_on:
        raise _before_start()
    if picture is None:
        picture = Picture(open_chain(since or today, sender if since else None, basis if since else None))
    elif since is not None and holder_on(picture.chain, effective_on) is None:
        if not _holders(picture.chain, from_day=since) <= {sender, None}:
            raise ResponsibilityNotHeld
        chain = extend_back(picture.chain, since)
        picture = replace(picture, chain=hand_over(chain, to=sender, effective_on=since, basis=basis))
    check_held(picture.chain, sender=sender, role=role, effective_on=effective_on)
    return picture


def check_held(chain: Chain, *, sender: OrganizationId, role: Role, effective_on: date) -> None:
    """On the effective date the domain is the sender's or nobody's, and if the primary role moves, so are all
    days after it: what another organization has accepted is never overwritten."""
    ahead = [segment.holder for segment in chain.segments if segment.valid_to > effective_on]
    free = set(ahead if role == "primary" else ahead[:1]) <= {sender, None}
    if free and effective_on >= chain.first_day:
        return
    if free or ahead[-1] == sender:
        raise _before_start()
    raise ResponsibilityNotHeld


def accept(picture: Picture | None, acceptance: Acceptance, *, today: date) -> Picture:
    """What is known once a receiver has accepted. Until the effective date the holder stays who it was.

    - As primary: the receiver holds from the effective date on and is co_support in the overlap before it;
      the sender does from then on what `sender_role_after` says, and nothing else.
    - As co_support or backup: the receiver is that from the effective date on; the holder stays who it is.

    Raises RuleViolated when the effective date lies in the past or before the sender's first day,
    ResponsibilityNotHeld when the sender does not hold what the receiver accepts.
    """
    sender, receiver, on = acceptance.sender, acceptance.receiver, acceptance.effective_on
    _check_days(on)
    if on < today:
        raise _violated(
            "acceptance.effective_in_past",
            "責任の開始日を過去にはできません",
            "Responsibility cannot begin in the past",
            party="receiver",
        )
    if picture is None:
        raise ResponsibilityNotHeld
    check_held(picture.chain, sender=sender, role=acceptance.role, effective_on=on)
    if acceptance.role != "primary":
        support = end_support(picture.support, receiver, on=on)
        return replace(picture, support=support | _support(receiver, acceptance.role, on, FOREVER))
    support = end_support(picture.support, sender, on=on)
    if acceptance.sender_role_after != "none":
        support |= _support(sender, acceptance.sender_role_after, on, acceptance.follow_up_until or FOREVER)
    if acceptance.overlap_from:
        support |= _support(receiver, "co_support", max(acceptance.overlap_from, today), on)
    return Picture(hand_over(picture.chain, to=receiver, effective_on=on, basis=acceptance.basis), support)


def withdraw(
    picture: Picture, *, before: Picture, accepted: Picture, effective_on: date, today: date
) -> Picture:
    """`picture` without what an acceptance made of `before`. What others stated since stays, and so does the
    overlap that has been lived through until today.

    Raises RuleViolated when the acceptance has taken effect, or when what it gave has been passed on since.
    """
    if effective_on <= today:
        raise _violated(
            "responsibility.already_effective",
            "責任はすでに移っています。取り下げではなく、あらためて引き継いでください",
            "Responsibility has already moved; hand it over anew instead of withdrawing",
        )
    added, ended = accepted.support - before.support, before.support - accepted.support
    moved = accepted.chain != before.chain
    untouched = restore(accepted.chain, picture.chain, from_day=effective_on) == accepted.chain
    if (moved and not untouched) or not added <= picture.support:
        raise _violated(
            "responsibility.passed_on",
            "引き継いだ責任について、その後の引継ぎが成立しています",
            "What was handed over has since been handed on",
        )
    begun = {(one.organization, one.role, one.valid_from) for one in ended}
    lived = frozenset(
        replace(one, valid_to=today)
        for one in added
        if one.valid_from < today and (one.organization, one.role, one.valid_from) not in begun
    )
    chain = restore(picture.chain, before.chain, from_day=effective_on) if moved else picture.chain
    return Picture(chain, (picture.support - added) | ended | lived)


def _holders(chain: Chain, *, from_day: date) -> set[OrganizationId | None]:
    return {segment.holder for segment in chain.segments if segment.valid_to > from_day}


def _support(
    organization: OrganizationId, role: SupportRole, valid_from: date, valid_to: date
) -> frozenset[Support]:
    """Nothing when the interval has no day."""
    if valid_from >= valid_to:
        return frozenset()
    return frozenset({Support(valid_from, valid_to, organization, role)})


def _support_on(picture: Picture, organization: OrganizationId, day: date) -> SupportRole | None:
    roles = {
        one.role
        for one in picture.support
        if one.organization == organization and one.valid_from <= day < one.valid_to
    }
    if not roles or holder_on(picture.chain, day) == organization:
        return None
    return "co_support" if "co_support" in roles else "backup"


def _runs(days: Iterable[date], value: Callable[[date], T]) -> list[tuple[date, date, T]]:
    """The intervals between `days`, and from the last one on forever; neighbors of the same value are one."""
    runs: list[tuple[date, date, T]] = []
    for start, end in pairwise(sorted({*days, FOREVER})):
        here = value(start)
        if runs and runs[-1][2] == here:
            runs[-1] = (runs[-1][0], end, here)
        else:
            runs.append((start, end, here))
    return runs


def _check_days(*days: date) -> None:
    """The first and the last day of the calendar stand for minus and plus infinity in the database."""
    if not all(date.min < day < FOREVER for day in days):
        raise _violated("responsibility.date_out_of_range", "日付が範囲外です", "The date is out of range")


def _before_start() -> RuleViolated:
    return _violated(
        "responsibility.effective_before_start",
        "責任の開始日が、提供元が主担当となる日より前です",
        "The effective date lies before the day on which the sender becomes responsible",
    )


def _violated(code: str, ja: str, en: str, *, party: Party = "sender") -> RuleViolated:
    return RuleViolated(errors=(Notice(code, "error", Text(ja, en), party=party),))
