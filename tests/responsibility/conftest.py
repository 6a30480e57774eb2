"""The least that people and organizations must be for responsibility to point at them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from tsunagi.db import Database, WriteTx, send
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.responsibility import actions
from tsunagi.responsibility.actions import Change
from tsunagi.responsibility.rules import Acceptance, Domain

_organization = text("""
    INSERT INTO organizations (id, kind, name, status, search_text, search_bigrams)
    VALUES (:id, 'settlement', '架空の機関', 'active', '', '{}')
""")
_person = text("""
    INSERT INTO people (id, stream, registered_by, registered_at) VALUES (:id, :stream, :by, :at)
""")


async def claim(
    tx: WriteTx, at: datetime, person: PersonId, sender: OrganizationId, domain: Domain, **said: Any
) -> Change | None:
    """A claim that has been sent."""
    chains = await actions.hold(tx, person)
    change = chains.claim(at, sender, domain, **said)
    await send(tx, *chains.writes)
    return change


async def accept(
    tx: WriteTx, at: datetime, person: PersonId, domain: Domain, *, handover_id: HandoverId, **said: Any
) -> Change | None:
    """An acceptance that has been sent."""
    chains = await actions.hold(tx, person)
    change = chains.accept(at, domain, Acceptance(**said), handover_id=handover_id)
    await send(tx, *chains.writes)
    return change


async def add_organizations(tx: WriteTx, count: int) -> list[OrganizationId]:
    ids = [OrganizationId(uuid4()) for _ in range(count)]
    await tx.execute(_organization, [{"id": id_} for id_ in ids])
    return ids


async def add_people(tx: WriteTx, count: int, registered_by: UUID) -> list[PersonId]:
    at = datetime(2026, 4, 1, tzinfo=UTC)
    ids = [PersonId(uuid4()) for _ in range(count)]
    await tx.execute(_person, [{"id": id_, "stream": uuid4(), "by": registered_by, "at": at} for id_ in ids])
    return ids


@pytest.fixture
async def organizations(db: Database) -> Sequence[OrganizationId]:
    async with db.platform() as tx:
        return await add_organizations(tx, 4)


@pytest.fixture
async def person(db: Database, organizations: Sequence[OrganizationId]) -> PersonId:
    async with db.platform() as tx:
        return (await add_people(tx, 1, organizations[0]))[0]
