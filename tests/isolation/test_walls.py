"""The walls as the catalog has them: every table is public, the platform's alone, or held by policies that cannot be
passed; and the service does not start where that is not so."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from tests.owner import owner
from tsunagi.cli.context import database
from tsunagi.db import (
    ERASER_ROLE,
    OVERSIGHT_ROLE,
    PLATFORM_ROLE,
    SEQUENCER_ROLE,
    SERVICE_ROLE,
    Database,
    WallsDown,
)
from tsunagi.settings import Settings

PUBLIC = {
    "alembic_version",
    "area_municipalities",
    "areas",
    "corporate_bodies",
    "organization_areas",
    "organization_identifiers",
    "organization_successions",
    "organization_versions",
    "organizations",
    "provision_retention",
}
"""The directory, how long records are kept, and which migration is the newest."""

LOG = {"log_entries", "log_nodes", "log_checkpoints"}
"""Public beyond the service: anybody may read them over HTTP. The sequencer adds to them."""

SEQUENCED = LOG | {"ledger_queue"}

ORGANIZATIONS = (SERVICE_ROLE, OVERSIGHT_ROLE)
"""The roles that act for one organization."""

COMMANDS = {"SELECT": "r", "INSERT": "a", "UPDATE": "w", "DELETE": "d"}
RELATIONS = "relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"


async def rows(db: Database, sql: str, **values: Any) -> list[Any]:
    async with owner(db) as tx:
        return list((await tx.execute(text(sql), values)).all())


async def relations(db: Database) -> dict[str, Any]:
    found = await rows(
        db,
        f"SELECT oid, relname, relkind, relrowsecurity, relforcerowsecurity FROM pg_class WHERE {RELATIONS}",
    )
    return {row.relname: row for row in found}


async def granted(db: Database, role: str) -> dict[str, set[str]]:
    """What the role may do to each relation, to all of it or to a column."""
    may = [*COMMANDS, "TRUNCATE", "REFERENCES", "TRIGGER"]
    of_columns = {"SELECT", "INSERT", "UPDATE", "REFERENCES"}
    checks = ", ".join(
        f"has_table_privilege(:role, oid, '{one}')"
        + (f" OR has_any_column_privilege(:role, oid, '{one}')" if one in of_columns else "")
        for one in may
    )
    found = await rows(db, f"SELECT relname, {checks} FROM pg_class WHERE {RELATIONS}", role=role)
    return {row[0]: {one for one, has in zip(may, row[1:], strict=True) if has} for row in found}


async def policies(db: Database) -> dict[str, set[tuple[str, str]]]:
    """Of each table: which command of which role a policy is for."""
    found = await rows(
        db,
        """
        SELECT c.relname, p.polcmd, array(SELECT CAST(r AS regrole)::text FROM unnest(p.polroles) r) AS roles
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE p.polpermissive
    """,
    )
    of: dict[str, set[tuple[str, str]]] = {}
    for row in found:
        command = row.polcmd.decode() if isinstance(row.polcmd, bytes) else row.polcmd
        of.setdefault(row.relname, set()).update((role, command) for role in row.roles)
    return of


ERASED = {"ledger_entries": "r", "ledger_contents": "rd"}
"""What the eraser may do: look for what the ledger says, and delete it."""


async def test_the_eraser_reaches_nothing_else(db: Database) -> None:
    may = await granted(db, ERASER_ROLE)
    commands = {
        name: {COMMANDS[one] for one in of} for name, of in may.items() if of and name != "alembic_version"
    }
    assert commands == {name: set(of) for name, of in ERASED.items()}


async def test_every_table_is_public_or_the_platforms_or_held_by_policies(db: Database) -> None:
    tables, of = await relations(db), await policies(db)
    may = {role: await granted(db, role) for role in ORGANIZATIONS}
    assert tables.keys() >= PUBLIC
    assert len(tables) > len(PUBLIC) + 15
    for name, table in tables.items():
        wanted = {(role, COMMANDS.get(one, one)) for role in ORGANIZATIONS for one in may[role][name]}
        if name in PUBLIC:
            assert wanted == {(role, "r") for role in ORGANIZATIONS}, (
                f"{name} is public: read, and nothing else"
            )
        elif not wanted:
            assert not of.get(name), f"{name} belongs to the platform and needs no policy"
        else:
            assert (table.relrowsecurity, table.relforcerowsecurity) == (True, True), name
            others = {(PLATFORM_ROLE, "*")} | ({(SEQUENCER_ROLE, "*")} if name in SEQUENCED else set())
            others |= {(ERASER_ROLE, command) for command in ERASED.get(name, "")}
            assert of[name] == wanted | others, name


async def test_what_is_seen_from_above_is_little_and_is_never_changed(db: Database) -> None:
    may = await granted(db, OVERSIGHT_ROLE)
    assert {name for name, of in may.items() if of} - PUBLIC == {
        "handovers",
        "handover_revisions",
        "handover_activities",
        "consent_access",
        "people",
        "person_relations",
        "provisions",
        "sharing_guidelines",
        "responsibility_versions",
        "responsibility_segments",
        "responsibility_support",
        *LOG,
        *(ledger := {"ledger_entries", "ledger_contents", "ledger_streams", "ledger_queue"}),
    }
    assert all(of <= {"SELECT"} for name, of in may.items() if name not in ledger)


async def test_policies_ask_for_the_acting_organization(db: Database) -> None:
    """A condition without it would be the same for all. These are: nobody's rows can be read by them."""
    found = await rows(
        db,
        """
        SELECT c.relname || ' ' || p.polcmd::text AS name, coalesce(pg_get_expr(polqual, polrelid), '') AS qual,
            coalesce(pg_get_expr(polwithcheck, polrelid), '') AS checked
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
        WHERE NOT EXISTS (SELECT FROM unnest(polroles) r WHERE CAST(CAST(r AS regrole) AS text) = ANY (:others))
    """,
        others=[PLATFORM_ROLE, SEQUENCER_ROLE, ERASER_ROLE],
    )
    same_for_all = {row.name for row in found if "acting_organization()" not in row.qual + row.checked}
    assert same_for_all == {
        "consent_withdrawals r",  # through the consents that can be seen
        "ledger_entries a",
        "ledger_entries r",  # commitments under pseudonyms, which the log shows to the world
        "ledger_contents r",  # also through the people and handovers that can be seen
        "ledger_queue a",
        "ledger_streams a",
        "ledger_streams r",
        "ledger_streams w",
        *(f"{table} r" for table in LOG),
    }


