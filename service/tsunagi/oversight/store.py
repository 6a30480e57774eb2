"""Which people an organization may look at from above: those it is in relation with, and those of its remit."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, union

from tsunagi.db import ReadTx
from tsunagi.directory.tables import organization_areas
from tsunagi.handovers.rules import Handover
from tsunagi.handovers.store import handovers, with_domains
from tsunagi.ids import OrganizationId, PersonId
from tsunagi.people.store import relations


def _related(organization_id: OrganizationId) -> Select[tuple[UUID]]:
    return select(relations.c.person_id).where(relations.c.organization_id == organization_id)


def _in_remit(organization_id: OrganizationId) -> Select[tuple[UUID]]:
    """An auditor's people: those with a handover on offer, or beyond, in an area of its remit."""
    return (
        select(handovers.c.person_id)
        .join(organization_areas, organization_areas.c.area_code == handovers.c.area_code)
        .where(
            organization_areas.c.organization_id == organization_id,
            organization_areas.c.purpose == "remit",
            handovers.c.offered_at.is_not(None),
        )
    )


async def sees(tx: ReadTx, organization_id: OrganizationId, person_id: PersonId) -> bool:
    """Whether the organization may look at the person's timeline."""
    related = _related(organization_id).where(relations.c.person_id == person_id)
    in_remit = _in_remit(organization_id).where(handovers.c.person_id == person_id)
    return (await tx.execute(related.union_all(in_remit).limit(1))).first() is not None


async def people(
    tx: ReadTx, organization_id: OrganizationId, *, first: PersonId | None, limit: int
) -> list[PersonId]:
    """The people the organization may look at, by id, from `first` on."""
    seen = union(_related(organization_id), _in_remit(organization_id)).subquery()
    person = seen.c.person_id
    from_first: list[ColumnElement[bool]] = [] if first is None else [person >= first]
    return [
        PersonId(found)
        for found in await tx.scalars(select(person).where(*from_first).order_by(person).limit(limit))
    ]


async def handovers_of(tx: ReadTx, person_ids: Sequence[PersonId]) -> list[Handover]:
    """All handovers of these people."""
    found = select(handovers).where(handovers.c.person_id.in_(person_ids)).order_by(handovers.c.id)
    return await with_domains(tx, found)


async def remit(tx: ReadTx, organization_id: OrganizationId) -> frozenset[str]:
    """The areas that the organization audits."""
    codes = await tx.scalars(
        select(organization_areas.c.area_code).where(
            organization_areas.c.organization_id == organization_id, organization_areas.c.purpose == "remit"
        )
    )
    return frozenset(codes)
