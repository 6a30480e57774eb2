"""Consents as they were given, and the access rows that follow from them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Table,
    Text,
    Uuid,
    update,
)

from tsunagi.consent.rules import Access
from tsunagi.db import ReadTx, Write, WriteTx, fetch, metadata
from tsunagi.ids import ConsentId, OrganizationId, PersonId, ordered_id

consents = Table(
    "consents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Uuid, ForeignKey("people.id"), nullable=False),
    Column("giver_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("recipient_ids", ARRAY(Uuid), nullable=False),
    Column("sections", ARRAY(Text), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("document", Text, nullable=False, comment="the consent as it was submitted"),
    CheckConstraint("valid_from < valid_to", name="period"),
    Index("consents_person_id_idx", "person_id"),
)

withdrawals = Table(
    "consent_withdrawals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("consent_id", Uuid, ForeignKey("consents.id"), nullable=False, index=True),
    Column("sections", ARRAY(Text), nullable=False),
    Column("withdrawn_at", DateTime(timezone=True), nullable=False),
    Column("document", Text, nullable=False, comment="the withdrawal as it was submitted"),
)

access = Table(
    "consent_access",
    metadata,
    Column("person_id", Uuid, ForeignKey("people.id"), primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True, comment="who may see"),
    Column("giver_id", Uuid, ForeignKey("organizations.id"), primary_key=True, comment="whose record"),
    Column("section", Text, primary_key=True),
    Column("consent_id", Uuid, ForeignKey("consents.id"), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, nullable=False),
    Column("withdrawn_at", DateTime(timezone=True), nullable=True),
    CheckConstraint("subject IN ('person', 'family')", name="subject"),
    Index("consent_access_consent_id_idx", "consent_id"),
)


@dataclass(frozen=True, slots=True)
class Consent:
    id: ConsentId
    person_id: PersonId
    giver_id: OrganizationId
    recipient_ids: tuple[OrganizationId, ...]
    sections: tuple[str, ...]
    valid_from: date
    valid_to: date
    recorded_at: datetime
    document: Mapping[str, Any]
    withdrawn_sections: tuple[str, ...]
    withdrawn_at: datetime | None


_GIVE = """
    INSERT INTO consents (
        id, person_id, giver_id, recipient_ids, sections, valid_from, valid_to, recorded_at, document)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_OPEN = """
    INSERT INTO consent_access (
        person_id, giver_id, consent_id, subject, valid_from, valid_to, organization_id, section)
    SELECT $1, $2, $3, $4, $5, $6, recipient, section
    FROM unnest($7::uuid[]) AS r (recipient), unnest($8::text[]) AS s (section)
"""
_FIND = """
    SELECT id, person_id, giver_id, recipient_ids, sections, valid_from, valid_to, recorded_at, document,
        (SELECT max(withdrawn_at) FROM consent_withdrawals w WHERE w.consent_id = c.id) AS withdrawn_at,
        ARRAY (
            SELECT DISTINCT section FROM consent_withdrawals w, unnest(w.sections) AS s (section)
            WHERE w.consent_id = c.id ORDER BY section
        ) AS withdrawn_sections
    FROM consents c WHERE id = $1
"""


def inserting(consent: Consent) -> list[Write]:
    """The consent and its access rows."""
    said, period = consent.document, (consent.valid_from, consent.valid_to)
    recipients, sections = list(consent.recipient_ids), list(consent.sections)
    text = json.dumps(said, ensure_ascii=False)
    whose, between = (consent.person_id, consent.giver_id), (recipients, sections)
    return [
        Write(_GIVE, (consent.id, *whose, *between, *period, consent.recorded_at, text)),
        Write(_OPEN, (*whose, consent.id, said["subject"], *period, *between)),
    ]


async def find(tx: ReadTx, consent_id: ConsentId, *, lock: bool = False) -> Consent | None:
    """The consent, with what was withdrawn of it; where `lock`, held until the transaction ends."""
    if lock:
        await fetch(tx, "SELECT FROM consents WHERE id = $1 FOR UPDATE", consent_id)
    for row in await fetch(tx, _FIND, consent_id):
        members = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
        return Consent(**members | {"document": json.loads(row["document"])})
    return None


async def withdraw(
    tx: WriteTx, at: datetime, consent_id: ConsentId, sections: Sequence[str], document: Mapping[str, Any]
) -> None:
    """The access rows of these sections no longer open anything; that they once did stays on record."""
    await tx.execute(
        withdrawals.insert().values(
            id=ordered_id(),
            consent_id=consent_id,
            sections=list(sections),
            withdrawn_at=at,
            document=json.dumps(document, ensure_ascii=False),
        )
    )
    await tx.execute(
        update(access)
        .where(
            access.c.consent_id == consent_id,
            access.c.section.in_(sections),
            access.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=at)
    )


_ACCESS = """
    SELECT section, subject, consent_id, valid_from, valid_to, withdrawn_at FROM consent_access
    WHERE person_id = $1 AND organization_id = $2 AND giver_id = $3
"""


async def access_rows(
    tx: ReadTx, person_id: PersonId, *, viewer: OrganizationId, giver: OrganizationId
) -> list[Access]:
    """All access rows between them, past and withdrawn ones included."""
    return [Access(*row) for row in await fetch(tx, _ACCESS, person_id, viewer, giver)]
