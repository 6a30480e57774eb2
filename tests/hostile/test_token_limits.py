"""Whoever cannot prove who it is may try so often; what it tries in another's name is not held against the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx2
import pytest
from joserfc.jwk import ECKey

from tests.auth.assertions import client_assertion, dpop_proof, public_jwk
from tests.auth.conftest import OPERATOR, add_organization
from tests.world import check_answer
from tsunagi.api.edge import Services
from tsunagi.api.limits import FAILURES_OF_ADDRESS, Limits
from tsunagi.app import create_app
from tsunagi.auth import actions
from tsunagi.auth.rules import Scope
from tsunagi.auth.server import ASSERTION_TYPE
from tsunagi.ids import ClientId
from tsunagi.settings import Settings

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"
FAILURES, TOKENS = 3, 4


@pytest.fixture
def services(services: Services) -> Services:
    few = Settings(token_failures_per_minute=FAILURES, tokens_per_minute=TOKENS)
    return replace(services, limits=Limits(few))


@dataclass
class Client:
    """Software as it asks for tokens, from wherever it is."""

    id: ClientId
    services: Services
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))

    async def ask(
        self, address: str = HOME, *, key: ECKey | None = None, nonce: bool = True
    ) -> httpx2.Response:
        """The answer to a token request that is right, unless it is signed with another key or lacks the nonce."""
        issuer = self.services.settings.base_url
        told = {"nonce": self.services.gate.new_nonce(datetime.now(UTC))} if nonce else {}
        proof = dpop_proof(self.key, "POST", f"{issuer}/oauth2/token", **told)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": client_assertion(
                key or self.key, self.id, issuer, header={"kid": self.key.thumbprint()}
            ),
        }
        async with calling_from(self.services, address) as http:
            answer = await http.post("/oauth2/token", data=form, headers={"DPoP": proof})
        check_answer(self.services.contract, "POST", "/oauth2/token", answer)
        return answer

    async def fail(self, times: int, address: str = HOME) -> list[int]:
        stranger = ECKey.generate_key("P-256")
        return [(await self.ask(address, key=stranger)).status_code for _ in range(times)]


@asynccontextmanager
async def calling_from(services: Services, address: str) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(services, work=False), client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=services.settings.base_url) as http:
        yield http


@pytest.fixture
async def known(services: Services) -> Client:
    client = Client(ClientId("known-client"), services)
    async with services.db.platform() as tx:
        organization = await add_organization(tx)
        await actions.register_client(
            tx,
            datetime.now(UTC),
            OPERATOR,
            name="Kizuna Office",
            jwks={"keys": [public_jwk(client.key)]},
            organizations={organization: frozenset(Scope)},
            client_id=client.id,
        )
    return client


async def test_a_client_gets_so_many_tokens_a_minute(known: Client) -> None:
    answers = [await known.ask() for _ in range(TOKENS + 1)]
    assert [answer.status_code for answer in answers] == [200] * TOKENS + [429]
    assert answers[0].headers["ratelimit-policy"] == f'"token";q={TOKENS};w=60'
    assert '"token";r=3;t=' in answers[0].headers["ratelimit"]
    assert int(answers[-1].headers["retry-after"]) <= 60


async def test_who_fails_too_often_is_not_looked_at_any_more(known: Client) -> None:
    assert await known.fail(FAILURES + 2) == [401] * FAILURES + [429, 429]
    assert (await known.ask()).status_code == 429, "from there nobody can say that it is this client"


async def test_many_at_once_fail_no_more_often(known: Client) -> None:
    stranger = ECKey.generate_key("P-256")
    answers = await asyncio.gather(*(known.ask(ELSEWHERE, key=stranger) for _ in range(3 * FAILURES)))
    refused = [answer.status_code for answer in answers].count(429)
    assert refused == 2 * FAILURES, "the others have come as far as the one connection that all of them share"


async def test_to_succeed_is_no_failure(known: Client) -> None:
    assert await known.fail(FAILURES - 1) == [401] * (FAILURES - 1)
    assert [(await known.ask()).status_code for _ in range(TOKENS)] == [200] * TOKENS


async def test_a_guesser_cannot_lock_a_client_out(known: Client) -> None:
    assert await known.fail(FAILURES + 1, ELSEWHERE) == [401] * FAILURES + [429]
    assert (await known.ask(HOME)).status_code == 200


async def test_an_address_cannot_go_through_all_ids(known: Client) -> None:
    limit = FAILURES * FAILURES_OF_ADDRESS
    strangers = [Client(ClientId(f"client-{number}"), known.services) for number in range(limit + 1)]
    statuses = [(await stranger.ask(ELSEWHERE)).status_code for stranger in strangers]
    assert statuses == [401] * limit + [429]
    assert (await known.ask(HOME)).status_code == 200


async def test_a_network_is_one_address(known: Client) -> None:
    addresses = [f"2001:db8:0:1::{number}" for number in range(FAILURES + 1)]
    statuses = [(await known.fail(1, address))[0] for address in addresses]
    assert statuses == [401] * FAILURES + [429]
    assert (await known.ask("2001:db8:0:2::1")).status_code == 200


async def test_to_ask_for_a_nonce_is_no_failure(known: Client) -> None:
    answers = [await known.ask(nonce=False) for _ in range(FAILURES + 1)]
    assert {answer.json()["error"] for answer in answers} == {"use_dpop_nonce"}
    assert (await known.ask()).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"client_assertion=", b"client_assertion=a.b.c", b"\xff" * 1_000, b"a=1&a=2"]
)
async def test_what_is_no_token_request_counts_as_a_failure(services: Services, body: bytes) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with calling_from(services, HOME) as http:
        answers = [await http.post("/oauth2/token", content=body, headers=form) for _ in range(FAILURES + 1)]
    statuses = [answer.status_code for answer in answers]
    assert set(statuses[:-1]) <= {400, 401}
    assert statuses[-1] == 429
