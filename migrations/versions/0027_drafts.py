"""Handovers that staff are still writing in a browser."""

import sqlalchemy as sa
from alembic import op

revision = "0027_drafts"
down_revision = "0026_staff"
branch_labels = None
depends_on = None

OWN = "organization_id = acting_organization()"


def upgrade() -> None:
    op.create_table(
        "handover_drafts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id"), nullable=True),
        sa.Column("handover_id", sa.Uuid, sa.ForeignKey("handovers.id"), nullable=True),
        sa.Column(
            "kana_birth_key",
            sa.LargeBinary,
            nullable=True,
            comment="as in person_identities: erasing somebody finds it by it",
        ),
        sa.Column("certificate_key", sa.LargeBinary, nullable=True, comment="as in person_identities"),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column(
            "document",
            sa.LargeBinary,
            nullable=False,
            comment="sealed JSON: what was typed, and by whom last",
        ),
    )
    op.create_index(
        "handover_drafts_organization_id_idx", "handover_drafts", ["organization_id", "changed_at"]
    )
    op.execute("ALTER TABLE handover_drafts ALTER document SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE handover_drafts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE handover_drafts FORCE ROW LEVEL SECURITY")
    for name, what in {
        "platform": "TO tsunagi_platform USING (true) WITH CHECK (true)",
        "service_select": f"FOR SELECT TO tsunagi_service USING ({OWN})",
        "service_insert": f"FOR INSERT TO tsunagi_service WITH CHECK ({OWN})",
        "service_update": f"FOR UPDATE TO tsunagi_service USING ({OWN}) WITH CHECK ({OWN})",
        "service_delete": f"FOR DELETE TO tsunagi_service USING ({OWN})",
    }.items():
        op.execute(f"CREATE POLICY {name} ON handover_drafts {what}")
    op.execute("GRANT SELECT, INSERT, DELETE ON handover_drafts TO tsunagi_service")
    op.execute("""
        GRANT UPDATE (revision, person_id, handover_id, kana_birth_key, certificate_key, changed_at, data_key, document)
        ON handover_drafts TO tsunagi_service
    """)
