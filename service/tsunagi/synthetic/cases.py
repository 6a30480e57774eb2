"""Whole handover records."""

from collections.abc import Collection
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from tsunagi.directory.rules import (
    DEFAULT_AREA_RULES,
    Area,
    AreaRules,
    OrganizationKind,
    OrganizationProfile,
)
from tsunagi.synthetic.assessments import assessment
from tsunagi.synthetic.organizations import HOME, organization
from tsunagi.synthetic.people import draws
from tsunagi.synthetic.person_sections import disability, family, identity, medical
from tsunagi.synthetic.plan_sections import domain_offers, handover_plan
from tsunagi.synthetic.story import Size, Story, author, life
from tsunagi.synthetic.support_sections import continuing_needs, support_history, support_plan
from tsunagi.synthetic.timeline import SHAPES, Flaw, HandoverType, timeline
from tsunagi.synthetic.work_sections import employer_contacts, employment


def case(
    seed: int,
    *,
    handover_type: HandoverType,
    planned_date: date,
    receiver_id: UUID | str,
    sender: OrganizationProfile | None = None,
    receiver: OrganizationProfile | None = None,
    person_id: UUID | str | None = None,
    written_on: date | None = None,
    area: Area = HOME,
    rules: AreaRules = DEFAULT_AREA_RULES,
    flaws: Collection[Flaw] = (),
    size: Size = "usual",
) -> dict[str, Any]:
    """A handover record that fits its schema and breaks no rule; each of `flaws` gives its warning or finding.

    `seed` is the person's number, below PEOPLE. One seed is one life in all handovers: a record to a settlement
    provider and one to a center that is planned 36 months later tell of the same job. What is told as done lies
    on or before `written_on`, by default five to six months before the planned date, after employment selection
    some days before it. The person lives in `area`; `rules` are the lead times to keep.

    Raises ValueError when `written_on` does not lie within the sender's service, or when a flaw cannot be had.
    """
    _check(handover_type, written_on, flaws, size)
    shape, rng = SHAPES[handover_type], draws(f"{handover_type}/{seed}/{planned_date}")
    told = Story(
        handover_type=handover_type,
        size=size,
        flaws=flaws,
        life=life(seed, area, employed=shape.months_at_work is not None),
        when=timeline(rng, handover_type, planned_date, written_on=written_on, rules=rules, flaws=flaws),
        area=area,
        sender=sender or _organization(shape.sender, seed % 20),
        receiver=receiver or _organization(shape.receiver, (seed + 7) % 20),
        receiver_id=str(receiver_id),
        author=author(rng),
        draws=rng,
    )
    return _record(told, person_id)


_organization = cache(organization)

_NEEDS: dict[Flaw, frozenset[HandoverType]] = {
    "gap": frozenset(kind for kind, shape in SHAPES.items() if shape.ends),
    "unclaimed": frozenset(SHAPES),
    "late_conference": frozenset(SHAPES) - {"transition_to_settlement", "selection_to_service"},
    "late_sharing": frozenset({"settlement_to_center"}),
    "no_employer_window": frozenset(kind for kind, shape in SHAPES.items() if shape.months_at_work),
    "short_overlap": frozenset(kind for kind, shape in SHAPES.items() if shape.overlaps),
}
"""The types of handover in which a flaw is one."""

_NOT_IN_SMALL: frozenset[Flaw] = frozenset({"late_sharing", "no_employer_window", "short_overlap"})


def _check(handover_type: HandoverType, written_on: date | None, flaws: Collection[Flaw], size: Size) -> None:
    for flaw in flaws:
        if handover_type not in _NEEDS[flaw] or (size == "small" and flaw in _NOT_IN_SMALL):
            raise ValueError(f"a {size} {handover_type} record cannot have the flaw {flaw}")
    if written_on is not None and "late_sharing" in flaws:
        raise ValueError("a record of late sharing is written when it was late")


def _record(told: Story, person_id: UUID | str | None) -> dict[str, Any]:
    offers = domain_offers(told)
    record: dict[str, Any] = {
        "schemaVersion": "1.0.0",
        "handoverType": told.handover_type,
        **({"personId": str(person_id)} if person_id is not None else {}),
        "receiverId": told.receiver_id,
        "plannedDate": told.when.planned.isoformat(),
        **({"serviceEndsOn": told.when.service_ends.isoformat()} if told.when.service_ends else {}),
        "author": {
            "name": told.author.name,
            "role": told.sender_staff,
            "staffId": f"S-{told.life.person.number % 90 + 10}",
        },
        "domains": offers,
        "sections": _sections(told, offers),
    }
    if told.size == "small":
        return record
    return record | {
        "responsibleOfficer": {"name": told.author.manager, "role": _manager(told.sender.kind)},
        "guideline": {"title": "利用者情報の共有に関する指針", "version": "第2版", "adoptedOn": "2025-04-01"},
        "acquisitionContext": "利用申込みの際に本人から聞き取り、その後の支援の記録を加えた。",
    }


def _sections(told: Story, offers: list[dict[str, Any]]) -> dict[str, Any]:
    """The person's own sections come first: they draw from their life in this order."""
    sections: dict[str, Any] = {"identity": identity(told)}
    if told.size != "small":
        sections |= {"disability": disability(told), "medical": medical(told), "family": family(told)}
    sections["assessment"] = assessment(told)
    if told.size != "small":
        sections["employment"] = employment(told)
        if told.life.job:
            sections["employer_contacts"] = employer_contacts(told)
    sections["support_plan"] = support_plan(told)
    if told.size != "small":
        sections["support_history"] = support_history(told)
        if told.handover_type == "settlement_to_center":
            sections["continuing_needs"] = continuing_needs(told)
    sections["handover_plan"] = handover_plan(told, offers)
    return sections


def _manager(kind: OrganizationKind) -> str:
    return "センター長" if kind in ("center", "municipal_center") else "サービス管理責任者"
