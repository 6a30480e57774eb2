"""Accounts of staff, and their sessions. Of a session's token only the hash is kept."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tsunagi.db import ReadTx, WriteTx, fetch, metadata
from tsunagi.ids import OrganizationId
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed
from tsunagi.staff.rules import Attempts, Colleague, Member, Role, Session

staff_members = Table(
    "staff_members",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False, index=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    Column("password_hash", Text, nullable=True, comment="Argon2id; null: not set yet"),
    Column("data_key", LargeBinary, nullable=True),
    Column(
        "code_secret", Sealed, nullable=True, comment="sealed: the secret that codes are made from (RFC 6238)"
    ),
    Column("code_step", BigInteger, nullable=True, comment="of the code that was used last"),
    Column("added_at", DateTime(timezone=True), nullable=False),
    Column("invitation_hash", LargeBinary, nullable=True, comment="SHA-256 of what was handed over"),
    Column("invited_until", DateTime(timezone=True), nullable=True),
    Column(
        "calendar_hash",
        LargeBinary,
        nullable=True,
        unique=True,
        comment="SHA-256 of what the address of the calendar holds",
    ),
    Column(
        "openid_issuer",
        Text,
        nullable=True,
        comment="of the provider at which the member is `openid_subject`",
    ),
    Column("openid_subject", Text, nullable=True),
    UniqueConstraint("openid_issuer", "openid_subject"),
    CheckConstraint("role IN ('worker', 'administrator', 'auditor')", name="role"),
    CheckConstraint("status IN ('active', 'disabled')", name="status"),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("member_id", Uuid, ForeignKey("staff_members.id"), nullable=False, index=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False, index=True),
    Column("confirmed_at", DateTime(timezone=True), nullable=False),
)

staff_attempts = Table(
    "staff_attempts",
    metadata,
    Column("key_hash", LargeBinary, primary_key=True, comment="SHA-256 of a login or an address"),
    Column("failures", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff with what they sign in by."""

    member: Member
    active: bool
    password_hash: str | None
    code_secret: str | None
    code_step: int | None
    invitation_hash: bytes | None
    invited_until: datetime | None
    added_at: datetime
    linked: bool
    """Whether the member can come in through the organization's provider."""


_MEMBER = "m.id, m.organization_id, m.login, m.name, m.role"
_ACCOUNT = f"""
    SELECT {_MEMBER}, m.status, m.password_hash, m.data_key, m.code_secret, m.code_step, m.invitation_hash,
        m.invited_until, m.added_at, m.openid_subject IS NOT NULL AS linked
    FROM staff_members m
"""  # noqa: S608  nothing but the names of columns is put in
_HELD = " FOR NO KEY UPDATE"


def _member(row: object) -> Member:
    return Member(*tuple(row)[:5])  # type: ignore[arg-type]


async def add(
    tx: WriteTx, at: datetime, member: Member, *, password_hash: str | None, code_secret: str
) -> bool:
    """Whether the account is new: the login may be taken."""
    key = keys(tx).fresh("staff_members", member.id)
    sealed = key.seal(code_secret.encode(), "staff_members", member.id)
    added = await fetch(
        tx,
        """
        INSERT INTO staff_members
            (id, organization_id, login, name, role, password_hash, data_key, code_secret, added_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (login) DO NOTHING RETURNING id
        """,
        *(member.id, member.organization_id, member.login, member.name, member.role),
        *(password_hash, key.wrapped, sealed, at),
    )
    return bool(added)


async def account(tx: ReadTx, login: str, *, held: bool = False) -> Account | None:
    """The account of that login; `held` until `tx` ends. Whoever holds it may take its attempts afterwards, never
    before."""
    found = await fetch(tx, f"{_ACCOUNT} WHERE m.login = $1{_HELD if held else ''}", login)
    return next((_account(tx, row) for row in found), None)


async def account_of(tx: ReadTx, member_id: UUID, *, held: bool = False) -> Account | None:
    """As `account`, of a member."""
    found = await fetch(tx, f"{_ACCOUNT} WHERE m.id = $1{_HELD if held else ''}", member_id)
    return next((_account(tx, row) for row in found), None)


async def accounts(tx: ReadTx, organization_id: OrganizationId, *, held: bool = False) -> list[Account]:
    """Those of an organization, in the order in which they were added; `held` until `tx` ends."""
    in_order = f"ORDER BY m.id{_HELD if held else ''}"
    found = await fetch(tx, f"{_ACCOUNT} WHERE m.organization_id = $1 {in_order}", organization_id)
    return [_account(tx, row) for row in found]


