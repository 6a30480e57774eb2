"""People, what each organization recognizes them by, and relations."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Uuid,
    delete,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from tsunagi.db import ReadTx, WriteTx, metadata
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream, opaque_id

people = Table(
    "people",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("stream", Uuid, nullable=False, unique=True, comment="the pseudonym in the ledger"),
    Column("registered_by", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
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
)

match_attempts = Table(
    "match_attempts",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("minute", DateTime(timezone=True), primary_key=True),
    Column("attempts", Integer, nullable=False),
)


async def register(tx: WriteTx, at: datetime, organization_id: OrganizationId) -> tuple[PersonId, Stream]:
    person_id, stream = PersonId(opaque_id()), Stream(opaque_id())
    await tx.execute(
        people.insert().values(id=person_id, stream=stream, registered_by=organization_id, registered_at=at)
    )
    await relate(tx, at, person_id, organization_id, through=person_id)
    return person_id, stream


async def relate(
    tx: WriteTx,
    at: datetime,
    person_id: PersonId,
    organization_id: OrganizationId,
    *,
    through: HandoverId | PersonId,
) -> None:
    """The organization is in relation with the person, through their registration or a handover."""
    await tx.execute(
        insert(relations)
        .values(person_id=person_id, organization_id=organization_id, through=through, since=at)
        .on_conflict_do_nothing()
    )


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


async def related_stream(tx: ReadTx, person_id: PersonId, organization_id: OrganizationId) -> Stream | None:
    """The person's stream, if the organization is in relation with them."""
    return await tx.scalar(
        select(people.c.stream)
        .join(relations, relations.c.person_id == people.c.id)
        .where(people.c.id == person_id, relations.c.organization_id == organization_id)
        .limit(1)
    )


async def stream_of(tx: ReadTx, person_id: PersonId) -> Stream | None:
    return await tx.scalar(select(people.c.stream).where(people.c.id == person_id))


async def remember(
    tx: WriteTx,
    at: datetime,
    person_id: PersonId,
    organization_id: OrganizationId,
    *,
    kana_birth_key: bytes,
    certificate_key: bytes | None,
) -> None:
    """The organization recognizes the person by these keys from now on."""
    keys = {"kana_birth_key": kana_birth_key, "certificate_key": certificate_key, "recorded_at": at}
    await tx.execute(
        insert(identities)
        .values(person_id=person_id, organization_id=organization_id, **keys)
        .on_conflict_do_update(index_elements=["person_id", "organization_id"], set_=keys)
    )


_hold_key = text("""
    SELECT pg_advisory_xact_lock(
        hashtextextended('people:' || CAST(:organization AS uuid) || ':' || encode(CAST(:key AS bytea), 'hex'), 0))
""")


async def hold(tx: WriteTx, organization_id: OrganizationId, *keys: bytes) -> None:
    """Nobody else registers a person of the organization's under one of these keys until `tx` ends."""
    for key in sorted(keys):
        await tx.execute(_hold_key, {"organization": organization_id, "key": key})


async def recognize(
    tx: ReadTx,
    organization_id: OrganizationId,
    *,
    kana_birth_key: bytes | None = None,
    certificate_key: bytes | None = None,
) -> Sequence[PersonId]:
    """The people in relation with the organization whom anybody recognizes by one of the keys."""
    keys = [identities.c.kana_birth_key == kana_birth_key] if kana_birth_key else []
    keys += [identities.c.certificate_key == certificate_key] if certificate_key else []
    found = await tx.scalars(
        select(identities.c.person_id)
        .join(relations, relations.c.person_id == identities.c.person_id)
        .where(relations.c.organization_id == organization_id, or_(*keys))
        .distinct()
    )
    return [PersonId(person_id) for person_id in found]


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
