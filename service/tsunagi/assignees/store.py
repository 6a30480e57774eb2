"""One row for each side that has said who is in charge."""

from sqlalchemy import Column, ForeignKey, Table, Text, Uuid

from tsunagi.db import ReadTx, Write, fetch, metadata
from tsunagi.ids import HandoverId, OrganizationId

assignees = Table(
    "handover_assignees",
    metadata,
    Column("handover_id", Uuid, ForeignKey("handovers.id"), primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("assignee", Text, nullable=False, comment="what the organization calls one of its staff"),
)

_OF = "SELECT assignee FROM handover_assignees WHERE handover_id = $1 AND organization_id = $2"
_SET = """
    INSERT INTO handover_assignees (handover_id, organization_id, assignee) VALUES ($1, $2, $3)
    ON CONFLICT (handover_id, organization_id) DO UPDATE SET assignee = excluded.assignee
"""
_CLEAR = "DELETE FROM handover_assignees WHERE handover_id = $1 AND organization_id = $2"


async def find(tx: ReadTx, handover_id: HandoverId, organization_id: OrganizationId) -> str | None:
    """Whom the organization has put in charge; None: nobody."""
    return next((row["assignee"] for row in await fetch(tx, _OF, handover_id, organization_id)), None)


def saving(handover_id: HandoverId, organization_id: OrganizationId, assignee: str | None) -> Write:
    if assignee is None:
        return Write(_CLEAR, (handover_id, organization_id))
    return Write(_SET, (handover_id, organization_id, assignee))