def _account(tx: ReadTx, row: Mapping[str, Any]) -> Account:
    secret = None
    if row["code_secret"] is not None:
        key = keys(tx).opened(row["data_key"], "staff_members", row["id"])
        secret = key.unseal(row["code_secret"], "staff_members", row["id"]).decode()
    return Account(
        _member(tuple(row.values())),
        row["status"] == "active",
        row["password_hash"],
        secret,
        row["code_step"],
        row["invitation_hash"],
        row["invited_until"],
        row["added_at"],
        row["linked"],
    )


async def colleagues(tx: ReadTx, organization_id: OrganizationId) -> list[Colleague]:
    """The organization's staff, by name."""
    found = await fetch(
        tx,
        "SELECT id, name, role, status = 'active' AS active FROM staff_members WHERE organization_id = $1"
        " ORDER BY name, id",
        organization_id,
    )
    return [Colleague(**dict(row)) for row in found]


async def change_role(tx: WriteTx, member_id: UUID, role: Role) -> None:
    await fetch(tx, "UPDATE staff_members SET role = $2 WHERE id = $1", member_id, role)


async def change_status(tx: WriteTx, member_id: UUID, status: str) -> None:
    await fetch(tx, "UPDATE staff_members SET status = $2 WHERE id = $1", member_id, status)


async def invite(
    tx: WriteTx, member_id: UUID, invitation_hash: bytes, *, until: datetime, code_secret: str
) -> None:
    """The member has neither password nor second factor nor link any more, but an invitation to choose anew."""
    key = keys(tx).fresh("staff_members", member_id)
    sealed = key.seal(code_secret.encode(), "staff_members", member_id)
    await fetch(
        tx,
        "UPDATE staff_members SET password_hash = NULL, code_step = NULL, data_key = $2, code_secret = $3,"
        " invitation_hash = $4, invited_until = $5, openid_issuer = NULL, openid_subject = NULL WHERE id = $1",
        *(member_id, key.wrapped, sealed, invitation_hash, until),
    )


async def join(tx: WriteTx, member_id: UUID, *, password_hash: str | None) -> None:
    """The invitation is used up. None: the member comes in another way."""
    await fetch(
        tx,
        "UPDATE staff_members SET password_hash = $2, invitation_hash = NULL, invited_until = NULL"
        " WHERE id = $1",
        *(member_id, password_hash),
    )


async def link(tx: WriteTx, member_id: UUID, issuer: str, subject: str) -> bool:
    """Whether the member is this subject of the issuer's from now on: somebody else may be."""
    # Two who link the same subject at once would both see nobody: the second waits here.
    await fetch(tx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"openid {issuer} {subject}")
    changed = await fetch(
        tx,
        "UPDATE staff_members SET openid_issuer = $2, openid_subject = $3 WHERE id = $1 AND NOT EXISTS"
        " (SELECT FROM staff_members o WHERE o.openid_issuer = $2 AND o.openid_subject = $3 AND o.id <> $1)"
        " RETURNING id",
        *(member_id, issuer, subject),
    )
    return bool(changed)


async def unlink(tx: WriteTx, member_id: UUID) -> None:
    await fetch(
        tx, "UPDATE staff_members SET openid_issuer = NULL, openid_subject = NULL WHERE id = $1", member_id
    )


async def unlink_all(tx: WriteTx, organization_id: OrganizationId, *, but_session_of: UUID) -> None:
    """Nobody of the organization is linked any more; the sessions of those who were are over, but for one's."""
    await fetch(
        tx,
        """
        WITH linked AS (
            UPDATE staff_members SET openid_issuer = NULL, openid_subject = NULL
            WHERE organization_id = $1 AND openid_subject IS NOT NULL RETURNING id
        )
        DELETE FROM staff_sessions s USING linked WHERE s.member_id = linked.id AND linked.id <> $2
        """,
        *(organization_id, but_session_of),
    )


async def subject(tx: WriteTx, organization_id: OrganizationId, issuer: str, name: str) -> Account | None:
    """The account of the organization's that is this subject of the issuer's, held until `tx` ends."""
    found = await fetch(
        tx,
        f"{_ACCOUNT} WHERE m.openid_issuer = $2 AND m.openid_subject = $3 AND m.organization_id = $1{_HELD}",
        *(organization_id, issuer, name),
    )
    return next((_account(tx, row) for row in found), None)


