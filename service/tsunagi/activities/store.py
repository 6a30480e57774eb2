"""Activities as they are kept: days and organizations to be counted, and what was written, sealed."""

import json
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
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
)

from tsunagi.activities.rules import MEMBERS, Activity, ActivityId
from tsunagi.db import ReadTx, WriteTx, fetch, metadata
from tsunagi.ids import HandoverId, OrganizationId, ordered_id
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed

activities = Table(
    "handover_activities",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("handover_id", Uuid, ForeignKey("handovers.id"), nullable=False),
    Column("recorded_by", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("on_day", Date, nullable=False, comment="on which it was done, or from which the window holds"),
    Column("window_id", Uuid, nullable=True, comment="the organization that is to be the employer's window"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("withdrawn_at", DateTime(timezone=True), nullable=True, comment="taken back by who recorded it"),
    Column("data_key", LargeBinary, nullable=False),
    Column("document", Sealed, nullable=False, comment="sealed JSON, as it was sent"),
    CheckConstraint("kind IN ('case_conference', 'joint_visit', 'employer_window')", name="kind"),
    CheckConstraint("(kind = 'employer_window') = (window_id IS NOT NULL)", name="window"),
    Index("handover_activities_handover_id_idx", "handover_id", "id"),
)

_COUNTED = tuple(field.name for field in fields(Activity) if field.name != "document")
_ALL = (*_COUNTED, "data_key", "document")


def new(
    at: datetime, handover_id: HandoverId, recorded_by: OrganizationId, document: Mapping[str, Any]
) -> Activity:
    """What a document of the schema `activity.json` tells."""
    member, day = MEMBERS[document["kind"]]
    content = document[member]
    window_id = content["organizationId"] if document["kind"] == "employer_window" else None
    return Activity(
        id=ActivityId(ordered_id()),
        handover_id=handover_id,
        recorded_by=recorded_by,
        kind=document["kind"],
        on_day=date.fromisoformat(content[day]),
        window_id=OrganizationId(UUID(window_id)) if window_id else None,
        recorded_at=at,
        document=document,
    )


_ADD = f"""
    INSERT INTO handover_activities ({", ".join(_ALL)})
    VALUES ({", ".join(f"${place}" for place in range(1, len(_ALL) + 1))})
"""  # noqa: S608  nothing but the names of columns is put in
_WITHDRAW = "UPDATE handover_activities SET withdrawn_at = $2 WHERE id = $1"
_OF = f"""
    SELECT {", ".join(_ALL)} FROM handover_activities WHERE handover_id = $1 ORDER BY id
"""  # noqa: S608  only names of ours
_KNOWN = f"""
    SELECT {", ".join(_COUNTED)} FROM handover_activities
    WHERE handover_id = ANY ($1) AND recorded_at <= $2 AND (withdrawn_at IS NULL OR withdrawn_at > $2) ORDER BY id
"""  # noqa: S608  only names of ours


_NUMBER = "SELECT count(*) FROM handover_activities WHERE handover_id = $1 AND recorded_by = $2"


async def number(tx: ReadTx, handover_id: HandoverId, recorded_by: OrganizationId) -> int:
    """How many one side has recorded."""
    return int((await fetch(tx, _NUMBER, handover_id, recorded_by))[0][0])


async def add(tx: WriteTx, new: Activity) -> None:
    where = ("handover_activities", new.id)
    key = keys(tx).fresh(*where)
    sealed = key.seal(json.dumps(new.document, ensure_ascii=False).encode(), *where)
    await fetch(tx, _ADD, *(getattr(new, name) for name in _COUNTED), key.wrapped, sealed)


async def withdraw(tx: WriteTx, at: datetime, activity_id: ActivityId) -> None:
    """It is there to be read, and no longer counts."""
    await fetch(tx, _WITHDRAW, activity_id, at)


async def of_handover(tx: ReadTx, handover_id: HandoverId) -> list[Activity]:
    """All that the database lets the caller see, in the order in which it was recorded."""
    return [_opened(tx, row) for row in await fetch(tx, _OF, handover_id)]


def _opened(tx: ReadTx, row: Mapping[str, Any]) -> Activity:
    where = ("handover_activities", row["id"])
    text = keys(tx).opened(row["data_key"], *where).unseal(row["document"], *where)
    return Activity(**{name: row[name] for name in _COUNTED}, document=json.loads(text))


async def known(
    tx: ReadTx, handover_ids: Collection[HandoverId], at: datetime
) -> dict[HandoverId, list[Activity]]:
    """What counted of each of these handovers at that moment, without what was written."""
    found: dict[HandoverId, list[Activity]] = {one: [] for one in handover_ids}
    for row in await fetch(tx, _KNOWN, list(handover_ids), at):
        one = Activity(**dict(row) | {"withdrawn_at": None})  # whatever became of it later
        found[one.handover_id].append(one)
    return found
