"""Whoever looks at thousands of people in one statement (`tsunagi.many`) has a list made of those it may see, once, and
each row looked up in it. The rows are those of before: of people in relation with it, and of those of its remit.

Asking about each row costs ten microseconds; of ten thousand people there are a hundred thousand."""

from alembic import op

revision = "0019_area_report"
down_revision = "0018_sealed"
branch_labels = None
depends_on = None

TABLES = ("responsibility_versions", "responsibility_segments", "responsibility_support")

OVERSEEN = """
    SELECT r.person_id FROM person_relations r WHERE r.organization_id = acting_organization()
    UNION ALL
    SELECT h.person_id FROM handovers h
    WHERE h.offered_at IS NOT NULL AND h.area_code IN (
        SELECT a.area_code FROM organization_areas a
        WHERE a.organization_id = acting_organization() AND a.purpose = 'remit')"""


def upgrade() -> None:
    op.create_index("person_relations_organization_idx", "person_relations", ["organization_id", "person_id"])
    op.execute("""
        CREATE FUNCTION acting_on_many() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
        RETURN coalesce(current_setting('tsunagi.many', true), '') = 'on'
    """)
    for table in TABLES:
        op.execute(f"""
            DO $$
            DECLARE
                asked text;
            BEGIN
                SELECT qual INTO STRICT asked FROM pg_policies
                WHERE schemaname = 'public' AND tablename = '{table}' AND policyname = 'oversight_select';
                EXECUTE format(
                    'ALTER POLICY oversight_select ON {table}
                    USING (CASE WHEN acting_on_many() THEN person_id IN ({OVERSEEN.replace("'", "''")}) ELSE %s END)',
                    asked);
            END $$
        """)  # noqa: S608  nothing but names is put in
