"""Records of provision (第三者提供記録), for giver and receiver alike; an access row says what allows it if no consent.

Rows of provision refuse UPDATE and TRUNCATE; they may be deleted once nobody needs to keep them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020_provisions"
down_revision = "0019_area_report"
branch_labels = None
depends_on = None

ME = "(SELECT acting_organization())"

# Whoever reads records what was given: nobody else can, and only of a handover that was offered to them.
BY_THE_RECEIVER = f"""receiver_id = {ME} AND EXISTS (
    SELECT FROM handovers h
    WHERE h.id = provisions.handover_id AND h.person_id = provisions.person_id AND h.stream = provisions.stream
        AND h.sender_id = provisions.giver_id AND h.receiver_id = {ME}
        AND provisions.version = ANY (h.offered_versions))"""
OF_A_SIDE = f"CASE WHEN giver_id = {ME} THEN true WHEN receiver_id = {ME} THEN true ELSE false END"
IN_REMIT = """EXISTS (
    SELECT FROM organization_areas a
    WHERE a.area_code = provisions.area_code AND a.organization_id = acting_organization() AND a.purpose = 'remit')"""
FROM_ABOVE = f"""CASE
    WHEN giver_id = acting_organization() THEN true WHEN receiver_id = acting_organization() THEN true
    WHEN {IN_REMIT} THEN true ELSE false END"""


def upgrade() -> None:
    op.add_column(
        "consent_access",
        sa.Column("exception_code", sa.Text, nullable=True, comment="what allows it without consent"),
    )
    # What was submitted is sealed; its code stands on the ledger.
    for table in ("ledger_contents", "consent_access"):  # or their owner would find nothing to fill in
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        UPDATE consent_access a SET exception_code = CAST(c.body AS json) ->> 'code'
        FROM ledger_contents c
        WHERE c.action = 'consents:except' AND c.outcome = 'permit' AND c.record_id = CAST(a.consent_id AS text)
    """)
    for table in ("ledger_contents", "consent_access"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    _provisions()
    _retention()


def _provisions() -> None:
    op.create_table(
        "provisions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("handover_id", sa.Uuid, sa.ForeignKey("handovers.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="of the handover's record"),
        sa.Column("digest", sa.LargeBinary, nullable=False, comment="of day, ground, sections and consents"),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id"), nullable=False),
        sa.Column("stream", sa.Uuid, nullable=False, comment="the person's pseudonym in the ledger"),
        sa.Column("area_code", sa.Text, nullable=True, comment="whose auditors see it"),
        sa.Column("giver_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("receiver_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column(
            "giver", sa.Text, nullable=False, comment="JSON: name, address and representative of that day"
        ),
        sa.Column("receiver", sa.Text, nullable=False, comment="JSON: likewise"),
        sa.Column("same_corporation", sa.Boolean, nullable=False),
        sa.Column("provided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provided_on", sa.Date, nullable=False),
        sa.Column("means", sa.Text, nullable=False),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("sections", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("consent_ids", sa.ARRAY(sa.Uuid), nullable=False),
        sa.Column("acquisition", sa.Text, nullable=False, comment="how the giver came by the data"),
        sa.Column(
            "withheld_from_person",
            sa.Text,
            nullable=True,
            comment="the rule by which the person is not told",
        ),
        sa.Column("entry_id", sa.Uuid, nullable=False, comment="the ledger's entry of the reading"),
        sa.Column("retain_until", sa.Date, nullable=False, comment="exclusive"),
        sa.CheckConstraint("means IN ('read', 'export')", name="provisions_means_check"),
        sa.CheckConstraint("acquisition IN ('in_support', 'stated')", name="provisions_acquisition_check"),
    )
    op.create_index("provisions_version_key", "provisions", ["handover_id", "version", "digest"], unique=True)
    op.create_index("provisions_person_id_idx", "provisions", ["person_id"])
    op.create_index("provisions_giver_idx", "provisions", ["giver_id", "provided_on", "id"])
    op.create_index("provisions_receiver_idx", "provisions", ["receiver_id", "provided_on", "id"])
    op.create_index("provisions_area_idx", "provisions", ["area_code", "provided_on", "id"])
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON provisions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("ALTER TABLE provisions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE provisions FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY platform ON provisions TO tsunagi_platform USING (true) WITH CHECK (true)")
    op.execute(
        f"CREATE POLICY service_select ON provisions FOR SELECT TO tsunagi_service USING ({OF_A_SIDE})"
    )
    op.execute(
        f"CREATE POLICY service_insert ON provisions FOR INSERT TO tsunagi_service WITH CHECK ({BY_THE_RECEIVER})"
    )
    op.execute(
        f"CREATE POLICY oversight_select ON provisions FOR SELECT TO tsunagi_oversight USING ({FROM_ABOVE})"
    )
    op.execute("GRANT SELECT, INSERT ON provisions TO tsunagi_service")
    op.execute("GRANT SELECT ON provisions TO tsunagi_oversight")


def _retention() -> None:
    """Public, as the law is."""
    op.create_table(
        "provision_retention",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organization_kind", sa.Text, nullable=True, comment="null: of every kind"),
        sa.Column("prefecture_code", sa.Text, nullable=True, comment="null: everywhere"),
        sa.Column("years", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False, comment="the law or ordinance that says so"),
        sa.CheckConstraint("years >= 3", name="provision_retention_years_check"),
        comment="how long records of provision are kept: the longest that applies to either side",
    )
    op.execute("""
        INSERT INTO provision_retention (id, years, source) VALUES
            (gen_random_uuid(), 3, '個人情報の保護に関する法律施行規則第21条・第25条'),
            (gen_random_uuid(), 5, '指定障害福祉サービスの指定基準（平成18年厚生労働省令第171号）の記録の整備')
    """)
    op.execute("GRANT SELECT ON provision_retention TO tsunagi_service, tsunagi_oversight")
