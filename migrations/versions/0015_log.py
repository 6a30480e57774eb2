"""The log (C2SP tlog-tiles): entries in one order, the nodes of their tree, signed checkpoints.

Entries wait in `ledger_queue` from the transaction that wrote them until the sequencer gives them their place. What is
in the log refuses UPDATE, DELETE and TRUNCATE, as the ledger does. Only the role `tsunagi_sequencer`, which owns
nothing, adds to it; every transaction may read it, as the whole world may.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015_log"
down_revision = "0014_lighter_policies"
branch_labels = None
depends_on = None

LOG = ("log_entries", "log_nodes", "log_checkpoints")


def upgrade() -> None:
    op.create_table(
        "ledger_queue",
        sa.Column("place", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("entry_id", sa.Uuid, nullable=False),
        sa.Column("commitment", sa.LargeBinary, nullable=False),
        comment="entries that have no place in the log yet",
    )
    op.create_table(
        "log_entries",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, comment="counts from 0"),
        sa.Column("entry_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("commitment", sa.LargeBinary, nullable=False, comment="the leaf's data"),
    )
    op.create_table(
        "log_nodes",
        sa.Column(
            "level", sa.SmallInteger, primary_key=True, autoincrement=False, comment="of tiles, from 1"
        ),
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False, comment="stands for 256 ** level entries"),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text, nullable=False, comment="C2SP signed note"),
        sa.Column("keys", sa.ARRAY(sa.Text), nullable=False, comment="that signed it: name, id, public key"),
    )
    _refuse_change()
    _roles()
    _walls()
    # An entry follows the one before it in its stream.
    op.execute("ALTER TABLE ledger_entries NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        INSERT INTO ledger_queue (entry_id, commitment)
        SELECT id, commitment FROM ledger_entries ORDER BY recorded_at, number, id
    """)
    op.execute("ALTER TABLE ledger_entries FORCE ROW LEVEL SECURITY")
    # Every row comes and goes within a second: the table stays small only if it is swept often.
    op.execute("""
        ALTER TABLE ledger_queue SET (
            autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, vacuum_truncate = false)
    """)


def _refuse_change() -> None:
    for table in LOG:
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)


def _roles() -> None:
    """As in 0011: roles belong to the server, and another database may have made them."""
    op.execute("""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tsunagi_sequencer') THEN
                CREATE ROLE tsunagi_sequencer NOLOGIN NOSUPERUSER NOBYPASSRLS;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END $$
    """)
    op.execute("""
        DO $$ BEGIN
            IF NOT pg_has_role(current_user, 'tsunagi_sequencer', 'MEMBER') THEN
                EXECUTE format('GRANT tsunagi_sequencer TO %I', current_user);
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN
            NULL; -- whoever migrates need not be able to sequence
        END $$
    """)


def _walls() -> None:
    everybody = "tsunagi_service, tsunagi_oversight, tsunagi_platform, tsunagi_sequencer"
    for table in ("ledger_queue", *LOG):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY platform ON {table} TO tsunagi_platform USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY sequencer ON {table} TO tsunagi_sequencer USING (true) WITH CHECK (true)")
        op.execute(f"REVOKE ALL ON {table} FROM tsunagi_platform")
    for role in ("service", "oversight"):
        op.execute(
            f"CREATE POLICY {role}_insert ON ledger_queue FOR INSERT TO tsunagi_{role} WITH CHECK (true)"
        )
        for table in LOG:
            op.execute(f"CREATE POLICY {role}_select ON {table} FOR SELECT TO tsunagi_{role} USING (true)")
    op.execute("GRANT USAGE ON SCHEMA public TO tsunagi_sequencer")
    op.execute("GRANT INSERT ON ledger_queue TO tsunagi_service, tsunagi_oversight, tsunagi_platform")
    op.execute("GRANT SELECT ON ledger_queue TO tsunagi_platform")  # to tell how much is waiting
    op.execute("GRANT SELECT, DELETE ON ledger_queue TO tsunagi_sequencer")
    op.execute(f"GRANT SELECT ON {', '.join(LOG)} TO {everybody}")
    op.execute(f"GRANT INSERT ON {', '.join(LOG)} TO tsunagi_sequencer")
