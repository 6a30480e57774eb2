"""Proofs that were used. Both tables are unlogged: no request waits for a disk on their account.

What a crash forgets it forgets whole: it empties unlogged tables, and `proof_epoch` with them (so does promoting a
standby, which never had them). Without an epoch no proof passes, and with the new one only those that were made
after it began: a proof that the crash forgot was made before.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, LargeBinary, Table, delete, true

from tsunagi.db import WriteTx, fetch, metadata
from tsunagi.proofs.rules import Proof

used_proofs = Table(
    "used_proofs",
    metadata,
    Column("fingerprint", LargeBinary, primary_key=True, comment="SHA-256 of key thumbprint and jti"),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    prefixes=["UNLOGGED"],
)

proof_epoch = Table(
    "proof_epoch",
    metadata,
    Column("only", Boolean, primary_key=True, server_default=true(), comment="one row, or none"),
    Column("began_at", DateTime(timezone=True), nullable=False),
    CheckConstraint('"only"', name="only"),
    prefixes=["UNLOGGED"],
)

FORGET_AFTER = timedelta(minutes=1)
"""An expired proof is refused as such; machines whose clocks lag need it remembered a little longer."""

_USE = """
INSERT INTO used_proofs (fingerprint, expires_at)
SELECT fingerprint, expires_at
FROM unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[]) AS proofs (fingerprint, made_at, expires_at)
WHERE made_at > (SELECT began_at FROM proof_epoch)
ON CONFLICT DO NOTHING
RETURNING fingerprint
"""

_REMEMBERED = """
WITH begun AS (INSERT INTO proof_epoch (began_at) VALUES ($2) ON CONFLICT DO NOTHING)
SELECT fingerprint FROM used_proofs WHERE fingerprint = ANY ($1::bytea[])
"""


async def use(tx: WriteTx, proofs: Iterable[Proof]) -> set[bytes]:
    """The fingerprints of those that are used for the first time, and may be. Of several processes that ask at
    once, one is told so: the others wait for its commit."""
    # In one order everywhere, so that two processes with the same proofs wait for each other one way only.
    ordered = sorted(proofs, key=lambda one: one.fingerprint)
    columns = ([getattr(one, name) for one in ordered] for name in ("fingerprint", "made_at", "expires_at"))
    return {row["fingerprint"] for row in await fetch(tx, _USE, *columns)}


async def remembered(tx: WriteTx, fingerprints: Collection[bytes], now: datetime) -> set[bytes]:
    """Those that have been used. Others that `use` did not take are of the time before the epoch. If there was
    none it begins at `now`, which must be read from the clock after `use` has found it missing."""
    return {row["fingerprint"] for row in await fetch(tx, _REMEMBERED, fingerprints, now)}


async def forget_proofs(tx: WriteTx, now: datetime) -> int:
    """Proofs that have long expired are no longer remembered. Returns how many."""
    result = await tx.execute(delete(used_proofs).where(used_proofs.c.expires_at < now - FORGET_AFTER))
    return result.rowcount
