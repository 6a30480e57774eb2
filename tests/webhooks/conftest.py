"""A service whose webhooks may lead to this machine, over a database with real commits."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.webhooks.receiver import Receiver, listening
from tsunagi.api.edge import Services
from tsunagi.app import create_services
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.settings import Settings


@pytest.fixture
def db(own_database: Database) -> Database:
    return own_database


@pytest.fixture
def services(db: Database, data_dir: Path, contract: Contract) -> Services:
    settings = Settings(data_dir=data_dir, base_url="http://127.0.0.1:8080", webhooks_to_loopback=True)
    return create_services(settings, db, Clock(), contract)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as found:
        yield found
