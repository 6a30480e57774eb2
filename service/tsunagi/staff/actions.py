"""Adding members of staff, signing them in and out, and knowing them again by their sessions."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from tsunagi.clock import JAPAN
from tsunagi.db import Database, WriteTx
from tsunagi.errors import NotFound, Notice, RuleViolated, Text
from tsunagi.ids import OrganizationId, ordered_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PAGES, Action, Actor, Entry, Record
from tsunagi.staff import passkeys, store
from tsunagi.staff.passkeys import Site
from tsunagi.staff.rules import (
    FAILURES_KEPT,
    FREE_FAILURES_ADDRESS,
    FREE_FAILURES_LOGIN,
    IDLE,
    LONGEST,
    Colleague,
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

REFUSING_TAKES = 0.5
"""Seconds, at least: longer than everything that depends on whether there is such an account."""

MUST_WAIT = "sign_in_must_wait"
"""What the ledger says of an attempt that came too early. Whoever tries is not told."""

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


@dataclass(frozen=True, slots=True)
class Code:
    """What an authenticator app shows."""

    digits: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a passkey says, as the browser tells it."""

    site: Site
    said: str


@dataclass(frozen=True, slots=True)
class Attempting:
    """An attempt to get in, and from which address."""

    at: datetime
    address: str
    request_id: str


async def sign_in(
    db: Database, attempting: Attempting, *, login: str, password: str, factor: Code | Assertion
) -> tuple[Member, str]:
    """The member, and the token of a new session.

    1. The attempt counts as one that failed, under login and address, before anything is looked at: so do many at
       once.
    2. The password is compared, with nobody's where there is no account.
    3. Who has it and the second factor, and need not wait, is in: the attempt was none that failed.

    Raises SignInRefused, alike and after the same time for whatever stood against it; that somebody was refused is on
    the ledger.
    """
    began = asyncio.get_running_loop().time()
    name, now = login_if(login), attempting.at
    async with db.platform() as tx:
        allowed = await take_attempt(tx, name, attempting)  # 1
        account = await store.account(tx, name)
    hashed = account.password_hash if account and account.password_hash else _NOBODYS
    right = await asyncio.to_thread(_same, hashed, password)  # 2
    token, member = secrets.token_urlsafe(32), None
    async with db.platform() as tx:
        if allowed and right and account:
            member = await _entered(tx, now, name, hashed, factor, token)
        if member:
            await uncount(tx, name, attempting)  # 3
        if account:
            refused = None if member else SignInRefused.code if allowed else MUST_WAIT
            await ledger.append(
                tx, _entry("staff:sign_in", now, account.member, attempting.request_id, refused=refused)
            )
    if member is None:
        await asyncio.sleep(began + REFUSING_TAKES - asyncio.get_running_loop().time())
        raise SignInRefused
    return member, token


def login_if(text: str) -> str:
    """The login, or one that nobody has."""
    try:
        return login_of(text)
    except RuleViolated:
        return ""


async def _entered(
    tx: WriteTx, now: datetime, login: str, password_hash: str, factor: Code | Assertion, token: str
) -> Member | None:
    """The member, whose session has begun, if the second factor is theirs and nothing has changed meanwhile."""
    held = await store.account(tx, login, held=True)
    if held is None or not held.active or held.password_hash != password_hash:
        return None
    if not await _second(tx, now, held, factor):
        return None
    await store.begin(tx, now, held.member, token)
    return held.member


async def _second(tx: WriteTx, now: datetime, held: store.Account, factor: Code | Assertion) -> bool:
    """Whether the second factor is the account's. It is used up."""
    if isinstance(factor, Assertion):
        return await passkeys.proven(tx, now, factor.site, held.member.id, factor.said)
    secret = held.code_secret
    step = None if secret is None else code_step(secret, factor.digits, now, used=held.code_step)
    if step is not None:
        await store.use_code(tx, held.member.id, step)
    return step is not None


