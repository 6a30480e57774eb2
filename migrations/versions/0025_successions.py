"""Which organization followed which: merged, split, renumbered, transferred, or closed without a successor."""

import sqlalchemy as sa
from alembic import op

revision = "0025_successions"
down_revision = "0024_evidence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organization_successions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("predecessor_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False, index=True),
        sa.Column(
            "successor_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=True, comment="null: nobody"
        ),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("effective_on", sa.Date, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('merged', 'split', 'renumbered', 'transferred', 'closed')",
            name=op.f("organization_successions_kind_check"),
        ),
        sa.CheckConstraint(
            "(kind = 'closed') = (successor_id IS NULL) AND coalesce(successor_id <> predecessor_id, true)",
            name=op.f("organization_successions_successor_check"),
        ),
        comment="rows are added and never changed",
    )
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON organization_successions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("GRANT SELECT ON organization_successions TO tsunagi_service, tsunagi_oversight")
