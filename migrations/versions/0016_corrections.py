"""A version of responsibility says why it was made where no handover made it, and which entry of the ledger stands
behind it; an event can be about a person alone; the handovers of an area are found by it."""

import sqlalchemy as sa
from alembic import op

revision = "0016_corrections"
down_revision = "0015_log"
branch_labels = None
depends_on = None

TOLD_OF_RESPONSIBILITY = """type = 'responsibility.changed' AND handover_id IS NULL AND consent_id IS NULL
    AND EXISTS (
        SELECT FROM person_relations r
        WHERE r.person_id = events.person_id AND r.organization_id = acting_organization())
    AND (EXISTS (
        SELECT FROM responsibility_segments s
        WHERE s.person_id = events.person_id AND s.organization_id = events.organization_id)
    OR EXISTS (
        SELECT FROM responsibility_support s
        WHERE s.person_id = events.person_id AND s.organization_id = events.organization_id))"""
"""Whoever is in relation with a person may tell those who hold or support, whom it sees."""


def upgrade() -> None:
    op.add_column(
        "responsibility_versions",
        sa.Column("code", sa.Text, nullable=True, comment="why, where it was corrected or ended"),
    )
    op.add_column(
        "responsibility_versions",
        sa.Column(
            "entry_id",
            sa.Uuid,
            nullable=True,
            comment="of the ledger; null for versions from before it was kept",
        ),
    )
    op.drop_constraint(op.f("responsibility_versions_reason_check"), "responsibility_versions")
    op.create_check_constraint(
        op.f("responsibility_versions_reason_check"),
        "responsibility_versions",
        "reason IN ('opened', 'claimed', 'handover_accepted', 'handover_withdrawn', 'corrected', 'ended',"
        " 'succeeded')",
    )
    op.create_check_constraint(
        op.f("responsibility_versions_code_check"),
        "responsibility_versions",
        "(code IS NOT NULL) = (reason IN ('corrected', 'ended'))",
    )
    op.add_column(
        "events",
        sa.Column(
            "person_id", sa.Uuid, nullable=True, comment="where it is about no handover and no consent"
        ),
    )
    op.create_index(
        "handovers_area_idx",
        "handovers",
        ["area_code", "person_id"],
        postgresql_where=sa.text("offered_at IS NOT NULL"),
    )
    op.execute(f"""
        CREATE POLICY service_insert_of_person ON events FOR INSERT TO tsunagi_service
        WITH CHECK ({TOLD_OF_RESPONSIBILITY})
    """)
