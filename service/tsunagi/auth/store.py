"""Software clients, their keys, the organizations they act for, and the assertions they have used."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    LargeBinary,
    Table,
    Text,
    Uuid,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import IntegrityError

from tsunagi import errors
from tsunagi.auth.rules import Assertion, ClientKey, Profile, Scope, SoftwareClient
from tsunagi.db import ReadTx, WriteTx, metadata
from tsunagi.ids import ClientId, OrganizationId

software_clients = Table(
    "software_clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    Column("profile", Text, nullable=False, server_default="fapi2"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True), nullable=True),
    CheckConstraint("status IN ('active', 'revoked')", name="status"),
    CheckConstraint("profile IN ('fapi2', 'smart', 'sandbox')", name="profile"),
    CheckConstraint("(status = 'revoked') = (revoked_at IS NOT NULL)", name="revoked_at"),
)

client_keys = Table(
    "client_keys",
    metadata,
    Column("client_id", Text, ForeignKey("software_clients.id"), primary_key=True),
    Column("kid", Text, primary_key=True),
    Column("jwk", JSONB, nullable=False, comment="the public members only"),
    Column("added_at", DateTime(timezone=True), nullable=False),
    Column("retires_at", DateTime(timezone=True), nullable=True),
    Column("revoked_at", DateTime(timezone=True), nullable=True),
)

client_organizations = Table(
    "client_organizations",
    metadata,
    Column("client_id", Text, ForeignKey("software_clients.id"), primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("scopes", ARRAY(Text), nullable=False),
)

used_assertions = Table(
    "used_assertions",
    metadata,
    Column("fingerprint", LargeBinary, primary_key=True, comment="SHA-256 of client id and jti"),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
)

FORGET_AFTER = timedelta(minutes=1)
"""An expired assertion is refused as such; machines whose clocks lag need it remembered a little longer."""


async def add_client(tx: WriteTx, now: datetime, client_id: ClientId, name: str, profile: Profile) -> None:
    """Raises RuleViolated when the id is taken."""
    added = await tx.scalar(
        insert(software_clients)
        .values(id=client_id, name=name, profile=profile, created_at=now)
        .on_conflict_do_nothing()
        .returning(software_clients.c.id)
    )
    if added is None:
        raise _refused("client_id_taken", "このクライアントIDは使われています", "This client id is taken")


async def add_keys(tx: WriteTx, now: datetime, client_id: ClientId, keys: Iterable[ClientKey]) -> None:
    """Raises RuleViolated when the client has had a key of the same kid."""
    for key in keys:
        added = await tx.scalar(
            insert(client_keys)
            .values(client_id=client_id, kid=key.kid, jwk=dict(key.jwk), added_at=now)
            .on_conflict_do_nothing()
            .returning(client_keys.c.kid)
        )
        if added is None:
            raise _refused(
                "client_key_known",
                "この kid の鍵はすでに登録されています。新しい鍵を使ってください",
                "The client has had a key of this kid: use a new one",
            )


async def serve(
    tx: WriteTx, client_id: ClientId, organizations: Mapping[OrganizationId, Collection[Scope]]
) -> None:
    """The client acts for these organizations. Raises RuleViolated when one does not exist."""
    rows = [
        {"client_id": client_id, "organization_id": organization_id, "scopes": sorted(scopes)}
        for organization_id, scopes in organizations.items()
    ]
    try:
        await tx.execute(client_organizations.insert(), rows)
    except IntegrityError as error:
        if "client_organizations_organization_id_fkey" not in str(error):
            raise
        raise _refused(
            "client_organization_unknown", "登録されていない機関です", "There is no such organization"
        ) from None


async def find_client(tx: ReadTx, client_id: ClientId) -> SoftwareClient | None:
    """The client with every key it has had and the organizations it acts for."""
    client = (
        await tx.execute(
            select(software_clients.c.status, software_clients.c.profile).where(
                software_clients.c.id == client_id
            )
        )
    ).one_or_none()
    if client is None:
        return None
    keys = await tx.execute(
        select(client_keys.c.kid, client_keys.c.jwk, client_keys.c.retires_at, client_keys.c.revoked_at)
        .where(client_keys.c.client_id == client_id)
        .order_by(client_keys.c.added_at, client_keys.c.kid)
    )
    served = await tx.execute(
        select(client_organizations.c.organization_id, client_organizations.c.scopes).where(
            client_organizations.c.client_id == client_id
        )
    )
    return SoftwareClient(
        client_id,
        active=client.status == "active",
        profile=client.profile,
        keys=tuple(ClientKey(row.kid, row.jwk, row.retires_at, row.revoked_at) for row in keys),
        organizations={
            OrganizationId(row.organization_id): frozenset(map(Scope, row.scopes)) for row in served
        },
    )


@dataclass(frozen=True, slots=True)
class Serving:
    """A client, as an organization that it acts for sees it."""

    id: ClientId
    name: str
    profile: Profile
    scopes: Sequence[str]
    shared: bool
    """Whether it acts for others, too. Nobody is told for whom."""
    keys: Sequence[ClientKey]


async def serving(tx: ReadTx, organization_id: OrganizationId) -> list[Serving]:
    """The active clients that act for the organization, by name."""
    found = await tx.execute(
        select(
            software_clients.c.id,
            software_clients.c.name,
            software_clients.c.profile,
            client_organizations.c.scopes,
        )
        .join(client_organizations, client_organizations.c.client_id == software_clients.c.id)
        .where(
            client_organizations.c.organization_id == organization_id, software_clients.c.status == "active"
        )
        .order_by(software_clients.c.name, software_clients.c.id)
    )
    listed = []
    for row in found.all():
        client = await find_client(tx, row.id)
        assert client is not None, "there is one of that id"
        shared = len(client.organizations) > 1
        listed.append(Serving(row.id, row.name, row.profile, row.scopes, shared, client.keys))
    return listed


async def serve_no_more(tx: WriteTx, client_id: ClientId, organization_id: OrganizationId) -> None:
    await tx.execute(
        delete(client_organizations).where(
            client_organizations.c.client_id == client_id,
            client_organizations.c.organization_id == organization_id,
        )
    )


async def retire_keys(tx: WriteTx, client_id: ClientId, *, retires_at: datetime) -> None:
    """The keys that the client has now end at `retires_at`, if they were not to end before."""
    await tx.execute(
        update(client_keys)
        .where(client_keys.c.client_id == client_id)
        .values(retires_at=func.least(client_keys.c.retires_at, retires_at))
    )


async def revoke_keys(tx: WriteTx, now: datetime, client_id: ClientId) -> None:
    await tx.execute(
        update(client_keys)
        .where(client_keys.c.client_id == client_id, client_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def lock_active(tx: WriteTx, client_id: ClientId) -> bool:
    """Whether there is such a client; nobody else changes it until the commit."""
    found = await tx.scalar(
        select(software_clients.c.id)
        .where(software_clients.c.id == client_id, software_clients.c.status == "active")
        .with_for_update()
    )
    return found is not None


async def revoke_client(tx: WriteTx, now: datetime, client_id: ClientId) -> None:
    await tx.execute(
        update(software_clients)
        .where(software_clients.c.id == client_id)
        .values(status="revoked", revoked_at=now)
    )
    await revoke_keys(tx, now, client_id)


async def revoked_clients(tx: ReadTx) -> frozenset[ClientId]:
    found = await tx.scalars(select(software_clients.c.id).where(software_clients.c.status == "revoked"))
    return frozenset(map(ClientId, found))


async def use_assertion(tx: WriteTx, assertion: Assertion) -> bool:
    """Whether this is the first time. Of several processes that ask at once, one is told so: the others wait
    for its commit."""
    first = await tx.scalar(
        insert(used_assertions)
        .values(fingerprint=assertion.fingerprint, expires_at=assertion.expires_at)
        .on_conflict_do_nothing()
        .returning(used_assertions.c.fingerprint)
    )
    return first is not None


async def forget_expired(tx: WriteTx, now: datetime) -> int:
    """Assertions that have long expired are no longer remembered. Returns how many."""
    result = await tx.execute(
        delete(used_assertions).where(used_assertions.c.expires_at < now - FORGET_AFTER)
    )
    return result.rowcount


def _refused(code: str, ja: str, en: str) -> errors.RuleViolated:
    notice = errors.Notice(code, "error", errors.Text(ja, en), party="client")
    return errors.RuleViolated(errors=(notice,))
