"""A record's versions, section by section: the unit of consent, and later of sealing and erasure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Table,
    Uuid,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy import Text as TextType

from tsunagi.db import ReadTx, WriteTx, metadata
from tsunagi.errors import Notice, Text
from tsunagi.ids import HandoverId
from tsunagi.strict_json import canonical_bytes, split

versions = Table(
    "record_versions",
    metadata,
    Column("handover_id", Uuid, ForeignKey("handovers.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column(
        "header",
        TextType,
        nullable=False,
        comment="the record's members but sections and extensions, as sent",
    ),
    Column("extensions", TextType, nullable=True, comment="as sent"),
    Column("warnings", TextType, nullable=False, comment="JSON: what the rules noticed"),
    Column(
        "offered_at",
        DateTime(timezone=True),
        nullable=True,
        comment="since when the receiver may read it, if at all",
    ),
)

sections = Table(
    "record_sections",
    metadata,
    Column("handover_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("section", TextType, primary_key=True),
    Column("place", Integer, nullable=False, comment="the section's place in the record, from 0"),
    Column("document", TextType, nullable=False, comment="as sent, to the letter"),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256 of the RFC 8785 form"),
    ForeignKeyConstraint(
        ["handover_id", "version"], ["record_versions.handover_id", "record_versions.version"]
    ),
)


@dataclass(frozen=True, slots=True)
class Document:
    """A version of a record: its texts as they were sent."""

    header: str
    extensions: str | None
    sections: Mapping[str, str]
    hashes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Kept:
    """A version as it is kept."""

    document: Document
    recorded_at: datetime
    offered_at: datetime | None
    """Since when the receiver may read it; None: it was never on offer."""
    warnings: tuple[Notice, ...]


def document_of(source: str) -> Document:
    """Takes a record that passed its schema apart, section by section, without changing a letter."""
    whole = split(source)
    parts = split(whole.texts["sections"])
    header = ",".join(
        f"{json.dumps(name)}:{text}"
        for name, text in whole.texts.items()
        if name not in ("sections", "extensions")
    )
    return Document(
        header="{" + header + "}",
        extensions=whole.texts.get("extensions"),
        sections=parts.texts,
        hashes={
            name: hashlib.sha256(canonical_bytes(value)).digest() for name, value in parts.values.items()
        },
    )


async def add_version(
    tx: WriteTx,
    at: datetime,
    handover_id: HandoverId,
    version: int,
    document: Document,
    warnings: Iterable[Notice],
) -> None:
    await tx.execute(
        versions.insert().values(
            handover_id=handover_id,
            version=version,
            recorded_at=at,
            header=document.header,
            extensions=document.extensions,
            warnings=_written(warnings),
        )
    )
    await tx.execute(
        sections.insert(),
        [
            {
                "handover_id": handover_id,
                "version": version,
                "section": name,
                "place": place,
                "document": text,
                "hash": document.hashes[name],
            }
            for place, (name, text) in enumerate(document.sections.items())
        ],
    )


async def offer(
    tx: WriteTx, at: datetime, handover_id: HandoverId, version: int, warnings: Iterable[Notice]
) -> None:
    """The version is on offer, with these warnings; its receiver may read it from now on."""
    await tx.execute(
        update(versions)
        .where(versions.c.handover_id == handover_id, versions.c.version == version)
        .values(offered_at=func.coalesce(versions.c.offered_at, at), warnings=_written(warnings))
    )


Version = tuple[HandoverId, int]


async def load(tx: ReadTx, *wanted: Version) -> dict[Version, Kept]:
    """These versions, whole."""
    key = tuple_(versions.c.handover_id, versions.c.version)
    heads = (await tx.execute(select(versions).where(key.in_(wanted)))).all()
    parts = (
        await tx.execute(
            select(sections)
            .where(tuple_(sections.c.handover_id, sections.c.version).in_(wanted))
            .order_by(sections.c.handover_id, sections.c.version, sections.c.place)
        )
    ).all()
    texts: dict[Version, dict[str, str]] = {(row.handover_id, row.version): {} for row in heads}
    hashes: dict[Version, dict[str, bytes]] = {(row.handover_id, row.version): {} for row in heads}
    for row in parts:
        texts[(row.handover_id, row.version)][row.section] = row.document
        hashes[(row.handover_id, row.version)][row.section] = row.hash
    return {
        (row.handover_id, row.version): Kept(
            Document(
                row.header,
                row.extensions,
                texts[(row.handover_id, row.version)],
                hashes[(row.handover_id, row.version)],
            ),
            row.recorded_at,
            row.offered_at,
            _read(row.warnings),
        )
        for row in heads
    }


async def section_names(tx: ReadTx, handover_id: HandoverId, version: int) -> list[str]:
    found = await tx.scalars(
        select(sections.c.section)
        .where(sections.c.handover_id == handover_id, sections.c.version == version)
        .order_by(sections.c.place)
    )
    return list(found)


async def warnings(tx: ReadTx, handover_id: HandoverId, version: int) -> tuple[Notice, ...]:
    """What the rules noticed about the version."""
    found = await tx.scalar(
        select(versions.c.warnings).where(
            versions.c.handover_id == handover_id, versions.c.version == version
        )
    )
    return _read(found or "[]")


async def newest_offered(tx: ReadTx, *handover_ids: HandoverId) -> dict[HandoverId, int]:
    """The newest version of each that was ever on offer."""
    found = await tx.execute(
        select(versions.c.handover_id, func.max(versions.c.version))
        .where(versions.c.handover_id.in_(handover_ids), versions.c.offered_at.is_not(None))
        .group_by(versions.c.handover_id)
    )
    return {HandoverId(handover_id): version for handover_id, version in found}


def _written(notices: Iterable[Notice]) -> str:
    return json.dumps([asdict(notice) for notice in notices], ensure_ascii=False)


def _read(kept: str) -> tuple[Notice, ...]:
    return tuple(Notice(**{**one, "message": Text(**one["message"])}) for one in json.loads(kept))
