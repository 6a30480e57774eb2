"""Drafts where they are kept: all that was typed is sealed."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, LargeBinary, Table, Uuid

from tsunagi.db import ReadTx, WriteTx, fetch, metadata
from tsunagi.drafts.rules import Draft
from tsunagi.ids import OrganizationId
from tsunagi.people.rules import MatchKeys
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed

TABLE = "handover_drafts"

drafts = Table(
    TABLE,
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("person_id", Uuid, ForeignKey("people.id"), nullable=True),
    Column("handover_id", Uuid, ForeignKey("handovers.id"), nullable=True),
    Column(
        "kana_birth_key",
        LargeBinary,
        nullable=True,
        comment="as in person_identities: erasing somebody finds it by it",
    ),
    Column("certificate_key", LargeBinary, nullable=True, comment="as in person_identities"),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, index=True),
    Column("data_key", LargeBinary, nullable=False),
    Column("document", Sealed, nullable=False, comment="sealed JSON: what was typed, and by whom last"),
    Index("handover_drafts_organization_id_idx", "organization_id", "changed_at"),
)

_COLUMNS = (
    "id, organization_id, revision, person_id, handover_id, kana_birth_key, certificate_key, began_at, changed_at,"
    " data_key, document"
)
_ADD = f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"  # noqa: S608  only names of ours
_CHANGE = f"""
    UPDATE {TABLE} SET revision = $3, person_id = $4, handover_id = $5, kana_birth_key = $6, certificate_key = $7,
        changed_at = $8, data_key = $9, document = $10
    WHERE id = $1 AND organization_id = $2 AND revision = $3 - 1
    RETURNING 1
"""  # noqa: S608  only names of ours
_SEALED = (
    "changed_by",
    "receiver_name",
    "overview",
    "sections",
    "consents",
    "given",
    "version",
    "checked",
    "sent",
    "proposed",
)


async def add(tx: WriteTx, draft: Draft, known_by: MatchKeys | None) -> None:
    where = (draft.id, draft.organization_id, draft.revision, draft.person_id, draft.handover_id)
    await fetch(tx, _ADD, *where, *_hashes(known_by), draft.began_at, draft.changed_at, *_sealed(tx, draft))


async def change(tx: WriteTx, draft: Draft, known_by: MatchKeys | None) -> bool:
    """Whether it is kept: not where somebody else has changed the revision before, or taken the draft away."""
    where = (draft.id, draft.organization_id, draft.revision, draft.person_id, draft.handover_id)
    return bool(await fetch(tx, _CHANGE, *where, *_hashes(known_by), draft.changed_at, *_sealed(tx, draft)))


_LEADS = f"""
    UPDATE {TABLE} SET person_id = $3, handover_id = $4 WHERE id = $1 AND organization_id = $2
"""  # noqa: S608  only names of ours
_NOTE = f"""
    UPDATE {TABLE} SET data_key = $4, document = $5 WHERE id = $1 AND organization_id = $2 AND revision = $3
"""  # noqa: S608  only names of ours


async def note(tx: WriteTx, draft: Draft) -> None:
    """How far sending this revision has come. That there is a handover is kept whatever has been written since."""
    await fetch(tx, _LEADS, draft.id, draft.organization_id, draft.person_id, draft.handover_id)
    await fetch(tx, _NOTE, draft.id, draft.organization_id, draft.revision, *_sealed(tx, draft))


def _hashes(known_by: MatchKeys | None) -> tuple[bytes | None, bytes | None]:
    return (known_by.kana_birth, known_by.certificate) if known_by else (None, None)


def _sealed(tx: ReadTx, draft: Draft) -> tuple[bytes, bytes]:
    key = keys(tx).fresh(TABLE, draft.id)
    content = {name: getattr(draft, name) for name in _SEALED}
    text = json.dumps(content, ensure_ascii=False, default=str).encode()
    return key.wrapped, key.seal(text, TABLE, draft.id)


async def find(tx: ReadTx, organization_id: OrganizationId, draft_id: UUID) -> Draft | None:
    rows = await fetch(
        tx,
        f"SELECT {_COLUMNS} FROM {TABLE} WHERE id = $1 AND organization_id = $2",  # noqa: S608  only names of ours
        draft_id,
        organization_id,
    )
    return next((_draft(tx, row) for row in rows), None)


async def of_organization(tx: ReadTx, organization_id: OrganizationId, *, limit: int) -> list[Draft]:
    """Those changed last come first."""
    rows = await fetch(
        tx,
        f"SELECT {_COLUMNS} FROM {TABLE} WHERE organization_id = $1 ORDER BY changed_at DESC LIMIT $2",  # noqa: S608  only names of ours
        organization_id,
        limit,
    )
    return [_draft(tx, row) for row in rows]


def _draft(tx: ReadTx, row: Any) -> Draft:
    key = keys(tx).opened(row["data_key"], TABLE, row["id"])
    content = json.loads(key.unseal(row["document"], TABLE, row["id"]))
    content.pop("recorded", None)  # of drafts from before `version`
    given = {subject: UUID(text) for subject, text in content.pop("given").items()}
    kept = ("id", "organization_id", "revision", "began_at", "changed_at", "person_id", "handover_id")
    return Draft(**{name: row[name] for name in kept}, **content, given=given)  # type: ignore[arg-type]


async def remove(tx: WriteTx, organization_id: OrganizationId, draft_id: UUID) -> None:
    await fetch(tx, f"DELETE FROM {TABLE} WHERE id = $1 AND organization_id = $2", draft_id, organization_id)  # noqa: S608  only names of ours


async def forget(tx: WriteTx, before: datetime) -> int:
    """Drafts that nobody has changed since are gone; how many."""
    return len(await fetch(tx, f"DELETE FROM {TABLE} WHERE changed_at < $1 RETURNING 1", before))  # noqa: S608  only names of ours
