"""Providers with their sealed secrets, and ways to them. Of what a browser or a provider hands back only hashes are
kept."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from tsunagi.db import ReadTx, WriteTx, fetch, metadata
from tsunagi.ids import OrganizationId
from tsunagi.openid.rules import Provider, Way, hash_of
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed

openid_providers = Table(
    "openid_providers",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("second_factor_stated", Boolean, nullable=False, comment="that it always asks for one"),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    Column("data_key", LargeBinary, nullable=False),
    Column("client_secret", Sealed, nullable=False, comment="sealed: what we show the provider"),
)

openid_ways = Table(
    "openid_ways",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column("browser_hash", LargeBinary, nullable=False, comment="SHA-256 of what the browser's cookie holds"),
    Column("nonce_hash", LargeBinary, nullable=False),
    Column(
        "organization_id",
        Uuid,
        ForeignKey("openid_providers.organization_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("purpose", Text, nullable=False),
    Column("began_at", DateTime(timezone=True), nullable=False, index=True),
    Column("back", Text, nullable=False, comment="the page where they wanted to go"),
    Column("member_id", Uuid, ForeignKey("staff_members.id"), nullable=True, index=True),
    Column("invitation_hash", LargeBinary, nullable=True),
    CheckConstraint("purpose IN ('sign_in', 'confirm', 'join', 'link')", name="purpose"),
)

_PROVIDER = "organization_id, issuer, client_id, second_factor_stated, registered_at"
_WAY = "organization_id, purpose, nonce_hash, began_at, back, member_id, invitation_hash"


async def provider(tx: ReadTx, organization_id: OrganizationId, *, held: bool = False) -> Provider | None:
    """The organization's; `held` until `tx` ends, so that it stays as it is."""
    found = await fetch(
        tx,
        f"SELECT {_PROVIDER} FROM openid_providers WHERE organization_id = $1{' FOR SHARE' if held else ''}",  # noqa: S608  only names of ours
        organization_id,
    )
    return next((Provider(*row) for row in found), None)


async def hold(tx: WriteTx, organization_id: OrganizationId) -> Provider | None:
    """The organization's, until `tx` ends nobody else's to change. Whoever holds it may take accounts afterwards, never
    before."""
    found = await fetch(
        tx,
        f"SELECT {_PROVIDER} FROM openid_providers WHERE organization_id = $1 FOR UPDATE",  # noqa: S608  only names of ours
        organization_id,
    )
    return next((Provider(*row) for row in found), None)


async def with_secret(tx: ReadTx, organization_id: OrganizationId) -> tuple[Provider, str] | None:
    """The provider, and what we show it."""
    found = await fetch(
        tx,
        f"SELECT {_PROVIDER}, data_key, client_secret FROM openid_providers WHERE organization_id = $1",  # noqa: S608  only names of ours
        organization_id,
    )
    return next(((Provider(*tuple(row)[:5]), _secret(tx, row)) for row in found), None)


def _secret(tx: ReadTx, row: Mapping[str, Any]) -> str:
    key = keys(tx).opened(row["data_key"], "openid_providers", row["organization_id"])
    return key.unseal(row["client_secret"], "openid_providers", row["organization_id"]).decode()


async def add(tx: WriteTx, new: Provider, secret: str) -> bool:
    """Whether it is there: an organization has one."""
    key = keys(tx).fresh("openid_providers", new.organization_id)
    added = await fetch(
        tx,
        f"INSERT INTO openid_providers ({_PROVIDER}, data_key, client_secret)"  # noqa: S608  only names of ours
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING organization_id",
        *(new.organization_id, new.issuer, new.client_id, new.second_factor_stated, new.registered_at),
        *(key.wrapped, key.seal(secret.encode(), "openid_providers", new.organization_id)),
    )
    return bool(added)


async def change_secret(tx: WriteTx, organization_id: OrganizationId, secret: str) -> None:
    key = keys(tx).fresh("openid_providers", organization_id)
    await fetch(
        tx,
        "UPDATE openid_providers SET data_key = $2, client_secret = $3 WHERE organization_id = $1",
        *(organization_id, key.wrapped, key.seal(secret.encode(), "openid_providers", organization_id)),
    )


async def state_second_factor(tx: WriteTx, organization_id: OrganizationId, *, stated: bool) -> None:
    await fetch(
        tx,
        "UPDATE openid_providers SET second_factor_stated = $2 WHERE organization_id = $1",
        *(organization_id, stated),
    )


async def remove(tx: WriteTx, organization_id: OrganizationId) -> None:
    """Who is on the way does not arrive any more."""
    await fetch(tx, "DELETE FROM openid_providers WHERE organization_id = $1", organization_id)


async def begin(tx: WriteTx, way: Way, *, state: str, browser: str) -> None:
    await fetch(
        tx,
        f"INSERT INTO openid_ways (state_hash, browser_hash, {_WAY})"  # noqa: S608  only names of ours
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *(hash_of(state), hash_of(browser), way.organization_id, way.purpose, way.nonce_hash, way.began_at),
        *(way.back, way.member_id, way.invitation_hash),
    )


async def end(
    tx: WriteTx, organization_id: OrganizationId, *, state: str, browser: str, since: datetime
) -> Way | None:
    """The way that this browser has begun since then, to this organization's provider: it is used up."""
    found = await fetch(
        tx,
        "DELETE FROM openid_ways WHERE state_hash = $1 AND browser_hash = $2 AND organization_id = $3"  # noqa: S608  only names of ours
        f" AND began_at > $4 RETURNING {_WAY}",
        *(hash_of(state), hash_of(browser), organization_id, since),
    )
    return next((Way(*row) for row in found), None)


async def forget(tx: WriteTx, *, before: datetime) -> None:
    await fetch(tx, "DELETE FROM openid_ways WHERE began_at < $1", before)
