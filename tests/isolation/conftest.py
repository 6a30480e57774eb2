"""The realm that the matrix and the sabotage look into: built once, with real commits, and never changed."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.conftest import rolled_back, run_sql
from tests.isolation import realm as building
from tests.isolation.realm import CAST, STATES, TODAY, Realm
from tests.running import plain_url
from tsunagi.app import create_app, create_services
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.settings import Settings
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys

FULL = bool(os.environ.get("TSUNAGI_FULL_MATRIX"))
"""Whether every organization has a handover in every state, and everything is asked of each. `make matrix`."""


def states_of() -> dict[str, list[str]]:
    """The sender's handovers are in all states; the others share them out unless the matrix is to be full."""
    names = list(STATES)
    return {
        owner: names if FULL or index == 0 else [names[(index * 3 + n) % len(names)] for n in (0, 5, 10)]
        for index, owner in enumerate(CAST)
    }


@pytest.fixture(scope="session")
async def realm_url(server_url: str, template_url: str) -> AsyncIterator[str]:
    name = f"tsunagi_realm_{uuid4().hex[:8]}"
    template = template_url.partition("?")[0].rsplit("/", 1)[1]
    await run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield plain_url(server_url, name)
    await run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def realm(realm_url: str, data_dir: Path, contract: Contract) -> AsyncIterator[Realm]:
    """In a transaction that is rolled back: what is asked of it goes into savepoints."""
    settings = Settings(
        data_dir=data_dir,
        base_url="http://127.0.0.1:8080",
        matches_per_minute=10**6,
        client_requests_per_minute=0,
        organization_requests_per_minute=0,
        strangers_pages_per_minute=0,
    )
    clock = Clock()
    committing = Database(realm_url, pool_size=2)
    services = create_services(settings, committing, clock, contract)
    try:
        async with _client(services) as http:
            built = await building.build(services, http, states=states_of())
        keys = FileKeys(data_dir / f"keys-of-{uuid4().hex[:8]}", settings.log_origin)
        while await Sequencer(committing, keys, settings.log_origin).sequence(datetime.now(UTC)):
            pass
    finally:
        await committing.close()
    async with rolled_back(realm_url) as database:
        built.services = create_services(settings, database, clock, contract)
        built.services.clock.move_to_date(TODAY)
        async with _client(built.services) as http:
            for voice in built.voices.values():
                voice.http, voice.services = http, built.services
            built.http = http
            yield built


def _client(services: object) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(
        app=create_app(services, work=False),  # type: ignore[arg-type]
        raise_app_exceptions=False,
    )
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")
