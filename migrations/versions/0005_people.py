"""People: an opaque id and keyed hashes; no name, date or number."""

import sqlalchemy as sa
from alembic import op

revision = "0005_people"
down_revision = "0004_notifications"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("stream", sa.Uuid, nullable=False, comment="the pseudonym in the ledger"),
        sa.Column("registered_by", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("stream", name="people_stream_key"),
    )
    op.create_table(
        "person_identities",
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column(
            "kana_birth_key", sa.LargeBinary, nullable=False, comment="HMAC-SHA256 of kana and birth date"
        ),
        sa.Column(
            "certificate_key", sa.LargeBinary, nullable=True, comment="HMAC-SHA256 of municipality and number"
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("person_identities_kana_birth_key_idx", "person_identities", ["kana_birth_key"])
    op.create_index("person_identities_certificate_key_idx", "person_identities", ["certificate_key"])
    op.create_table(
        "person_relations",
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column(
            "through",
            sa.Uuid,
            primary_key=True,
            comment="a handover, or the person where they were registered",
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "match_attempts",
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("minute", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
