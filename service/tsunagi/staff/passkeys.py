"""Passkeys (WebAuthn level 3) as a second factor, beside or instead of codes.

They are discoverable, so that a sign-in page need not name the keys of an account: it would tell whether there is one.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, LargeBinary, Table, Text, Uuid
from webauthn.helpers import base64url_to_bytes, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tsunagi import errors
from tsunagi.db import ReadTx, WriteTx, fetch, metadata
from tsunagi.staff.rules import Member, check_name

ANSWERED_WITHIN = timedelta(minutes=5)
MOST = 10
"""Passkeys of one member."""

staff_passkeys = Table(
    "staff_passkeys",
    metadata,
    Column("credential_id", LargeBinary, primary_key=True),
    Column("member_id", Uuid, ForeignKey("staff_members.id"), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False, comment="COSE"),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", Text, nullable=False, comment="what its owner calls it"),
    Column("added_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True), nullable=True),
)

staff_challenges = Table(
    "staff_challenges",
    metadata,
    Column("challenge_hash", LargeBinary, primary_key=True),
    Column("member_id", Uuid, ForeignKey("staff_members.id"), nullable=True),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Site:
    """What passkeys are bound to: a host, and the pages under one origin."""

    id: str
    origin: str

    @classmethod
    def of(cls, base_url: str) -> "Site":
        parts = urlsplit(base_url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


@dataclass(frozen=True, slots=True)
class Passkey:
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str
    added_at: datetime
    used_at: datetime | None


async def passkeys(tx: ReadTx, member_id: UUID) -> Sequence[Passkey]:
    found = await fetch(
        tx,
        "SELECT credential_id, public_key, sign_count, name, added_at, used_at FROM staff_passkeys"
        " WHERE member_id = $1 ORDER BY added_at, credential_id",
        member_id,
    )
    return [Passkey(*row) for row in found]


async def registration(tx: WriteTx, now: datetime, site: Site, member: Member) -> str:
    """What the browser makes a passkey by, as JSON."""
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name="Tsunagi",
        user_id=member.id.bytes,
        user_name=member.login,
        user_display_name=member.name,
        authenticator_selection=AuthenticatorSelectionCriteria(resident_key=ResidentKeyRequirement.REQUIRED),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(one.credential_id) for one in await passkeys(tx, member.id)
        ],
    )
    await _expect(tx, now, options.challenge, member.id)
    return webauthn.options_to_json(options)


async def register(tx: WriteTx, now: datetime, site: Site, member: Member, *, name: str, made: str) -> None:
    """The member can use what the browser made. Raises RuleViolated."""
    check_name(name)
    if len(await passkeys(tx, member.id)) >= MOST:
        raise _refused(f"パスキーは{MOST}個までです", f"At most {MOST} passkeys")
    try:
        challenge = await _answered(tx, now, made, member.id)
        verified = webauthn.verify_registration_response(
            credential=made, expected_challenge=challenge, expected_rp_id=site.id, expected_origin=site.origin
        )
    except _UNUSABLE:
        raise _refused("パスキーを登録できませんでした", "The passkey could not be registered") from None
    added = await fetch(
        tx,
        "INSERT INTO staff_passkeys (credential_id, member_id, public_key, sign_count, name, added_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING name",
        *(verified.credential_id, member.id, verified.credential_public_key, verified.sign_count, name, now),
    )
    if not added:
        raise _refused("登録済みのパスキーです", "The passkey is registered already")


async def remove(tx: WriteTx, member_id: UUID, credential_id: bytes) -> bool:
    """Whether there was such a passkey."""
    gone = "DELETE FROM staff_passkeys WHERE member_id = $1 AND credential_id = $2 RETURNING name"
    return bool(await fetch(tx, gone, member_id, credential_id))


async def remove_all(tx: WriteTx, member_id: UUID) -> None:
    await fetch(tx, "DELETE FROM staff_passkeys WHERE member_id = $1", member_id)


async def asking(tx: WriteTx, now: datetime, site: Site) -> str:
    """What the browser asks a passkey of whoever signs in by, as JSON: the same for everybody."""
    options = webauthn.generate_authentication_options(
        rp_id=site.id, user_verification=UserVerificationRequirement.PREFERRED
    )
    await _expect(tx, now, options.challenge, None)
    return webauthn.options_to_json(options)


async def proven(tx: WriteTx, now: datetime, site: Site, member_id: UUID, said: str) -> bool:
    """Whether a passkey of the member's has answered a challenge of ours, which is used up."""
    try:
        challenge = await _answered(tx, now, said, None)
        credential_id = base64url_to_bytes(json.loads(said)["rawId"])
        known = {one.credential_id: one for one in await passkeys(tx, member_id)}
        verified = webauthn.verify_authentication_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=known[credential_id].public_key,
            credential_current_sign_count=known[credential_id].sign_count,
        )
    except _UNUSABLE:
        return False
    used = "UPDATE staff_passkeys SET sign_count = $2, used_at = $3 WHERE credential_id = $1"
    await fetch(tx, used, credential_id, verified.new_sign_count, now)
    return True


async def forget_challenges(tx: WriteTx, now: datetime) -> None:
    await fetch(tx, "DELETE FROM staff_challenges WHERE expires_at <= $1", now)


_UNUSABLE = (WebAuthnException, ValueError, KeyError, TypeError)
"""What is raised for what a browser, or somebody else, made up."""


async def _expect(tx: WriteTx, now: datetime, challenge: bytes, member_id: UUID | None) -> None:
    await fetch(
        tx,
        "INSERT INTO staff_challenges (challenge_hash, member_id, expires_at) VALUES ($1, $2, $3)",
        *(hashlib.sha256(challenge).digest(), member_id, now + ANSWERED_WITHIN),
    )


async def _answered(tx: WriteTx, now: datetime, said: str, member_id: UUID | None) -> bytes:
    """The challenge that was answered; it was ours, for this member or for whoever signs in, and is used up. Raises
    ValueError when there is none, and whatever else is in _UNUSABLE."""
    client_data = base64url_to_bytes(json.loads(said)["response"]["clientDataJSON"])
    challenge = parse_client_data_json(client_data).challenge
    found = await fetch(
        tx,
        "DELETE FROM staff_challenges WHERE challenge_hash = $1 AND member_id IS NOT DISTINCT FROM $2"
        " AND expires_at > $3 RETURNING expires_at",
        *(hashlib.sha256(challenge).digest(), member_id, now),
    )
    if not found:
        raise ValueError("no challenge of ours")
    return challenge


def _refused(ja: str, en: str) -> errors.RuleViolated:
    notice = errors.Notice("staff_passkey", "error", errors.Text(ja, en), party="client")
    return errors.RuleViolated(errors=(notice,))
