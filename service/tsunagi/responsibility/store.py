"""Every version of every chain. Rows are added and never changed.

That a version's segments have no overlap, no hole and no end is held by constraints, also against raw SQL:

- each segment but the first begins where another of its version ends (`previous_to`, a foreign key to that
  segment's `valid_to`, equal to its own `valid_from`);
- no two follow the same one, and only one follows none (unique `previous_to`, nulls not distinct);
- the version points to a segment that ends at infinity (deferred foreign key from `open_end`).

Time runs forward in every segment, so the segments of a version are one line from its first day to infinity.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tsunagi.db import ReadTx, Write, WriteTx, columns, fetch, metadata, send
from tsunagi.errors import NotFound, PreconditionFailed, Refusal
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream
from tsunagi.responsibility.rules import Code, Domain, Picture, Segment, Support, joined

Reason = Literal[
    "opened", "claimed", "handover_accepted", "handover_withdrawn", "corrected", "ended", "succeeded"
]

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
    Column("code", Text, nullable=True, comment="why, where it was corrected or ended"),
    Column(
        "entry_id", Uuid, nullable=True, comment="of the ledger; null for versions from before it was kept"
    ),
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
        "reason IN ('opened', 'claimed', 'handover_accepted', 'handover_withdrawn', 'corrected', 'ended',"
        " 'succeeded')",
        name="reason",
    ),
    CheckConstraint(
        "version >= 1 AND (version = 1) = (previous_version IS NULL)"
        " AND coalesce(previous_version = version - 1, true)",
        name="previous",
    ),
    CheckConstraint("open_end = 'infinity'", name="open_end"),
    CheckConstraint("(code IS NOT NULL) = (reason IN ('corrected', 'ended'))", name="code"),
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
    "responsibility_segments_pkey": PreconditionFailed,
    "responsibility_segments_valid_to_key": PreconditionFailed,
    "responsibility_segments_previous_to_key": PreconditionFailed,
    "responsibility_support_pkey": PreconditionFailed,
    "responsibility_versions_person_id_fkey": NotFound,
    "responsibility_versions_recorded_by_fkey": NotFound,
    "responsibility_segments_organization_id_fkey": NotFound,
    "responsibility_support_organization_id_fkey": NotFound,
}

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('responsibility:' || $1::uuid, 0))"

_NEWEST = """
    SELECT DISTINCT ON (person_id, domain) * FROM responsibility_versions
    WHERE {conditions} ORDER BY person_id, domain, version DESC
"""
_EVERY = "SELECT * FROM responsibility_versions WHERE {conditions}"
_WITH_PICTURES = """
    SELECT v.*, held.days AS held, beside.days AS beside
    FROM ({versions}) AS v
    JOIN LATERAL (
        SELECT array_agg(ROW(s.valid_from, s.valid_to, s.organization_id, s.basis) ORDER BY s.valid_from) AS days
        FROM responsibility_segments s
        WHERE s.person_id = v.person_id AND s.domain = v.domain AND s.version = v.version
    ) AS held ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(ROW(s.valid_from, s.valid_to, s.organization_id, s.role)) AS days
        FROM responsibility_support s
        WHERE s.person_id = v.person_id AND s.domain = v.domain AND s.version = v.version
    ) AS beside ON true
    ORDER BY v.person_id, v.domain, v.version
"""

_VERSION_ROW = """
    INSERT INTO responsibility_versions (
        person_id, domain, version, previous_version, recorded_at, recorded_by, reason, handover_id, effective_on,
        code, entry_id, open_end)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'infinity')
"""
_SEGMENT_ROWS = """
    INSERT INTO responsibility_segments (
        person_id, domain, version, valid_from, valid_to, previous_to, organization_id, basis)
    SELECT $1, $2, $3, * FROM unnest($4::date[], $5::date[], $6::date[], $7::uuid[], $8::text[])
"""
_SUPPORT_ROWS = """
    INSERT INTO responsibility_support (
        person_id, domain, version, organization_id, role, valid_from, valid_to)
    SELECT $1, $2, $3, * FROM unnest($4::uuid[], $5::text[], $6::date[], $7::date[])
"""


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
    code: Code | None = None
    """Why, where it was corrected or ended."""
    entry_id: UUID | None = None
    """Of the ledger. None for versions from before it was kept."""

    @property
    def organizations(self) -> frozenset[OrganizationId]:
        """Every organization that holds or supports."""
        held = {one.holder for one in self.picture.chain.segments if one.holder is not None}
        return frozenset(held | {one.organization for one in self.picture.support})


async def lock(tx: WriteTx, person_id: PersonId) -> None:
    """Nobody else changes this person's responsibility until `tx` ends."""
    await fetch(tx, _LOCK, person_id)


async def load(
    tx: ReadTx, person_ids: Collection[PersonId], *, known_at: datetime | None = None
) -> Sequence[Version]:
    """Each domain of these people as it is known, or as it was known at `known_at`; by person and domain."""
    if known_at is None:
        return await _load(tx, "person_id = ANY ($1)", list(person_ids))
    return await _load(tx, "person_id = ANY ($1) AND recorded_at <= $2", list(person_ids), known_at)


