"""Adding members of staff, signing them in and out, and knowing them again by their sessions."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from tsunagi.db import Database, WriteTx
from tsunagi.errors import Notice, RuleViolated, Text
from tsunagi.ids import OrganizationId, ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PAGES, Action, Actor, Entry, Record
from tsunagi.staff import store
from tsunagi.staff.rules import (
    IDLE,
    LONGEST,
    Member,
    Role,
    Session,
    SignInRefused,
    check_name,
    check_password,
    code_step,
    login_of,
)

SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a session was last used."""

_hasher = PasswordHasher()
_NOBODYS = _hasher.hash(secrets.token_urlsafe())
"""What a password is compared with where there is no account: whoever tries cannot tell by the time it takes."""


@dataclass(frozen=True, slots=True)
class Added:
    member: Member
    code_secret: str
    """What the member's authenticator app is set up with."""


async def add_member(
    tx: WriteTx,
    now: datetime,
    actor: Actor,
    *,
    organization_id: OrganizationId,
    login: str,
    name: str,
    role: Role,
    password: str,
) -> Added:
    """The member can sign in with the password and codes made from the secret. Raises RuleViolated."""
    member = Member(ordered_id(), organization_id, login_of(login), name, role)
    check_name(name)
    check_password(password, member.login)
    hashed = await asyncio.to_thread(_hasher.hash, password)
    secret = pyotp.random_base32()
    if not await store.add(tx, now, member, password_hash=hashed, code_secret=secret):
        taken = Text("このログイン名は使えません", "This login cannot be used")
        raise RuleViolated(errors=(Notice("staff_login_taken", "error", taken, party="client"),))
    await ledger.append(tx, Entry("staff:add", now, actor, record=Record("staff", member.id)))
    return Added(member, secret)


async def sign_in(
    db: Database, now: datetime, *, login: str, password: str, code: str, request_id: str
) -> tuple[Member, str]:
    """The member, and the token of a new session. Takes the same time whether or not there is such an account.

    Raises SignInRefused, alike for whatever was wrong; that somebody was refused is on the ledger.
    """
    try:
        name = login_of(login)
    except RuleViolated:
        name = ""
    async with db.platform() as tx:
        account = await store.account(tx, name)
    hashed = account.password_hash if account and account.password_hash else _NOBODYS
    right = await asyncio.to_thread(_same, hashed, password)
    token = secrets.token_urlsafe(32)
    async with db.platform() as tx:
        held = await store.account(tx, name) if account and right else None
        step = None
        if held and held.active and held.code_secret and held.password_hash == hashed:
            step = code_step(held.code_secret, code, now, used=held.code_step)
        if held and step is not None:
            await store.use_code(tx, held.member.id, step)
            await store.begin(tx, now, held.member, token)
        who = held if step is not None else account
        if who:
            await ledger.append(
                tx, _entry("staff:sign-in", now, who.member, request_id, refused=step is None)
            )
    if held is None or step is None:
        raise SignInRefused
    return held.member, token


def _same(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except VerificationError:
        return False


async def known(db: Database, now: datetime, token: str) -> Session | None:
    """Whose session that is, unless it is over."""
    async with db.platform() as tx:
        session = await store.session(tx, token)
        if session is None or session.over(now):
            return None
        if now - session.seen_at >= SEEN_EVERY:
            await store.see(tx, now, token)
    return session


async def sign_out(db: Database, now: datetime, session: Session, token: str, request_id: str) -> None:
    async with db.platform() as tx:
        await store.end(tx, token)
        await ledger.append(tx, _entry("staff:sign-out", now, session.member, request_id))


async def forget_sessions(tx: WriteTx, now: datetime) -> None:
    await store.forget(tx, unused_since=now - IDLE, begun_before=now - LONGEST)


def _entry(action: Action, now: datetime, member: Member, request_id: str, *, refused: bool = False) -> Entry:
    actor = Actor(member.organization_id, PAGES, str(member.id), request_id)
    record = Record("staff", member.id)
    if refused:
        return Entry(action, now, actor, "deny", record=record, code=SignInRefused.code)
    return Entry(action, now, actor, record=record)
