"""Registering clients, changing their keys, issuing tokens, and letting callers in."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from tsunagi.auth import server, store
from tsunagi.auth.rules import (
    Assertion,
    Caller,
    Profile,
    Scope,
    SoftwareClient,
    TokenRefused,
    accept_key,
    accept_keys,
    acceptable_client_id,
)
from tsunagi.auth.tokens import Access, AccessTokens
from tsunagi.db import Database, ReadTx, WriteTx
from tsunagi.errors import NotFound, Notice, RuleViolated, Text, Unauthenticated
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import PAGES, PLATFORM, Actor, Entry, Record
from tsunagi.proofs.actions import Proofs
from tsunagi.proofs.keys import read_jwt
from tsunagi.proofs.rules import Asked, Proof, ProofRefused

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
    if new_id is None or new_id in (PLATFORM, PAGES):
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
    jwk: object,
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


async def rotate_own_key(
    tx: WriteTx,
    now: datetime,
    actor: Actor,
    *,
    organization_id: OrganizationId,
    client_id: ClientId,
    jwk: object,
    overlap: timedelta,
) -> str:
    """As `rotate_key`, for the organization's own administrator: only where the client acts for nobody else. Whoever
    holds the key of one that acts for several could act for all of them.

    Raises NotFound as well when the client does not act for the organization, RuleViolated when it acts for others too.
    """
    if await _acts_for_others(tx, client_id, organization_id):
        raise _refused(
            "client_shared",
            "ほかの機関のためにも動くソフトウェアです。鍵は提供元か運営者が替えます",
            "The software acts for others, too: its vendor or the operator changes its keys",
        )
    return await rotate_key(tx, now, actor, client_id=client_id, jwk=jwk, overlap=overlap)


async def serving(tx: ReadTx, organization_id: OrganizationId) -> list[store.Serving]:
    """The active clients that act for the organization, by name: of each what it may do for this one alone."""
    return await store.serving(tx, organization_id)


async def withdraw_client(
    tx: WriteTx, now: datetime, actor: Actor, *, organization_id: OrganizationId, client_id: ClientId
) -> None:
    """The client gets no token for the organization any more; tokens that it has end within 300 seconds. One that acts
    for nobody else is revoked, and its tokens with it. What it may do for others stays: that is theirs to say.

    Raises NotFound when no such active client acts for the organization.
    """
    if not await _acts_for_others(tx, client_id, organization_id):
        await revoke_client(tx, now, actor, client_id=client_id)
        return
    await store.serve_no_more(tx, client_id, organization_id)
    entry = Entry("clients:withdraw", now, actor, record=Record("client", client_id))
    await ledger.append(tx, entry)


async def _acts_for_others(tx: WriteTx, client_id: ClientId, organization_id: OrganizationId) -> bool:
    """Held until `tx` ends. Raises NotFound when it does not act for the organization."""
    client = await store.find_client(tx, client_id) if await store.lock_active(tx, client_id) else None
    if client is None or organization_id not in client.organizations:
        raise NotFound
    return len(client.organizations) > 1


async def issue_token(
    tx: WriteTx,
    now: datetime,
    form: server.Form,
    proof: Proof | TokenRefused | None,
    *,
    proofs: Proofs,
    tokens: AccessTokens,
    request_id: str,
) -> server.Answer:
    """The answer to a token request, for when `tx` has committed: assertion and proof are used up by then.

    1. The client that the assertion names is loaded.
    2. What comes of the request is decided in memory.
    3. The assertion is used up, if it proves anything, and the proof of possession with it. So it is when only the
       nonce was missing: otherwise whoever reads along would have an assertion that nobody has used.
    4. What was decided about a known client is on the ledger; being asked for the nonce is no decision.
    """
    unverified = read_jwt(form.get("client_assertion", ""))
    named = acceptable_client_id(unverified.claims.get("sub")) if unverified else None
    client = await store.find_client(tx, named) if named else None  # 1
    decision = server.decide(form, unverified, client, proof, issuer=tokens.issuer, now=now)  # 2
    outcome = decision.outcome
    held = None if isinstance(proof, TokenRefused) else proof
    if decision.assertion:
        outcome = await _used_up(tx, decision.assertion, held, proofs) or outcome  # 3
    if client and not (isinstance(outcome, TokenRefused) and outcome.error == "use_dpop_nonce"):
        await ledger.append(tx, _token_entry(now, client, outcome, request_id))  # 4
    if isinstance(outcome, TokenRefused):
        return server.refused(outcome)
    return server.granted(outcome, held, tokens=tokens, now=now)


async def _used_up(
    tx: WriteTx, assertion: Assertion, proof: Proof | None, proofs: Proofs
) -> TokenRefused | None:
    """What stands against the request when one of the two was used before."""
    if not await store.use_assertion(tx, assertion):
        return TokenRefused("invalid_client", "claim 'jti' was used before: make a new assertion each time")
    if proof:
        try:
            await proofs.use_within(tx, proof)
        except ProofRefused as refused:
            return proof_error(refused)
    return None


def proof_error(refused: ProofRefused) -> TokenRefused:
    """RFC 9449 sections 5 and 8: what the token endpoint says of a proof."""
    assert refused.detail is not None
    return TokenRefused(refused.error, refused.detail.en)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request to the API shows: how and which token, and what proves that it is the caller's."""

    scheme: str
    token: str = field(repr=False)
    proofs: Sequence[str] = field(repr=False)
    method: str
    url: str


