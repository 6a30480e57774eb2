"""A handover says itself which versions of its record were ever on offer: whether a section may be read is then a
matter of one look at the handover's row, not of one at the version's and another at the handover's."""

import sqlalchemy as sa
from alembic import op

revision = "0013_offered_versions"
down_revision = "0012_rate_limits"
branch_labels = None
depends_on = None

ME = "(SELECT acting_organization())"
TODAY = "(SELECT acting_today())"


def _of_a_side(table: str, also: str = "true") -> str:
    """The sender's own, and the receiver's where the version was on offer, and may be read (see 0011)."""
    return f"""CASE
        WHEN sender_id = {ME} THEN true
        WHEN receiver_id = {ME} AND EXISTS (
            SELECT FROM handovers h
            WHERE h.id = {table}.handover_id AND {table}.version = ANY (h.offered_versions)
                AND h.status IN ('offered', 'received', 'returned', 'accepted', 'overlapping', 'completed')
                AND (h.window_opened_at IS NOT NULL OR h.window_opens_on <= {TODAY})
                AND (h.status NOT IN ('offered', 'received') OR coalesce(h.answer_due_on >= {TODAY}, true)))
            AND {also} THEN true
        ELSE false END"""


def _consented(subject: str) -> str:
    return f"""EXISTS (
        SELECT FROM consent_access a
        WHERE a.person_id = record_sections.person_id AND a.organization_id = {ME}
            AND a.giver_id = record_sections.sender_id AND a.section = record_sections.section
            AND a.subject = '{subject}' AND a.withdrawn_at IS NULL
            AND a.valid_from <= {TODAY} AND {TODAY} < a.valid_to)"""


CONSENTED = f"{_consented('person')} AND (section <> 'family' OR {_consented('family')})"

WHOSE = ("id", "person_id", "stream", "sender_id", "receiver_id")
OF_THE_SENDER = (
    "handover_type",
    "version",
    "offered_versions",
    "same_corporation",
    "area_code",
    "planned_date",
    "service_ends_on",
    "window_opens_on",
    "window_opened_at",
    "recorded_at",
    "offered_at",
)
"""Of a handover: the sender's to say, with the versions that it has offered."""


def upgrade() -> None:
    op.add_column(
        "handovers",
        sa.Column(
            "offered_versions",
            sa.ARRAY(sa.Integer),
            nullable=False,
            server_default="{}",
            comment="of the record: those that were ever on offer",
        ),
    )
    for table in ("handovers", "record_versions"):  # or their owner would find nothing to fill in
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        UPDATE handovers SET offered_versions = offered.versions
        FROM (
            SELECT handover_id, array_agg(version ORDER BY version) AS versions
            FROM record_versions WHERE offered_at IS NOT NULL GROUP BY handover_id
        ) AS offered
        WHERE offered.handover_id = handovers.id
    """)
    for table in ("handovers", "record_versions"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.alter_column("handovers", "offered_versions", server_default=None)
    op.execute(f"ALTER POLICY service_select ON record_versions USING ({_of_a_side('record_versions')})")
    op.execute(
        f"ALTER POLICY service_select ON record_sections USING ({_of_a_side('record_sections', CONSENTED)})"
    )
    op.drop_column("record_versions", "offered_at")
    op.execute("DROP TRIGGER sides ON handovers")
    op.execute(f"""
        CREATE TRIGGER sides BEFORE UPDATE ON handovers FOR EACH ROW
        WHEN ({_changed(WHOSE)} OR (old.receiver_id = acting_organization() AND {_changed(OF_THE_SENDER)}))
        EXECUTE FUNCTION refuse_other_side()
    """)


def _changed(names: tuple[str, ...]) -> str:
    before, after = (", ".join(f"{row}.{name}" for name in names) for row in ("old", "new"))
    return f"(({before}) IS DISTINCT FROM ({after}))"