async def take_attempt(tx: WriteTx, login: str, attempting: Attempting) -> bool:
    """Whether one may try now, and need not wait. An attempt that may is counted as one that failed."""
    now = attempting.at
    login_name, address_name = _names(login, attempting)
    limits = {login_name: FREE_FAILURES_LOGIN, address_name: FREE_FAILURES_ADDRESS}
    found = {name: (await store.attempts(tx, now, name)).at(now) for name in limits}
    if any(found[name].blocked(now, free) for name, free in limits.items()):
        return False
    for name, one in found.items():
        await store.count(tx, now, name, one.failures + 1)
    return True


async def uncount(tx: WriteTx, login: str, attempting: Attempting) -> None:
    """An attempt that was counted has not failed: of the login none has any more."""
    login_name, address_name = _names(login, attempting)
    await store.count(tx, attempting.at, login_name, 0)
    await store.uncount(tx, address_name)


def _names(login: str, attempting: Attempting) -> tuple[str, str]:
    """Under which attempts are counted; always in this order, so that nobody waits crosswise."""
    return f"login {login}", f"address {attempting.address}"


def hashed_password(password: str) -> str:
    return _hasher.hash(password)


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
        await ledger.append(tx, _entry("staff:sign_out", now, session.member, request_id))


async def subscribe(db: Database, member: Member) -> str:
    """What the address of the member's calendar holds from now on: an earlier one leads nowhere."""
    token = secrets.token_urlsafe(32)
    async with db.platform() as tx:
        await store.subscribe(tx, member.id, token)
    return token


async def unsubscribe(db: Database, member: Member) -> None:
    async with db.platform() as tx:
        await store.subscribe(tx, member.id, None)


async def subscribed(db: Database, member: Member) -> bool:
    async with db.platform() as tx:
        return await store.subscribed(tx, member.id)


async def subscriber(db: Database, now: datetime, token: str, request_id: str) -> Member | None:
    """Whose calendar is at that token. That it is read is on the ledger once a day: programs ask for it every few
    minutes, and what they see does not change who knows what."""
    async with db.platform() as tx:
        member = await store.subscriber(tx, token)
        today = now.astimezone(JAPAN).replace(hour=0, minute=0, second=0, microsecond=0)
        if member and not await ledger.noted(tx, "calendars:read", member.id, since=today):
            await ledger.append(tx, _entry("calendars:read", now, member, request_id))
    return member


async def colleagues(db: Database, member: Member) -> list[Colleague]:
    """The staff of the member's own organization, by name; those who were disabled, too."""
    async with db.platform() as tx:
        return await store.colleagues(tx, member.organization_id)


async def add_passkey(
    tx: WriteTx, now: datetime, member: Member, site: Site, request_id: str, *, name: str, made: str
) -> None:
    """Raises RuleViolated."""
    await passkeys.register(tx, now, site, member, name=name, made=made)
    await ledger.append(tx, _entry("staff:add_passkey", now, member, request_id))


async def remove_passkey(
    tx: WriteTx, now: datetime, member: Member, credential_id: bytes, request_id: str
) -> None:
    """Raises NotFound."""
    if not await passkeys.remove(tx, member.id, credential_id):
        raise NotFound
    await ledger.append(tx, _entry("staff:remove_passkey", now, member, request_id))


async def forget_sessions(tx: WriteTx, now: datetime) -> None:
    """Nor are attempts and challenges remembered that no longer count."""
    await store.forget(tx, unused_since=now - IDLE, begun_before=now - LONGEST)
    await store.forget_attempts(tx, before=now - FAILURES_KEPT)
    await passkeys.forget_challenges(tx, now)


def _entry(
    action: Action, now: datetime, member: Member, request_id: str, *, refused: str | None = None
) -> Entry:
    actor = Actor(member.organization_id, PAGES, str(member.id), request_id)
    record = Record("staff", member.id)
    return Entry(action, now, actor, "deny" if refused else "permit", record=record, code=refused)
