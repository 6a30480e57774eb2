"""Responsibility: versions of chains that refuse overlap, hole and end, and every change.

The deferred foreign key from a version to its open-ended segment is checked at the commit.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_responsibility"
down_revision = "0006_consent"
branch_labels = None
depends_on = None

VERSION = ["person_id", "domain", "version"]
TABLES = ("responsibility_versions", "responsibility_segments", "responsibility_support")


def upgrade() -> None:
    create_versions()
    create_segments()
    create_support()
    op.create_foreign_key(
        "responsibility_versions_open_end_fkey",
        "responsibility_versions",
        "responsibility_segments",
        [*VERSION, "open_end"],
        [*VERSION, "valid_to"],
        deferrable=True,
        initially="DEFERRED",
    )
    for table in TABLES:
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)


def create_versions() -> None:
    op.create_table(
        "responsibility_versions",
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column(
            "version", sa.Integer, primary_key=True, autoincrement=False, comment="from 1, without holes"
        ),
        sa.Column("previous_version", sa.Integer, nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="never before the previous version's",
        ),
        sa.Column("recorded_by", sa.Uuid, sa.ForeignKey("organizations.id"), nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("handover_id", sa.Uuid, nullable=True),
        sa.Column("effective_on", sa.Date, nullable=False, comment="the day from which the change holds"),
        sa.Column("open_end", sa.Date, nullable=False, comment="always infinity"),
        sa.ForeignKeyConstraint(
            ["person_id", "domain", "previous_version"],
            [f"responsibility_versions.{name}" for name in VERSION],
            name="responsibility_versions_previous_fkey",
        ),
        sa.CheckConstraint(
            "domain IN ('employment', 'daily_life', 'employer_liaison')",
            name=op.f("responsibility_versions_domain_check"),
        ),
        sa.CheckConstraint(
            "reason IN ('opened', 'claimed', 'handover_accepted', 'handover_withdrawn')",
            name=op.f("responsibility_versions_reason_check"),
        ),
        sa.CheckConstraint(
            "version >= 1 AND (version = 1) = (previous_version IS NULL)"
            " AND coalesce(previous_version = version - 1, true)",
            name=op.f("responsibility_versions_previous_check"),
        ),
        sa.CheckConstraint("open_end = 'infinity'", name=op.f("responsibility_versions_open_end_check")),
    )


def create_segments() -> None:
    op.create_table(
        "responsibility_segments",
        sa.Column("person_id", sa.Uuid, primary_key=True),
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("valid_from", sa.Date, primary_key=True),
        sa.Column("valid_to", sa.Date, nullable=False, comment="exclusive; infinity when open"),
        sa.Column("previous_to", sa.Date, nullable=True, comment="where the segment before ends"),
        sa.Column(
            "organization_id",
            sa.Uuid,
            sa.ForeignKey("organizations.id"),
            nullable=True,
            comment="null: nobody",
        ),
        sa.Column("basis", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(
            VERSION,
            [f"responsibility_versions.{name}" for name in VERSION],
            name="responsibility_segments_version_fkey",
        ),
        sa.UniqueConstraint(*VERSION, "valid_to", name="responsibility_segments_valid_to_key"),
        sa.UniqueConstraint(
            *VERSION,
            "previous_to",
            name="responsibility_segments_previous_to_key",
            postgresql_nulls_not_distinct=True,
        ),
        sa.ForeignKeyConstraint(
            [*VERSION, "previous_to"],
            [f"responsibility_segments.{name}" for name in (*VERSION, "valid_to")],
            name="responsibility_segments_previous_fkey",
        ),
        sa.CheckConstraint("previous_to = valid_from", name=op.f("responsibility_segments_previous_check")),
        sa.CheckConstraint(
            "valid_from < valid_to AND isfinite(valid_from)",
            name=op.f("responsibility_segments_interval_check"),
        ),
    )


def create_support() -> None:
    op.create_table(
        "responsibility_support",
        sa.Column("person_id", sa.Uuid, primary_key=True),
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("organization_id", sa.Uuid, sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("valid_from", sa.Date, primary_key=True),
        sa.Column("valid_to", sa.Date, primary_key=True, comment="exclusive; infinity when open"),
        sa.ForeignKeyConstraint(
            VERSION,
            [f"responsibility_versions.{name}" for name in VERSION],
            name="responsibility_support_version_fkey",
        ),
        sa.CheckConstraint(
            "role IN ('co_support', 'backup')", name=op.f("responsibility_support_role_check")
        ),
        sa.CheckConstraint(
            "valid_from < valid_to AND isfinite(valid_from)",
            name=op.f("responsibility_support_interval_check"),
        ),
    )
