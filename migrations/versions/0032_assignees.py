"""Whom each side of a handover has put in charge of it."""

import sqlalchemy as sa
from alembic import op

revision = "0032_assignees"
down_revision = "0031_staff_passkeys"
branch_labels = None
depends_on = None

ME = "acting_organization()"
OWN = f"organization_id = {ME}"
OF_OWN = f"""{OWN} AND EXISTS (
    SELECT FROM handovers h
    WHERE h.id = handover_id AND (h.sender_id = {ME} OR (h.receiver_id = {ME} AND h.offered_at IS NOT NULL)))"""


def upgrade() -> None:
    op.create_table(
        "handover_assignees",
        sa.Column("handover_id", sa.Uuid, sa.ForeignKey("handovers.id"), primary_key=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column(
            "assignee", sa.Text, nullable=False, comment="what the organization calls one of its staff"
        ),
    )
    op.execute("ALTER TABLE handover_assignees ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE handover_assignees FORCE ROW LEVEL SECURITY")
    for name, what in {
        "platform": "TO tsunagi_platform USING (true) WITH CHECK (true)",
        "service_select": f"FOR SELECT TO tsunagi_service USING ({OWN})",
        "service_insert": f"FOR INSERT TO tsunagi_service WITH CHECK ({OF_OWN})",
        "service_update": f"FOR UPDATE TO tsunagi_service USING ({OWN}) WITH CHECK ({OWN})",
        "service_delete": f"FOR DELETE TO tsunagi_service USING ({OWN})",
    }.items():
        op.execute(f"CREATE POLICY {name} ON handover_assignees {what}")
    op.execute("GRANT SELECT, INSERT, DELETE, UPDATE (assignee) ON handover_assignees TO tsunagi_service")
