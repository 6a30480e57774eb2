"""Calendars that members of staff subscribe to."""

import sqlalchemy as sa
from alembic import op

revision = "0030_calendars"
down_revision = "0029_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "staff_members",
        sa.Column(
            "calendar_hash",
            sa.LargeBinary,
            nullable=True,
            comment="SHA-256 of what the address of the calendar holds",
        ),
    )
    op.create_unique_constraint("staff_members_calendar_hash_key", "staff_members", ["calendar_hash"])
