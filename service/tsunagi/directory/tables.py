"""The directory's tables."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tsunagi.db import metadata

corporate_bodies = Table(
    "corporate_bodies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("corporate_number", Text, nullable=True, unique=True, comment="13 digits that pass the check"),
    Column("name", Text, nullable=False),
    Column("name_kana", Text, nullable=True),
    Column("representative", Text, nullable=True),
    Column("prefecture_code", Text, nullable=True),
    Column("address", Text, nullable=True),
    Column("match_name", Text, nullable=False, comment="name as compared"),
    Index("corporate_bodies_match_name_idx", "match_name", "prefecture_code"),
    Index(
        "corporate_bodies_unnumbered_key",
        "match_name",
        "prefecture_code",
        unique=True,
        postgresql_where=text("corporate_number IS NULL"),
        postgresql_nulls_not_distinct=True,
    ),
)

organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_kana", Text, nullable=True),
    Column("corporate_body_id", Uuid, ForeignKey("corporate_bodies.id"), nullable=True, index=True),
    Column("prefecture_code", Text, nullable=True),
    Column("municipality_code", Text, nullable=True, index=True, comment="five-digit JIS"),
    Column("city_code", Text, nullable=True, index=True, comment="of a ward: its city; else the same"),
    Column("municipality_name", Text, nullable=True, comment="as published"),
    Column("address_rest", Text, nullable=True),
    Column("building", Text, nullable=True),
    Column("postal_code", Text, nullable=True),
    Column("phone", Text, nullable=True),
    Column("email", Text, nullable=True),
    Column("url", Text, nullable=True),
    Column("contact_department", Text, nullable=True),
    Column("contact_name", Text, nullable=True),
    Column("contact_phone", Text, nullable=True),
    Column("contact_email", Text, nullable=True),
    Column("status", Text, nullable=False),
    Column("closed_on", Date, nullable=True, comment="first day on which it no longer exists"),
    Column("successor_id", Uuid, ForeignKey("organizations.id"), nullable=True),
    Column("search_text", Text, nullable=False, comment="names as compared"),
    Column("search_bigrams", ARRAY(Text), nullable=False),
    CheckConstraint("status IN ('active', 'closed')", name="status"),
    CheckConstraint("(status = 'closed') = (closed_on IS NOT NULL)", name="closed_on"),
    Index("organizations_search_bigrams_idx", "search_bigrams", postgresql_using="gin"),
)

identifiers = Table(
    "organization_identifiers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False, index=True),
    Column("system", Text, nullable=False),
    Column("value", Text, nullable=False, index=True),
    Column("service_code", Text, nullable=True, comment="billing code, for office numbers"),
    Column("serial", Integer, nullable=True, comment="tells the offices that share a number apart"),
    Column("doubtful", Boolean, nullable=False, comment="published, but fails its check digit"),
    Column("valid_from", Date, nullable=True, comment="null: before it was first recorded"),
    Column("valid_to", Date, nullable=True, comment="exclusive"),
    CheckConstraint("valid_from <= valid_to", name="period"),
    Index(
        "organization_identifiers_current_key",
        "system",
        "value",
        "service_code",
        "serial",
        unique=True,
        postgresql_where=text("valid_to IS NULL AND system <> 'corporate_number'"),
        postgresql_nulls_not_distinct=True,
    ),
)

imports = Table(
    "directory_imports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("release", Date, nullable=False),
    Column("service_codes", ARRAY(Text), nullable=False),
    Column("files", JSONB, nullable=False, comment="name, SHA-256 and rows of each"),
    Column("rows", Integer, nullable=False),
    Column("created", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("closed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("doubtful", Integer, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)

versions = Table(
    "organization_versions",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_kana", Text, nullable=True),
    Column("status", Text, nullable=False),
    Column("corporate_body_id", Uuid, ForeignKey("corporate_bodies.id"), nullable=True),
    Column("corporation_name", Text, nullable=True),
    Column("prefecture_code", Text, nullable=True),
    Column("municipality_code", Text, nullable=True),
    Column("municipality_name", Text, nullable=True),
    Column("address_rest", Text, nullable=True),
    Column("building", Text, nullable=True),
    Column("effective_on", Date, nullable=False, comment="date of the release, or of the entry by hand"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("import_id", Uuid, ForeignKey("directory_imports.id"), nullable=True, comment="null: by hand"),
    comment="names and addresses of their day; rows refuse change",
)

successions = Table(
    "organization_successions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("predecessor_id", Uuid, ForeignKey("organizations.id"), nullable=False, index=True),
    Column("successor_id", Uuid, ForeignKey("organizations.id"), nullable=True, comment="null: nobody"),
    Column("kind", Text, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("kind IN ('merged', 'split', 'renumbered', 'transferred', 'closed')", name="kind"),
    CheckConstraint(
        "(kind = 'closed') = (successor_id IS NULL) AND coalesce(successor_id <> predecessor_id, true)",
        name="successor",
    ),
    comment="rows are added and never changed",
)

listings = Table(
    "directory_listings",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("service_code", Text, nullable=False, comment="billing code"),
    Column("office_number", Text, nullable=False, comment="as published, also where it cannot be right"),
    Column("serial", Integer, nullable=False),
    Column("wam_number", Text, nullable=True, comment="the list's own number of the row"),
    Column("corporate_number", Text, nullable=True, comment="as published, also where it cannot be right"),
    Column("corporation_name", Text, nullable=True, comment="as published for this office"),
    Column("match_name", Text, nullable=False),
    Column("match_address", Text, nullable=False),
    Column("doubts", ARRAY(Text), nullable=False, comment="reason codes"),
    Index("directory_listings_service_code_idx", "service_code", "office_number"),
    comment="how an organization stands in the published list; the import alone reads this",
)

areas = Table(
    "areas",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_kana", Text, nullable=True),
    Column("prefecture_code", Text, nullable=False),
    Column("conference_lead_months", Integer, nullable=False),
    Column("window_lead_months", Integer, nullable=False),
    Column("sharing_lead_months", Integer, nullable=False),
    Column("overlap_months", Integer, nullable=False),
    Column("answer_limit_days", Integer, nullable=False),
    CheckConstraint("sharing_lead_months >= 3", name="sharing_lead"),
    CheckConstraint("answer_limit_days > 0", name="answer_limit"),
)

area_municipalities = Table(
    "area_municipalities",
    metadata,
    Column("area_code", Text, ForeignKey("areas.code"), primary_key=True),
    Column("municipality_code", Text, primary_key=True, index=True),
)

organization_areas = Table(
    "organization_areas",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("area_code", Text, ForeignKey("areas.code"), primary_key=True, index=True),
    Column("purpose", Text, primary_key=True),
    CheckConstraint("purpose IN ('serves', 'remit')", name="purpose"),
)
