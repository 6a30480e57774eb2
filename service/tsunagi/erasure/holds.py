"""Legal holds: nobody whom one is on is erased."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tsunagi.db import ReadTx, WriteTx, fetch
from tsunagi.ids import PersonId, ordered_id
from tsunagi.sealing.keys import keys


@dataclass(frozen=True, slots=True)
class Hold:
    id: UUID
    person_id: PersonId
    placed_at: datetime
    reason: str
    by: str


async def place(tx: WriteTx, at: datetime, person_id: PersonId, *, reason: str, by: str) -> Hold:
    """The person is held."""
    hold = Hold(ordered_id(), person_id, at, reason, by)
    key = keys(tx).fresh("legal_holds", hold.id)
    words = json.dumps({"reason": reason, "by": by}, ensure_ascii=False).encode()
    await fetch(
        tx,
        "INSERT INTO legal_holds (id, person_id, placed_at, data_key, words) VALUES ($1, $2, $3, $4, $5)",
        hold.id,
        person_id,
        at,
        key.wrapped,
        key.seal(words, "legal_holds", hold.id),
    )
    return hold


async def release(tx: WriteTx, at: datetime, person_id: PersonId) -> int:
    """Nothing holds the person any more; how many holds did."""
    rows = await fetch(
        tx,
        "UPDATE legal_holds SET released_at = $2 WHERE person_id = $1 AND released_at IS NULL RETURNING id",
        person_id,
        at,
    )
    return len(rows)


async def holding(tx: ReadTx, person_id: PersonId | None = None) -> list[Hold]:
    """The holds on the person, or on everybody, oldest first."""
    rows = await fetch(
        tx,
        "SELECT id, person_id, placed_at, data_key, words FROM legal_holds"
        " WHERE released_at IS NULL AND ($1::uuid IS NULL OR person_id = $1) ORDER BY placed_at, id",
        person_id,
    )
    return [_hold(tx, row) for row in rows]


def _hold(tx: ReadTx, row: Any) -> Hold:
    key = keys(tx).opened(row["data_key"], "legal_holds", row["id"])
    words = json.loads(key.unseal(row["words"], "legal_holds", row["id"]))
    return Hold(row["id"], row["person_id"], row["placed_at"], words["reason"], words["by"])
