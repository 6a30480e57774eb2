"""A token endpoint on a real database, and software that asks it for tokens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey
from sqlalchemy import select

from tests.auth.assertions import client_assertion, public_jwk
from tsunagi.api import oauth
from tsunagi.auth import actions
from tsunagi.auth.rules import Caller, Scope
from tsunagi.auth.server import ASSERTION_TYPE, Answer
from tsunagi.auth.tokens import AccessTokens, SigningKeys
from tsunagi.db import Database, WriteTx
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Actor

ISSUER = "https://tsunagi.example"
OPERATOR = Actor(None, ClientId("tsunagi"), None, "r-operator")
ANY_KEY = ECKey | RSAKey | OKPKey


@dataclass
class Software:
    """A registered client, with what it needs to ask for tokens."""

    id: ClientId
    key: ANY_KEY
    organizations: list[OrganizationId]
    db: Database
    tokens: AccessTokens

    def assertion(self, **changes: Any) -> str:
        return client_assertion(self.key, self.id, ISSUER, **changes)

    async def ask(self, assertion: str | None = None, *, at: datetime | None = None, **form: str) -> Answer:
        """The token endpoint's answer to a request that is right but for what is given."""
        parameters = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion() if assertion is None else assertion,
            **form,
        }
        return await self.post(urlencode(parameters).encode(), at=at)

    async def post(
        self, body: bytes, *, content_type: str = oauth.FORM_TYPE, at: datetime | None = None
    ) -> Answer:
        return await oauth.issue_token(
            content_type,
            body,
            db=self.db,
            tokens=self.tokens,
            now=at or datetime.now(UTC),
            request_id="r-test",
        )

    async def caller(self, assertion: str | None = None, **form: str) -> Caller:
        answer = await self.ask(assertion, at=None, **form)
        assert answer.status == 200, answer.body
        return self.tokens.verify(str(answer.body["access_token"]), datetime.now(UTC))

    async def outcomes(self) -> list[tuple[str, str]]:
        """What the ledger holds about this client, in order: action and outcome."""
        async with self.db.read() as tx:
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


def registrar(db: Database, tokens: AccessTokens) -> Register:
    async def register(
        key: ANY_KEY | None = None, *, serving: int = 1, scopes: frozenset[Scope] = frozenset(Scope)
    ) -> Software:
        key = key or ECKey.generate_key("P-256")
        async with db.write() as tx:
            organizations = [await add_organization(tx) for _ in range(serving)]
            client_id = await actions.register_client(
                tx,
                datetime.now(UTC),
                OPERATOR,
                name="Kizuna Office",
                jwks={"keys": [public_jwk(key)]},
                organizations=dict.fromkeys(organizations, scopes),
            )
        return Software(client_id, key, organizations, db, tokens)

    return register


@pytest.fixture
def register(db: Database, tokens: AccessTokens) -> Register:
    """Registers software that acts for `serving` organizations."""
    return registrar(db, tokens)


@pytest.fixture
async def software(register: Register) -> Software:
    return await register()
