"""Row-level security, and what it reads: whatever belongs to a record says whose it is.

An organization sees what `docs/decisions/0014-row-level-security.md` lists. Three roles are made that own nothing:
`tsunagi_service` acts for one organization at a time, `tsunagi_oversight` does so while it looks at timelines and
findings, `tsunagi_platform` acts for none and sees all rows. The domains of a handover become part of its row, under
the same policies.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_row_security"
down_revision = "0010_dpop"
branch_labels = None
depends_on = None

ME = "(SELECT acting_organization())"
TODAY = "(SELECT acting_today())"

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


def _either(*rows: str) -> str:
    """True for rows that meet one of the conditions. By CASE, because the planner takes OR for a filter that leaves
    next to nothing, and then sorts an organization's rows instead of reading the first of them off an index."""
    return f"CASE {' '.join(f'WHEN {one} THEN true' for one in rows)} ELSE false END"


OWN = f"organization_id = {ME}"
SENT = f"sender_id = {ME}"
GIVEN = f"giver_id = {ME}"
OFFERED_TO = f"receiver_id = {ME} AND offered_at IS NOT NULL"
TAKING_PART = _either(SENT, OFFERED_TO)

IN_REMIT = f"""area_code IN (
    SELECT a.area_code FROM organization_areas a WHERE a.organization_id = {ME} AND a.purpose = 'remit')"""  # noqa: S608

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

CONSENTED_AND_READABLE = f"""receiver_id = {ME}
    AND EXISTS (
        SELECT FROM record_versions v
        WHERE v.handover_id = record_sections.handover_id AND v.version = record_sections.version)
    AND {CONSENTED.format(subject="person")} AND (section <> 'family' OR {CONSENTED.format(subject="family")})"""

# Whom a side of a handover may tell of it: both, once it is on offer.
OF_SIDES = f"""EXISTS (
    SELECT FROM handovers h
    WHERE h.id = handover_id AND {ME} IN (h.sender_id, h.receiver_id)
        AND (events.organization_id = h.sender_id
            OR (events.organization_id = h.receiver_id AND h.offered_at IS NOT NULL)))"""

TOLD_OF_CONSENT = f"""EXISTS (
    SELECT FROM consents c
    WHERE c.id = events.consent_id AND c.giver_id = {ME} AND events.organization_id = ANY (c.recipient_ids))"""

# A relation begins where a person is registered (a foreign key sees to it that it is by whoever did) or where a
# handover is received.
RECEIVED = f"""EXISTS (
    SELECT FROM handovers h
    WHERE h.id = through AND h.person_id = person_relations.person_id AND h.receiver_id = {ME}
        AND h.sender_id = person_relations.sender_id AND {READABLE})"""


def _related(table: str, person_id: str = "person_id") -> str:
    return f"""EXISTS (
        SELECT FROM person_relations r WHERE r.person_id = {table}.{person_id} AND r.organization_id = {ME})"""


def _overseen(table: str, person_id: str = "person_id") -> tuple[str, str]:
    """Of people in relation with the organization, and of those of its remit."""
    in_remit = f"""EXISTS (
        SELECT FROM handovers h
        WHERE h.person_id = {table}.{person_id} AND h.offered_at IS NOT NULL AND h.{IN_REMIT})"""
    return _related(table, person_id), in_remit


Policies = dict[str, dict[str, str]]

LEDGER: Policies = {
    "ledger_entries": {"INSERT": "true"},
    "ledger_contents": {"INSERT": f"organization_id IS NULL OR {OWN}"},
    "ledger_streams": {"SELECT": "true", "INSERT": "true", "UPDATE": "true"},
}
"""Streams are pseudonyms with a count and a hash; entries can be added and never read."""

RESPONSIBILITY = ("responsibility_versions", "responsibility_segments", "responsibility_support")

