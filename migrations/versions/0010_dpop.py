"""Proofs of possession that were used, in tables that a crash empties: no request waits for a disk on their
account, and what a crash forgot is refused by its age."""

import sqlalchemy as sa
from alembic import op

revision = "0010_dpop"
down_revision = "0009_idempotency"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_proofs",
        sa.Column(
            "fingerprint", sa.LargeBinary, primary_key=True, comment="SHA-256 of key thumbprint and jti"
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        prefixes=["UNLOGGED"],
    )
    op.create_index("used_proofs_expires_at_idx", "used_proofs", ["expires_at"])
    op.create_table(
        "proof_epoch",
        sa.Column("only", sa.Boolean, primary_key=True, server_default=sa.true(), comment="one row, or none"),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint('"only"', name=op.f("proof_epoch_only_check")),
        prefixes=["UNLOGGED"],
    )
    # No proof has been used before the tables were there: the first epoch leaves none out.
    op.execute("INSERT INTO proof_epoch (began_at) VALUES ('-infinity')")
