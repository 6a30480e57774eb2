"""The cast and the cases: what is asked of the service, in this process, so that there is something to measure."""

import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey

from tsunagi.app import create_app, create_services
from tsunagi.auth.actions import register_client
from tsunagi.auth.rules import Caller, Scope
from tsunagi.auth.tokens import AccessTokens
from tsunagi.clock import Clock, civil_date
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.ledger.rules import PLATFORM, Actor
from tsunagi.proofs.nonces import kept_nonces
from tsunagi.sealing.keys import Keyring, kept_keys
from tsunagi.settings import Settings
from tsunagi.synthetic.cases import case
from tsunagi.synthetic.consents import consent
from tsunagi.synthetic.organizations import HOME

CLIENT = ClientId("bench-software")
RECORD_BYTES = 8192
"""The size of the record that is posted again and again: what the floors were measured with elsewhere."""

LEFT_OUT = ("family", "medical", "support_history")

LEAD = timedelta(days=100)
"""From writing a record to the planned date: the window is open, the answer is not yet overdue."""

CENTERS = 16


@dataclass(frozen=True)
class Cast:
    sender: OrganizationId
    center: OrganizationId
    """The large one."""

    others: Sequence[OrganizationId]
    """Centers that are as large as the first, all together."""

    receiving: OrganizationId
    """The center that gets what is newly offered: the others have read what they have, and export it again."""

    @property
    def organizations(self) -> list[OrganizationId]:
        return [self.sender, self.center, *self.others, self.receiving]


@dataclass
class Play:
    """The service without a server, a clock that can be moved, and a software client that acts for everybody."""

    http: httpx2.AsyncClient
    clock: Clock
    tokens: AccessTokens
    cast: Cast
    ring: Keyring

    @property
    def today(self) -> date:
        return civil_date(self.clock.now())

    async def call(self, who: OrganizationId, method: str, path: str, body: Any = None) -> Any:
        """The answer. Raises RuntimeError when it is a refusal."""
        headers = bearer(self.tokens, who)
        if method == "POST":
            headers |= {"Idempotency-Key": str(uuid4())}
        if body is not None:
            headers |= {"Content-Type": "application/json"}
        content = None if body is None else body if isinstance(body, bytes) else as_bytes(body)
        answer = await self.http.request(method, path, content=content, headers=headers)
        if answer.status_code >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:2000]}")
        return json.loads(answer.text) if "ndjson" not in answer.headers["content-type"] else answer.text

    @property
    def usual(self) -> dict[str, Any]:
        """The record that is posted again and again."""
        return usual_record(self.cast.receiving, self.today)

    async def person_of(self, handover_id: str) -> str:
        found = await self.call(self.cast.sender, "GET", f"/v1/handovers/{handover_id}")
        return str(found["personId"])

    def record(self, number: int, *, planned: date | None = None) -> dict[str, Any]:
        return record(number, self.cast.center, planned or self.today + LEAD, self.today)

    async def ready(self, of: dict[str, Any]) -> str:
        """The record's person is registered, and has consented that its receiver gets all of it."""
        identity = {"identity": of["sections"]["identity"]}
        person_id: str = (await self.call(self.cast.sender, "POST", "/v1/people", identity))["personId"]
        await self.consented(of, person_id)
        return person_id

    async def consented(self, of: dict[str, Any], person_id: str) -> str:
        given = consent(of, person_id, [UUID(of["receiverId"])], given_on=self.today)
        return str((await self.call(self.cast.sender, "POST", "/v1/consents", given))["id"])

    async def draft(self, of: dict[str, Any], person_id: str) -> str:
        made = await self.call(self.cast.sender, "POST", "/v1/handovers", of | {"personId": person_id})
        return str(made["id"])

    async def offered(self, of: dict[str, Any]) -> str:
        handover_id = await self.drafted(of)
        await self.step(self.cast.sender, handover_id, "offer")
        return handover_id

    async def received(self, of: dict[str, Any]) -> str:
        handover_id = await self.offered(of)
        await self.call(self.cast.center, "GET", f"/v1/handovers/{handover_id}")
        return handover_id

    async def assigned(self, of: dict[str, Any]) -> str:
        """Received, somebody at the center is in charge of it, and has visited the employer with the sender."""
        handover_id = await self.received(of)
        body = {"assignee": "S-1"}
        await self.call(self.cast.center, "PUT", f"/v1/handovers/{handover_id}/assignee", body)
        await self.visited(handover_id)
        return handover_id

    async def visited(self, handover_id: str) -> None:
        visit = {"visitedOn": f"{civil_date(datetime.now(UTC))}", "companions": ["支援員"], "content": "紹介"}
        body = {"kind": "joint_visit", "jointVisit": visit}
        await self.call(self.cast.center, "POST", f"/v1/handovers/{handover_id}/activities", body)

    async def accepted(self, of: dict[str, Any]) -> str:
        handover_id = await self.received(of)
        answers = [{"domain": one["domain"], "decision": "accept"} for one in of["domains"]]
        await self.step(self.cast.center, handover_id, "accept", {"domains": answers})
        return handover_id

    async def withdrawn_consent(self, of: dict[str, Any]) -> str:
        """A handover that was taken over, one of whose consents was withdrawn since."""
        handover_id = await self.accepted(of)
        consent_id = await self.consented(of, await self.person_of(handover_id))
        withdrawal = {"withdrawnBy": {"kind": "person"}}
        await self.call(self.cast.sender, "POST", f"/v1/consents/{consent_id}/withdraw", withdrawal)
        return handover_id

    async def drafted(self, of: dict[str, Any]) -> str:
        return await self.draft(of, await self.ready(of))

    async def ended(self, of: dict[str, Any], who: OrganizationId, action: str, code: str) -> str:
        """A received handover that one side has declined or withdrawn."""
        handover_id = await self.received(of)
        await self.step(who, handover_id, action, {"reason": {"code": code}})
        return handover_id

    async def looked_at(self, of: dict[str, Any]) -> str:
        """A handover that was taken over, and read and asked about by both sides."""
        handover_id = await self.accepted(of)
        person_id = await self.person_of(handover_id)
        for who in (self.cast.sender, self.cast.center):
            await self.call(who, "GET", f"/v1/handovers/{handover_id}")
            await self.call(who, "GET", f"/v1/people/{person_id}/responsibility")
        return handover_id

    async def step(self, who: OrganizationId, handover_id: str, action: str, body: Any = None) -> None:
        await self.call(who, "POST", f"/v1/handovers/{handover_id}/{action}", body)


