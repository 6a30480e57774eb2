"""Registering clients, changing their keys, issuing tokens, and letting callers in."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from tsunagi.auth import server, store
from tsunagi.auth.rules import (
    Caller,
    Profile,
    Scope,
    SoftwareClient,
    TokenRefused,
    accept_key,
    accept_keys,
    acceptable_client_id,
    read_jwt,
)
from tsunagi.auth.tokens import AccessTokens
from tsunagi.db import Database, WriteTx
from tsunagi.errors import NotFound, Notice, RuleViolated, Text, Unauthenticated
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PLATFORM, Actor, Entry, Record

MAX_NAME_LENGTH = 200
MAX_OVERLAP = timedelta(days=30)
REVOCATIONS_KEPT = timedelta(seconds=1)


async def register_client(
    tx: WriteTx,
    now: datetime,
    actor: Actor,
    *,
    name: str,
    jwks: Mapping[str, object],
    organizations: Mapping[OrganizationId, Collection[Scope]],
    client_id: ClientId | None = None,
    profile: Profile = "fapi2",
) -> ClientId:
    """A client that holds one of the keys may act for each of the organizations, within its scopes.

    Raises RuleViolated when a key, the id or an organization cannot be accepted.
    """
    keys = accept_keys(jwks)
    new_id = acceptable_client_id(client_id or str(uuid4()))
    if new_id is None or new_id == PLATFORM:
        raise _refused(
            "client_id",
            "クライアントIDは英数字で始まる3～100文字です",
            "A client id has 3 to 100 letters or digits",
        )
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise _refused("client_name", "名前は1～200文字です", "A name has 1 to 200 characters")
    if not organizations or not all(organizations.values()):
        raise _refused(
            "client_organizations",
            "一つ以上の機関と、それぞれの権限が必要です",
            "At least one organization is needed, with at least one scope",
        )
    await store.add_client(tx, now, new_id, name, profile)
    await store.add_keys(tx, now, new_id, keys)
    await store.serve(tx, new_id, organizations)
    await ledger.append(tx, Entry("clients:register", now, actor, record=Record("client", new_id)))
    return new_id


async def rotate_key(
    tx: WriteTx,
    now: datetime,
    actor: Actor,
    *,
    client_id: ClientId,
    jwk: Mapping[str, object],
    overlap: timedelta,
) -> str:
    """The client may sign with the new key, and for `overlap` with those it had; returns the new key's id.

    Without an overlap the old keys are revoked: for a key that has leaked. Raises RuleViolated when the key
    cannot be accepted, NotFound when there is no such active client.
    """
    key = accept_key(jwk)
    if not timedelta() <= overlap <= MAX_OVERLAP:
        raise _refused("key_overlap", "重複期間は0～30日です", "The overlap is between 0 and 30 days")
    if not await store.lock_active(tx, client_id):
        raise NotFound
    if overlap:
        await store.retire_keys(tx, client_id, retires_at=now + overlap)
    else:
        await store.revoke_keys(tx, now, client_id)
    await store.add_keys(tx, now, client_id, [key])
    await ledger.append(tx, Entry("clients:rotate", now, actor, record=Record("client", client_id)))
    return key.kid


async def revoke_client(tx: WriteTx, now: datetime, actor: Actor, *, client_id: ClientId) -> None:
    """The client gets no token any more, and those that it has are refused.

    Raises NotFound when there is no such active client.
    """
    if not await store.lock_active(tx, client_id):
        raise NotFound
    await store.revoke_client(tx, now, client_id)
    change = ("active", "revoked")
    await ledger.append(
        tx, Entry("clients:revoke", now, actor, record=Record("client", client_id), change=change)
    )


async def issue_token(
    tx: WriteTx, now: datetime, form: server.Form, *, tokens: AccessTokens, request_id: str
) -> server.Answer:
    """The answer to a token request, for when `tx` has committed: the assertion is used up by then.

    1. The client that the assertion names is loaded.
    2. What comes of the request is decided in memory.
    3. The assertion is used up, if it proves anything.
    4. What was decided about a known client is on the ledger.
    """
    unverified = read_jwt(form.get("client_assertion", ""))
    named = acceptable_client_id(unverified.claims.get("sub")) if unverified else None
    client = await store.find_client(tx, named) if named else None  # 1
    decision = server.decide(form, unverified, client, issuer=tokens.issuer, now=now)  # 2
    outcome = decision.outcome
    if decision.assertion and not await store.use_assertion(tx, decision.assertion):  # 3
        outcome = TokenRefused(
            "invalid_client", "claim 'jti' was used before: make a new assertion each time"
        )
    if client:
        await ledger.append(tx, _token_entry(now, client, outcome, request_id))  # 4
    if isinstance(outcome, TokenRefused):
        return server.refused(outcome)
    return server.granted(outcome, tokens=tokens, now=now)


class Gate:
    """Lets callers in by their access token, unless their client has been revoked.

    Which clients are revoked is read at most once in REVOCATIONS_KEPT, so that a revocation takes effect on
    every process within that time and costs no request a query of its own.
    """

    def __init__(self, db: Database, tokens: AccessTokens) -> None:
        self._db = db
        self._tokens = tokens
        self._revoked: frozenset[ClientId] = frozenset()
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def caller(self, token: str, now: datetime) -> Caller:
        """Who is calling. Call it outside of any transaction. Raises Unauthenticated."""
        caller = self._tokens.verify(token, now)
        if self._outdated(now):
            async with self._reading:
                await self._refresh(now)
        if caller.client_id in self._revoked:
            raise Unauthenticated(Text("このクライアントは失効しています", "This client has been revoked"))
        return caller

    def _outdated(self, now: datetime) -> bool:
        return self._read_at is None or abs(now - self._read_at) >= REVOCATIONS_KEPT

    async def _refresh(self, now: datetime) -> None:
        if self._outdated(now):  # nobody else did while this one waited
            async with self._db.read() as tx:
                self._revoked = await store.revoked_clients(tx)
            self._read_at = now


def _token_entry(
    now: datetime, client: SoftwareClient, outcome: Caller | TokenRefused, request_id: str
) -> Entry:
    record = Record("client", client.id)
    if isinstance(outcome, TokenRefused):
        actor = Actor(None, client.id, None, request_id)
        return Entry("tokens:issue", now, actor, "deny", record=record, code=outcome.error)
    return Entry("tokens:issue", now, outcome.actor(request_id), record=record)


def _refused(code: str, ja: str, en: str) -> RuleViolated:
    return RuleViolated(errors=(Notice(code, "error", Text(ja, en), party="client"),))
