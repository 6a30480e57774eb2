"""Software clients: public keys, the organizations they act for, and the assertions they have used."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003_auth"
down_revision = "0002_directory"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "software_clients",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("profile", sa.Text, nullable=False, server_default="fapi2"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('active', 'revoked')", name=op.f("software_clients_status_check")),
        sa.CheckConstraint(
            "profile IN ('fapi2', 'smart', 'sandbox')", name=op.f("software_clients_profile_check")
        ),
        sa.CheckConstraint(
            "(status = 'revoked') = (revoked_at IS NOT NULL)", name=op.f("software_clients_revoked_at_check")
        ),
    )
    op.create_table(
        "client_keys",
        sa.Column("client_id", sa.Text, sa.ForeignKey("software_clients.id"), primary_key=True),
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("jwk", JSONB, nullable=False, comment="the public members only"),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "client_organizations",
        sa.Column("client_id", sa.Text, sa.ForeignKey("software_clients.id"), primary_key=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
    )
    op.create_table(
        "used_assertions",
        sa.Column("fingerprint", sa.LargeBinary, primary_key=True, comment="SHA-256 of client id and jti"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("used_assertions_expires_at_idx", "used_assertions", ["expires_at"])