@asynccontextmanager
async def play(settings: Settings, db: Database) -> AsyncIterator[Play]:
    """A play whose cast is in the directory. Nobody asks, once in a second, who was revoked: a request is to send the
    same statements each time."""
    clock = Clock()
    services = create_services(settings, db, clock, Contract(settings.contract_dir))
    services.gate.revocations_kept = timedelta.max
    transport = httpx2.ASGITransport(app=create_app(services, work=False))
    async with httpx2.AsyncClient(transport=transport, base_url=settings.base_url, timeout=None) as http:
        yield Play(http, clock, services.tokens, await _cast(db), kept_keys(settings))


async def _cast(db: Database) -> Cast:
    now = datetime.now(UTC)
    async with db.platform() as tx:
        await directory.add_area(tx, HOME)
        sender, *centers = [
            await directory.add_organization(tx, one, at=now)
            for one in (
                OrganizationProfile(kind="settlement", name="就労定着支援事業所(架空)", serves=(HOME.code,)),
                *(
                    OrganizationProfile(kind="center", name=f"第{n}センター(架空)", serves=(HOME.code,))
                    for n in range(2 + CENTERS)
                ),
            )
        ]
        await register_client(
            tx,
            now,
            Actor(None, PLATFORM, None, "bench"),
            name="bench",
            jwks={"keys": [ECKey.generate_key("P-256").as_dict(private=False)]},
            organizations={one: frozenset(Scope) for one in (sender, *centers)},
            client_id=CLIENT,
            profile="sandbox",
        )
    return Cast(sender, centers[0], centers[1:-1], centers[-1])


def bearer(tokens: AccessTokens, who: OrganizationId) -> dict[str, str]:
    """A fresh token of the sandbox, good for five minutes."""
    return {"Authorization": f"Bearer {_token(tokens, who, None)}"}


def proven(tokens: AccessTokens, who: OrganizationId) -> Callable[[str, str], dict[str, str]]:
    """A fresh token bound to a key, with a new proof of that key (RFC 9449) for each method and URL."""
    key = ECKey.generate_key("P-256")
    token = _token(tokens, who, key.thumbprint())
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    nonces = kept_nonces(tokens.keys.directory)
    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")

    def headers(method: str, url: str) -> dict[str, str]:
        claims = {"jti": str(uuid4()), "htm": method, "htu": url, "iat": int(time.time()), "ath": ath}
        claims["nonce"] = nonces.make(datetime.now(UTC))
        return {"Authorization": f"DPoP {token}", "DPoP": jwt.encode(header, claims, key)}

    return headers


def _token(tokens: AccessTokens, who: OrganizationId, jkt: str | None) -> str:
    return tokens.issue(Caller(who, CLIENT, frozenset(Scope)), datetime.now(UTC), jkt=jkt)


def record(number: int, receiver: OrganizationId, planned: date, written: date) -> dict[str, Any]:
    return case(
        number,
        handover_type="settlement_to_center",
        planned_date=planned,
        receiver_id=receiver,
        written_on=written,
    )


@cache
def usual_record(receiver: OrganizationId, written: date) -> dict[str, Any]:
    """A record of as nearly RECORD_BYTES as any of fifty is without some of its sections."""
    records = [record(number, receiver, written + LEAD, written) for number in range(50)]
    for one in records:
        for name in LEFT_OUT:
            one["sections"].pop(name, None)
    return min(records, key=lambda one: abs(len(as_bytes(one)) - RECORD_BYTES))


def as_bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
