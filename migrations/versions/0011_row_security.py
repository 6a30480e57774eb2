"""Row-level security, and what it reads: whatever belongs to a record says whose it is.

An organization sees what `docs/decisions/0014-row-level-security.md` lists. Two roles are made that own nothing:
`tsunagi_service` acts for one organization at a time and passes every policy, `tsunagi_platform` acts for none and
sees all rows. The domains of a handover become part of its row, under the same policies.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_row_security"
down_revision = "0010_dpop"
branch_labels = None
depends_on = None

ME = "(SELECT acting_organization())"
TODAY = "(SELECT acting_today())"
OVERSEEING = "(SELECT acting_overseeing())"

READ_ONLY = (
    "organizations",
    "organization_versions",
    "organization_identifiers",
    "organization_areas",
    "corporate_bodies",
    "areas",
    "area_municipalities",
)
"""Public: every organization may read it, none may write it."""

OWN = f"organization_id = {ME}"
SENT = f"sender_id = {ME}"
GIVEN = f"giver_id = {ME}"
TAKING_PART = f"({SENT} OR (receiver_id = {ME} AND offered_at IS NOT NULL))"

IN_REMIT = f"""area_code IN (
    SELECT a.area_code FROM organization_areas a WHERE a.organization_id = {ME} AND a.purpose = 'remit')"""

# What the receiver may read, beyond the notice that something is coming. An offer that nobody answered in time
# has expired on that day, not when the clock comes by.
READABLE = f"""
    h.status IN ('offered', 'received', 'returned', 'accepted', 'overlapping', 'completed')
    AND (h.window_opened_at IS NOT NULL OR h.window_opens_on <= {TODAY})
    AND (h.status NOT IN ('offered', 'received') OR coalesce(h.answer_due_on >= {TODAY}, true))"""

OF_READABLE = f"EXISTS (SELECT FROM handovers h WHERE h.id = record_versions.handover_id AND {READABLE})"

CONSENTED = f"""EXISTS (
    SELECT FROM consent_access a
    WHERE a.person_id = record_sections.person_id AND a.organization_id = {ME}
        AND a.giver_id = record_sections.sender_id AND a.section = record_sections.section
        AND a.subject = '{{subject}}' AND a.withdrawn_at IS NULL
        AND a.valid_from <= {TODAY} AND {TODAY} < a.valid_to)"""

# Between the two sides of a handover, about what is on offer.
BETWEEN_SIDES = f"""EXISTS (
    SELECT FROM handovers h
    WHERE h.id = {{handover_id}} AND {ME} IN (h.sender_id, h.receiver_id)
        AND ({{table}}.organization_id = h.sender_id
            OR ({{table}}.organization_id = h.receiver_id AND h.offered_at IS NOT NULL)))"""

# A relation begins where a person is registered (a foreign key sees to it that it is by whoever did) or where a
# handover is received.
RECEIVED = f"""EXISTS (
    SELECT FROM handovers h
    WHERE h.id = through AND h.person_id = person_relations.person_id AND h.receiver_id = {ME} AND {READABLE})"""

TOLD_OF_CONSENT = f"""EXISTS (
    SELECT FROM consents c
    WHERE c.id = events.consent_id AND c.giver_id = {ME} AND events.organization_id = ANY (c.recipient_ids))"""


def _related(table: str, person_id: str = "person_id") -> str:
    return f"""EXISTS (
        SELECT FROM person_relations r WHERE r.person_id = {table}.{person_id} AND r.organization_id = {ME})"""


def _of_person(table: str, person_id: str = "person_id") -> str:
    """Of people in relation with the organization, and, where it looks from above, of those of its remit."""
    return f"""{_related(table, person_id)} OR ({OVERSEEING} AND EXISTS (
        SELECT FROM handovers h
        WHERE h.person_id = {table}.{person_id} AND h.offered_at IS NOT NULL AND h.{IN_REMIT}))"""


POLICIES: dict[str, dict[str, str]] = {
    "handovers": {
        "SELECT": f"{SENT} OR (offered_at IS NOT NULL AND (receiver_id = {ME} OR ({OVERSEEING} AND {IN_REMIT})))",
        "INSERT": SENT,
        "UPDATE": TAKING_PART,
    },
    "record_versions": {
        "SELECT": f"{SENT} OR (receiver_id = {ME} AND offered_at IS NOT NULL AND {OF_READABLE})",
        "INSERT": SENT,
        "UPDATE": SENT,
    },
    "record_sections": {
        "SELECT": f"""{SENT} OR (
            receiver_id = {ME}
            AND EXISTS (
                SELECT FROM record_versions v
                WHERE v.handover_id = record_sections.handover_id AND v.version = record_sections.version)
            AND {CONSENTED.format(subject="person")}
            AND (section <> 'family' OR {CONSENTED.format(subject="family")}))""",
        "INSERT": SENT,
    },
    "people": {
        "SELECT": f"registered_by = {ME} OR {_of_person('people', 'id')}",
        "INSERT": f"registered_by = {ME}",
    },
    "person_identities": {
        "SELECT": f"{OWN} OR {_related('person_identities')}",
        "INSERT": OWN,
        "UPDATE": OWN,
    },
    "person_relations": {
        "SELECT": f"{OWN} OR {BETWEEN_SIDES.format(table='person_relations', handover_id='through')}",
        "INSERT": f"{OWN} AND (through = person_id OR {RECEIVED})",
        "DELETE": f"{OWN} OR {BETWEEN_SIDES.format(table='person_relations', handover_id='through')}",
    },
    "match_attempts": {"SELECT": OWN, "INSERT": OWN, "UPDATE": OWN},
    "consents": {
        "SELECT": f"{GIVEN} OR ({ME} = ANY (recipient_ids) AND {_related('consents')})",
        "INSERT": f"{GIVEN} AND {_related('consents')}",
        "UPDATE": GIVEN,
    },
    "consent_withdrawals": {
        "SELECT": "EXISTS (SELECT FROM consents c WHERE c.id = consent_id)",
        "INSERT": f"EXISTS (SELECT FROM consents c WHERE c.id = consent_id AND c.{GIVEN})",
    },
    "consent_access": {
        "SELECT": f"{OWN} OR {GIVEN}",
        "INSERT": f"{GIVEN} AND {_related('consent_access')}",
        "UPDATE": GIVEN,
    },
    **{
        table: {"SELECT": _of_person(table), "INSERT": _related(table)}
        for table in ("responsibility_versions", "responsibility_segments", "responsibility_support")
    },
    "events": {
        "SELECT": OWN,
        "INSERT": f"""{OWN} OR {BETWEEN_SIDES.format(table="events", handover_id="handover_id")}
            OR {TOLD_OF_CONSENT}""",
        "UPDATE": OWN,
    },
    "idempotent_answers": {"SELECT": OWN, "INSERT": OWN},
    "ledger_entries": {"INSERT": "true"},
    "ledger_contents": {"INSERT": f"organization_id IS NULL OR {OWN}"},
    "ledger_streams": {"SELECT": "true", "INSERT": "true", "UPDATE": "true"},
}
"""For every table that is not public: the rows on which the acting organization may do what. Streams are
pseudonyms with a count and a hash; entries can be added and never read by this role.