async def find(
    tx: ReadTx, person_id: PersonId, domain: Domain, *, version: int | None = None
) -> Version | None:
    """The newest version of one domain, or the one of that number."""
    of_domain = "person_id = $1 AND domain = $2"
    if version is None:
        found = await _load(tx, of_domain, person_id, domain)
    else:
        found = await _load(tx, f"{of_domain} AND version = $3", person_id, domain, version)
    return next(iter(found), None)


async def newest_of(tx: ReadTx, person_id: PersonId, handover_id: HandoverId) -> Sequence[Version]:
    """The last version of each domain that this handover made."""
    return await _load(tx, "person_id = $1 AND handover_id = $2", person_id, handover_id)


async def history(tx: ReadTx, person_ids: Collection[PersonId], *, until: datetime) -> Sequence[Version]:
    """Every version of these people that was recorded by then; by person, domain and version."""
    of_people = "person_id = ANY ($1) AND recorded_at <= $2"
    return await _load(tx, of_people, list(person_ids), until, of=_EVERY)


_TOOK_PART = """
    SELECT EXISTS (
        SELECT FROM responsibility_segments WHERE person_id = $1 AND domain = $2 AND organization_id = $3
        UNION ALL
        SELECT FROM responsibility_support WHERE person_id = $1 AND domain = $2 AND organization_id = $3
        UNION ALL
        SELECT FROM organization_successions o
        JOIN responsibility_segments s ON s.organization_id = o.predecessor_id
        WHERE s.person_id = $1 AND s.domain = $2 AND o.successor_id = $3) AS took
"""


_STILL_HELD = """
    SELECT DISTINCT s.person_id, p.stream FROM (
        SELECT person_id FROM responsibility_segments WHERE organization_id = $1 AND valid_to > $2
        UNION SELECT person_id FROM responsibility_support WHERE organization_id = $1 AND valid_to > $2
    ) AS s JOIN people p ON p.id = s.person_id ORDER BY s.person_id
"""


async def still_held(tx: ReadTx, organization_id: OrganizationId, on: date) -> list[tuple[PersonId, Stream]]:
    """Everybody for whom the organization was recorded, in any version, to hold or support from that day on."""
    return [(row["person_id"], row["stream"]) for row in await fetch(tx, _STILL_HELD, organization_id, on)]


async def took_part(tx: ReadTx, person_id: PersonId, domain: Domain, organization_id: OrganizationId) -> bool:
    """Whether the organization is or was recorded as holding or supporting, in any version, or follows one that
    held."""
    return any(row["took"] for row in await fetch(tx, _TOOK_PART, person_id, domain, organization_id))


async def _load(tx: ReadTx, conditions: str, *values: Any, of: str = _NEWEST) -> Sequence[Version]:
    """Versions never change, and neither do the rows that belong to them."""
    versions_of = of.format(conditions=conditions)
    return [_version(row) for row in await fetch(tx, _WITH_PICTURES.format(versions=versions_of), *values)]


def _version(row: Any) -> Version:
    return Version(
        person_id=row["person_id"],
        domain=row["domain"],
        version=row["version"],
        recorded_at=row["recorded_at"],
        recorded_by=row["recorded_by"],
        reason=row["reason"],
        handover_id=row["handover_id"],
        effective_on=row["effective_on"],
        picture=Picture(
            joined(Segment(*days) for days in row["held"]),
            frozenset(Support(*days) for days in row["beside"] or ()),
        ),
        code=row["code"],
        entry_id=row["entry_id"],
    )


async def insert(tx: WriteTx, new: Version) -> None:
    """The version is there, numbered after the newest one.

    Raises PreconditionFailed when another writer took the number, NotFound when the person or an organization
    does not exist.
    """
    try:
        await send(tx, *inserting(new))
    except asyncpg.IntegrityConstraintViolationError as error:
        if error.constraint_name in _REFUSALS:
            raise _REFUSALS[error.constraint_name] from error
        raise


def inserting(new: Version) -> list[Write]:
    """The version, numbered after the newest one, for whoever holds the person's lock."""
    key = (new.person_id, new.domain, new.version)
    told = (
        *(new.recorded_at, new.recorded_by, new.reason, new.handover_id, new.effective_on),
        *(new.code, new.entry_id),
    )
    held, beside = new.picture.chain.segments, sorted(new.picture.support)
    previous_ends = [None, *(segment.valid_to for segment in held)]
    days = [
        (one.valid_from, one.valid_to, previous_to, one.holder, one.basis)
        for one, previous_to in zip(held, previous_ends, strict=False)
    ]
    supports = [(one.organization, one.role, one.valid_from, one.valid_to) for one in beside]
    return [
        Write(_VERSION_ROW, (*key, new.version - 1 or None, *told)),
        Write(_SEGMENT_ROWS, (*key, *columns(days))),
        *([Write(_SUPPORT_ROWS, (*key, *columns(supports)))] if supports else []),
    ]
