"""Both faces of the client in the words of one test, over a line that is watched and can be disturbed."""

import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
from joserfc.jwk import ECKey

from tests.running import RunningService
from tests.world import consent_for, settlement_record
from tsunagi.ids import ClientId, OrganizationId
from tsunagi_client import AsyncTsunagi, Tsunagi

Face = Any
"""Tsunagi or AsyncTsunagi: the tests call both alike."""


async def done(result: Any) -> Any:
    """What a call has come to, on either face."""
    return await result if inspect.isawaitable(result) else result


async def items(given: Any) -> list[Any]:
    return [one async for one in given] if isinstance(given, AsyncIterator) else list(given)


class Line(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """A real connection. It notes every request that was sent; `disturb` may change one before it is sent, and
    `lose` says whose answer gets lost."""

    def __init__(self) -> None:
        self.sent: list[httpx2.Request] = []
        self.disturb: Callable[[httpx2.Request], None] = lambda request: None
        self.lose: Callable[[httpx2.Request], bool] = lambda request: False
        self._blocking = httpx2.HTTPTransport()
        self._asyncio = httpx2.AsyncHTTPTransport()

    def count(self, method: str, path: str) -> int:
        return sum(one.method == method and one.url.path == path for one in self.sent)

    def tokens(self) -> int:
        """How often a token was asked for; the very first request only learns the nonce."""
        return self.count("POST", "/oauth2/token") - 1

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.disturb(request)
        self.sent.append(request)
        response = self._blocking.handle_request(request)
        if self.lose(request):
            response.read()
            raise httpx2.ReadError("the answer was lost")
        return response

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.disturb(request)
        self.sent.append(request)
        response = await self._asyncio.handle_async_request(request)
        if self.lose(request):
            await response.aread()
            raise httpx2.ReadError("the answer was lost")
        return response

    def close(self) -> None:
        self._blocking.close()

    async def aclose(self) -> None:
        await self._asyncio.aclose()


@dataclass
class Software:
    """A registered client of one face that acts for a sender and a receiver of its own."""

    face: type[Tsunagi] | type[AsyncTsunagi]
    service: RunningService
    id: ClientId
    key: ECKey
    sending: OrganizationId
    receiving: OrganizationId
    line: Line = field(default_factory=Line)
    opened: list[Face] = field(default_factory=list)

    def client(self, **options: Any) -> Face:
        """A client over the watched line, of the sender unless the options say otherwise."""
        kind = httpx2.Client if self.face is Tsunagi else httpx2.AsyncClient
        http: Any = kind(transport=self.line)
        settings = {"organization": str(self.sending), "key": self.key, "http": http}
        made: Face = self.face(self.service.base_url, client_id=self.id, **settings | options)
        self.opened.append(http)
        return made

    async def close(self) -> None:
        for http in self.opened:
            await done(http.aclose() if isinstance(http, httpx2.AsyncClient) else http.close())

    def record(self, **changes: Any) -> dict[str, Any]:
        """A complete record for the receiver, of a person nobody has heard of."""
        record = settlement_record(self.receiving, **changes)
        identity = record["sections"]["identity"]
        identity["certificate"] = {"municipalityCode": "12199", "number": f"{uuid4().int % 10**10:010}"}
        identity["familyNameKana"] = "".join(chr(ord("ア") + digit % 80) for digit in uuid4().bytes)
        return record

    async def offered(self, client: Face, **changes: Any) -> Any:
        """A handover on offer to the receiver, with consent."""
        drafted = (await done(client.handovers.create(self.record(**changes)))).data
        await done(client.consents.create(consent_for(drafted["personId"], self.receiving)))
        return (await done(client.handovers.offer(drafted["id"]))).data
