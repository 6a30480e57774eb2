"""Guidelines for sharing, version by version; and whether a person needs further support may be unknown."""

import sqlalchemy as sa
from alembic import op

revision = "0024_evidence"
down_revision = "0023_erasure"
branch_labels = None
depends_on = None

ME = "acting_organization()"
OWN = f"organization_id = {ME}"
IN_REMIT = f"""EXISTS (
    SELECT FROM handovers h JOIN organization_areas a ON a.area_code = h.area_code
    WHERE sharing_guidelines.organization_id IN (h.sender_id, h.receiver_id) AND h.offered_at IS NOT NULL
        AND a.organization_id = {ME} AND a.purpose = 'remit')"""


def upgrade() -> None:
    op.alter_column(
        "handovers",
        "continuing_need",
        nullable=True,
        existing_type=sa.Boolean,
        comment="null: nobody has judged yet",
    )
    op.alter_column("handover_revisions", "continuing_need", nullable=True, existing_type=sa.Boolean)
    # What stood for both "no" and "not judged yet" stands for the latter until the record is amended.
    op.execute("ALTER TABLE handovers NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE handovers SET continuing_need = NULL WHERE NOT continuing_need")
    op.execute("ALTER TABLE handovers FORCE ROW LEVEL SECURITY")
    op.create_table(
        "sharing_guidelines",
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("document_hash", sa.Text, nullable=True, comment="SHA-256"),
        sa.Column("document_url", sa.Text, nullable=True),
        sa.Column("officer_name", sa.Text, nullable=False),
        sa.Column("officer_role", sa.Text, nullable=False),
        sa.Column("effective_from", sa.Date, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "document_hash IS NOT NULL OR document_url IS NOT NULL", name="sharing_guidelines_document_check"
        ),
        comment="guidelines for sharing (指針) and their officers; rows refuse change",
    )
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sharing_guidelines
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("ALTER TABLE sharing_guidelines ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sharing_guidelines FORCE ROW LEVEL SECURITY")
    policy = "CREATE POLICY {name} ON sharing_guidelines {what}"
    for name, what in {
        "platform": "TO tsunagi_platform USING (true) WITH CHECK (true)",
        "service_select": f"FOR SELECT TO tsunagi_service USING ({OWN})",
        "service_insert": f"FOR INSERT TO tsunagi_service WITH CHECK ({OWN})",
        "oversight_select": "FOR SELECT TO tsunagi_oversight"
        f" USING (CASE WHEN {OWN} THEN true WHEN {IN_REMIT} THEN true ELSE false END)",
    }.items():
        op.execute(policy.format(name=name, what=what))
    op.execute("GRANT SELECT, INSERT ON sharing_guidelines TO tsunagi_service")
    op.execute("GRANT SELECT ON sharing_guidelines TO tsunagi_oversight")
