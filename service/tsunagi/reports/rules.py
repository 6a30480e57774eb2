"""What counts as a disclosure, on which ground it was made, and what the person is not told."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from tsunagi.directory.rules import OrganizationKind
from tsunagi.ids import ConsentId, OrganizationId
from tsunagi.provisions.rules import AUTHORITIES, WITHHELD, Ground, WithholdingRule, withholding

ATTEMPT_WITHHELD: WithholdingRule = "order_11_4"
"""Of attempts that were refused: whoever may be investigating is not given away by having looked."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What one consent, or one provision without consent, opens: as the ledger has it."""

    sections: frozenset[str]
    ground: Ground


@dataclass(frozen=True, slots=True)
class Offered:
    """Who offered a handover, and what its receiver was to see of it on which consents, over all of its offers."""

    giver_id: OrganizationId
    consents: frozenset[ConsentId]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger says of one person beside the readings."""

    granted: Mapping[ConsentId, Granted] = field(default_factory=dict)
    offered: Mapping[str, Offered] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """Sections that an organization received on one ground; or, where `refused`, what it asked for and did not get.
    `entry_id` is the ledger's entry, `times` how often the same happened from `at` to `last_at`."""

    entry_id: UUID
    at: datetime
    last_at: datetime
    organization_id: OrganizationId
    record_id: str
    version: int | None = None
    sections: tuple[str, ...] = ()
    ground: Ground | None = None
    consents: tuple[ConsentId, ...] = ()
    exported: bool = False
    refused: str | None = None
    """The refusal's code."""
    times: int = 1


def split(reading: Disclosure, facts: Facts) -> Iterator[Disclosure]:
    """The reading, apart for each ground: the same section on a consent, where there is one, rather than on an
    exception. Nothing for the sender's reading of its own record, which rests on no consent."""
    by_ground: dict[Ground, list[str]] = defaultdict(list)
    on: dict[Ground, set[ConsentId]] = defaultdict(set)
    for section in reading.sections:
        opening = [
            (facts.granted[one].ground, one)
            for one in reading.consents
            if one in facts.granted and section in facts.granted[one].sections
        ]
        if not opening:
            continue
        ground = min((ground for ground, _ in opening), key=_preferred)
        by_ground[ground].append(section)
        on[ground] |= {one for found, one in opening if found == ground}
    for ground, sections in by_ground.items():
        yield replace(reading, sections=tuple(sections), ground=ground, consents=tuple(sorted(on[ground])))


def _preferred(ground: Ground) -> int:
    """A consent first; an exception that the person is not told of last."""
    return 0 if ground == "consent" else 2 if ground in WITHHELD else 1


def hidden_handovers(facts: Facts, receivers: Mapping[str, OrganizationKind]) -> dict[str, WithholdingRule]:
    """Of the handovers whose receivers are of these kinds: those on offer on nothing but grounds that are withheld.
    That they exist would say what is not to be said."""
    hidden: dict[str, WithholdingRule] = {}
    for record_id, kind in receivers.items():
        offered = facts.offered.get(record_id)
        grounds = {
            facts.granted[one].ground for one in (offered.consents if offered else ()) if one in facts.granted
        }
        against = [withholding(ground, kind) for ground in sorted(grounds)]
        if against and all(against):
            hidden[record_id] = next(rule for rule in against if rule)
    return hidden


@dataclass(frozen=True, slots=True)
class Told:
    """What the person is told, and how much is withheld by which rule."""

    disclosures: tuple[Disclosure, ...]
    withheld: Mapping[WithholdingRule, int]
    hidden: Mapping[str, WithholdingRule]
    """The handovers that the person is told nothing of."""


def told(
    found: Iterable[Disclosure],
    kinds: Mapping[OrganizationId, OrganizationKind],
    hidden: Mapping[str, WithholdingRule],
) -> Told:
    """Everything but what a rule withholds."""
    shown: list[Disclosure] = []
    withheld: dict[WithholdingRule, int] = defaultdict(int)
    for one in found:
        rule = _against(one, kinds.get(one.organization_id, "other"), hidden)
        if rule is None:
            shown.append(one)
        else:
            withheld[rule] += one.times
    return Told(tuple(shown), dict(withheld), hidden)


def _against(
    one: Disclosure, kind: OrganizationKind, hidden: Mapping[str, WithholdingRule]
) -> WithholdingRule | None:
    if one.ground is not None:
        return withholding(one.ground, kind)
    return ATTEMPT_WITHHELD if kind in AUTHORITIES else hidden.get(one.record_id)


def gathered(found: Sequence[Disclosure]) -> list[Disclosure]:
    """Those that differ in nothing but the time and the version of the record become one, the oldest first."""
    together: dict[tuple[object, ...], Disclosure] = {}
    for one in sorted(found, key=lambda disclosure: disclosure.at):
        key = (one.organization_id, one.record_id, one.sections, one.ground, one.consents, one.refused)
        first = together.get(key)
        together[key] = (
            one
            if first is None
            else replace(
                first,
                last_at=max(first.last_at, one.last_at),
                times=first.times + one.times,
                version=max(filter(None, (first.version, one.version)), default=None),
                exported=first.exported or one.exported,
            )
        )
    return list(together.values())
