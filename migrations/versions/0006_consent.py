"""Consents, their withdrawals, and the access rows laid out for each viewing organization."""

import sqlalchemy as sa
from alembic import op

revision = "0006_consent"
down_revision = "0005_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id"), nullable=False),
        sa.Column("giver_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("recipient_ids", sa.ARRAY(sa.Uuid), nullable=False),
        sa.Column("sections", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text, nullable=False, comment="the consent as it was submitted"),
        sa.CheckConstraint("valid_from < valid_to", name="consents_period_check"),
    )
    op.create_index("consents_person_id_idx", "consents", ["person_id"])
    op.create_table(
        "consent_withdrawals",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("consent_id", sa.Uuid, sa.ForeignKey("consents.id"), nullable=False),
        sa.Column("sections", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text, nullable=False, comment="the withdrawal as it was submitted"),
    )
    op.create_index("consent_withdrawals_consent_id_idx", "consent_withdrawals", ["consent_id"])
    op.create_table(
        "consent_access",
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column(
            "organization_id",
            sa.Uuid,
            sa.ForeignKey("organizations.id"),
            primary_key=True,
            comment="who may see",
        ),
        sa.Column(
            "giver_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True, comment="whose record"
        ),
        sa.Column("section", sa.Text, primary_key=True),
        sa.Column("consent_id", sa.Uuid, sa.ForeignKey("consents.id"), primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("subject IN ('person', 'family')", name="consent_access_subject_check"),
    )
    op.create_index("consent_access_consent_id_idx", "consent_access", ["consent_id"])
