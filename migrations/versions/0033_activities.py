"""What both sides of a handover did or settled together: case conferences, joint visits, the employer's window."""

import sqlalchemy as sa
from alembic import op

revision = "0033_activities"
down_revision = "0032_assignees"
branch_labels = None
depends_on = None

ME = "acting_organization()"
TODAY = "acting_today()"

# As for records: what the receiver may read, beyond the notice that something is coming.
READABLE = f"""h.status IN ('offered', 'received', 'returned', 'accepted', 'overlapping', 'completed')
    AND (h.window_opened_at IS NOT NULL OR h.window_opens_on <= {TODAY})
    AND (h.status NOT IN ('offered', 'received') OR coalesce(h.answer_due_on >= {TODAY}, true))"""
OWN = f"recorded_by = {ME}"
OF_A_SIDE = (
    f"EXISTS (SELECT FROM handovers h WHERE h.id = handover_id AND {ME} IN (h.sender_id, h.receiver_id))"
)
OF_THE_SENDER = f"EXISTS (SELECT FROM handovers h WHERE h.id = handover_id AND h.sender_id = {ME})"
OF_THE_RECEIVER = f"""EXISTS (
    SELECT FROM handovers h
    JOIN consent_access a ON a.person_id = h.person_id AND a.giver_id = h.sender_id AND a.organization_id = {ME}
    WHERE h.id = handover_id AND h.receiver_id = {ME} AND {READABLE}
        AND a.section = 'handover_plan' AND a.subject = 'person' AND a.withdrawn_at IS NULL
        AND a.valid_from <= {TODAY} AND {TODAY} < a.valid_to)"""
SEEN = f"""CASE
    WHEN {OWN} AND {OF_A_SIDE} THEN true WHEN {OF_THE_SENDER} THEN true WHEN {OF_THE_RECEIVER} THEN true
    ELSE false END"""
TOGETHER = f"""{OWN} AND EXISTS (
    SELECT FROM handovers h
    WHERE h.id = handover_id AND (
        (h.sender_id = {ME} AND h.status IN ('offered', 'received', 'returned', 'accepted', 'overlapping'))
        OR (h.receiver_id = {ME} AND h.status IN ('received', 'returned', 'accepted', 'overlapping'))))"""
FROM_ABOVE = f"""EXISTS (
    SELECT FROM handovers h
    WHERE h.id = handover_id AND ({ME} IN (h.sender_id, h.receiver_id) OR h.area_code IN (
        SELECT a.area_code FROM organization_areas a
        WHERE a.organization_id = {ME} AND a.purpose = 'remit')))"""  # noqa: S608  nothing but names is put in


def upgrade() -> None:
    op.create_table(
        "handover_activities",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("handover_id", sa.Uuid, sa.ForeignKey("handovers.id"), nullable=False),
        sa.Column("recorded_by", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column(
            "on_day",
            sa.Date,
            nullable=False,
            comment="on which it was done, or from which the window holds",
        ),
        sa.Column(
            "window_id",
            sa.Uuid,
            nullable=True,
            comment="the organization that is to be the employer's window",
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "withdrawn_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="taken back by who recorded it",
        ),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False, comment="sealed JSON, as it was sent"),
        sa.CheckConstraint(
            "kind IN ('case_conference', 'joint_visit', 'employer_window')",
            name=op.f("handover_activities_kind_check"),
        ),
        sa.CheckConstraint(
            "(kind = 'employer_window') = (window_id IS NOT NULL)",
            name=op.f("handover_activities_window_check"),
        ),
    )
    op.create_index("handover_activities_handover_id_idx", "handover_activities", ["handover_id", "id"])
    op.execute("ALTER TABLE handover_activities ALTER document SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE handover_activities ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE handover_activities FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY platform ON handover_activities TO tsunagi_platform USING (true) WITH CHECK (true)"
    )
    for name, command, condition in (
        ("service_select", "SELECT TO tsunagi_service", f"USING ({SEEN})"),
        ("service_insert", "INSERT TO tsunagi_service", f"WITH CHECK ({TOGETHER})"),
        ("service_update", "UPDATE TO tsunagi_service", f"USING ({OWN}) WITH CHECK ({OWN})"),
        ("oversight_select", "SELECT TO tsunagi_oversight", f"USING ({FROM_ABOVE})"),
    ):
        op.execute(f"CREATE POLICY {name} ON handover_activities FOR {command} {condition}")
    op.execute("GRANT SELECT, INSERT, UPDATE (withdrawn_at) ON handover_activities TO tsunagi_service")
    # From above it is counted, never read.
    op.execute("""
        GRANT SELECT (id, handover_id, recorded_by, kind, on_day, window_id, recorded_at, withdrawn_at)
        ON handover_activities TO tsunagi_oversight
    """)
