"""A token endpoint on a real database, and software that asks it for tokens."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey
from sqlalchemy import select

from tests.auth.assertions import client_assertion, dpop_proof, public_jwk
from tsunagi.api import oauth
from tsunagi.api.oauth import TokenEndpoint
from tsunagi.auth import actions
from tsunagi.auth.actions import Credentials, Gate
from tsunagi.auth.rules import Caller, Profile, Scope
from tsunagi.auth.server import ASSERTION_TYPE, Answer
from tsunagi.auth.tokens import AccessTokens, SigningKeys
from tsunagi.db import Database, WriteTx
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Actor
from tsunagi.proofs.actions import Proofs
from tsunagi.proofs.nonces import Nonces

ISSUER = "https://tsunagi.example"
TOKEN_ENDPOINT = f"{ISSUER}/oauth2/token"
OPERATOR = Actor(None, ClientId("tsunagi"), None, "r-operator")
ANY_KEY = ECKey | RSAKey | OKPKey


@dataclass
class Software:
    """A registered client, with what it needs to ask for tokens and to use them."""

    id: ClientId
    key: ANY_KEY
    organizations: list[OrganizationId]
    endpoint: TokenEndpoint
    holder: ANY_KEY = field(default_factory=lambda: ECKey.generate_key("P-256"))
    """The key that its tokens are bound to."""

    @property
    def db(self) -> Database:
        return self.endpoint.db

    @property
    def tokens(self) -> AccessTokens:
        return self.endpoint.tokens

    @property
    def gate(self) -> Gate:
        return Gate(self.db, self.tokens, self.endpoint.proofs)

    def nonce(self, at: datetime | None = None) -> str:
        nonce = self.endpoint.proofs.new_nonce(at or datetime.now(UTC))
        assert nonce
        return nonce

    def assertion(self, **changes: Any) -> str:
        return client_assertion(self.key, self.id, ISSUER, **changes)

    def proof(self, *, at: datetime | None = None, **changes: Any) -> str:
        """A proof for the token endpoint."""
        return dpop_proof(self.holder, "POST", TOKEN_ENDPOINT, at=at, **({"nonce": self.nonce(at)} | changes))

    def shown(
        self,
        token: str,
        method: str = "GET",
        path: str = "/v1/areas",
        *,
        scheme: str = "dpop",
        **changes: Any,
    ) -> Credentials:
        """What it shows the API, with a proof that is right but for the changes."""
        url = ISSUER + path
        right = {"token": token, "nonce": self.nonce()}
        proof = dpop_proof(self.holder, method, url, **(right | changes))
        return Credentials(scheme, token, [proof], method, url)

    async def ask(
        self,
        assertion: str | None = None,
        *,
        at: datetime | None = None,
        proofs: Sequence[str] | None = None,
        **form: str,
    ) -> Answer:
        """The token endpoint's answer to a request that is right but for what is given."""
        parameters = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion() if assertion is None else assertion,
            **form,
        }
        return await self.post(urlencode(parameters).encode(), at=at, proofs=proofs)

    async def post(
        self,
        body: bytes,
        *,
        content_type: str = oauth.FORM_TYPE,
        at: datetime | None = None,
        proofs: Sequence[str] | None = None,
    ) -> Answer:
        now = at or datetime.now(UTC)
        sent = [self.proof(at=now)] if proofs is None else proofs
        return await self.endpoint.answer(content_type, body, sent, now=now, request_id="r-test")

    async def token(self, **form: str) -> str:
        answer = await self.ask(**form)
        assert answer.status == 200, answer.body
        return str(answer.body["access_token"])

    async def caller(self, assertion: str | None = None, **form: str) -> Caller:
        answer = await self.ask(assertion, at=None, **form)
        assert answer.status == 200, answer.body
        return self.tokens.verify(str(answer.body["access_token"]), datetime.now(UTC)).caller

    async def outcomes(self) -> list[tuple[str, str]]:
        """What the ledger holds about this client, in order: action and outcome."""
        async with self.db.platform() as tx:
            rows = await tx.execute(
                select(ledger.contents.c.action, ledger.contents.c.outcome)
                .where(ledger.contents.c.record_id == self.id)
                .order_by(ledger.contents.c.id)
            )
            return [(row.action, row.outcome) for row in rows]


async def add_organization(tx: WriteTx) -> OrganizationId:
    profile = OrganizationProfile(kind="transition", name="就労移行支援センター みほん（架空）")
    return await directory.add_organization(tx, profile, at=datetime.now(UTC))


Register = Callable[..., Awaitable[Software]]


@pytest.fixture
def tokens(tmp_path: Path) -> AccessTokens:
    return AccessTokens(SigningKeys(tmp_path / "keys"), ISSUER)


def token_endpoint(db: Database, tokens: AccessTokens) -> TokenEndpoint:
    return TokenEndpoint(db, tokens, Proofs(db, Nonces(b"k" * 32)))


def registrar(db: Database, tokens: AccessTokens) -> Register:
    async def register(
        key: ANY_KEY | None = None,
        *,
        serving: int = 1,
        scopes: frozenset[Scope] = frozenset(Scope),
        profile: Profile = "fapi2",
    ) -> Software:
        key = key or ECKey.generate_key("P-256")
        async with db.platform() as tx:
            organizations = [await add_organization(tx) for _ in range(serving)]
            client_id = await actions.register_client(
                tx,
                datetime.now(UTC),
                OPERATOR,
                name="Kizuna Office",
                jwks={"keys": [public_jwk(key)]},
                organizations=dict.fromkeys(organizations, scopes),
                profile=profile,
            )
        return Software(client_id, key, organizations, token_endpoint(db, tokens))

    return register


@pytest.fixture
def register(db: Database, tokens: AccessTokens) -> Register:
    """Registers software that acts for `serving` organizations."""
    return registrar(db, tokens)


@pytest.fixture
async def software(register: Register) -> Software:
    return await register()
