"""A database with a few thousand handovers in it, and the service in this process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest

from bench.capture import Session, listeners
from bench.multiply import Rows, multiply
from bench.play import Play, play
from bench.stage import Stage, case, staged
from tests.conftest import run_sql
from tests.running import plain_url
from tsunagi.db import Database
from tsunagi.settings import Settings

READY, HANDOVERS = 500, 800
FAR, THIN = 2_000_000, 20_000
"""Handovers without anything in them: few tables have to be large for PostgreSQL to see that scanning does not pay."""


def thin(rows: Rows) -> Rows:
    kept = (
        "handovers",
        "handover_assignees",
        "handover_activities",
        "people",
        "person_relations",
        "ledger_streams",
    )
    return Rows({name: rows.tables[name] for name in kept}, rows.ids, rows.ring)


@dataclass
class Filled:
    admin: asyncpg.Connection
    play: Play
    stage: Stage
    session: Session


@pytest.fixture(scope="session")
async def filled(
    server_url: str, template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Filled]:
    name = f"tsunagi_plans_{uuid4().hex[:8]}"
    template = template_url.partition("?")[0].rsplit("/", 1)[1]
    await run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = plain_url(server_url, name)
    settings = Settings(data_dir=tmp_path_factory.mktemp("plans"), database_url=url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(run_sql, server_url, f"DROP DATABASE {name} WITH (FORCE)")
        admin = await asyncpg.connect(url)
        stack.push_async_callback(admin.close)
        sessions = await stack.enter_async_context(listeners())
        database = Database(url)
        stack.push_async_callback(database.close)
        acted = await stack.enter_async_context(play(settings, database))
        stage = await staged(admin, acted, ready=READY, handovers=HANDOVERS, checked=True)
        # What the other copies have no rows of.
        over = await case(admin, acted, acted.withdrawn_consent(acted.record(7_000)))
        await multiply(admin, over.rows, f"generate_series(1, {HANDOVERS}::bigint) g(n)")
        await admin.execute("SET session_replication_role = replica")
        elsewhere = {str(acted.cast.center): f"'{acted.cast.others[0]}'::uuid"}
        numbers = f"generate_series({FAR}, {FAR + THIN}::bigint) g(n)"
        await multiply(admin, thin(stage.received.rows), numbers, instead=elsewhere)
        await admin.execute("RESET session_replication_role")
        for organization in acted.cast.organizations:  # who reads its feed often leaves few events to number
            await acted.call(organization, "GET", "/v1/events?limit=1")
        await admin.execute("VACUUM (ANALYZE)")
        yield Filled(admin, acted, stage, sessions[-1])
