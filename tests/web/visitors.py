"""Members of staff who look at pages, over HTTP: signed in, with the headers that a browser sends."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pyotp

from tests.world import Organization
from tsunagi.api.edge import Services
from tsunagi.app import create_app
from tsunagi.ledger.rules import PLATFORM, Actor
from tsunagi.staff.actions import Added, add_member
from tsunagi.staff.rules import Role

PASSWORD = "hashi-wo-wataru-2026"


class Visitor:
    """One browser. Forms are sent from the page's own host; redirects are not followed by themselves."""

    def __init__(self, services: Services, added: Added) -> None:
        self.services = services
        self.added = added
        transport = httpx2.ASGITransport(app=create_app(services, work=False), raise_app_exceptions=False)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")

    def code(self, *, step: int = 0) -> str:
        """What the authenticator app shows, or would show so many steps later."""
        return pyotp.TOTP(self.added.code_secret).at(datetime.now(UTC), counter_offset=step)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers=headers)

    async def post(self, path: str, data: Any = None, **more: Any) -> httpx2.Response:
        headers = {"Sec-Fetch-Site": "same-origin"} | more.pop("headers", {})
        return await self.http.post(path, data=data or {}, headers=headers, **more)

    async def sign_in(self, *, step: int = 0) -> httpx2.Response:
        return await self.post(
            "/sign-in",
            {"login": self.added.member.login, "password": PASSWORD, "code": self.code(step=step)},
        )


async def visitor(who: Organization, role: Role = "worker", *, signed_in: bool = True) -> Visitor:
    """A new member of the organization's staff."""
    services = who.services
    async with services.db.platform() as tx:
        added = await add_member(
            tx,
            datetime.now(UTC),
            Actor(None, PLATFORM, None, "test"),
            organization_id=who.id,
            login=f"{role}-{uuid4().hex[:8]}@example.jp",
            name="試験 太郎",
            role=role,
            password=PASSWORD,
        )
    found = Visitor(services, added)
    if signed_in:
        answer = await found.sign_in()
        assert answer.status_code == 303, answer.text
    return found
