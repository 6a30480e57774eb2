"""Which people an organization may look at from above: those it is in relation with, and those of its remit."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, union

from tsunagi.consent.rules import Access
from tsunagi.db import ReadTx, fetch
from tsunagi.directory.tables import organization_areas
from tsunagi.handovers.rules import Handover
from tsunagi.handovers.store import handovers, select_all
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream
from tsunagi.oversight.rules import EVIDENCE, Evidence, Finding
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


_STREAM = """
    SELECT stream FROM people p
    WHERE id = $2 AND (
        EXISTS (SELECT FROM person_relations r WHERE r.person_id = p.id AND r.organization_id = $1)
        OR EXISTS (
            SELECT FROM handovers h JOIN organization_areas a ON a.area_code = h.area_code
            WHERE h.person_id = p.id AND h.offered_at IS NOT NULL AND a.organization_id = $1 AND a.purpose = 'remit'))
"""


async def visible_stream(tx: ReadTx, organization_id: OrganizationId, person_id: PersonId) -> Stream | None:
    """The person's stream, if the organization may look at their timeline."""
    return next((row["stream"] for row in await fetch(tx, _STREAM, organization_id, person_id)), None)


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


_NAMES = """
    SELECT DISTINCT ON (organization_id) organization_id, name FROM organization_versions
    WHERE organization_id = ANY ($1)
    ORDER BY organization_id, effective_on <= $2 DESC, CASE WHEN effective_on <= $2 THEN -version ELSE version END
"""


async def names(tx: ReadTx, ids: Collection[OrganizationId], day: date) -> dict[OrganizationId, str]:
    """What the organizations were called on that day; before the first known name, by that one."""
    return {row["organization_id"]: row["name"] for row in await fetch(tx, _NAMES, list(ids), day)}


_CLOSED = "SELECT id, closed_on FROM organizations WHERE id = ANY ($1) AND status = 'closed'"


async def closed(tx: ReadTx, ids: Collection[OrganizationId]) -> dict[OrganizationId, date]:
    """Those of the organizations that have closed, and from which day on they no longer exist."""
    return {row["id"]: row["closed_on"] for row in await fetch(tx, _CLOSED, list(ids))}


_CHANGED = """
    SELECT person_id FROM ({seen}) AS seen
    WHERE ($2::uuid IS NULL OR person_id >= $2) AND EXISTS (
        SELECT FROM responsibility_versions v
        WHERE v.person_id = seen.person_id AND v.recorded_at > $3 AND v.recorded_at <= $4)
    ORDER BY person_id LIMIT $5
"""
_SEEN = """
    SELECT r.person_id FROM person_relations r
    WHERE r.organization_id = $1 AND ($6::text IS NULL OR EXISTS (
        SELECT FROM handovers h WHERE h.person_id = r.person_id AND h.area_code = $6))
    UNION
    SELECT h.person_id FROM handovers h
    JOIN organization_areas a ON a.area_code = h.area_code
    WHERE a.organization_id = $1 AND a.purpose = 'remit' AND h.offered_at IS NOT NULL
        AND ($6::text IS NULL OR h.area_code = $6)
"""


async def changed_people(
    tx: ReadTx,
    organization_id: OrganizationId,
    *,
    since: datetime,
    until: datetime,
    area: str | None,
    first: PersonId | None,
    limit: int,
) -> list[PersonId]:
    """Those whom the organization may look at, by id, from `first` on, of whom something was recorded then."""
    asked = (organization_id, first, since, until, limit, area)
    return [row["person_id"] for row in await fetch(tx, _CHANGED.format(seen=_SEEN), *asked)]


_KNOWN_HANDOVERS = """
    SELECT h.id FROM handovers h
    WHERE h.id = ANY ($2) AND (
        h.sender_id = $1 OR (h.offered_at IS NOT NULL AND (
            h.receiver_id = $1 OR EXISTS (
                SELECT FROM organization_areas a
                WHERE a.area_code = h.area_code AND a.organization_id = $1 AND a.purpose = 'remit'))))
"""


async def known_handovers(
    tx: ReadTx, organization_id: OrganizationId, ids: Collection[HandoverId]
) -> frozenset[HandoverId]:
    """Those of these handovers that the organization knows of: it is a side of them, or audits their area."""
    return frozenset(row["id"] for row in await fetch(tx, _KNOWN_HANDOVERS, organization_id, list(ids)))


_GIVEN = """
    SELECT person_id, giver_id, organization_id, consent_id, subject, valid_from, valid_to,
        max(withdrawn_at) FILTER (WHERE withdrawn_at <= $2) AS withdrawn_at,
        bool_or(withdrawn_at IS NULL OR withdrawn_at > $2) AS holds
    FROM consent_access WHERE person_id = ANY ($1) AND subject = 'person'
    GROUP BY person_id, giver_id, organization_id, consent_id, subject, valid_from, valid_to
"""

Given = dict[tuple[PersonId, OrganizationId, OrganizationId], list[Access]]
"""What somebody consented to, by person, giver and recipient."""


async def given(tx: ReadTx, person_ids: Sequence[PersonId], known_at: datetime) -> Given:
    """These people's consents, as known then; one that was withdrawn for some sections holds for the others."""
    found: Given = {}
    for row in await fetch(tx, _GIVEN, list(person_ids), known_at):
        withdrawn_at = None if row["holds"] else row["withdrawn_at"]
        access = Access(
            "", row["subject"], row["consent_id"], row["valid_from"], row["valid_to"], withdrawn_at
        )
        key = row["person_id"], row["giver_id"], row["organization_id"]
        found.setdefault(key, []).append(access)
    return found


_ENTRIES = """
    SELECT c.id, c.action, c.record_id, e.recorded_at
    FROM ledger_contents c JOIN ledger_entries e ON e.id = c.id
    WHERE c.outcome = 'permit' AND e.recorded_at <= $3
        AND (c.record_id = ANY ($1) AND c.action = ANY ($4) OR c.id = ANY ($2))
    ORDER BY e.recorded_at, c.id
"""


async def entries(
    tx: ReadTx, findings: Sequence[Finding], known_at: datetime
) -> list[tuple[Evidence, str | None]]:
    """The ledger's entries that may be behind these findings, each with the record it is about."""
    records = sorted({str(one) for finding in findings for one in finding.record_ids})
    ids = sorted({one for finding in findings for one in finding.entry_ids})
    actions = sorted({action for finding in findings for action in EVIDENCE[finding.kind]})
    if not records and not ids:
        return []
    rows = await fetch(tx, _ENTRIES, records, ids, known_at, actions)
    return [(Evidence(row["id"], row["action"], row["recorded_at"]), row["record_id"]) for row in rows]


async def handovers_of(tx: ReadTx, person_ids: Sequence[PersonId]) -> list[Handover]:
    """All handovers of these people."""
    found = select(handovers).where(handovers.c.person_id.in_(person_ids)).order_by(handovers.c.id)
    return await select_all(tx, found)


async def remit(tx: ReadTx, organization_id: OrganizationId) -> frozenset[str]:
    """The areas that the organization audits."""
    codes = await tx.scalars(
        select(organization_areas.c.area_code).where(
            organization_areas.c.organization_id == organization_id, organization_areas.c.purpose == "remit"
        )
    )
    return frozenset(codes)
