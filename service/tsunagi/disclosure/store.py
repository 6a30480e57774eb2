"""One statement fetches what a reading is made of: it is the hottest there is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tsunagi.consent.rules import Access
from tsunagi.db import ReadTx, fetch
from tsunagi.directory.rules import OrganizationRef
from tsunagi.errors import Notice
from tsunagi.handovers.rules import Handover
from tsunagi.handovers.store import COLUMNS, read_row
from tsunagi.ids import HandoverId, OrganizationId
from tsunagi.provisions.rules import Given
from tsunagi.records.store import EXTENSIONS, UNOPENED, opened, read_notices


@dataclass(frozen=True, slots=True)
class Kept:
    """A version of a record as it is kept. `sections`: those that the database lets its reader see. Without texts
    where none were asked for."""

    version: int
    recorded_at: datetime
    header: str
    extensions: str | None
    section_names: Sequence[str]
    sections: Mapping[str, str]
    hashes: Mapping[str, bytes]
    warnings: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A handover, the version of its record that was asked for, and what its reader may be shown of it."""

    handover: Handover
    refs: Mapping[OrganizationId, OrganizationRef]
    kept: Kept | None
    """None: there is no such version, or none that was ever on offer to the reader."""
    access: Sequence[Access]
    given: Sequence[Given]
    """What of that version its reader was given before, as its receiver."""
    assignee: str | None
    """Whom its reader's side has put in charge."""


# $1 ids, $2 the reader, $3 the version (null: the newest that it may know of), $4 which sections' texts (null: all).
_FIND = f"""
SELECT {", ".join(f"h.{name}" for name in COLUMNS)},
    sender.name AS sender_name, sender.kind AS sender_kind,
    receiver.name AS receiver_name, receiver.kind AS receiver_kind,
    v.version AS kept_version, v.recorded_at AS kept_at, v.data_key AS record_key, v.header, v.warnings,
    v.section_names, s.sections, s.documents, mine.assignee,
    (
        SELECT array_agg(
            ROW(a.section, a.subject, a.consent_id, a.valid_from, a.valid_to, a.withdrawn_at, a.exception_code))
        FROM consent_access a
        WHERE a.person_id = h.person_id AND a.organization_id = $2 AND a.giver_id = h.sender_id
    ) AS access,
    (
        SELECT array_agg(ROW(p.provided_on, p.ground, p.sections, p.consent_ids))
        FROM provisions p
        WHERE h.receiver_id = $2 AND p.handover_id = h.id AND p.version = v.version
    ) AS given
FROM handovers h
JOIN organizations sender ON sender.id = h.sender_id
JOIN organizations receiver ON receiver.id = h.receiver_id
LEFT JOIN handover_assignees mine ON mine.handover_id = h.id AND mine.organization_id = $2
LEFT JOIN LATERAL (
    SELECT * FROM record_versions v
    WHERE v.handover_id = h.id AND v.version = coalesce($3, v.version)
        AND (h.sender_id = $2 OR v.version = ANY (h.offered_versions))
    ORDER BY v.version DESC LIMIT 1
) v ON true
LEFT JOIN LATERAL (
    SELECT array_agg(s.section) AS sections, array_agg(s.document) AS documents
    FROM record_sections s
    WHERE ($4::text[] IS NULL OR s.section = ANY ($4)) AND s.handover_id = v.handover_id AND s.version = v.version
) s ON true
WHERE h.id = ANY ($1) ORDER BY h.id
"""  # noqa: S608  nothing but the names of columns is put in


async def find(
    tx: ReadTx,
    reader: OrganizationId,
    handover_ids: Sequence[HandoverId],
    *,
    version: int | None = None,
    texts: Sequence[str] | None = None,
) -> list[Found]:
    """These handovers in the order of their ids, each with one version of its record: the one asked for, or the
    newest that the reader may know of. `texts`: of which sections; of all where that is not said."""
    rows = await fetch(tx, _FIND, handover_ids, reader, version, texts)
    unsealed = texts is None or len(texts) > 0
    return [_found(tx, row, unsealed) for row in rows]


def _found(tx: ReadTx, row: Any, unsealed: bool) -> Found:
    handover = read_row(tx, {name: row[name] for name in COLUMNS})
    refs = {
        handover.sender_id: OrganizationRef(handover.sender_id, row["sender_name"], row["sender_kind"]),
        handover.receiver_id: OrganizationRef(
            handover.receiver_id, row["receiver_name"], row["receiver_kind"]
        ),
    }
    return Found(
        handover,
        refs,
        _kept(tx, row, unsealed) if row["kept_version"] is not None else None,
        [Access(*one) for one in row["access"] or ()],
        [Given(*one) for one in row["given"] or ()],
        row["assignee"],
    )


def _kept(tx: ReadTx, row: Any, unsealed: bool) -> Kept:
    parts = dict(zip(row["sections"] or (), row["documents"] or (), strict=True))
    version = row["kept_version"]
    open_to = (
        opened(tx, row["id"], version, row["record_key"], row["header"], parts) if unsealed else UNOPENED
    )
    return Kept(
        version=version,
        recorded_at=row["kept_at"],
        header=open_to.header,
        extensions=open_to.texts.get(EXTENSIONS),
        section_names=row["section_names"],
        sections={name: open_to.texts[name] for name in row["section_names"] if name in open_to.texts},
        hashes=open_to.hashes,
        warnings=read_notices(row["warnings"]),
    )
