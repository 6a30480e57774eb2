"""A running service, and software registered with it, for both faces of the client."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime

import pytest
from joserfc.jwk import ECKey

from tests.clients.python.faces import Software
from tests.running import RunningService, running_service
from tsunagi.auth.actions import register_client
from tsunagi.auth.rules import Scope
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.ledger.rules import PLATFORM, Actor
from tsunagi_client import AsyncTsunagi, Tsunagi

OPERATOR = Actor(None, PLATFORM, None, "client-tests")


@pytest.fixture(scope="session")
def service(
    server_url: str, template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    """It is 2026-11-20 there: the window of a handover planned for 2027-04-01 is open."""
    with running_service(server_url, template_url, tmp_path_factory.mktemp("service")) as running:
        running.clock.move_to_date(date(2026, 11, 20))
        yield running


@pytest.fixture(scope="session")
async def registry(service: RunningService) -> AsyncIterator[Database]:
    """The service's database, to register in what its operator would."""
    url = service.database_url
    database = Database(url, pool_size=2)
    yield database
    await database.close()


@pytest.fixture(params=[Tsunagi, AsyncTsunagi])
async def software(
    request: pytest.FixtureRequest, service: RunningService, registry: Database
) -> AsyncIterator[Software]:
    key = ECKey.generate_key("P-256")
    now = datetime.now(UTC)
    async with registry.platform() as tx:
        profiles = [
            OrganizationProfile(kind="settlement", name="定着支援 みほん（架空）"),
            OrganizationProfile(kind="center", name="センター みほん（架空）"),
        ]
        sending, receiving = [await directory.add_organization(tx, one, at=now) for one in profiles]
        client_id = await register_client(
            tx,
            now,
            OPERATOR,
            name="試験用ソフトウェア",
            jwks={"keys": [key.as_dict(private=False)]},
            organizations={sending: frozenset(Scope), receiving: frozenset(Scope)},
        )
    made = Software(request.param, service, client_id, key, sending, receiving)
    yield made
    await made.close()
