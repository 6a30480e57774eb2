"""Clients that hand people over, one after another, whatever happens meanwhile; and what they were answered."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from tests.world import SECTIONS, consent_for, settlement_record
from tsunagi.auth.rules import Caller, Scope
from tsunagi.auth.tokens import AccessTokens
from tsunagi.clock import civil_date
from tsunagi.ids import ClientId, OrganizationId

ATTEMPT_SECONDS = 10
"""After so long a client gives an attempt up, and asks again."""

AGAIN_SHARE = 0.15
"""Of the answered requests, how many are sent once more at once."""

NOT_NOW = {"unavailable", "idempotency_in_flight"}
"""The answers after which a client sends the same again."""


@dataclass
class Request:
    """What a client wants, and what it was answered when it was answered."""

    who: OrganizationId
    method: str
    path: str
    body: bytes | None = None
    key: str = field(default_factory=lambda: str(uuid4()))
    attempts: int = 0
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def what(self) -> str:
        last = self.path.rpartition("/")[2]
        return f"{self.method} {last if last.isalpha() else 'handover'}"


class Lost(Exception):
    """A client was told something that cannot be, after what it had been told before."""


@dataclass
class Load:
    """Some clients, over some servers; they begin new cases while the gate is open."""

    servers: Sequence[str]
    tokens: AccessTokens
    sender: OrganizationId
    receiver: OrganizationId
    chance: random.Random
    clients: int = 6
    answered: list[Request] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    """Handovers that went all the way."""
    surprises: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """How often a client had to ask again, and why."""

    def __post_init__(self) -> None:
        self.gate = asyncio.Event()
        self.people = 0
        self._idle = 0
        self._moved = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Load":
        self._http = httpx2.AsyncClient(timeout=ATTEMPT_SECONDS)
        self._tasks = [asyncio.create_task(self._client()) for _ in range(self.clients)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    async def after(self, more: int) -> None:
        """The gate is open, and so many more requests have been answered."""
        until = len(self.answered) + more
        self.gate.set()
        async with self._moved:
            await self._moved.wait_for(lambda: len(self.answered) >= until or self._broken)

    async def quiet(self) -> None:
        """The gate is closed, and each client has finished what it had begun."""
        self.gate.clear()
        async with self._moved:
            await self._moved.wait_for(lambda: self._idle == self.clients or self._broken)

    @property
    def _broken(self) -> bool:
        """A client ended, which none does."""
        for task in self._tasks:
            if task.done():
                task.result()
        return False

    async def _client(self) -> None:
        while True:
            await self._turn(+1)
            await self.gate.wait()
            await self._turn(-1)
            try:
                await self._case()
            except Lost as lost:
                self.surprises.append(str(lost))

    async def _turn(self, change: int) -> None:
        async with self._moved:
            self._idle += change
            self._moved.notify_all()

    async def _case(self) -> None:
        """One more person is handed over."""
        self.people += 1
        record = record_of(self.receiver, self.people, self.today)
        draft = await self.ask(Request(self.sender, "POST", "/v1/handovers", as_bytes(record)))
        consent = consent_of(draft["personId"], self.receiver, self.today)
        await self.ask(Request(self.sender, "POST", "/v1/consents", as_bytes(consent)))
        path = f"/v1/handovers/{draft['id']}"
        await self.ask(Request(self.sender, "POST", f"{path}/offer"))
        seen = await self.ask(Request(self.receiver, "GET", path))
        answers = {"domains": [{"domain": one["domain"], "decision": "accept"} for one in seen["domains"]]}
        done = await self.ask(Request(self.receiver, "POST", f"{path}/accept", as_bytes(answers)))
        self.accepted.append({"id": draft["id"], "personId": draft["personId"], "status": done["status"]})

    @property
    def today(self) -> date:
        return civil_date(datetime.now(UTC))

    async def ask(self, request: Request) -> dict[str, Any]:
        """The answer, however often it takes; some are asked for once more. Raises Lost."""
        while not request.status:
            request.attempts += 1
            with suppress(httpx2.HTTPError):
                response = await self.send(request)
                if response.is_success:
                    request.status, request.answer = response.status_code, response.json()
                    break
                self._look_at(request, response)
            self.refused["no answer"] += 1
            await asyncio.sleep(self.chance.uniform(0.02, 0.2))
        self.answered.append(request)
        await self._turn(0)
        if request.method == "POST" and self.chance.random() < AGAIN_SHARE:
            await self.repeat(request)
        return request.answer

    async def repeat(self, request: Request) -> None:
        """The same request gets the same answer. Raises Lost."""
        while True:
            with suppress(httpx2.HTTPError):
                response = await self.send(request)
                if response.is_success:
                    break
                self._look_at(request, response)
            await asyncio.sleep(self.chance.uniform(0.02, 0.2))
        if (response.status_code, response.json()) != (request.status, request.answer):
            raise Lost(f"{request.what} was answered {request.answer}, and then {response.json()}")

    def _look_at(self, request: Request, response: httpx2.Response) -> None:
        """Raises Lost for an answer that does not mean: ask again."""
        code = response.json().get("code", "") if "json" in response.headers.get("content-type", "") else ""
        if code not in NOT_NOW:
            raise Lost(f"{request.what} (attempt {request.attempts}): {response.status_code} {response.text}")
        self.refused[code] += 1

    async def send(self, request: Request) -> httpx2.Response:
        caller = Caller(request.who, ClientId("test-software"), frozenset(Scope))
        token = self.tokens.issue(caller, datetime.now(UTC), jkt=None)
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        if request.method == "POST":
            headers |= {"Idempotency-Key": request.key, "Content-Type": "application/json"}
        url = self.chance.choice(self.servers) + request.path
        return await self._http.request(request.method, url, content=request.body, headers=headers)


def record_of(receiver: OrganizationId, number: int, today: date) -> dict[str, Any]:
    """Of a made-up person whom no other number means, planned so that its window is open today."""
    planned = today + timedelta(days=90)
    record = settlement_record(
        receiver, plannedDate=str(planned), serviceEndsOn=str(planned - timedelta(days=1))
    )
    record["sections"]["handover_plan"].pop("overlap", None)
    kana = "".join("アイウエオカキクケコ"[int(digit)] for digit in str(number))
    record["sections"]["identity"] |= {
        "givenNameKana": kana,
        "certificate": {"municipalityCode": "13199", "number": f"{number:010}"},
    }
    return record


def consent_of(person_id: str, receiver: OrganizationId, today: date) -> dict[str, Any]:
    until = today + timedelta(days=800)
    return consent_for(
        person_id,
        receiver,
        sections=list(SECTIONS),
        givenOn=str(today),
        to=str(until),
        **{"from": str(today)},
    )


def as_bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
