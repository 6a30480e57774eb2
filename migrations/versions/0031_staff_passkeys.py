"""Passkeys of staff, and the challenges that they answer."""

import sqlalchemy as sa
from alembic import op

revision = "0031_staff_passkeys"
down_revision = "0030_calendars"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_passkeys",
        sa.Column("credential_id", sa.LargeBinary, primary_key=True),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("staff_members.id"), nullable=False, index=True),
        sa.Column("public_key", sa.LargeBinary, nullable=False, comment="COSE"),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False, comment="what its owner calls it"),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "staff_challenges",
        sa.Column("challenge_hash", sa.LargeBinary, primary_key=True),
        sa.Column("member_id", sa.Uuid, sa.ForeignKey("staff_members.id"), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
