"""Requests to the API with tokens that are bound to a key, over HTTP as any software sends them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from joserfc.jwk import ECKey

from tests.auth.assertions import dpop_proof
from tests.world import World, check_answer
from tsunagi.auth.rules import Caller, Scope
from tsunagi.ids import ClientId

BASE = "http://127.0.0.1:8080"
PATH = "/v1/areas"


@dataclass
class Bound:
    """Software of the settlement provider that holds `key`, and a token bound to it."""

    world: World
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    scopes: frozenset[Scope] = frozenset(Scope)

    def token(self, *, at: datetime | None = None, jkt: str | None = "mine") -> str:
        caller = Caller(self.world.settlement.id, ClientId("bound-software"), self.scopes)
        jkt = self.key.thumbprint() if jkt == "mine" else jkt
        return self.world.services.tokens.issue(caller, at or datetime.now(UTC), jkt=jkt)

    def proof(self, token: str, method: str = "GET", path: str = PATH, **changes: Any) -> str:
        key = changes.pop("key", self.key)
        right = {"token": token, "nonce": self.nonce()}
        return dpop_proof(key, method, BASE + path.partition("?")[0], **(right | changes))

    def nonce(self, *, seconds_ago: int = 0) -> str:
        nonce = self.world.services.gate.new_nonce(datetime.now(UTC) - timedelta(seconds=seconds_ago))
        assert nonce
        return nonce

    async def send(
        self,
        token: str | None = None,
        method: str = "GET",
        path: str = PATH,
        *,
        scheme: str = "DPoP",
        proofs: list[str] | None = None,
        headers: dict[str, str] | None = None,
        **changes: Any,
    ) -> httpx2.Response:
        """A request that is right but for what is given; its answer is held to the contract."""
        token = token or self.token()
        sent = [("Authorization", f"{scheme} {token}"), *(headers or {}).items()]
        proofs = [self.proof(token, method, path, **changes)] if proofs is None else proofs
        sent += [("DPoP", one) for one in proofs]
        response = await self.world.http.request(method, path, headers=sent)
        check_answer(self.world.services.contract, method, path, response)
        return response


def challenge(response: httpx2.Response) -> str:
    return str(response.headers["www-authenticate"])
