"""An organization's administrators look after its accounts; whoever was invited joins.

What an administrator asks for is done only while they are one: of two who take each other's role away at once, the
second is refused. They cannot do it to themselves, and so an organization that had an administrator keeps one.
"""

import asyncio
import hashlib
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp

from tsunagi.db import Database, WriteTx
from tsunagi.errors import NotFound, Notice, RuleViolated, ScopeMissing, Text
from tsunagi.ids import ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PAGES, Action, Actor, Entry, Record
from tsunagi.staff import passkeys, store
from tsunagi.staff.actions import REFUSING_TAKES, Attempting, hashed_password, login_if, take_attempt, uncount
from tsunagi.staff.rules import (
    INVITATION_BYTES,
    INVITED_FOR,
    Member,
    Role,
    SignInRefused,
    check_name,
    check_password,
    code_step,
    invitation_of,
    login_of,
    may_administer,
)
from tsunagi.staff.store import Account


@dataclass(frozen=True, slots=True)
class Administering:
    """An administrator who asks for something."""

    member: Member
    at: datetime
    request_id: str

    @property
    def actor(self) -> Actor:
        return Actor(self.member.organization_id, PAGES, str(self.member.id), self.request_id)


@dataclass(frozen=True, slots=True)
class Invited:
    member: Member
    invitation: str
    """To be handed over in person; only its hash is kept."""


async def accounts(tx: WriteTx, by: Administering) -> list[Account]:
    """All of the organization's. Raises ScopeMissing unless an administrator asks."""
    found = await store.accounts(tx, by.member.organization_id, held=True)
    if not may_administer(((one.member, one.active) for one in found), by.member.id):
        raise ScopeMissing(Text("管理者だけができます", "For administrators only"))
    return found


async def invite(tx: WriteTx, by: Administering, *, login: str, name: str, role: Role) -> Invited:
    """There is an account, which whoever has the invitation can make their own. Raises ScopeMissing, RuleViolated."""
    await accounts(tx, by)
    member = Member(ordered_id(), by.member.organization_id, login_of(login), name, role)
    check_name(name)
    if not await store.add(tx, by.at, member, password_hash=None, code_secret=pyotp.random_base32()):
        raise _refused("staff_login_taken", "このログイン名は使えません", "This login cannot be used")
    await _record(tx, by, "staff:add", member)
    return await _invited(tx, by, member)


async def invite_again(tx: WriteTx, by: Administering, member_id: UUID) -> Invited:
    """Password, authenticator app and passkeys are gone, sessions are over; there is a new invitation.

    Raises ScopeMissing, NotFound, RuleViolated: of whoever is disabled the invitation would lead nowhere."""
    account = await _other(tx, by, member_id)
    if not account.active:
        raise _refused(
            "staff_disabled",
            "停止中の職員です。先に再開してください",
            "The member is disabled: enable them first",
        )
    await store.end_all(tx, member_id)
    await passkeys.remove_all(tx, member_id)
    await _record(tx, by, "staff:reset", account.member)
    return await _invited(tx, by, account.member)


async def change_role(tx: WriteTx, by: Administering, member_id: UUID, role: Role) -> None:
    """Takes effect with the member's next request. Raises ScopeMissing, NotFound, RuleViolated."""
    account = await _other(tx, by, member_id)
    if account.member.role != role:
        await store.change_role(tx, member_id, role)
        await _record(tx, by, "staff:change", account.member, change=(account.member.role, role))


async def disable(tx: WriteTx, by: Administering, member_id: UUID) -> None:
    """The member cannot sign in, and their sessions are over. Raises ScopeMissing, NotFound, RuleViolated."""
    account = await _other(tx, by, member_id)
    if account.active:
        await store.change_status(tx, member_id, "disabled")
        await store.end_all(tx, member_id)
        await _record(tx, by, "staff:change", account.member, change=("active", "disabled"))


async def enable(tx: WriteTx, by: Administering, member_id: UUID) -> None:
    """Raises ScopeMissing, NotFound, RuleViolated."""
    account = await _other(tx, by, member_id)
    if not account.active:
        await store.change_status(tx, member_id, "active")
        await _record(tx, by, "staff:change", account.member, change=("disabled", "active"))


async def joining(db: Database, login: str, invitation: str, attempting: Attempting) -> tuple[Member, str]:
    """Whom the invitation is for, and the secret that their authenticator app is to be set up with. Raises
    SignInRefused, alike for whatever was wrong."""
    async with db.platform() as tx:
        allowed = await take_attempt(tx, login_if(login), attempting)
    async with db.platform() as tx:
        account = await _invited_account(tx, login, invitation, attempting.at) if allowed else None
        if account:
            await uncount(tx, account.member.login, attempting)
    if account is None or account.code_secret is None:
        await asyncio.sleep(REFUSING_TAKES)
        raise SignInRefused
    return account.member, account.code_secret


async def join(
    db: Database, login: str, invitation: str, attempting: Attempting, *, password: str, code: str
) -> str:
    """The account is whose it is meant for; the token of their first session. Raises SignInRefused, RuleViolated when
    the password or the code cannot be taken: the invitation is then still good."""
    member, secret = await joining(db, login, invitation, attempting)
    check_password(password, member.login)
    step = code_step(secret, code, attempting.at, used=None)
    if step is None:
        raise _refused(
            "staff_code",
            "確認コードが違います。時計を確かめてください",
            "The code is another: check the clock",
        )
    hashed = await asyncio.to_thread(hashed_password, password)
    token = secrets.token_urlsafe(32)
    async with db.platform() as tx:
        if await _invited_account(tx, login, invitation, attempting.at) is None:  # another was quicker
            raise SignInRefused
        await store.join(tx, member.id, password_hash=hashed)
        await store.use_code(tx, member.id, step)
        await store.begin(tx, attempting.at, member, token)
        actor = Actor(member.organization_id, PAGES, str(member.id), attempting.request_id)
        await ledger.append(tx, Entry("staff:join", attempting.at, actor, record=Record("staff", member.id)))
    return token


async def _invited_account(tx: WriteTx, login: str, invitation: str, at: datetime) -> Account | None:
    account = await store.account(tx, login_if(login), held=True)
    if account is None or not account.active or account.invited_until is None or at >= account.invited_until:
        return None
    same = secrets.compare_digest(account.invitation_hash or b"", _hash(invitation_of(invitation)))
    return account if same else None


async def _other(tx: WriteTx, by: Administering, member_id: UUID) -> Account:
    found = next((one for one in await accounts(tx, by) if one.member.id == member_id), None)
    if found is None:
        raise NotFound
    if member_id == by.member.id:
        raise _refused(
            "staff_oneself",
            "自分自身のことは、ほかの管理者に頼んでください",
            "Ask another administrator where it is about yourself",
        )
    return found


async def _invited(tx: WriteTx, by: Administering, member: Member) -> Invited:
    text = b32encode(secrets.token_bytes(INVITATION_BYTES)).decode()
    until, secret = by.at + INVITED_FOR, pyotp.random_base32()
    await store.invite(tx, member.id, _hash(text), until=until, code_secret=secret)
    return Invited(member, "-".join(text[place : place + 4] for place in range(0, len(text), 4)))


async def _record(
    tx: WriteTx, by: Administering, action: Action, member: Member, change: tuple[str, str] | None = None
) -> None:
    await ledger.append(tx, Entry(action, by.at, by.actor, record=Record("staff", member.id), change=change))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _refused(code: str, ja: str, en: str) -> RuleViolated:
    return RuleViolated(errors=(Notice(code, "error", Text(ja, en), party="client"),))
