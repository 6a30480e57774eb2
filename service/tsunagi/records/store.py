"""A record's versions, section by section: the unit of consent, and later of sealing and erasure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Table,
    Uuid,
)
from sqlalchemy import Text as TextType

from tsunagi.db import ReadTx, Write, fetch, metadata
from tsunagi.errors import Notice, Text
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.ledger.rules import content_hash
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed
from tsunagi.strict_json import canonical_bytes, split

versions = Table(
    "record_versions",
    metadata,
    Column("handover_id", Uuid, ForeignKey("handovers.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("person_id", Uuid, nullable=False),
    Column("sender_id", Uuid, nullable=False),
    Column("receiver_id", Uuid, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("section_names", ARRAY(TextType), nullable=False, comment="in the record's order"),
    Column("data_key", LargeBinary, nullable=False, comment="of the version: of its sections as well"),
    Column(
        "header",
        Sealed,
        nullable=False,
        comment="sealed: the record's members but sections and extensions, as sent",
    ),
    Column("warnings", TextType, nullable=False, comment="JSON: what the rules noticed"),
)

EXTENSIONS = "extensions"
"""Kept like a section that no consent opens: row security keeps it from everybody but the sender."""

sections = Table(
    "record_sections",
    metadata,
    Column("handover_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("section", TextType, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("sender_id", Uuid, nullable=False),
    Column("receiver_id", Uuid, nullable=False),
    Column(
        "document",
        Sealed,
        nullable=False,
        comment="sealed: the SHA-256 of the RFC 8785 form, and behind it the text as sent, to the letter",
    ),
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

    @property
    def content_hash(self) -> str:
        """What the ledger says of all its sections."""
        return content_hash({name: self.hashes[name] for name in self.sections})


@dataclass(frozen=True, slots=True)
class Whose:
    """Between whom a record is, and about whom: what every row of it carries."""

    person_id: PersonId
    sender_id: OrganizationId
    receiver_id: OrganizationId


def document_of(source: str) -> Document:
    """Takes a record that passed its schema apart, section by section, without changing a letter."""
    whole = split(source)
    parts = split(whole.texts["sections"])
    hashed = dict(parts.values) | {name: value for name, value in whole.values.items() if name == EXTENSIONS}
    header = ",".join(
        f"{json.dumps(name)}:{text}"
        for name, text in whole.texts.items()
        if name not in ("sections", EXTENSIONS)
    )
    return Document(
        header="{" + header + "}",
        extensions=whole.texts.get(EXTENSIONS),
        sections=parts.texts,
        hashes={name: hashlib.sha256(canonical_bytes(value)).digest() for name, value in hashed.items()},
    )


_HASH_BYTES = hashlib.sha256().digest_size
"""Sealed with the text: what a section says can be guessed, and a hash of it would tell whether the guess is right."""

_VERSION = """
    INSERT INTO record_versions (
        handover_id, version, person_id, sender_id, receiver_id, recorded_at, section_names, data_key, header,
        warnings)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_SECTIONS = """
    INSERT INTO record_sections (handover_id, version, person_id, sender_id, receiver_id, section, document)
    SELECT $1, $2, $3, $4, $5, section, document FROM unnest($6::text[], $7::bytea[]) AS s (section, document)
"""


_WARN = "UPDATE record_versions SET warnings = $3 WHERE handover_id = $1 AND version = $2"
_ABOUT = "SELECT section_names, warnings FROM record_versions WHERE handover_id = $1 AND version = $2"


def adding_version(
    tx: ReadTx,
    at: datetime,
    handover_id: HandoverId,
    version: int,
    document: Document,
    *,
    whose: Whose,
    warnings: Iterable[Notice],
) -> list[Write]:
    """The version is kept, sealed section by section."""
    key = (handover_id, version, whose.person_id, whose.sender_id, whose.receiver_id)
    data_key = keys(tx).fresh("record_versions", handover_id, version)
    header = data_key.seal(document.header.encode(), "record_versions", handover_id, version)
    texts = dict(document.sections) | ({EXTENSIONS: document.extensions} if document.extensions else {})
    sealed = data_key.seal_each(
        {name: document.hashes[name] + text.encode() for name, text in texts.items()},
        "record_sections",
        handover_id,
        version,
    )
    kept = (at, list(document.sections), data_key.wrapped, header, written(warnings))
    return [Write(_VERSION, (*key, *kept)), Write(_SECTIONS, (*key, list(sealed), list(sealed.values())))]


@dataclass(frozen=True, slots=True)
class Opened:
    """What somebody may see of a version, unsealed."""

    header: str
    texts: Mapping[str, str]
    """Those of sections and extensions that were there to open."""
    hashes: Mapping[str, bytes]


UNOPENED = Opened("", {}, {})


def opened(
    tx: ReadTx,
    handover_id: HandoverId,
    version: int,
    data_key: bytes,
    header: bytes,
    parts: Mapping[str, bytes],
) -> Opened:
    """Raises SealBroken when one of them is not what was sealed."""
    key = keys(tx).opened(data_key, "record_versions", handover_id, version)
    found = key.unseal_each(parts, "record_sections", handover_id, version)
    return Opened(
        key.unseal(header, "record_versions", handover_id, version).decode(),
        {name: text[_HASH_BYTES:].decode() for name, text in found.items()},
        {name: text[:_HASH_BYTES] for name, text in found.items()},
    )


def warning(handover_id: HandoverId, version: int, warnings: Iterable[Notice]) -> Write:
    """These are the warnings about the version from now on."""
    return Write(_WARN, (handover_id, version, written(warnings)))


async def about(
    tx: ReadTx, handover_id: HandoverId, version: int
) -> tuple[Sequence[str], tuple[Notice, ...]]:
    """Which sections the version has, and what the rules noticed about it."""
    (row,) = await fetch(tx, _ABOUT, handover_id, version)
    return row["section_names"], read_notices(row["warnings"])


def written(notices: Iterable[Notice]) -> str:
    return json.dumps([asdict(notice) for notice in notices], ensure_ascii=False)


def read_notices(kept: str) -> tuple[Notice, ...]:
    return tuple(Notice(**{**one, "message": Text(**one["message"])}) for one in json.loads(kept))
