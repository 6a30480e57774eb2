"""One handover as it is told: who, with what needs, from whom to whom, and when. All sections tell the same."""

from collections.abc import Collection
from dataclasses import dataclass
from random import Random
from typing import Literal

from tsunagi.directory.rules import Area, OrganizationProfile
from tsunagi.synthetic.conditions import CONDITIONS, Condition
from tsunagi.synthetic.organizations import AREAS
from tsunagi.synthetic.people import Person, draws, person, staff_name
from tsunagi.synthetic.themes import Theme, themes_of
from tsunagi.synthetic.timeline import Flaw, HandoverType, Timeline
from tsunagi.synthetic.work import Job, job

Size = Literal["small", "usual", "large"]
"""Of a record: little more than an offer needs (4 KB), 7 to 13 KB, or years of support (20 to 70 KB)."""

Living = Literal["family", "alone", "group_home"]

_LIVING: tuple[Living, ...] = ("family", "family", "family", "alone", "alone", "group_home")


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What is the person's own and the same in each of their handovers."""

    person: Person
    condition: Condition
    living: Living
    job: Job | None
    themes: tuple[Theme, ...]
    work_area: Area
    draws: Random
    """For what else is the person's own: drawn in one order in all handovers."""


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    manager: str
    detail: float
    """How likely they are to fill in what may be left empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    handover_type: HandoverType
    size: Size
    flaws: Collection[Flaw]
    life: Life
    when: Timeline
    area: Area
    sender: OrganizationProfile
    receiver: OrganizationProfile
    receiver_id: str
    author: Author
    draws: Random
    """For what is this record's own."""

    @property
    def large(self) -> bool:
        return self.size == "large"

    def tells(self) -> bool:
        """Whether something that may be left out is told; always in large records."""
        return self.large or self.draws.random() < self.author.detail

    @property
    def sender_staff(self) -> str:
        """How the author's work is called."""
        return _STAFF.get(self.sender.kind, "支援員")

    @property
    def receiver_staff(self) -> str:
        return _STAFF.get(self.receiver.kind, "支援員")


_STAFF = {
    "transition": "就労支援員",
    "settlement": "就労定着支援員",
    "continuous_a": "職業指導員",
    "continuous_b": "職業指導員",
    "selection": "就労選択支援員",
    "self_reliance_training": "生活支援員",
    "daily_care": "生活支援員",
    "center": "就業支援担当",
    "municipal_center": "就労支援コーディネーター",
}
"""What the staff who work on handovers are called, by kind of organization."""


def author(rng: Random) -> Author:
    return Author(staff_name(rng), staff_name(rng), rng.uniform(0.1, 0.7))


def life(number: int, area: Area, *, employed: bool) -> Life:
    """The life of the person of this number, who lives in the area."""
    rng = draws(f"life/{number}")
    condition, living = rng.choice(CONDITIONS), rng.choice(_LIVING)
    work = job(rng, number, area.prefecture_code)
    at_work, before_work = (
        rng.sample(themes_of(employed=state, with_family=living == "family"), 4) for state in (True, False)
    )
    neighbors = [one for one in AREAS if one.prefecture_code == area.prefecture_code]
    return Life(
        person=person(number),
        condition=condition,
        living=living,
        job=work if employed else None,
        themes=tuple(at_work if employed else before_work),
        work_area=rng.choice(neighbors) if area in neighbors else area,
        draws=rng,
    )
