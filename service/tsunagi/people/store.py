"""People, what each organization recognizes them by, and relations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import (
    Column,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    Uuid,
    delete,
    text,
)

from tsunagi.db import ReadTx, Write, WriteTx, fetch, metadata, send
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream
from tsunagi.people.rules import MatchKeys

people = Table(
    "people",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("stream", Uuid, nullable=False, unique=True, comment="the pseudonym in the ledger"),
    Column("registered_by", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    Column("erased_at", DateTime(timezone=True), nullable=True, comment="what is left is a tombstone"),
    UniqueConstraint("id", "registered_by"),
)

identities = Table(
    "person_identities",
    metadata,
    Column("person_id", Uuid, ForeignKey("people.id"), primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("kana_birth_key", LargeBinary, nullable=False, comment="HMAC-SHA256 of kana and birth date"),
    Column("certificate_key", LargeBinary, nullable=True, comment="HMAC-SHA256 of municipality and number"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Index("person_identities_kana_birth_key_idx", "kana_birth_key"),
    Index("person_identities_certificate_key_idx", "certificate_key"),
)

relations = Table(
    "person_relations",
    metadata,
    Column("person_id", Uuid, ForeignKey("people.id"), primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("through", Uuid, primary_key=True, comment="a handover, or the person where they were registered"),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("registered_by", Uuid, Computed("CASE WHEN through = person_id THEN organization_id END")),
    Column("sender_id", Uuid, nullable=True, comment="who handed over, where it is through a handover"),
    ForeignKeyConstraint(["person_id", "registered_by"], ["people.id", "people.registered_by"]),
    Index("person_relations_organization_idx", "organization_id", "person_id"),
)

match_attempts = Table(
    "match_attempts",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("minute", DateTime(timezone=True), primary_key=True),
    Column("attempts", Integer, nullable=False),
)


_REGISTER = "INSERT INTO people (id, stream, registered_by, registered_at) VALUES ($1, $2, $3, $4)"
_RELATE = """
    INSERT INTO person_relations (person_id, organization_id, through, since, sender_id) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
"""
_REMEMBER = """
    INSERT INTO person_identities AS i (person_id, organization_id, kana_birth_key, certificate_key, recorded_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (person_id, organization_id) DO UPDATE SET
        kana_birth_key = excluded.kana_birth_key,
        certificate_key = excluded.certificate_key,
        recorded_at = excluded.recorded_at
"""
_HOLD = """
    SELECT pg_advisory_xact_lock(key)
    FROM (SELECT hashtextextended(name, 0) AS key FROM unnest($1::text[]) AS n (name) ORDER BY 1) AS keys
"""
_RELATED = """
    SELECT p.stream, EXISTS (
        SELECT FROM person_identities i
        WHERE i.person_id = p.id AND i.organization_id = $2 AND i.kana_birth_key = $3
            AND i.certificate_key IS NOT DISTINCT FROM $4
    ) AS recognized
    FROM people p JOIN person_relations r ON r.person_id = p.id
    WHERE p.id = $1 AND r.organization_id = $2 LIMIT 1
"""
_STREAM = "SELECT stream FROM people WHERE id = $1"
_RECOGNIZE = """
    SELECT person_id FROM (
        SELECT person_id FROM person_identities WHERE kana_birth_key = $2
        UNION SELECT person_id FROM person_identities WHERE certificate_key = $3
    ) AS alike
    WHERE EXISTS (
        SELECT FROM person_relations r WHERE r.person_id = alike.person_id AND r.organization_id = $1)
"""


def registering(
    at: datetime, organization_id: OrganizationId, person_id: PersonId, stream: Stream
) -> list[Write]:
    """The person is there, in relation with the organization that registers them."""
    return [
        Write(_REGISTER, (person_id, stream, organization_id, at)),
        Write(_RELATE, (person_id, organization_id, person_id, at, None)),
    ]


async def relate(
    tx: WriteTx,
    at: datetime,
    person_id: PersonId,
    organization_id: OrganizationId,
    *,
    through: HandoverId,
    sender_id: OrganizationId,
) -> None:
    """The organization is in relation with the person, through a handover."""
    await send(tx, Write(_RELATE, (person_id, organization_id, through, at, sender_id)))


async def part(
    tx: WriteTx, person_id: PersonId, organization_id: OrganizationId, *, through: HandoverId
) -> None:
    """The organization is no longer in relation with the person through this handover."""
    await tx.execute(
        delete(relations).where(
            relations.c.person_id == person_id,
            relations.c.organization_id == organization_id,
            relations.c.through == through,
        )
    )


class Related(NamedTuple):
    """A person in relation with an organization, and whether it recognizes them by just the keys asked about."""

    stream: Stream
    recognized: bool


async def related(
    tx: ReadTx, person_id: PersonId, organization_id: OrganizationId, keys: MatchKeys | None = None
) -> Related | None:
    by = (keys.kana_birth, keys.certificate) if keys else (None, None)
    return next(map(Related._make, await fetch(tx, _RELATED, person_id, organization_id, *by)), None)


async def stream_of(tx: ReadTx, person_id: PersonId) -> Stream | None:
    return next((row["stream"] for row in await fetch(tx, _STREAM, person_id)), None)


def remembering(at: datetime, person_id: PersonId, organization_id: OrganizationId, keys: MatchKeys) -> Write:
    """The organization recognizes the person by these keys from now on."""
    return Write(_REMEMBER, (person_id, organization_id, keys.kana_birth, keys.certificate, at))


async def hold(tx: WriteTx, organization_id: OrganizationId, *keys: bytes) -> None:
    """Nobody else registers a person of the organization's under one of these keys until `tx` ends."""
    await fetch(tx, _HOLD, [f"people:{organization_id}:{key.hex()}" for key in keys])


async def recognize(
    tx: ReadTx,
    organization_id: OrganizationId,
    *,
    kana_birth_key: bytes | None = None,
    certificate_key: bytes | None = None,
) -> Sequence[PersonId]:
    """The people in relation with the organization whom anybody recognizes by one of the keys."""
    rows = await fetch(tx, _RECOGNIZE, organization_id, kana_birth_key, certificate_key)
    return [row["person_id"] for row in rows]


_count_attempt = text("""
    INSERT INTO match_attempts AS m (organization_id, minute, attempts)
    VALUES (:organization, date_trunc('minute', CAST(:at AS timestamptz)), 1)
    ON CONFLICT (organization_id, minute) DO UPDATE SET attempts = m.attempts + 1
    RETURNING attempts
""")


async def count_match(tx: WriteTx, at: datetime, organization_id: OrganizationId) -> int:
    """How often the organization has asked within this minute, this time included."""
    return int(await tx.scalar(_count_attempt, {"organization": organization_id, "at": at}) or 0)


async def forget_attempts(tx: WriteTx, at: datetime) -> None:
    """Counts of minutes that are over no longer matter."""
    await tx.execute(delete(match_attempts).where(match_attempts.c.minute < at - timedelta(hours=1)))