CHANGEABLE = {
    "handover_assignees": {"assignee"},
    "handover_drafts": {
        "revision",
        "person_id",
        "handover_id",
        "kana_birth_key",
        "certificate_key",
        "changed_at",
        "data_key",
        "document",
    },
    "consent_access": {"withdrawn_at"},
    "consents": {"id"},
    "events": {"position"},
    "handover_activities": {"withdrawn_at"},
    "ledger_streams": {"entries", "head"},
    "match_attempts": {"attempts"},
    "person_identities": {"kana_birth_key", "certificate_key", "recorded_at"},
    "record_versions": {"warnings"},
    "webhook_deliveries": {"status", "attempts", "due_at"},
    "webhooks": {"status", "rotated_at", "data_key", "secrets"},
}
"""Of consents the id, which nothing changes: without the right to update something they cannot be locked."""


async def test_a_row_is_changed_in_few_columns(db: Database) -> None:
    found = await rows(
        db,
        """
        SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped
            AND has_column_privilege(:role, c.oid, a.attnum, 'UPDATE')
            AND NOT has_table_privilege(:role, c.oid, 'UPDATE')
    """,
        role=SERVICE_ROLE,
    )
    assert {name: {row.attname for row in found if row.relname == name} for name in CHANGEABLE} == CHANGEABLE
    whole = await rows(
        db,
        f"SELECT relname FROM pg_class WHERE {RELATIONS} AND has_table_privilege(:role, oid, 'UPDATE')",
        role=SERVICE_ROLE,
    )
    assert {row.relname for row in whole} == {"handovers"}