async def attempts(tx: WriteTx, at: datetime, name: str) -> Attempts:
    """The attempts under a name that have failed, held until `tx` ends."""
    key = _hash(name)
    await fetch(
        tx,
        "INSERT INTO staff_attempts (key_hash, failures, last_at) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
        *(key, at),
    )
    found = await fetch(
        tx, "SELECT failures, last_at FROM staff_attempts WHERE key_hash = $1 FOR UPDATE", key
    )
    return next(Attempts(row["failures"], row["last_at"]) for row in found)


async def count(tx: WriteTx, at: datetime, name: str, failures: int) -> None:
    await fetch(
        tx,
        "UPDATE staff_attempts SET failures = $2, last_at = $3 WHERE key_hash = $1",
        _hash(name),
        failures,
        at,
    )


async def uncount(tx: WriteTx, name: str) -> None:
    """One attempt was none that failed."""
    await fetch(
        tx, "UPDATE staff_attempts SET failures = greatest(failures - 1, 0) WHERE key_hash = $1", _hash(name)
    )


async def forget_attempts(tx: WriteTx, *, before: datetime) -> None:
    await fetch(tx, "DELETE FROM staff_attempts WHERE last_at < $1", before)


async def use_code(tx: WriteTx, member_id: UUID, step: int) -> None:
    await fetch(tx, "UPDATE staff_members SET code_step = $2 WHERE id = $1", member_id, step)


async def begin(tx: WriteTx, at: datetime, member: Member, token: str) -> None:
    await fetch(
        tx,
        "INSERT INTO staff_sessions (token_hash, member_id, organization_id, began_at, seen_at, confirmed_at)"
        " VALUES ($1, $2, $3, $4, $4, $4)",
        *(_hash(token), member.id, member.organization_id, at),
    )


async def session(tx: ReadTx, token: str) -> Session | None:
    """The session of that token, of somebody who is still active."""
    found = await fetch(
        tx,
        f"SELECT {_MEMBER}, o.name, s.began_at, s.seen_at, s.confirmed_at"  # noqa: S608  only names of ours
        " FROM staff_sessions s JOIN staff_members m ON m.id = s.member_id"
        " JOIN organizations o ON o.id = m.organization_id"
        " WHERE s.token_hash = $1 AND m.status = 'active'",
        _hash(token),
    )
    return next((Session(_member(row), *tuple(row)[5:]) for row in found), None)


async def see(tx: WriteTx, at: datetime, token: str) -> None:
    await fetch(tx, "UPDATE staff_sessions SET seen_at = $2 WHERE token_hash = $1", _hash(token), at)


async def end(tx: WriteTx, token: str) -> None:
    await fetch(tx, "DELETE FROM staff_sessions WHERE token_hash = $1", _hash(token))


async def end_all(tx: WriteTx, member_id: UUID) -> None:
    await fetch(tx, "DELETE FROM staff_sessions WHERE member_id = $1", member_id)


async def forget(tx: WriteTx, *, unused_since: datetime, begun_before: datetime) -> None:
    """Sessions that are over are gone."""
    await fetch(
        tx, "DELETE FROM staff_sessions WHERE seen_at < $1 OR began_at < $2", unused_since, begun_before
    )


async def subscribe(tx: WriteTx, member_id: UUID, token: str | None) -> None:
    """The member's calendar is at that token alone; None: at none."""
    await fetch(
        tx,
        "UPDATE staff_members SET calendar_hash = $2 WHERE id = $1",
        member_id,
        _hash(token) if token else None,
    )


async def subscribed(tx: ReadTx, member_id: UUID) -> bool:
    found = await fetch(
        tx, "SELECT 1 FROM staff_members WHERE id = $1 AND calendar_hash IS NOT NULL", member_id
    )
    return bool(found)


async def subscriber(tx: WriteTx, token: str) -> Member | None:
    """The active member whose calendar is at that token, held until `tx` ends."""
    found = await fetch(
        tx,
        f"SELECT {_MEMBER} FROM staff_members m WHERE m.calendar_hash = $1 AND m.status = 'active'{_HELD}",  # noqa: S608  only names of ours
        _hash(token),
    )
    return next((_member(row) for row in found), None)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
