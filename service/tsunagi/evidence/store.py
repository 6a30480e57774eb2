"""Guidelines as they were adopted, and whose service ends when."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Column, Date, DateTime, ForeignKey, Integer, Table, Text, Uuid

from tsunagi.db import ReadTx, WriteTx, fetch, metadata
from tsunagi.evidence.rules import SHARED, Ending, Guideline
from tsunagi.ids import ConsentId, OrganizationId, PersonId
from tsunagi.responsibility.milestones import SETTLEMENT_MONTHS, period_end, settlement_period

guidelines = Table(
    "sharing_guidelines",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("document_hash", Text, nullable=True, comment="SHA-256"),
    Column("document_url", Text, nullable=True),
    Column("officer_name", Text, nullable=False),
    Column("officer_role", Text, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("document_hash IS NOT NULL OR document_url IS NOT NULL", name="document"),
    comment="guidelines for sharing (指針) and their officers; rows refuse change",
)

_GUIDELINE = [member.name for member in fields(Guideline)]
_PLACES = ", ".join(f"${place}" for place in range(2, len(_GUIDELINE)))
# Two that are adopted at once get their versions one after the other: the lock is held until the commit.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('guideline ' || CAST($1 AS uuid), 0))"
_ADOPT = f"""
    INSERT INTO sharing_guidelines ({", ".join(_GUIDELINE)})
    SELECT $1, coalesce(max(version), 0) + 1, {_PLACES} FROM sharing_guidelines WHERE organization_id = $1
    RETURNING {", ".join(_GUIDELINE)}
"""  # noqa: S608  nothing but the names of columns is put in
_OF = f"""
    SELECT {", ".join(_GUIDELINE)} FROM sharing_guidelines WHERE organization_id = $1 ORDER BY version DESC LIMIT $2
"""  # noqa: S608  only names of ours


async def adopt(tx: WriteTx, organization_id: OrganizationId, **members: Any) -> Guideline:
    """One more version of the organization's guideline."""
    await fetch(tx, _LOCK, organization_id)
    (row,) = await fetch(tx, _ADOPT, organization_id, *(members[name] for name in _GUIDELINE[2:]))
    return Guideline(*row)


async def of_organization(tx: ReadTx, organization_id: OrganizationId, *, limit: int) -> list[Guideline]:
    """Its guidelines, the newest first."""
    return [Guideline(*row) for row in await fetch(tx, _OF, organization_id, limit)]


_AUDITED = """
    SELECT FROM handovers h JOIN organization_areas a ON a.area_code = h.area_code
    WHERE $2 IN (h.sender_id, h.receiver_id) AND h.offered_at IS NOT NULL
        AND a.organization_id = $1 AND a.purpose = 'remit'
    LIMIT 1
"""


async def audited(tx: ReadTx, auditor: OrganizationId, organization_id: OrganizationId) -> bool:
    """Whether the organization hands over, or takes over, in the auditor's remit."""
    return bool(await fetch(tx, _AUDITED, auditor, organization_id))


# $1 the provider, $2 and $3 the period, $4 the auditor (null: the provider itself), whose remit alone counts; $5 limit.
_IN_REMIT = """($4::uuid IS NULL OR (h.offered_at IS NOT NULL AND h.area_code IN (
            SELECT area_code FROM organization_areas WHERE organization_id = $4 AND purpose = 'remit')))"""
_OUTGOING = f"""
    SELECT DISTINCT ON (h.person_id) h.person_id, h.id, h.service_ends_on, h.continuing_need, h.shared_on
    FROM handovers h
    WHERE h.sender_id = $1 AND h.service_ends_on IS NOT NULL AND h.status <> 'withdrawn' AND {_IN_REMIT}
    ORDER BY h.person_id, h.recorded_at DESC, h.id DESC
"""  # noqa: S608  only names of ours
_ENDING = f"""
    WITH newest AS ({_OUTGOING})
    SELECT n.*, NULL::date AS hired_on, NULL::date AS starts_on FROM newest n
    WHERE n.service_ends_on >= $2 AND n.service_ends_on < $3
    UNION ALL
    SELECT h.person_id, h.id, NULL, NULL, NULL, h.hired_on, h.planned_date FROM handovers h
    WHERE h.receiver_id = $1 AND h.handover_type = 'transition_to_settlement'
        AND h.status IN ('accepted', 'overlapping', 'completed') AND {_IN_REMIT}
        AND coalesce(h.hired_on + interval '6 months', h.planned_date)
            BETWEEN $2::date - interval '38 months' AND $3::date - interval '34 months'
        AND NOT EXISTS (SELECT FROM newest n WHERE n.person_id = h.person_id)
    LIMIT $5
"""  # noqa: S608  only names of ours
_SETTLES = "SELECT FROM organizations WHERE id = $1 AND kind = 'settlement'"


async def settles(tx: ReadTx, organization_id: OrganizationId) -> bool:
    """Whether it is a settlement provider, whom alone the reduction concerns."""
    return bool(await fetch(tx, _SETTLES, organization_id))


async def endings(
    tx: ReadTx,
    provider: OrganizationId,
    *,
    since: date,
    until: date,
    auditor: OrganizationId | None,
    limit: int,
) -> list[Ending]:
    """Those of the provider's people whose service ends from `since` on and before `until`: as the newest record says
    by which it hands them over, or else after the three years that followed when it took them over."""
    rows = await fetch(tx, _ENDING, provider, since, until, auditor, limit)
    found = {row["person_id"]: _ending(row) for row in rows}
    within = [one for one in found.values() if since <= one.ends_on < until]
    return sorted(within, key=lambda one: (one.ends_on, one.person_id))


def _ending(row: Mapping[str, Any]) -> Ending:
    ends_on = row["service_ends_on"]
    if ends_on is None and row["hired_on"] is not None:
        ends_on = settlement_period(row["hired_on"])[1]
    elif ends_on is None:
        ends_on = period_end(row["starts_on"], SETTLEMENT_MONTHS)
    return Ending(row["person_id"], ends_on, row["continuing_need"], row["id"], row["shared_on"])


_CONSENTS = """
    SELECT person_id, array_agg(DISTINCT consent_id) AS consents FROM consent_access
    WHERE giver_id = $1 AND person_id = ANY ($2) AND section = $3 AND subject = 'person'
        AND exception_code IS NULL AND withdrawn_at IS NULL AND valid_from <= $4 AND valid_to > $4
    GROUP BY person_id
"""


async def consents(
    tx: ReadTx, giver: OrganizationId, people: Sequence[PersonId], today: date
) -> dict[PersonId, list[ConsentId]]:
    """The consents by which the organization may share the information today."""
    rows = await fetch(tx, _CONSENTS, giver, people, SHARED, today)
    return {row["person_id"]: row["consents"] for row in rows}
