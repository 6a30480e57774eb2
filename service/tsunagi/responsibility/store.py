"""Every version of every chain. Rows are added and never changed.

That a version's segments have no overlap, no hole and no end is held by constraints, also against raw SQL:

- each segment but the first begins where another of its version ends (`previous_to`, a foreign key to that
  segment's `valid_to`, equal to its own `valid_from`);
- no two follow the same one, and only one follows none (unique `previous_to`, nulls not distinct);
- the version points to a segment that ends at infinity (deferred foreign key from `open_end`).

Time runs forward in every segment, so the segments of a version are one line from its first day to infinity.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError

from tsunagi.db import ReadTx, WriteTx, metadata
from tsunagi.errors import NotFound, PreconditionFailed, Refusal
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.responsibility.rules import FOREVER, Domain, Picture, Segment, Support, joined

Reason = Literal["opened", "claimed", "handover_accepted", "handover_withdrawn"]

versions = Table(
    "responsibility_versions",
    metadata,
    Column("person_id", Uuid, ForeignKey("people.id"), primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False, comment="from 1, without holes"),
    Column("previous_version", Integer, nullable=True),
    Column(
        "recorded_at", DateTime(timezone=True), nullable=False, comment="never before the previous version's"
    ),
    Column("recorded_by", Uuid, ForeignKey("organizations.id"), nullable=True),
    Column("reason", Text, nullable=False),
    Column("handover_id", Uuid, nullable=True),
    Column("effective_on", Date, nullable=False, comment="the day from which the change holds"),
    Column("open_end", Date, nullable=False, comment="always infinity"),
    ForeignKeyConstraint(
        ["person_id", "domain", "previous_version"],
        [
            "responsibility_versions.person_id",
            "responsibility_versions.domain",
            "responsibility_versions.version",
        ],
        name="responsibility_versions_previous_fkey",
    ),
    ForeignKeyConstraint(
        ["person_id", "domain", "version", "open_end"],
        [
            "responsibility_segments.person_id",
            "responsibility_segments.domain",
            "responsibility_segments.version",
            "responsibility_segments.valid_to",
        ],
        name="responsibility_versions_open_end_fkey",
        deferrable=True,
        initially="DEFERRED",
        use_alter=True,
    ),
    CheckConstraint("domain IN ('employment', 'daily_life', 'employer_liaison')", name="domain"),
    CheckConstraint(
        "reason IN ('opened', 'claimed', 'handover_accepted', 'handover_withdrawn')", name="reason"
    ),
    CheckConstraint(
        "version >= 1 AND (version = 1) = (previous_version IS NULL)"
        " AND coalesce(previous_version = version - 1, true)",
        name="previous",
    ),
    CheckConstraint("open_end = 'infinity'", name="open_end"),
)

_VERSION = ("person_id", "domain", "version")
_VERSION_COLUMNS = [f"responsibility_versions.{name}" for name in _VERSION]

segments = Table(
    "responsibility_segments",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date, nullable=False, comment="exclusive; infinity when open"),
    Column("previous_to", Date, nullable=True, comment="where the segment before ends"),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=True, comment="null: nobody"),
    Column("basis", Text, nullable=True),
    ForeignKeyConstraint(_VERSION, _VERSION_COLUMNS, name="responsibility_segments_version_fkey"),
    UniqueConstraint(*_VERSION, "valid_to", name="responsibility_segments_valid_to_key"),
    UniqueConstraint(
        *_VERSION,
        "previous_to",
        name="responsibility_segments_previous_to_key",
        postgresql_nulls_not_distinct=True,
    ),
    ForeignKeyConstraint(
        [*_VERSION, "previous_to"],
        [f"responsibility_segments.{name}" for name in (*_VERSION, "valid_to")],
        name="responsibility_segments_previous_fkey",
    ),
    CheckConstraint("previous_to = valid_from", name="previous"),
    CheckConstraint("valid_from < valid_to AND isfinite(valid_from)", name="interval"),
)

support = Table(
    "responsibility_support",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date, primary_key=True, comment="exclusive; infinity when open"),
    ForeignKeyConstraint(_VERSION, _VERSION_COLUMNS, name="responsibility_support_version_fkey"),
    CheckConstraint("role IN ('co_support', 'backup')", name="role"),
    CheckConstraint("valid_from < valid_to AND isfinite(valid_from)", name="interval"),
)

_REFUSALS: dict[str, type[Refusal]] = {
    "responsibility_versions_pkey": PreconditionFailed,
    "responsibility_versions_person_id_fkey": NotFound,
    "responsibility_versions_recorded_by_fkey": NotFound,
    "responsibility_segments_organization_id_fkey": NotFound,
    "responsibility_support_organization_id_fkey": NotFound,
}

_lock = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('responsibility:' || CAST(:person AS uuid), 0))
""")


