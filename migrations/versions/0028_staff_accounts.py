"""Invitations by which staff join, and attempts to sign in that failed."""

import sqlalchemy as sa
from alembic import op

revision = "0028_staff_accounts"
down_revision = "0027_drafts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "staff_members",
        sa.Column(
            "invitation_hash", sa.LargeBinary, nullable=True, comment="SHA-256 of what was handed over"
        ),
    )
    op.add_column("staff_members", sa.Column("invited_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "staff_attempts",
        sa.Column("key_hash", sa.LargeBinary, primary_key=True, comment="SHA-256 of a login or an address"),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
