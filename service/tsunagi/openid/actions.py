"""Leaving for the organization's provider, and what somebody who is back from it may do."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tsunagi.db import Database, WriteTx
from tsunagi.errors import NotFound
from tsunagi.ids import OrganizationId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PAGES, Action, Actor, Entry, Record
from tsunagi.openid import store
from tsunagi.openid.provider import Client, Providers, address
from tsunagi.openid.rules import (
    LASTS,
    Document,
    Identity,
    Provider,
    ProviderFaulty,
    Purpose,
    Way,
    WayRefused,
    check_factors,
    check_fresh,
    hash_of,
    identity,
    refusal,
)
from tsunagi.staff import store as staff
from tsunagi.staff.actions import Attempting
from tsunagi.staff.rules import FREE_FAILURES_ADDRESS, Member

_ENTERED: dict[Purpose, Action] = {
    "sign_in": "staff:sign_in",
    "confirm": "staff:sign_in",
    "join": "staff:join",
    "link": "staff:link",
}
"""What the ledger calls it to have arrived, or to have been refused."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where ways begin and end: the database, what is known of providers, and where the pages are."""

    db: Database
    providers: Providers
    base_url: str

    def redirect_uri(self, organization_id: OrganizationId) -> str:
        """One for each provider: what another one has sent does not arrive here (RFC 9700 section 4.4)."""
        return f"{self.base_url}/sign-in/with/{organization_id}/back"


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who leaves for the provider, and what for."""

    organization_id: OrganizationId
    purpose: Purpose
    back: str = "/"
    member: Member | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    url: str
    """Where the browser goes."""
    browser: str
    """What its cookie holds until it is back."""


@dataclass(frozen=True, slots=True)
class Returning:
    """What a browser has brought back: its own secret, and what the provider has put into the address."""

    organization_id: OrganizationId
    browser: str
    state: str
    code: str | None
    error: str | None
    issuer: str | None
    session_of: Member | None
    """Who is signed in in this browser."""


@dataclass(frozen=True, slots=True)
class Entrances:
    """How a member can come in."""

    password: bool
    linked: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    purpose: Purpose
    back: str
    token: str | None
    """Of the session that has begun; who only wanted a link has theirs."""


async def begin(ways: Ways, attempting: Attempting, leaving: Leaving) -> Begun:
    """A way to the provider, for this browser alone. It counts as one that failed, under the address, until somebody
    arrives. Raises NotFound, WayRefused."""
    async with ways.db.platform() as tx:
        found = await store.provider(tx, leaving.organization_id)
        if found is None:
            raise NotFound
        if not await _take(tx, attempting):
            raise WayRefused("must_wait")
    try:
        document = await ways.providers.document(found.issuer)
    except ProviderFaulty as faulty:
        raise WayRefused("provider", fault=faulty.fault) from None
    state, nonce, browser = (secrets.token_urlsafe(32) for _ in range(3))
    async with ways.db.platform() as tx:
        if await store.provider(tx, leaving.organization_id, held=True) is None:
            raise NotFound
        way = await _way(tx, leaving, attempting.at, nonce)
        await store.begin(tx, way, state=state, browser=browser)
    client = Client(found.client_id, "", ways.redirect_uri(leaving.organization_id))
    anew = leaving.purpose != "sign_in"
    return Begun(
        address(document, client, state=state, nonce=nonce, verifier=browser, login_anew=anew), browser
    )


async def _way(tx: WriteTx, leaving: Leaving, now: datetime, nonce: str) -> Way:
    """To join, it is bound to the invitation that there is now."""
    member_id = leaving.member.id if leaving.member else None
    account = await staff.account_of(tx, member_id) if member_id and leaving.purpose == "join" else None
    return Way(
        leaving.organization_id,
        leaving.purpose,
        hash_of(nonce),
        now,
        leaving.back,
        member_id,
        account.invitation_hash if account else None,
    )


async def come_back(ways: Ways, attempting: Attempting, returning: Returning) -> Arrived:
    """What they left for is done.

    1. The way was begun by this browser, to this provider, a few minutes ago at most; it is used up.
    2. The provider has let them in: the answer is its own, and gives a code.
    3. For the code the provider gives a token, which says who they are there.
    4. They are who they must be for what they left for.

    Raises WayRefused; where it is known whose account it is about, the refusal is on the ledger.
    """
    async with ways.db.platform() as tx:  # 1
        way = await store.end(
            tx,
            returning.organization_id,
            state=returning.state,
            browser=returning.browser,
            since=attempting.at - LASTS,
        )
        found = await store.with_secret(tx, returning.organization_id) if way else None
        if way is None:
            await _take(tx, attempting)
    if way is None or found is None:
        raise WayRefused("expired")
    try:
        who = await _identified(ways, attempting.at, way, *found, returning)  # 2, 3
        async with ways.db.platform() as tx:  # 4
            token = await _arrived(tx, attempting, way, who, returning)
    except WayRefused as refused:
        await _record_refusal(ways.db, attempting, way, refused)
        raise
    return Arrived(way.purpose, way.back, token)


async def _identified(
    ways: Ways, now: datetime, way: Way, provider: Provider, secret: str, returning: Returning
) -> Identity:
    """Raises WayRefused."""
    client = Client(provider.client_id, secret, ways.redirect_uri(way.organization_id))
    try:
        document = await ways.providers.document(provider.issuer)
        code = _code(document, returning)
        token = await ways.providers.token_for(document, client, code=code, verifier=returning.browser)
        claims = await ways.providers.claims(document, token)
        return identity(claims, issuer=provider.issuer, client_id=provider.client_id, way=way, now=now)
    except ProviderFaulty as faulty:
        raise WayRefused("provider", fault=faulty.fault) from None


def _code(document: Document, returning: Returning) -> str:
    """Raises WayRefused when they did not want to, or ProviderFaulty."""
    if (document.names_itself or returning.issuer is not None) and returning.issuer != document.issuer:
        raise ProviderFaulty("issuer")
    if returning.error == "access_denied":
        raise WayRefused("denied")
    if returning.error is not None:
        raise ProviderFaulty("refused")
    if not returning.code:
        raise ProviderFaulty("answer")
    return returning.code


async def _arrived(
    tx: WriteTx, attempting: Attempting, way: Way, who: Identity, returning: Returning
) -> str | None:
    """Raises WayRefused."""
    provider = await store.provider(tx, way.organization_id, held=True)
    if provider is None or provider.issuer != who.issuer:  # taken away meanwhile
        raise WayRefused("expired")
    if way.purpose in ("confirm", "link") and (
        returning.session_of is None or returning.session_of.id != way.member_id
    ):
        raise WayRefused("expired")  # somebody else has signed in meanwhile, or nobody is
    enter = _linked if way.purpose in ("join", "link") else _known
    member = await enter(tx, attempting.at, way, who, provider)
    await staff.count(tx, attempting.at, _name(attempting), 0)
    actions: Sequence[Action] = (
        ("staff:link", "staff:join") if way.purpose == "join" else (_ENTERED[way.purpose],)
    )
    for action in actions:
        await ledger.append(tx, _entry(action, attempting, member))
    if way.purpose == "link":
        return None
    token = secrets.token_urlsafe(32)
    await staff.begin(tx, attempting.at, member, token)
    return token


async def _known(tx: WriteTx, now: datetime, way: Way, who: Identity, provider: Provider) -> Member:  # noqa: ARG001  called as `_linked` is
    """Whose account it is. Raises WayRefused."""
    account = await staff.subject(tx, way.organization_id, who.issuer, who.subject)
    if account is None:
        raise WayRefused("unknown")
    try:
        if way.purpose == "confirm" and account.member.id != way.member_id:
            raise WayRefused("another")
        if not account.active:
            raise WayRefused("unknown")
        check_factors(provider, who)
        if way.purpose == "confirm":
            check_fresh(way, who)
    except WayRefused as refused:
        refused.member = account.member
        raise
    return account.member


async def _linked(tx: WriteTx, now: datetime, way: Way, who: Identity, provider: Provider) -> Member:
    """The account is theirs who left, who can come in this way from now on. Raises WayRefused."""
    account = await staff.account_of(tx, way.member_id, held=True) if way.member_id else None
    if account is None or not account.active:
        raise WayRefused("unknown")
    if way.purpose == "join":
        until, invitation = account.invited_until, account.invitation_hash
        if until is None or now >= until or invitation is None or invitation != way.invitation_hash:
            raise WayRefused("invitation")
    check_factors(provider, who)
    if not await staff.link(tx, account.member.id, who.issuer, who.subject):
        raise WayRefused("taken")
    if way.purpose == "join":
        await staff.join(tx, account.member.id, password_hash=None)
    return account.member


async def unlink(tx: WriteTx, attempting: Attempting, member: Member) -> None:
    """The member comes in by password and second factor alone. Raises NotFound, RuleViolated."""
    account = await staff.account_of(tx, member.id, held=True)
    if account is None or not account.linked:
        raise NotFound
    if account.password_hash is None:
        raise refusal(
            "only_way",
            "ほかにサインインの手段がないため、解除できません。パスワードを使うには、管理者に再招待を頼んでください",
            "There is no other way in for you. To use a password, ask an administrator to invite you anew",
        )
    await staff.unlink(tx, member.id)
    await ledger.append(tx, _entry("staff:unlink", attempting, member))


async def entrances(db: Database, member: Member) -> Entrances:
    async with db.platform() as tx:
        account = await staff.account_of(tx, member.id)
    if account is None:
        return Entrances(password=False, linked=False)
    return Entrances(password=account.password_hash is not None, linked=account.linked)


async def provider_of(db: Database, organization_id: OrganizationId) -> Provider | None:
    async with db.platform() as tx:
        return await store.provider(tx, organization_id)


async def forget_ways(tx: WriteTx, now: datetime) -> None:
    await store.forget(tx, before=now - LASTS)


async def _take(tx: WriteTx, attempting: Attempting) -> bool:
    """Whether one may try now, from that address; it is counted as one that failed. Providers are asked no more often
    than that on behalf of strangers."""
    name = _name(attempting)
    found = (await staff.attempts(tx, attempting.at, name)).at(attempting.at)
    if found.blocked(attempting.at, FREE_FAILURES_ADDRESS):
        return False
    await staff.count(tx, attempting.at, name, found.failures + 1)
    return True


def _name(attempting: Attempting) -> str:
    return f"openid {attempting.address}"


async def _record_refusal(db: Database, attempting: Attempting, way: Way, refused: WayRefused) -> None:
    async with db.platform() as tx:
        member = refused.member
        if member is None and way.member_id is not None:
            account = await staff.account_of(tx, way.member_id)
            member = account.member if account else None
        if member:
            await ledger.append(tx, _entry(_ENTERED[way.purpose], attempting, member, refused=refused.code))


def _entry(action: Action, attempting: Attempting, member: Member, *, refused: str | None = None) -> Entry:
    """Of what a member does through the provider of their organization."""
    actor = Actor(member.organization_id, PAGES, str(member.id), attempting.request_id)
    record = Record("openid_provider", member.organization_id)
    return Entry(action, attempting.at, actor, "deny" if refused else "permit", record=record, code=refused)
