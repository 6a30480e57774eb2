"""Staff who sign in to the pages, and their sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0026_staff"
down_revision = "0025_successions"
branch_labels = None
depends_on = None

OWN = "organization_id = acting_organization()"


def upgrade() -> None:
    op.create_table(
        "staff_members",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False, index=True),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("password_hash", sa.Text, nullable=True, comment="Argon2id; null: not set yet"),
        sa.Column("data_key", sa.LargeBinary, nullable=True),
        sa.Column(
            "code_secret",
            sa.LargeBinary,
            nullable=True,
            comment="sealed: the secret that codes are made from (RFC 6238)",
        ),
        sa.Column("code_step", sa.BigInteger, nullable=True, comment="of the code that was used last"),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('worker', 'administrator', 'auditor')", name="staff_members_role_check"),
        sa.CheckConstraint("status IN ('active', 'disabled')", name="staff_members_status_check"),
    )
    op.create_table(
        "staff_sessions",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("staff_members.id"), nullable=False, index=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
    )
    for table in ("staff_members", "staff_sessions"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY platform ON {table} TO tsunagi_platform USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY service_select ON {table} FOR SELECT TO tsunagi_service USING ({OWN})")
        op.execute(f"GRANT SELECT ON {table} TO tsunagi_service")
