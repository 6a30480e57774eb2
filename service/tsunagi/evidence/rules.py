"""What the fee rules ask for (since 2024-04), and whether it can be shown. Ten per cent of the base units are taken off
for failing any one of three: a guideline with its responsible officer; the information about those who need further
support (要継続支援利用者関係情報) shared three months before the end, with their consent; records of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from tsunagi.clock import civil_date
from tsunagi.directory.rules import DEFAULT_AREA_RULES
from tsunagi.ids import ConsentId, HandoverId, OrganizationId, PersonId
from tsunagi.provisions.rules import Provision
from tsunagi.responsibility import milestones

Condition = Literal["guideline", "consent", "sharing", "records"]
Status = Literal["met", "late", "missing"]
Need = Literal["needed", "not_needed", "undetermined"]

SHARED = "continuing_needs"
"""The section that holds what has to be shared."""


@dataclass(frozen=True, slots=True)
class Guideline:
    """A version of an organization's guideline for sharing (指針), with its responsible officer (責任者)."""

    organization_id: OrganizationId
    version: int
    title: str
    document_hash: str | None
    document_url: str | None
    officer_name: str
    officer_role: str
    effective_from: date
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """A person whose settlement service ends on a day, and whether they need further support."""

    person_id: PersonId
    ends_on: date
    need: bool | None
    handover_id: HandoverId
    stated_on: date | None = None
    """When the record says that it was shared, in whatever way."""

    @property
    def due_on(self) -> date:
        """By law three months before the end: an area that wants more changes no fee."""
        return milestones.sharing_due(self.ends_on, DEFAULT_AREA_RULES)

    @property
    def judged(self) -> Need:
        return {True: "needed", False: "not_needed", None: "undetermined"}[self.need]  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Shown:
    """How one condition stands, and by what that is shown."""

    condition: Condition
    status: Status
    done_on: date | None = None
    provisions: Sequence[UUID] = ()
    entries: Sequence[UUID] = ()
    consents: Sequence[ConsentId] = ()
    guideline: Guideline | None = None
    recorded_later: bool = False
    """The guideline is in force since a day that lies before its being recorded here."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that can be shown of one person; no conditions where they do not apply or cannot be told yet."""

    ending: Ending
    conditions: Sequence[Shown] = ()

    @property
    def complete(self) -> bool:
        return all(one.status == "met" for one in self.conditions)

    @property
    def needed(self) -> bool:
        return self.ending.judged == "needed"


def evidence(
    ending: Ending,
    guidelines: Sequence[Guideline],
    given: Sequence[Provision],
    consents: Sequence[ConsentId],
) -> Evidence:
    """`given` is what the organization gave of the person, the earliest first; `consents` those that would let it
    share the information today."""
    if ending.judged != "needed":
        return Evidence(ending)
    shared = [one for one in given if SHARED in one.sections]
    consented = [one for one in shared if one.ground == "consent"]
    first = next(iter(consented or shared), None)
    return Evidence(
        ending,
        (
            _guideline(ending, guidelines),
            _consent(consented, shared, consents),
            _shared("sharing", ending, first),
            _shared("records", ending, first),
        ),
    )


def _guideline(ending: Ending, guidelines: Sequence[Guideline]) -> Shown:
    """In force when the information had to be shared: the newest version of those that were."""
    in_force = [one for one in guidelines if one.effective_from <= ending.due_on]
    if in_force:
        found = max(in_force, key=lambda one: one.version)
        later = civil_date(found.recorded_at) > ending.due_on
        return Shown("guideline", "met", found.effective_from, guideline=found, recorded_later=later)
    if guidelines:
        found = min(guidelines, key=lambda one: (one.effective_from, one.version))
        return Shown("guideline", "late", found.effective_from, guideline=found)
    return Shown("guideline", "missing")


def _consent(
    consented: Sequence[Provision], shared: Sequence[Provision], consents: Sequence[ConsentId]
) -> Shown:
    """That the person consented is shown by what was given on it; before anything is, by a consent that holds."""
    if consented:
        first = consented[0]
        return Shown("consent", "met", first.provided_on, [first.id], consents=first.consent_ids)
    if consents and not shared:
        return Shown("consent", "met", consents=sorted(consents))
    return Shown("consent", "missing")


def _shared(condition: Condition, ending: Ending, first: Provision | None) -> Shown:
    if first is None:
        return Shown(condition, "missing")
    status: Status = "met" if condition == "records" or first.provided_on <= ending.due_on else "late"
    return Shown(condition, status, first.provided_on, [first.id], [first.entry_id], first.consent_ids)


@dataclass(frozen=True, slots=True)
class Month:
    """What is shown of those whose service ends in one month."""

    month: str
    ending: int
    needed: int
    complete: int
    undetermined: int
    mendable_until: date | None
    """Where something is missing and nothing is too late yet: the first day by which something is due."""

    @property
    def threatened(self) -> bool:
        """Whether the reduction is: one person of whom something is missing is enough."""
        return self.complete < self.needed


def months(people: Iterable[Evidence], today: date) -> list[Month]:
    of: dict[str, list[Evidence]] = {}
    for one in sorted(people, key=lambda one: one.ending.ends_on):
        of.setdefault(f"{one.ending.ends_on:%Y-%m}", []).append(one)
    return [_month(month, those, today) for month, those in of.items()]


def _month(month: str, those: Sequence[Evidence], today: date) -> Month:
    lacking = [one for one in those if not one.complete]
    due = [one.ending.due_on for one in lacking]
    late = any(shown.status == "late" for one in lacking for shown in one.conditions)
    return Month(
        month,
        ending=len(those),
        needed=sum(one.needed for one in those),
        complete=sum(one.needed and one.complete for one in those),
        undetermined=sum(one.ending.judged == "undetermined" for one in those),
        mendable_until=min(due) if due and min(due) >= today and not late else None,
    )
