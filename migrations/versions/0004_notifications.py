"""Each organization's feed of events."""

import sqlalchemy as sa
from alembic import op

revision = "0004_notifications"
down_revision = "0003_auth"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column(
            "position", sa.BigInteger, nullable=True, comment="place in the organization's feed, from 1"
        ),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handover_id", sa.Uuid, nullable=True),
        sa.Column("consent_id", sa.Uuid, nullable=True),
        sa.Column("status", sa.Text, nullable=True, comment="the handover's status after the event"),
        sa.UniqueConstraint("organization_id", "position", name="events_organization_id_position_key"),
    )
    op.create_index(
        "events_unnumbered_idx", "events", ["organization_id"], postgresql_where=sa.text("position IS NULL")
    )
