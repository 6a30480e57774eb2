"""Every revision of a handover is kept, so that findings and milestones can be asked for as they were known; and when a
consent began and ended can be seen from above.

What handovers were before this is not known: each begins with the revision it has now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022_revisions"
down_revision = "0021_disclosures"
branch_labels = None
depends_on = None

COLUMNS = (
    *("id", "person_id", "stream", "sender_id", "receiver_id", "handover_type", "status", "version"),
    *("offered_versions", "revision", "changed_at", "same_corporation", "area_code", "planned_date"),
    *("service_ends_on", "hired_on", "first_conference_on", "shared_on", "continuing_need"),
    *("employer_window_missing", "employer_window_id", "overlap_from", "overlap_to", "follow_up_until"),
    *("window_opens_on", "window_opened_at", "window_announced", "answer_due_on", "due_on", "clock_on"),
    *("recorded_at", "offered_at", "received_at", "answered_at", "completed_at", "domains"),
)
"""All but the notes, which are words."""

NULLABLE = {
    *("area_code", "service_ends_on", "hired_on", "first_conference_on", "shared_on", "employer_window_id"),
    *("overlap_from", "overlap_to", "follow_up_until", "window_opened_at", "answer_due_on", "clock_on"),
    *("offered_at", "received_at", "answered_at", "completed_at"),
}

SIDES = "sender_id = acting_organization()"
OFFERED = "receiver_id = acting_organization() AND offered_at IS NOT NULL"
IN_REMIT = """offered_at IS NOT NULL AND area_code IN (
    SELECT a.area_code FROM organization_areas a
    WHERE a.organization_id = acting_organization() AND a.purpose = 'remit')"""


def upgrade() -> None:
    op.add_column("handovers", sa.Column("employer_window_id", sa.Uuid, nullable=True))
    op.add_column(
        "handovers",
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="when it became this revision",
        ),
    )
    names = ", ".join(COLUMNS)
    op.execute("ALTER TABLE handovers NO FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE TABLE handover_revisions AS SELECT {names} FROM handovers")  # noqa: S608  only names of ours
    op.execute("ALTER TABLE handovers FORCE ROW LEVEL SECURITY")
    for name in set(COLUMNS) - NULLABLE:
        op.alter_column("handover_revisions", name, nullable=False)
    op.create_table_comment("handover_revisions", "kept by a trigger, whatever changes a handover")
    op.create_primary_key("handover_revisions_pkey", "handover_revisions", ["id", "revision"])
    op.create_index("handover_revisions_person_idx", "handover_revisions", ["person_id", "id", "revision"])
    op.execute(f"""
        CREATE FUNCTION keep_revision() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO handover_revisions ({names}) VALUES ({", ".join(f"new.{one}" for one in COLUMNS)});
            RETURN NULL;
        END $$
    """)  # noqa: S608  nothing but the names of columns is put in
    op.execute("""
        CREATE TRIGGER keep_first AFTER INSERT ON handovers FOR EACH ROW EXECUTE FUNCTION keep_revision()
    """)
    op.execute("""
        CREATE TRIGGER keep_next AFTER UPDATE ON handovers FOR EACH ROW
        WHEN (old.revision <> new.revision) EXECUTE FUNCTION keep_revision()
    """)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON handover_revisions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    _walls()


def _walls() -> None:
    op.execute("ALTER TABLE handover_revisions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE handover_revisions FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY platform ON handover_revisions TO tsunagi_platform USING (true) WITH CHECK (true)"
    )
    op.execute("GRANT SELECT, INSERT, DELETE ON handover_revisions TO tsunagi_platform")
    op.execute("REVOKE UPDATE ON handover_revisions FROM tsunagi_platform")
    op.execute(f"""
        CREATE POLICY service_insert ON handover_revisions FOR INSERT TO tsunagi_service
        WITH CHECK (CASE WHEN {SIDES} THEN true WHEN {OFFERED} THEN true ELSE false END)
    """)
    op.execute("GRANT INSERT ON handover_revisions TO tsunagi_service")
    op.execute(f"""
        CREATE POLICY oversight_select ON handover_revisions FOR SELECT TO tsunagi_oversight
        USING (CASE WHEN {SIDES} THEN true WHEN {OFFERED} THEN true WHEN {IN_REMIT} THEN true ELSE false END)
    """)
    op.execute("GRANT SELECT ON handover_revisions TO tsunagi_oversight")
    # When a consent began and ended, not what it is about; and only of whom the organization looks at.
    op.execute("""
        CREATE POLICY oversight_select ON consent_access FOR SELECT TO tsunagi_oversight
        USING (EXISTS (
            SELECT FROM handovers h
            WHERE h.person_id = consent_access.person_id AND h.sender_id = consent_access.giver_id
                AND h.receiver_id = consent_access.organization_id AND (
                    acting_organization() IN (h.sender_id, h.receiver_id)
                    OR (h.offered_at IS NOT NULL AND h.area_code IN (
                        SELECT a.area_code FROM organization_areas a
                        WHERE a.organization_id = acting_organization() AND a.purpose = 'remit')))))
    """)
    op.execute("""
        GRANT SELECT (person_id, organization_id, giver_id, consent_id, subject, valid_from, valid_to, withdrawn_at)
        ON consent_access TO tsunagi_oversight
    """)
