"""Consents as they were given, and the access rows that follow from them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
    update,
)

from tsunagi.consent.rules import Access
from tsunagi.db import ReadTx, Write, WriteTx, fetch, metadata
from tsunagi.ids import ConsentId, OrganizationId, PersonId, ordered_id
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed

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
    Column("data_key", LargeBinary, nullable=False),
    Column("document", Sealed, nullable=False, comment="sealed: the consent as it was submitted"),
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
    Column("data_key", LargeBinary, nullable=False),
    Column("document", Sealed, nullable=False, comment="sealed: the withdrawal as it was submitted"),
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
    Column("exception_code", Text, nullable=True, comment="what allows it without consent"),
    CheckConstraint("subject IN ('person', 'family')", name="subject"),
    Index("consent_access_consent_id_idx", "consent_id"),
)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was withdrawn of a consent at once, and not before."""

    at: datetime
    sections: tuple[str, ...]


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
    withdrawals: tuple[Withdrawal, ...] = ()
    """The oldest first."""

    @property
    def withdrawn_sections(self) -> tuple[str, ...]:
        return tuple(sorted({section for one in self.withdrawals for section in one.sections}))


_GIVE = """
    INSERT INTO consents (
        id, person_id, giver_id, recipient_ids, sections, valid_from, valid_to, recorded_at, data_key, document)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_OPEN = """
    INSERT INTO consent_access (
        person_id, giver_id, consent_id, subject, valid_from, valid_to, exception_code, organization_id, section)
    SELECT $1, $2, $3, $4, $5, $6, $7, recipient, section
    FROM unnest($8::uuid[]) AS r (recipient), unnest($9::text[]) AS s (section)
"""
_FIND = """
    SELECT id, person_id, giver_id, recipient_ids, sections, valid_from, valid_to, recorded_at, data_key, document,
        ARRAY (
            SELECT ROW(w.withdrawn_at, w.sections) FROM consent_withdrawals w
            WHERE w.consent_id = c.id ORDER BY w.withdrawn_at, w.id
        ) AS withdrawals
    FROM consents c WHERE id = $1
"""
_OF_PERSON = _FIND.replace("WHERE id = $1", "WHERE person_id = $1 ORDER BY recorded_at DESC, id LIMIT $2")
MOST_OF_A_PERSON = 200


def _sealed(tx: ReadTx, table: str, row_id: UUID, document: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """The data key of a row, and what it was submitted with."""
    key = keys(tx).fresh(table, row_id)
    return key.wrapped, key.seal(json.dumps(document, ensure_ascii=False).encode(), table, row_id)


def inserting(tx: ReadTx, consent: Consent) -> list[Write]:
    """The consent and its access rows."""
    said, period = consent.document, (consent.valid_from, consent.valid_to)
    recipients, sections = list(consent.recipient_ids), list(consent.sections)
    whose, between = (consent.person_id, consent.giver_id), (recipients, sections)
    exception = said.get("legalException", {}).get("code")
    sealed = _sealed(tx, "consents", consent.id, said)
    return [
        Write(_GIVE, (consent.id, *whose, *between, *period, consent.recorded_at, *sealed)),
        Write(_OPEN, (*whose, consent.id, said["subject"], *period, exception, *between)),
    ]


async def find(tx: ReadTx, consent_id: ConsentId, *, lock: bool = False) -> Consent | None:
    """The consent, with what was withdrawn of it; where `lock`, held until the transaction ends."""
    if lock:
        await fetch(tx, "SELECT FROM consents WHERE id = $1 FOR NO KEY UPDATE", consent_id)
    return next((_consent(tx, row) for row in await fetch(tx, _FIND, consent_id)), None)


async def of_person(tx: ReadTx, person_id: PersonId) -> list[Consent]:
    """The person's consents that the organization may see, the newest first."""
    return [_consent(tx, row) for row in await fetch(tx, _OF_PERSON, person_id, MOST_OF_A_PERSON)]


def _consent(tx: ReadTx, row: Mapping[str, Any]) -> Consent:
    members: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    key = keys(tx).opened(members.pop("data_key"), "consents", row["id"])
    document = json.loads(key.unseal(members.pop("document"), "consents", row["id"]))
    withdrawals = tuple(Withdrawal(at, tuple(sections)) for at, sections in members.pop("withdrawals"))
    return Consent(**members, document=document, withdrawals=withdrawals)


async def withdraw(
    tx: WriteTx, at: datetime, consent_id: ConsentId, sections: Sequence[str], document: Mapping[str, Any]
) -> None:
    """The access rows of these sections no longer open anything; that they once did stays on record."""
    withdrawal_id = ordered_id()
    data_key, sealed = _sealed(tx, "consent_withdrawals", withdrawal_id, document)
    await tx.execute(
        withdrawals.insert().values(
            id=withdrawal_id,
            consent_id=consent_id,
            sections=list(sections),
            withdrawn_at=at,
            data_key=data_key,
            document=sealed,
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
    SELECT section, subject, consent_id, valid_from, valid_to, withdrawn_at, exception_code FROM consent_access
    WHERE person_id = $1 AND organization_id = $2 AND giver_id = $3
"""


async def access_rows(
    tx: ReadTx, person_id: PersonId, *, viewer: OrganizationId, giver: OrganizationId
) -> list[Access]:
    """All access rows between them, past and withdrawn ones included."""
    return [Access(*row) for row in await fetch(tx, _ACCESS, person_id, viewer, giver)]
