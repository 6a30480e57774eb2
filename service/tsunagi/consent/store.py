"""Consents as they were given, and the access rows that follow from them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
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
    Table,
    Text,
    Uuid,
    select,
    tuple_,
    update,
)

from tsunagi.consent.rules import Access
from tsunagi.db import ReadTx, WriteTx, metadata
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


async def insert(
    tx: WriteTx,
    at: datetime,
    giver_id: OrganizationId,
    document: Mapping[str, Any],
    *,
    recipient_ids: Sequence[OrganizationId],
) -> ConsentId:
    """The consent and its access rows are there."""
    consent_id = ConsentId(ordered_id())
    person_id = PersonId(UUID(document["personId"]))
    valid_from, valid_to = date.fromisoformat(document["from"]), date.fromisoformat(document["to"])
    await tx.execute(
        consents.insert().values(
            id=consent_id,
            person_id=person_id,
            giver_id=giver_id,
            recipient_ids=list(recipient_ids),
            sections=document["sections"],
            valid_from=valid_from,
            valid_to=valid_to,
            recorded_at=at,
            document=json.dumps(document, ensure_ascii=False),
        )
    )
    shared = {
        "person_id": person_id,
        "giver_id": giver_id,
        "consent_id": consent_id,
        "subject": document["subject"],
        "valid_from": valid_from,
        "valid_to": valid_to,
    }
    opened = product(recipient_ids, document["sections"])
    await tx.execute(
        access.insert(),
        [{**shared, "organization_id": recipient, "section": section} for recipient, section in opened],
    )
    return consent_id


async def find(tx: ReadTx, consent_id: ConsentId, *, lock: bool = False) -> Consent | None:
    query = select(consents).where(consents.c.id == consent_id)
    row = (await tx.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return None
    withdrawn = (
        await tx.execute(
            select(withdrawals.c.sections, withdrawals.c.withdrawn_at)
            .where(withdrawals.c.consent_id == consent_id)
            .order_by(withdrawals.c.withdrawn_at)
        )
    ).all()
    return Consent(
        id=ConsentId(row.id),
        person_id=PersonId(row.person_id),
        giver_id=OrganizationId(row.giver_id),
        recipient_ids=tuple(row.recipient_ids),
        sections=tuple(row.sections),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        recorded_at=row.recorded_at,
        document=json.loads(row.document),
        withdrawn_sections=tuple(sorted({section for one in withdrawn for section in one.sections})),
        withdrawn_at=withdrawn[-1].withdrawn_at if withdrawn else None,
    )


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


Between = tuple[PersonId, OrganizationId, OrganizationId]
"""A person, the organization that sees, and the organization whose record it is."""


async def access_rows(tx: ReadTx, *between: Between) -> dict[Between, list[Access]]:
    """All access rows, past and withdrawn ones included, for each of these."""
    key = tuple_(access.c.person_id, access.c.organization_id, access.c.giver_id)
    rows = await tx.execute(select(access).where(key.in_(between)))
    found: dict[Between, list[Access]] = {one: [] for one in between}
    for row in rows:
        found[(row.person_id, row.organization_id, row.giver_id)].append(
            Access(
                section=row.section,
                subject=row.subject,
                consent_id=ConsentId(row.consent_id),
                valid_from=row.valid_from,
                valid_to=row.valid_to,
                withdrawn_at=row.withdrawn_at,
            )
        )
    return found