An INSERT's condition sees the rows as they were before the statement: those that go in together cannot be each
other's reason."""

WHOSE = ("id", "person_id", "stream", "sender_id", "receiver_id")
"""Of a handover: never changes."""

OF_THE_SENDER = (
    "handover_type",
    "version",
    "same_corporation",
    "area_code",
    "planned_date",
    "service_ends_on",
    "window_opens_on",
    "window_opened_at",
    "recorded_at",
    "offered_at",
)
"""Of a handover: the sender's to say. Others decide what the receiver may see before it was meant to."""


def upgrade() -> None:
    _roles()
    _settings()
    _domains_in_the_row()
    _owners_of_records()
    _registered_by_whoever_did()
    _sides_kept_apart()
    for table, policies in POLICIES.items():
        _wall(table, policies)
    op.execute(f"GRANT SELECT ON {', '.join(READ_ONLY)} TO tsunagi_service")
    op.execute("GRANT SELECT ON alembic_version TO PUBLIC")  # whoever serves asks whether it is the newest


def _roles() -> None:
    """Roles belong to the server, not to the database: another database may have made them, even just now."""
    for role in ("tsunagi_service", "tsunagi_platform"):
        op.execute(f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                    CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS;
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END $$
        """)
        op.execute(f"""
            DO $$ BEGIN
                IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN
                    EXECUTE format('GRANT {role} TO %I', current_user);
                END IF;
            EXCEPTION WHEN insufficient_privilege THEN
                NULL; -- whoever migrates need not be able to serve
            END $$
        """)
    everything = "SELECT, INSERT, UPDATE, DELETE"
    op.execute("GRANT USAGE ON SCHEMA public TO tsunagi_service, tsunagi_platform")
    op.execute(f"GRANT {everything} ON ALL TABLES IN SCHEMA public TO tsunagi_platform")
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {everything} ON TABLES TO tsunagi_platform")
    op.execute("REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM tsunagi_platform")
    # A temporary table would come before the one of its name, for whoever uses the connection next.
    op.execute("""
        DO $$ BEGIN
            EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
        END $$
    """)


def _settings() -> None:
    """The wrapper's settings. Where it set none, they are null, and no policy is passed."""
    for name, kind in (("organization", "uuid"), ("today", "date"), ("overseeing", "boolean")):
        op.execute(f"""
            CREATE FUNCTION acting_{name}() RETURNS {kind} LANGUAGE sql STABLE PARALLEL SAFE
            RETURN CAST(nullif(current_setting('tsunagi.{name}', true), '') AS {kind})
        """)


def _domains_in_the_row() -> None:
    op.add_column("handovers", sa.Column("domains", sa.Text, nullable=True, comment="JSON"))
    op.execute("""
        UPDATE handovers SET domains = (
            SELECT json_agg(json_strip_nulls(json_build_object(
                'domain', d.domain, 'receiver_role', d.receiver_role, 'starts_on', d.starts_on,
                'sender_role_after', d.sender_role_after, 'sender_primary_since', d.sender_primary_since,
                'basis', d.basis, 'decision', d.decision, 'accepted_role', d.accepted_role,
                'accepted_from', d.accepted_from, 'reason', CAST(d.reason AS json))) ORDER BY d.domain)
            FROM handover_domains d WHERE d.handover_id = handovers.id)
    """)
    op.alter_column("handovers", "domains", nullable=False)
    op.drop_table("handover_domains")


def _owners_of_records() -> None:
    for table in ("record_versions", "record_sections"):
        for column in ("person_id", "sender_id", "receiver_id"):
            op.add_column(table, sa.Column(column, sa.Uuid, nullable=True))
        op.execute(f"""
            UPDATE {table} t SET person_id = h.person_id, sender_id = h.sender_id, receiver_id = h.receiver_id
            FROM handovers h WHERE h.id = t.handover_id
        """)
        for column in ("person_id", "sender_id", "receiver_id"):
            op.alter_column(table, column, nullable=False)
    op.add_column(
        "record_versions",
        sa.Column("section_names", sa.ARRAY(sa.Text), nullable=True, comment="in the record's order"),
    )
    op.execute("""
        UPDATE record_versions v SET section_names = (
            SELECT array_agg(s.section ORDER BY s.place) FROM record_sections s
            WHERE s.handover_id = v.handover_id AND s.version = v.version)
    """)
    op.alter_column("record_versions", "section_names", nullable=False)
    op.drop_column("record_sections", "place")
    # Rows can be kept from a reader, columns cannot: extensions, which are the sender's alone, get a row like a
    # section's. No consent opens it. What stands there was never compared by its hash.
    op.execute("""
        INSERT INTO record_sections (handover_id, version, person_id, sender_id, receiver_id, section, document, hash)
        SELECT handover_id, version, person_id, sender_id, receiver_id, 'extensions', extensions,
            sha256(convert_to(extensions, 'UTF8'))
        FROM record_versions WHERE extensions IS NOT NULL
    """)
    op.drop_column("record_versions", "extensions")


def _registered_by_whoever_did() -> None:
    op.create_unique_constraint("people_id_registered_by_key", "people", ["id", "registered_by"])
    op.execute("""
        ALTER TABLE person_relations
            ADD COLUMN registered_by uuid
                GENERATED ALWAYS AS (CASE WHEN through = person_id THEN organization_id END) STORED,
            ADD CONSTRAINT person_relations_person_id_registered_by_fkey
                FOREIGN KEY (person_id, registered_by) REFERENCES people (id, registered_by)
    """)


def _sides_kept_apart() -> None:
    """Policies see a row before a change or after it, never both: what may not change is a trigger's to hold."""
    op.execute("""
        CREATE FUNCTION refuse_other_side() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'this is not for the acting organization to change'
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute(f"""
        CREATE TRIGGER sides BEFORE UPDATE ON handovers FOR EACH ROW
        WHEN ({_changed(WHOSE)} OR (old.receiver_id = acting_organization() AND {_changed(OF_THE_SENDER)}))
        EXECUTE FUNCTION refuse_other_side()
    """)


def _changed(names: tuple[str, ...]) -> str:
    before, after = (", ".join(f"{row}.{name}" for name in names) for row in ("old", "new"))
    return f"(({before}) IS DISTINCT FROM ({after}))"


def _wall(table: str, policies: dict[str, str]) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY platform ON {table} TO tsunagi_platform USING (true) WITH CHECK (true)")
    for command, rows in policies.items():
        clauses = {"INSERT": f"WITH CHECK ({rows})", "UPDATE": f"USING ({rows}) WITH CHECK ({rows})"}
        clause = clauses.get(command, f"USING ({rows})")
        op.execute(f"CREATE POLICY {command.lower()}s ON {table} FOR {command} TO tsunagi_service {clause}")
    op.execute(f"GRANT {', '.join(policies)} ON {table} TO tsunagi_service")
