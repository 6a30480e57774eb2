"""Entries of the ledger can be read: an organization's own, those about its handovers, and by auditors those about the
people of their remit.

Entries themselves are commitments under pseudonyms, which the log shows to the world anyhow; what they say, and the
salt, is what the policies keep.
"""

from alembic import op

revision = "0017_ledger_reading"
down_revision = "0016_corrections"
branch_labels = None
depends_on = None

OWN = "organization_id = acting_organization()"

# By the id as it stands in the entry: of a handover it is a UUID, of other records not always.
UUID = "'^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'"
OF_HANDOVER = f"""EXISTS (
    SELECT FROM handovers h WHERE h.id = CASE WHEN record_id ~ {UUID} THEN CAST(record_id AS uuid) END)"""

IN_REMIT = """EXISTS (
    SELECT FROM ledger_entries e
    JOIN people p ON p.stream = e.stream
    JOIN handovers h ON h.person_id = p.id
    JOIN organization_areas a ON a.area_code = h.area_code
    WHERE e.id = ledger_contents.id AND h.offered_at IS NOT NULL
        AND a.organization_id = acting_organization() AND a.purpose = 'remit')"""


def upgrade() -> None:
    for role, beyond in (("service", OF_HANDOVER), ("oversight", IN_REMIT)):
        op.execute(f"""
            CREATE POLICY {role}_select ON ledger_contents FOR SELECT TO tsunagi_{role}
            USING (CASE WHEN {OWN} THEN true WHEN {beyond} THEN true ELSE false END)
        """)
        op.execute(f"CREATE POLICY {role}_select ON ledger_entries FOR SELECT TO tsunagi_{role} USING (true)")
        op.execute(f"GRANT SELECT ON ledger_contents, ledger_entries TO tsunagi_{role}")
    op.create_index("ledger_contents_organization_idx", "ledger_contents", ["organization_id", "id"])
    op.drop_index("ledger_contents_organization_id_idx", "ledger_contents")
