"""Handovers, their domains, and the versions of their records, section by section."""

import sqlalchemy as sa
from alembic import op

revision = "0008_handovers"
down_revision = "0007_responsibility"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _handovers()
    _domains()
    _records()


def _handovers() -> None:
    op.create_table(
        "handovers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.Uuid(), nullable=False, comment="the person's pseudonym in the ledger"),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_id", sa.Uuid(), nullable=False),
        sa.Column("handover_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the record"),
        sa.Column("revision", sa.Integer(), nullable=False, comment="counts every change"),
        sa.Column("same_corporation", sa.Boolean(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=True),
        sa.Column("planned_date", sa.Date(), nullable=False),
        sa.Column("service_ends_on", sa.Date(), nullable=True),
        sa.Column("hired_on", sa.Date(), nullable=True),
        sa.Column("first_conference_on", sa.Date(), nullable=True),
        sa.Column("shared_on", sa.Date(), nullable=True),
        sa.Column("continuing_need", sa.Boolean(), nullable=False),
        sa.Column("employer_window_missing", sa.Boolean(), nullable=False),
        sa.Column("overlap_from", sa.Date(), nullable=True),
        sa.Column("overlap_to", sa.Date(), nullable=True),
        sa.Column("follow_up_until", sa.Date(), nullable=True),
        sa.Column("window_opens_on", sa.Date(), nullable=False),
        sa.Column(
            "window_opened_at", sa.DateTime(timezone=True), nullable=True, comment="set when opened early"
        ),
        sa.Column("window_announced", sa.Boolean(), nullable=False),
        sa.Column("answer_due_on", sa.Date(), nullable=True),
        sa.Column(
            "due_on", sa.Date(), nullable=False, comment="by when something is next expected of somebody"
        ),
        sa.Column("clock_on", sa.Date(), nullable=True, comment="when the clock next has something to do"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("person_in_charge", sa.Text(), nullable=True, comment="JSON: at the receiver"),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="JSON: of the last decline, return or withdrawal"
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'offered', 'received', 'returned', 'accepted', 'overlapping', 'completed',"
            " 'declined', 'withdrawn', 'expired')",
            name="handovers_status_check",
        ),
        sa.CheckConstraint("sender_id <> receiver_id", name="handovers_parties_check"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="handovers_person_id_fkey"),
        sa.ForeignKeyConstraint(["receiver_id"], ["organizations.id"], name="handovers_receiver_id_fkey"),
        sa.ForeignKeyConstraint(["sender_id"], ["organizations.id"], name="handovers_sender_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="handovers_pkey"),
    )
    op.create_index(
        "handovers_clock_idx",
        "handovers",
        ["clock_on"],
        unique=False,
        postgresql_where=sa.text("clock_on IS NOT NULL"),
    )
    op.create_index("handovers_person_id_idx", "handovers", ["person_id"], unique=False)
    op.create_index("handovers_receiver_idx", "handovers", ["receiver_id", "due_on", "id"], unique=False)
    op.create_index("handovers_sender_idx", "handovers", ["sender_id", "due_on", "id"], unique=False)


def _domains() -> None:
    op.create_table(
        "handover_domains",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("receiver_role", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("sender_role_after", sa.Text(), nullable=False),
        sa.Column("sender_primary_since", sa.Date(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("accepted_role", sa.Text(), nullable=True),
        sa.Column("accepted_from", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True, comment="JSON"),
        sa.CheckConstraint(
            "(decision = 'accept') = (accepted_role IS NOT NULL AND accepted_from IS NOT NULL)",
            name="handover_domains_accepted_check",
        ),
        sa.CheckConstraint(
            "decision IN ('pending', 'accept', 'decline', 'left_with_sender')",
            name="handover_domains_decision_check",
        ),
        sa.ForeignKeyConstraint(["handover_id"], ["handovers.id"], name="handover_domains_handover_id_fkey"),
        sa.PrimaryKeyConstraint("handover_id", "domain", name="handover_domains_pkey"),
    )


def _records() -> None:
    op.create_table(
        "record_versions",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "header",
            sa.Text(),
            nullable=False,
            comment="the record's members but sections and extensions, as sent",
        ),
        sa.Column("extensions", sa.Text(), nullable=True, comment="as sent"),
        sa.Column("warnings", sa.Text(), nullable=False, comment="JSON: what the rules noticed"),
        sa.Column(
            "offered_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when the receiver may read it, if at all",
        ),
        sa.ForeignKeyConstraint(["handover_id"], ["handovers.id"], name="record_versions_handover_id_fkey"),
        sa.PrimaryKeyConstraint("handover_id", "version", name="record_versions_pkey"),
    )
    op.create_table(
        "record_sections",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False, comment="the section's place in the record, from 0"),
        sa.Column("document", sa.Text(), nullable=False, comment="as sent, to the letter"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the RFC 8785 form"),
        sa.ForeignKeyConstraint(
            ["handover_id", "version"],
            ["record_versions.handover_id", "record_versions.version"],
            name="record_sections_handover_id_version_fkey",
        ),
        sa.PrimaryKeyConstraint("handover_id", "version", "section", name="record_sections_pkey"),
    )
