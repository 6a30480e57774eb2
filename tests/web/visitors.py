"""Members of staff who look at pages, over HTTP: signed in, with the headers that a browser sends."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import uuid4

import httpx2
import pyotp
from argon2 import PasswordHasher
from sqlalchemy import text

from tests.world import Organization, World
from tsunagi.api.edge import Services
from tsunagi.app import create_app
from tsunagi.ids import ordered_id
from tsunagi.ledger.rules import PLATFORM, Actor
from tsunagi.staff import store
from tsunagi.staff.actions import Added, add_member
from tsunagi.staff.rules import CONFIRMED, Member, Role
from tsunagi.web.site import cookie_name

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
    """A new member of the organization's staff. Who is to be signed in is so without a form: that takes a while, as
    it must, and has tests of its own."""
    services, now = who.services, datetime.now(UTC)
    login, name = f"{role}-{uuid4().hex[:8]}@example.jp", "試験 太郎"
    async with services.db.platform() as tx:
        if not signed_in:
            actor = Actor(None, PLATFORM, None, "test")
            about = {"organization_id": who.id, "login": login, "name": name, "role": role}
            return Visitor(services, await add_member(tx, now, actor, password=PASSWORD, **about))
        added = Added(Member(ordered_id(), who.id, login, name, role), pyotp.random_base32())
        await store.add(
            tx, now, added.member, password_hash=hash_of_password(), code_secret=added.code_secret
        )
        found = Visitor(services, added)
        token = uuid4().hex
        await store.begin(tx, now, added.member, token)
    found.http.cookies.set(cookie_name(services), token, domain="127.0.0.1")
    return found


async def unconfirmed(world: World) -> None:
    """All who are signed in have been so for too long to do what cannot be taken back."""
    async with world.services.db.platform() as tx:
        await tx.execute(
            text("UPDATE staff_sessions SET confirmed_at = :at"), {"at": datetime.now(UTC) - CONFIRMED}
        )


def has_to_confirm(answer: httpx2.Response) -> bool:
    """Whether a form was answered by the page that keeps what was filled in until its sender has confirmed."""
    return answer.status_code == 403 and 'href="/confirm"' in answer.text


@lru_cache
def hash_of_password() -> str:
    return PasswordHasher().hash(PASSWORD)
