"""The ledger: entries refuse UPDATE, DELETE and TRUNCATE; contents refuse UPDATE and TRUNCATE.

Contents may be deleted: that is how a person is erased while every commitment stays.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001_ledger"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_streams",
        sa.Column("stream", sa.Uuid, primary_key=True),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=True, comment="commitment of the newest entry"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("stream", sa.Uuid, nullable=True),
        sa.Column("number", sa.BigInteger, nullable=True, comment="counts from 1 within the stream"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("commitment", sa.LargeBinary, nullable=False, comment="SHA-256(salt || body)"),
        sa.UniqueConstraint("stream", "number", name="ledger_entries_stream_number_key"),
    )
    op.create_table(
        "ledger_contents",
        sa.Column("id", sa.Uuid, sa.ForeignKey("ledger_entries.id"), primary_key=True),
        sa.Column("organization_id", sa.Uuid, nullable=True),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text, nullable=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.Text, nullable=False, comment="RFC 8785 JSON"),
        comment="apart from the entry, so that it can be erased while the commitment stays",
    )
    op.create_index("ledger_contents_organization_id_idx", "ledger_contents", ["organization_id"])
    op.create_index("ledger_contents_record_id_idx", "ledger_contents", ["record_id"])
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON ledger_contents
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