@dataclass(frozen=True, slots=True)
class Admission:
    caller: Caller
    next_nonce: str | None
    """For the caller's next proofs, when they should use another."""


class Gate:
    """Lets callers in by their access token and their proof that it is theirs, unless their client has been revoked.

    Which clients are revoked is read at most once in REVOCATIONS_KEPT, so that a revocation takes effect on
    every process within that time and costs no request a query of its own.
    """

    def __init__(self, db: Database, tokens: AccessTokens, proofs: Proofs) -> None:
        self._db = db
        self._tokens = tokens
        self._proofs = proofs
        self.revocations_kept = REVOCATIONS_KEPT
        self._revoked: frozenset[ClientId] = frozenset()
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    @property
    def issuer(self) -> str:
        return self._tokens.issuer

    def new_nonce(self, now: datetime) -> str | None:
        return self._proofs.new_nonce(now)

    async def admit(self, shown: Credentials, now: datetime) -> Admission:
        """Who is calling. Call it outside of any transaction.

        1. The token is one of ours, and of a client that is not revoked.
        2. It is shown by the scheme that it is for (RFC 9449 section 7.2): one that is bound to a key is no bearer
           token, even where those are taken.
        3. The proof is by the key that the token is bound to, and for this request.
        4. The proof is used up.

        Raises Unauthenticated.
        """
        access = self._tokens.verify(shown.token, now)  # 1
        await self._check_revocation(access.caller, now)
        if (access.jkt is None) != (shown.scheme == "bearer"):  # 2
            raise _wrong_scheme(access)
        if access.jkt is None:
            return Admission(access.caller, None)
        asked = Asked(shown.method, shown.url, shown.token)
        proof = self._proofs.check(shown.proofs, asked, now, jkt=access.jkt)  # 3
        await self._proofs.use(proof)  # 4
        return Admission(access.caller, self._proofs.next_nonce(proof, now))

    async def _check_revocation(self, caller: Caller, now: datetime) -> None:
        if self._outdated(now):
            async with self._reading:
                await self._refresh(now)
        if caller.client_id in self._revoked:
            raise Unauthenticated(Text("このクライアントは失効しています", "This client has been revoked"))

    def _outdated(self, now: datetime) -> bool:
        return self._read_at is None or abs(now - self._read_at) >= self.revocations_kept

    async def _refresh(self, now: datetime) -> None:
        if self._outdated(now):  # nobody else did while this one waited
            async with self._db.platform() as tx:
                self._revoked = await store.revoked_clients(tx)
            self._read_at = now


def _wrong_scheme(access: Access) -> Unauthenticated:
    if access.jkt is None:
        return Unauthenticated(
            Text(
                "sandbox のトークンは Authorization: Bearer で送ってください",
                "Send a sandbox token as Authorization: Bearer",
            )
        )
    return Unauthenticated(
        Text(
            "このトークンは鍵に結び付いています。Authorization: DPoP と DPoP の証明で送ってください",
            "This token is bound to a key: send it as Authorization: DPoP, with a DPoP proof",
        )
    )


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
