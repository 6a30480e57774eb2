"""Who is in relation with a person may read what the ledger says of their readings, consents and offers: the person's
own list of who received what is made from it (`docs/decisions/0023-withheld-from-the-person.md`).

From above, where an auditor reads the ledger itself, nothing is added: it sees the people of its remit.
"""

from alembic import op

revision = "0021_disclosures"
down_revision = "0020_provisions"
branch_labels = None
depends_on = None

# Policies on people and handovers hold inside of these: the rows are those that the transaction sees anyway.
OF_PERSON = """EXISTS (
    SELECT FROM ledger_entries e JOIN people p ON p.stream = e.stream WHERE e.id = ledger_contents.id)"""

# Whose it was that somebody was refused does not stand in the entry: it is whoever's the record is. Such a record is
# named by an id that has passed the contract.
NAMES_HANDOVER = "EXISTS (SELECT FROM handovers h WHERE h.id = CAST(record_id AS uuid))"
NAMES_PERSON = "EXISTS (SELECT FROM people p WHERE p.id = CAST(record_id AS uuid))"

READ = """action IN (
    'handovers:read', 'handovers:export', 'handovers:offer', 'handovers:amend', 'consents:give', 'consents:except')"""
LOOKS = "action IN ('responsibility:read', 'people:report', 'disclosures:read')"

DISCLOSED = f"""CASE
    WHEN outcome = 'permit' AND {READ} THEN {OF_PERSON}
    WHEN outcome = 'deny' AND action = 'handovers:read' THEN {NAMES_HANDOVER}
    WHEN outcome = 'deny' AND {LOOKS} THEN {NAMES_PERSON}
    ELSE false END"""


def upgrade() -> None:
    op.execute(
        f"CREATE POLICY service_disclosed ON ledger_contents FOR SELECT TO tsunagi_service USING ({DISCLOSED})"
    )
