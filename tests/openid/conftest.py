from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.openid.provider import OpenIdProvider, serving
from tsunagi.api.edge import Services
from tsunagi.app import create_services
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.settings import Settings


@pytest.fixture
def services(db: Database, data_dir: Path, contract: Contract) -> Services:
    settings = Settings(data_dir=data_dir, base_url="http://127.0.0.1:8080", openid_to_loopback=True)
    return create_services(settings, db, Clock(), contract)


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with serving() as found:
        yield found
