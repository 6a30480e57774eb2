"""The directory: organizations, corporate bodies, areas, the published list; versions refuse any change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_directory"
down_revision = "0001_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "corporate_bodies",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("corporate_number", sa.Text, nullable=True, comment="13 digits that pass the check"),
        sa.UniqueConstraint("corporate_number", name="corporate_bodies_corporate_number_key"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_kana", sa.Text, nullable=True),
        sa.Column("representative", sa.Text, nullable=True),
        sa.Column("prefecture_code", sa.Text, nullable=True),
        sa.Column("address", sa.Text, nullable=True),
        sa.Column("match_name", sa.Text, nullable=False, comment="name as compared"),
    )
    op.create_index("corporate_bodies_match_name_idx", "corporate_bodies", ["match_name", "prefecture_code"])
    op.create_index(
        "corporate_bodies_unnumbered_key",
        "corporate_bodies",
        ["match_name", "prefecture_code"],
        unique=True,
        postgresql_where=sa.text("corporate_number IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_kana", sa.Text, nullable=True),
        sa.Column("corporate_body_id", sa.Uuid, sa.ForeignKey("corporate_bodies.id"), nullable=True),
        sa.Column("prefecture_code", sa.Text, nullable=True),
        sa.Column("municipality_code", sa.Text, nullable=True, comment="five-digit JIS"),
        sa.Column("city_code", sa.Text, nullable=True, comment="of a ward: its city; else the same"),
        sa.Column("municipality_name", sa.Text, nullable=True, comment="as published"),
        sa.Column("address_rest", sa.Text, nullable=True),
        sa.Column("building", sa.Text, nullable=True),
        sa.Column("postal_code", sa.Text, nullable=True),
        sa.Column("phone", sa.Text, nullable=True),
        sa.Column("email", sa.Text, nullable=True),
        sa.Column("url", sa.Text, nullable=True),
        sa.Column("contact_department", sa.Text, nullable=True),
        sa.Column("contact_name", sa.Text, nullable=True),
        sa.Column("contact_phone", sa.Text, nullable=True),
        sa.Column("contact_email", sa.Text, nullable=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("closed_on", sa.Date, nullable=True, comment="first day on which it no longer exists"),
        sa.Column("successor_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=True),
        sa.Column("search_text", sa.Text, nullable=False, comment="names as compared"),
        sa.Column("search_bigrams", sa.ARRAY(sa.Text), nullable=False),
        sa.CheckConstraint("status IN ('active', 'closed')", name="organizations_status_check"),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_on IS NOT NULL)", name="organizations_closed_on_check"
        ),
    )
    op.create_index("organizations_corporate_body_id_idx", "organizations", ["corporate_body_id"])
    op.create_index("organizations_municipality_code_idx", "organizations", ["municipality_code"])
    op.create_index("organizations_city_code_idx", "organizations", ["city_code"])
    op.create_index(
        "organizations_search_bigrams_idx", "organizations", ["search_bigrams"], postgresql_using="gin"
    )
    op.create_table(
        "organization_identifiers",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("service_code", sa.Text, nullable=True, comment="billing code, for office numbers"),
        sa.Column("serial", sa.Integer, nullable=True, comment="tells the offices that share a number apart"),
        sa.Column("doubtful", sa.Boolean, nullable=False, comment="published, but fails its check digit"),
        sa.Column("valid_from", sa.Date, nullable=True, comment="null: before it was first recorded"),
        sa.Column("valid_to", sa.Date, nullable=True, comment="exclusive"),
        sa.CheckConstraint("valid_from <= valid_to", name="organization_identifiers_period_check"),
    )
    op.create_index(
        "organization_identifiers_organization_id_idx", "organization_identifiers", ["organization_id"]
    )
    op.create_index("organization_identifiers_value_idx", "organization_identifiers", ["value"])
    op.create_index(
        "organization_identifiers_current_key",
        "organization_identifiers",
        ["system", "value", "service_code", "serial"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL AND system <> 'corporate_number'"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "directory_imports",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("release", sa.Date, nullable=False),
        sa.Column("service_codes", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("files", postgresql.JSONB, nullable=False, comment="name, SHA-256 and rows of each"),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("created", sa.Integer, nullable=False),
        sa.Column("updated", sa.Integer, nullable=False),
        sa.Column("closed", sa.Integer, nullable=False),
        sa.Column("unchanged", sa.Integer, nullable=False),
        sa.Column("doubtful", sa.Integer, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "organization_versions",
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_kana", sa.Text, nullable=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("corporate_body_id", sa.Uuid, sa.ForeignKey("corporate_bodies.id"), nullable=True),
        sa.Column("corporation_name", sa.Text, nullable=True),
        sa.Column("prefecture_code", sa.Text, nullable=True),
        sa.Column("municipality_code", sa.Text, nullable=True),
        sa.Column("municipality_name", sa.Text, nullable=True),
        sa.Column("address_rest", sa.Text, nullable=True),
        sa.Column("building", sa.Text, nullable=True),
        sa.Column(
            "effective_on", sa.Date, nullable=False, comment="date of the release, or of the entry by hand"
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "import_id",
            sa.Uuid,
            sa.ForeignKey("directory_imports.id"),
            nullable=True,
            comment="null: by hand",
        ),
        comment="names and addresses of their day; rows refuse change",
    )
    op.create_table(
        "directory_listings",
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("service_code", sa.Text, nullable=False, comment="billing code"),
        sa.Column(
            "office_number", sa.Text, nullable=False, comment="as published, also where it cannot be right"
        ),
        sa.Column("serial", sa.Integer, nullable=False),
        sa.Column("wam_number", sa.Text, nullable=True, comment="the list's own number of the row"),
        sa.Column(
            "corporate_number", sa.Text, nullable=True, comment="as published, also where it cannot be right"
        ),
        sa.Column("corporation_name", sa.Text, nullable=True, comment="as published for this office"),
        sa.Column("match_name", sa.Text, nullable=False),
        sa.Column("match_address", sa.Text, nullable=False),
        sa.Column("doubts", sa.ARRAY(sa.Text), nullable=False, comment="reason codes"),
        comment="how an organization stands in the published list; the import alone reads this",
    )
    op.create_index(
        "directory_listings_service_code_idx", "directory_listings", ["service_code", "office_number"]
    )
    op.create_table(
        "areas",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_kana", sa.Text, nullable=True),
        sa.Column("prefecture_code", sa.Text, nullable=False),
        sa.Column("conference_lead_months", sa.Integer, nullable=False),
        sa.Column("window_lead_months", sa.Integer, nullable=False),
        sa.Column("sharing_lead_months", sa.Integer, nullable=False),
        sa.Column("overlap_months", sa.Integer, nullable=False),
        sa.Column("answer_limit_days", sa.Integer, nullable=False),
        sa.CheckConstraint("sharing_lead_months >= 3", name="areas_sharing_lead_check"),
        sa.CheckConstraint("answer_limit_days > 0", name="areas_answer_limit_check"),
    )
    op.create_table(
        "area_municipalities",
        sa.Column("area_code", sa.Text, sa.ForeignKey("areas.code"), primary_key=True),
        sa.Column("municipality_code", sa.Text, primary_key=True),
    )
    op.create_index("area_municipalities_municipality_code_idx", "area_municipalities", ["municipality_code"])
    op.create_table(
        "organization_areas",
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("area_code", sa.Text, sa.ForeignKey("areas.code"), primary_key=True),
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.CheckConstraint("purpose IN ('serves', 'remit')", name="organization_areas_purpose_check"),
    )
    op.create_index("organization_areas_area_code_idx", "organization_areas", ["area_code"])
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON organization_versions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
