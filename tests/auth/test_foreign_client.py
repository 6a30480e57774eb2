"""An OAuth client that is not ours (Authlib over requests) gets a token and calls the API with it. It cannot do DPoP:
it is registered for the sandbox."""

import time
from datetime import UTC, date, datetime

import pytest
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

from tests.running import RunningService, running_service
from tsunagi.auth.actions import register_client
from tsunagi.auth.rules import Scope
from tsunagi.db import Database
from tsunagi.ledger.rules import PLATFORM, Actor


@pytest.fixture
async def registered(running: RunningService, key: ECKey) -> str:
    database = Database(running.database_url)
    async with database.platform() as tx:
        client_id = await register_client(
            tx,
            datetime.now(UTC),
            Actor(None, PLATFORM, None, "test"),
            name="他社のソフト",
            jwks={"keys": [key.as_dict(private=False)]},
            organizations={running.center: frozenset(Scope)},
            profile="sandbox",
        )
    await database.close()
    return client_id


@pytest.fixture(scope="module")
def running(server_url: str, template_url: str, tmp_path_factory: pytest.TempPathFactory) -> object:
    with running_service(server_url, template_url, tmp_path_factory.mktemp("foreign")) as service:
        service.clock.move_to_date(date(2026, 11, 20))
        yield service


@pytest.fixture(scope="module")
def key() -> ECKey:
    return ECKey.generate_key("P-256")


def test_authlibs_own_client_gets_a_token_and_calls(
    running: RunningService, registered: str, key: ECKey
) -> None:
    endpoint = f"{running.base_url}/oauth2/token"
    session = OAuth2Session(
        registered, key, token_endpoint_auth_method="private_key_jwt", scope="handovers:read"
    )
    session.register_client_auth_method(
        PrivateKeyJWT(
            endpoint,
            claims={
                "aud": running.base_url,
                "exp": int(time.time()) + 60,
            },  # its own are the endpoint and an hour
            headers={"kid": key.thumbprint()},
            alg="ES256",
        )
    )
    session.fetch_token(endpoint, grant_type="client_credentials")
    answer = session.get(f"{running.base_url}/v1/handovers")
    assert answer.status_code == 200
    assert answer.json() == {"items": [], "nextCursor": None}
    assert session.get(f"{running.base_url}/v1/areas").status_code == 403
