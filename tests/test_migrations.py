"""Migrations lead to exactly the tables that the rooms state, and each can be taken on its own."""

import ast
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from tsunagi import tables
from tsunagi.db import async_url
from tsunagi.migrating import configuration, migrate

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "migrations" / "versions").glob("*.py"))


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, tables.metadata))


async def test_migrations_lead_to_the_tables_of_the_rooms(own_url: str) -> None:
    engine = create_async_engine(async_url(own_url))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_migrating_twice_changes_nothing(template_url: str) -> None:
    migrate(template_url, ROOT / "migrations")


def test_there_is_one_line_of_migrations() -> None:
    script = ScriptDirectory.from_config(configuration("postgresql://", ROOT / "migrations"))
    assert len(script.get_heads()) == 1
    assert len(list(script.walk_revisions())) == len(FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_migration_says_what_it_does_and_is_named_for_it(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert f'revision = "{path.stem}"' in path.read_text()
