"""People can be erased: a tombstone stays, which no organization sees; what the ledger says may be taken away by the
role `tsunagi_eraser`, and by nobody else. Legal holds stand against it."""

import sqlalchemy as sa
from alembic import op

revision = "0023_erasure"
down_revision = "0022_revisions"
branch_labels = None
depends_on = None

ME = "(SELECT acting_organization())"
TAKING_PART = f"""CASE
    WHEN erased_at IS NOT NULL THEN false
    WHEN sender_id = {ME} THEN true
    WHEN receiver_id = {ME} AND offered_at IS NOT NULL THEN true
    ELSE false END"""
KNOWN = """CASE
    WHEN erased_at IS NOT NULL THEN false
    WHEN registered_by = acting_organization() THEN true
    WHEN EXISTS (
        SELECT FROM person_relations r WHERE r.person_id = people.id AND r.organization_id = acting_organization())
    THEN true ELSE false END"""


def upgrade() -> None:
    for table in ("people", "handovers"):
        op.add_column(
            table,
            sa.Column(
                "erased_at", sa.DateTime(timezone=True), nullable=True, comment="what is left is a tombstone"
            ),
        )
    for command in ("select", "update"):
        op.execute(f"ALTER POLICY service_{command} ON handovers USING ({TAKING_PART})")
    op.execute(f"ALTER POLICY service_select ON people USING ({KNOWN})")
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("people.id"), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column(
            "words", sa.LargeBinary, nullable=False, comment="sealed JSON: why, and by whom it was placed"
        ),
        sa.CheckConstraint("placed_at <= released_at", name=op.f("legal_holds_period_check")),
    )
    op.create_index("legal_holds_person_id_idx", "legal_holds", ["person_id"])
    op.execute("ALTER TABLE legal_holds ALTER words SET STORAGE EXTERNAL")
    _eraser()


def _eraser() -> None:
    """As in 0011: roles belong to the server, and another database may have made them."""
    op.execute("""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tsunagi_eraser') THEN
                CREATE ROLE tsunagi_eraser NOLOGIN NOSUPERUSER NOBYPASSRLS;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END $$
    """)
    op.execute("""
        DO $$ BEGIN
            IF NOT pg_has_role(current_user, 'tsunagi_eraser', 'MEMBER') THEN
                EXECUTE format('GRANT tsunagi_eraser TO %I', current_user);
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN
            NULL; -- whoever migrates need not be able to erase
        END $$
    """)
    op.execute("REVOKE DELETE ON ledger_contents FROM tsunagi_platform")
    op.execute("GRANT USAGE ON SCHEMA public TO tsunagi_eraser")
    op.execute("GRANT SELECT ON ledger_entries TO tsunagi_eraser")
    op.execute("GRANT SELECT, DELETE ON ledger_contents TO tsunagi_eraser")
    op.execute("CREATE POLICY eraser ON ledger_entries FOR SELECT TO tsunagi_eraser USING (true)")
    for command in ("SELECT", "DELETE"):
        op.execute(
            f"CREATE POLICY eraser_{command.lower()} ON ledger_contents FOR {command} TO tsunagi_eraser"
            " USING (action <> 'people:erase')"
        )
    op.execute("""
        CREATE TRIGGER erased_by_the_eraser BEFORE DELETE ON ledger_contents
        FOR EACH STATEMENT WHEN (current_user <> 'tsunagi_eraser') EXECUTE FUNCTION refuse_change()
    """)
