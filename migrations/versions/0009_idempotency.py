"""Answers that are given again when a creating request is repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0009_idempotency"
down_revision = "0008_handovers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotent_answers",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "request_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of operation, target and body"
        ),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "client_id", "key", name="idempotent_answers_pkey"),
    )
    op.create_index("idempotent_answers_recorded_at_idx", "idempotent_answers", ["recorded_at"], unique=False)