@dataclass(frozen=True, slots=True)
class Version:
    """One domain of a person as it was known from `recorded_at` until the next version."""

    person_id: PersonId
    domain: Domain
    version: int
    recorded_at: datetime
    recorded_by: OrganizationId | None
    reason: Reason
    handover_id: HandoverId | None
    effective_on: date
    picture: Picture


async def lock(tx: WriteTx, person_id: PersonId) -> None:
    """Nobody else writes the person's responsibility until `tx` ends. Take it before reading."""
    await tx.execute(_lock, {"person": person_id})


async def load(
    tx: ReadTx, person_ids: Collection[PersonId], *, known_at: datetime | None = None
) -> Sequence[Version]:
    """Each domain of these people as it is known, or as it was known at `known_at`; by person and domain."""
    newest = _newest().where(versions.c.person_id.in_(person_ids))
    if known_at is not None:
        newest = newest.where(versions.c.recorded_at <= known_at)
    return await _with_pictures(tx, newest)


async def find(
    tx: ReadTx, person_id: PersonId, domain: Domain, *, version: int | None = None
) -> Version | None:
    """The newest version of one domain, or the one of that number."""
    query = _newest().where(versions.c.person_id == person_id, versions.c.domain == domain)
    if version is not None:
        query = query.where(versions.c.version == version)
    return next(iter(await _with_pictures(tx, query)), None)


async def newest_of(tx: ReadTx, person_id: PersonId, handover_id: HandoverId) -> Sequence[Version]:
    """The last version of each domain that this handover made."""
    return await _with_pictures(
        tx, _newest().where(versions.c.person_id == person_id, versions.c.handover_id == handover_id)
    )


async def insert(tx: WriteTx, new: Version) -> None:
    """The version is there, numbered after the newest one.

    Raises PreconditionFailed when another writer took the number, NotFound when the person or an organization
    does not exist.
    """
    key = {"person_id": new.person_id, "domain": new.domain, "version": new.version}
    try:
        await tx.execute(
            versions.insert().values(
                **key,
                previous_version=new.version - 1 or None,
                recorded_at=new.recorded_at,
                recorded_by=new.recorded_by,
                reason=new.reason,
                handover_id=new.handover_id,
                effective_on=new.effective_on,
                open_end=FOREVER,
            )
        )
        await tx.execute(segments.insert(), [key | row for row in _segment_rows(new.picture)])
        if new.picture.support:
            await tx.execute(support.insert(), [key | row for row in _support_rows(new.picture)])
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
        if constraint in _REFUSALS:
            raise _REFUSALS[constraint] from error
        raise


def _segment_rows(picture: Picture) -> list[dict[str, Any]]:
    previous_ends = [None, *(segment.valid_to for segment in picture.chain.segments)]
    return [
        {
            "valid_from": segment.valid_from,
            "valid_to": segment.valid_to,
            "previous_to": previous_to,
            "organization_id": segment.holder,
            "basis": segment.basis,
        }
        for segment, previous_to in zip(picture.chain.segments, previous_ends, strict=False)
    ]


def _support_rows(picture: Picture) -> list[dict[str, Any]]:
    return [
        {
            "organization_id": one.organization,
            "role": one.role,
            "valid_from": one.valid_from,
            "valid_to": one.valid_to,
        }
        for one in sorted(picture.support)
    ]


def _newest() -> Select[Any]:
    return (
        select(versions)
        .ext(distinct_on(versions.c.person_id, versions.c.domain))
        .order_by(versions.c.person_id, versions.c.domain, versions.c.version.desc())
    )


async def _with_pictures(tx: ReadTx, query: Select[Any]) -> Sequence[Version]:
    """Versions never change, so what is read after the version's row is of the same version."""
    rows = (await tx.execute(query)).all()
    keys = [_key(row) for row in rows]
    held = await _rows_of(tx, segments, keys)
    beside = await _rows_of(tx, support, keys)
    return [
        Version(
            person_id=row.person_id,
            domain=row.domain,
            version=row.version,
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
            reason=row.reason,
            handover_id=row.handover_id,
            effective_on=row.effective_on,
            picture=_picture(held[_key(row)], beside[_key(row)]),
        )
        for row in rows
    ]


def _picture(held: Iterable[Row[Any]], beside: Iterable[Row[Any]]) -> Picture:
    return Picture(
        joined(Segment(row.valid_from, row.valid_to, row.organization_id, row.basis) for row in held),
        frozenset(Support(row.valid_from, row.valid_to, row.organization_id, row.role) for row in beside),
    )


Key = tuple[PersonId, Domain, int]


def _key(row: Row[Any]) -> Key:
    return row.person_id, row.domain, row.version


async def _rows_of(tx: ReadTx, table: Table, keys: list[Key]) -> dict[Key, list[Row[Any]]]:
    """The rows of each of these versions, from the first day on."""
    found: dict[Key, list[Row[Any]]] = defaultdict(list)
    if keys:
        version_of = tuple_(*(table.c[name] for name in _VERSION))
        for row in await tx.execute(select(table).where(version_of.in_(keys)).order_by(table.c.valid_from)):
            found[_key(row)].append(row)
    return found