@pytest.mark.parametrize("role", [*ORGANIZATIONS, PLATFORM_ROLE, SEQUENCER_ROLE, ERASER_ROLE])
async def test_the_roles_of_transactions_own_nothing_and_pass_nowhere(db: Database, role: str) -> None:
    ((superuser, bypasses, creates, makes_roles, logs_in, replicates),) = await rows(
        db,
        """
        SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolcanlogin, rolreplication
        FROM pg_roles WHERE rolname = :role
    """,
        role=role,
    )
    assert not any((superuser, bypasses, creates, makes_roles, logs_in, replicates))
    assert (
        await rows(
            db,
            "SELECT 1 FROM pg_shdepend WHERE deptype = 'o' AND refobjid = CAST(:role AS regrole)",
            role=role,
        )
        == []
    )
    assert (
        await rows(db, "SELECT 1 FROM pg_auth_members WHERE member = CAST(:role AS regrole)", role=role) == []
    )
    schemas = await rows(
        db, "SELECT nspname FROM pg_namespace WHERE has_schema_privilege(:role, oid, 'CREATE')", role=role
    )
    assert schemas == []


async def test_the_sequencer_adds_to_the_log_and_reaches_nothing_else(db: Database) -> None:
    may = {name: of for name, of in (await granted(db, SEQUENCER_ROLE)).items() if of}
    assert may.pop("alembic_version") == {"SELECT"}
    assert may.pop("ledger_queue") == {"SELECT", "DELETE"}
    assert may == {table: {"SELECT", "INSERT"} for table in LOG}


async def test_the_platform_writes_no_history_anew(db: Database) -> None:
    may = await granted(db, PLATFORM_ROLE)
    assert may["alembic_version"] == {"SELECT"}
    assert not any("TRUNCATE" in of or "TRIGGER" in of for of in may.values())


async def test_a_migrated_database_has_no_temporary_tables(template_url: str) -> None:
    """One would come before the real table, for whoever uses the connection next."""
    db = Database(template_url, pool_size=1)
    for role in (*ORGANIZATIONS, PLATFORM_ROLE):
        ((may,),) = await rows(
            db, "SELECT has_database_privilege(:role, current_database(), 'TEMP')", role=role
        )
        assert not may
    await db.close()


async def test_nothing_runs_with_the_rights_of_an_owner(db: Database) -> None:
    assert (
        await rows(
            db,
            """
        SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace
    """,
        )
        == []
    )
    assert (
        await rows(
            db,
            f"""
        SELECT relname FROM pg_class
        WHERE {RELATIONS} AND (relkind IN ('m', 'f') OR relkind = 'v'
            AND NOT coalesce(reloptions, '{{}}') @> ARRAY['security_invoker=true'])
    """,
        )
        == []
    )
    assert await rows(db, "SELECT 1 FROM pg_rewrite WHERE rulename <> '_RETURN' AND oid >= 16384") == []


HOLES: dict[str, Callable[[str], str]] = {
    "is a superuser": lambda role: f"ALTER ROLE {role} SUPERUSER",
    "has BYPASSRLS": lambda role: f"ALTER ROLE {role} BYPASSRLS",
    "owns handovers": lambda role: f"ALTER TABLE handovers OWNER TO {role}",
    "inherits from pg_read_all_data": lambda role: f"GRANT pg_read_all_data TO {role}",
}


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("role", [*ORGANIZATIONS, PLATFORM_ROLE])
async def test_walls_with_a_hole_are_not_served_behind(db: Database, role: str, hole: str) -> None:
    await db.check_walls()
    async with owner(db) as tx:
        await tx.execute(text(HOLES[hole](role)))
    with pytest.raises(WallsDown, match=f"{role} .*{hole}"):
        await db.check_walls()


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE record_sections DISABLE ROW LEVEL SECURITY",
        f"GRANT UPDATE ON organizations TO {SERVICE_ROLE}",
    ],
)
async def test_a_table_that_is_written_without_policies_is_not_served(db: Database, sql: str) -> None:
    async with owner(db) as tx:
        await tx.execute(text(sql))
    with pytest.raises(WallsDown, match="without row security"):
        await db.check_walls()


async def test_the_service_does_not_start_behind_a_wall_with_a_hole(own_url: str) -> None:
    async with database(Settings(database_url=own_url)) as db:
        await rows(db, "SELECT 1")
        async with owner(db) as tx:
            await tx.execute(text("ALTER TABLE consents DISABLE ROW LEVEL SECURITY"))
    with pytest.raises(
        SystemExit, match="does not keep organizations apart: role tsunagi_service writes consents"
    ):
        async with database(Settings(database_url=own_url)):
            raise AssertionError("it started")
