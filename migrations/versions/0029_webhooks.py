"""Where organizations want their feeds sent, and each delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0029_webhooks"
down_revision = "0028_staff_accounts"
branch_labels = None
depends_on = None

ME = "acting_organization()"
OWN = f"organization_id = {ME}"
OF_OWN = f"{OWN} AND EXISTS (SELECT FROM webhooks w WHERE w.id = webhook_id AND w.organization_id = {ME})"


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False, index=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column(
            "position",
            sa.BigInteger,
            nullable=False,
            comment="in the feed: what is behind it is no delivery yet",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column(
            "secrets",
            sa.LargeBinary,
            nullable=False,
            comment="sealed: what messages are signed with, and after a space what they were signed with before",
        ),
        sa.CheckConstraint("status IN ('active', 'paused', 'disabled')", name="webhooks_status_check"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("webhook_id", sa.Uuid, sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column(
            "event_id",
            sa.Uuid,
            sa.ForeignKey("events.id", ondelete="CASCADE"),
            nullable=True,
            index=True,
            comment="null: a test",
        ),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "leased_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="until then one process has it to send",
        ),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text, nullable=True),
        sa.Column("answer", sa.Integer, nullable=True, comment="the HTTP status"),
        sa.CheckConstraint(
            "status IN ('waiting', 'delivered', 'failed')", name="webhook_deliveries_status_check"
        ),
    )
    op.create_index("webhook_deliveries_webhook_id_idx", "webhook_deliveries", ["webhook_id", "id"])
    op.create_index(
        "webhook_deliveries_open_idx",
        "webhook_deliveries",
        ["webhook_id", "status", "due_at"],
        postgresql_where=sa.text("status <> 'delivered'"),
    )
    for table in ("webhooks", "webhook_deliveries"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY platform ON {table} TO tsunagi_platform USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY service_select ON {table} FOR SELECT TO tsunagi_service USING ({OWN})")
        op.execute(
            f"CREATE POLICY service_update ON {table} FOR UPDATE TO tsunagi_service USING ({OWN}) WITH CHECK ({OWN})"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO tsunagi_service")
    op.execute(f"CREATE POLICY service_insert ON webhooks FOR INSERT TO tsunagi_service WITH CHECK ({OWN})")
    op.execute(f"CREATE POLICY service_delete ON webhooks FOR DELETE TO tsunagi_service USING ({OWN})")
    op.execute("GRANT DELETE, UPDATE (status, rotated_at, data_key, secrets) ON webhooks TO tsunagi_service")
    op.execute(
        f"CREATE POLICY service_insert ON webhook_deliveries FOR INSERT TO tsunagi_service WITH CHECK ({OF_OWN})"
    )
    op.execute("GRANT UPDATE (status, attempts, due_at) ON webhook_deliveries TO tsunagi_service")