OF_SERVICE: Policies = {
    "handovers": {
        "SELECT": TAKING_PART,
        "INSERT": SENT,
        "UPDATE": TAKING_PART,
    },
    "record_versions": {
        "SELECT": _either(SENT, f"{OFFERED_TO} AND {OF_READABLE}"),
        "INSERT": SENT,
        "UPDATE": SENT,
    },
    "record_sections": {
        "SELECT": _either(SENT, CONSENTED_AND_READABLE),
        "INSERT": SENT,
    },
    "people": {
        "SELECT": _either(f"registered_by = {ME}", _related("people", "id")),
        "INSERT": f"registered_by = {ME}",
    },
    "person_identities": {
        "SELECT": _either(OWN, _related("person_identities")),
        "INSERT": OWN,
        "UPDATE": OWN,
    },
    "person_relations": {
        "SELECT": _either(OWN, SENT),
        "INSERT": f"{OWN} AND (through = person_id OR {RECEIVED})",
        "DELETE": _either(OWN, SENT),
    },
    "match_attempts": {"SELECT": OWN, "INSERT": OWN, "UPDATE": OWN},
    "consents": {
        "SELECT": _either(GIVEN, f"{ME} = ANY (recipient_ids) AND {_related('consents')}"),
        "INSERT": f"{GIVEN} AND {_related('consents')}",
        "UPDATE": GIVEN,
    },
    "consent_withdrawals": {
        "SELECT": "EXISTS (SELECT FROM consents c WHERE c.id = consent_id)",
        "INSERT": f"EXISTS (SELECT FROM consents c WHERE c.id = consent_id AND c.{GIVEN})",
    },
    "consent_access": {
        "SELECT": _either(OWN, GIVEN),
        "INSERT": f"{GIVEN} AND {_related('consent_access')}",
        "UPDATE": GIVEN,
    },
    **{table: {"SELECT": _related(table), "INSERT": _related(table)} for table in RESPONSIBILITY},
    "events": {"SELECT": OWN, "INSERT": _either(OWN, OF_SIDES, TOLD_OF_CONSENT), "UPDATE": OWN},
    "idempotent_answers": {"SELECT": OWN, "INSERT": OWN},
    **LEDGER,
}
"""The rows on which the acting organization may do what.

An INSERT's condition sees the rows as they were before the statement: those that go in together cannot be each
other's reason."""

OF_OVERSIGHT: Policies = {
    "handovers": {"SELECT": _either(SENT, OFFERED_TO, f"offered_at IS NOT NULL AND {IN_REMIT}")},
    "people": {"SELECT": _either(f"registered_by = {ME}", *_overseen("people", "id"))},
    "person_relations": {"SELECT": OWN},
    **{table: {"SELECT": _either(*_overseen(table))} for table in RESPONSIBILITY},
    **LEDGER,
}
"""Where it looks from above: more people, and of them less. No record, no consent, nothing to change."""

CHANGEABLE = {
    "record_versions": "offered_at, warnings",
    "person_identities": "kana_birth_key, certificate_key, recorded_at",
    "match_attempts": "attempts",
    "consents": "id",  # of no use but for locking: FOR UPDATE asks for the right to update something
    "consent_access": "withdrawn_at",
    "events": "position",
    "ledger_streams": "entries, head",
}
"""What an UPDATE may change, where that is not the whole row."""

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
    _grounds_of_relations()
    _sides_kept_apart()
    for table in OF_SERVICE:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY platform ON {table} TO tsunagi_platform USING (true) WITH CHECK (true)")
    _walls("tsunagi_service", OF_SERVICE)
    _walls("tsunagi_oversight", OF_OVERSIGHT)
    op.execute(f"GRANT SELECT ON {', '.join(READ_ONLY)} TO tsunagi_service, tsunagi_oversight")
    op.execute("GRANT SELECT ON alembic_version TO PUBLIC")  # whoever serves asks whether it is the newest


def _roles() -> None:
    """Roles belong to the server, not to the database: another database may have made them, even just now."""
    for role in ("tsunagi_service", "tsunagi_oversight", "tsunagi_platform"):
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
    op.execute("GRANT USAGE ON SCHEMA public TO tsunagi_service, tsunagi_oversight, tsunagi_platform")
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
    for name, kind in (("organization", "uuid"), ("today", "date")):
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
        """)  # noqa: S608
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


def _grounds_of_relations() -> None:
    op.create_unique_constraint("people_id_registered_by_key", "people", ["id", "registered_by"])
    op.execute("""
        ALTER TABLE person_relations
            ADD COLUMN registered_by uuid
                GENERATED ALWAYS AS (CASE WHEN through = person_id THEN organization_id END) STORED,
            ADD CONSTRAINT person_relations_person_id_registered_by_fkey
                FOREIGN KEY (person_id, registered_by) REFERENCES people (id, registered_by)
    """)
    op.add_column(
        "person_relations",
        sa.Column(
            "sender_id", sa.Uuid, nullable=True, comment="who handed over, where it is through a handover"
        ),
    )
    op.execute("""
        UPDATE person_relations r SET sender_id = h.sender_id FROM handovers h
        WHERE h.id = r.through AND h.receiver_id = r.organization_id
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


def _walls(role: str, policies: Policies) -> None:
    name = role.removeprefix("tsunagi_")
    for table, commands in policies.items():
        for command, rows in commands.items():
            clauses = {"INSERT": f"WITH CHECK ({rows})", "UPDATE": f"USING ({rows}) WITH CHECK ({rows})"}
            clause = clauses.get(command, f"USING ({rows})")
            op.execute(f"CREATE POLICY {name}_{command.lower()} ON {table} FOR {command} TO {role} {clause}")
        columns = f" ({CHANGEABLE[table]})" if table in CHANGEABLE else ""
        rights = (command + columns if command == "UPDATE" else command for command in commands)
        op.execute(f"GRANT {', '.join(rights)} ON {table} TO {role}")
