"""What there is of a person, in all rooms' tables, and taking it away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, LargeBinary, Table, Uuid

from tsunagi.db import ReadTx, WriteTx, as_eraser, fetch, metadata
from tsunagi.erasure.rules import Course, Kind
from tsunagi.ids import PersonId, Stream
from tsunagi.sealing.keys import keys
from tsunagi.sealing.store import Sealed

holds = Table(
    "legal_holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("person_id", Uuid, ForeignKey("people.id"), nullable=False),
    Column("placed_at", DateTime(timezone=True), nullable=False),
    Column("released_at", DateTime(timezone=True), nullable=True),
    Column("data_key", LargeBinary, nullable=False),
    Column("words", Sealed, nullable=False, comment="sealed JSON: why, and by whom it was placed"),
    CheckConstraint("placed_at <= released_at", name="period"),
    Index("legal_holds_person_id_idx", "person_id"),
)

UNDER_WAY = ("offered", "received", "returned", "accepted", "overlapping")
"""States in which two organizations are busy with a person."""


class Person(NamedTuple):
    """Members are named as the columns."""

    id: PersonId
    stream: Stream
    registered_at: datetime
    erased_at: datetime | None


_PERSON = "SELECT id, stream, registered_at, erased_at FROM people WHERE id = $1"


async def person(tx: ReadTx, person_id: PersonId, *, lock: bool = False) -> Person | None:
    rows = await fetch(tx, _PERSON + (" FOR UPDATE" if lock else ""), person_id)
    return next((Person(*row) for row in rows), None)


_HANDOVERS = """
    SELECT h.id, h.status,
        CAST(greatest(h.recorded_at, h.offered_at, h.received_at, h.answered_at, h.completed_at, (
            SELECT max(a.recorded_at) FROM handover_activities a WHERE a.handover_id = h.id))
            AT TIME ZONE 'Asia/Tokyo' AS date) AS touched_on,
        h.answer_due_on, array_remove(ARRAY[s.prefecture_code, r.prefecture_code], NULL) AS prefectures
    FROM handovers h JOIN organizations s ON s.id = h.sender_id JOIN organizations r ON r.id = h.receiver_id
    WHERE h.person_id = $1 ORDER BY h.id
"""


@dataclass(frozen=True, slots=True)
class Traces:
    """The ids by which a person's things are found, and what they have been through."""

    handovers: Sequence[UUID]
    consents: Sequence[UUID]
    under_way: int
    courses: Sequence[Course]

    @property
    def ids(self) -> list[str]:
        return [str(one) for one in (*self.handovers, *self.consents)]


async def traces(tx: ReadTx, who: Person, registered_on: date) -> Traces:
    rows = await fetch(tx, _HANDOVERS, who.id)
    consents = await fetch(tx, "SELECT id FROM consents WHERE person_id = $1", who.id)
    courses = [_course(row) for row in rows] or [Course("registered", registered_on, ())]
    under_way = sum(row["status"] in UNDER_WAY for row in rows)
    return Traces([row["id"] for row in rows], [row["id"] for row in consents], under_way, courses)


def _course(row: Any) -> Course:
    kind: Kind = "completed" if row["status"] == "completed" else "ended"
    over = max(filter(None, (row["touched_on"], row["answer_due_on"])))
    return Course(kind, None if row["status"] in UNDER_WAY else over, row["prefectures"])


async def people_after(tx: ReadTx, person_id: PersonId | None, *, limit: int) -> list[Person]:
    """People of whom something is there, by id."""
    rows = await fetch(
        tx,
        "SELECT id, stream, registered_at, erased_at FROM people"
        " WHERE erased_at IS NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2",
        person_id,
        limit,
    )
    return [Person(*row) for row in rows]


GOES = {
    "handover_drafts": """person_id = $1 OR handover_id IN (SELECT id FROM handovers WHERE person_id = $1)
        OR EXISTS (SELECT FROM person_identities i WHERE i.person_id = $1 AND (
            i.certificate_key = handover_drafts.certificate_key
            OR i.kana_birth_key = handover_drafts.kana_birth_key
                AND coalesce(i.certificate_key = handover_drafts.certificate_key, true)))""",
    "handover_assignees": "handover_id IN (SELECT id FROM handovers WHERE person_id = $1)",
    "handover_activities": "handover_id IN (SELECT id FROM handovers WHERE person_id = $1)",
    "record_sections": "person_id = $1",
    "record_versions": "person_id = $1",
    "consent_access": "person_id = $1",
    "consent_withdrawals": "consent_id IN (SELECT id FROM consents WHERE person_id = $1)",
    "consents": "person_id = $1",
    "person_identities": "person_id = $1",
    "person_relations": "person_id = $1",
    "legal_holds": "person_id = $1",
    "events": """(person_id = $1 OR handover_id IN (SELECT id FROM handovers WHERE person_id = $1)
        OR consent_id = ANY ($2)) AND position IS DISTINCT FROM (
            SELECT max(newest.position) FROM events newest WHERE newest.organization_id = events.organization_id)""",
}
"""Rows that go, in an order in which none is left that refers to one. Of a feed's events the newest stays, whose
number must not be given again; it names ids that lead nowhere. Drafts go wherever the person is written of, also
where they are known by no id yet."""

EARLIER = {
    "handover_revisions": """person_id = $1
        AND revision < (SELECT h.revision FROM handovers h WHERE h.id = handover_revisions.id)""",
}
"""What goes once the handovers are what stays of them."""

CONTENTS = """action <> 'people:erase' AND (id IN (SELECT id FROM ledger_entries WHERE stream = $1)
    OR record_id = ANY ($2) AND id IN (SELECT id FROM ledger_entries WHERE stream IS NULL))"""
"""Of the person's stream, and refusals that name one of their ids. That somebody was erased stays to be read."""

STAYS = {
    "ledger_entries": "stream = (SELECT stream FROM people WHERE id = $1)",
    "responsibility_segments": "person_id = $1",
    "handovers": "person_id = $1",
    "provisions": "person_id = $1",
}


async def counted(tx: ReadTx, who: Person, found: Traces) -> tuple[dict[str, int], dict[str, int]]:
    """How many rows of which table would go, and stay."""
    goes = {}
    for table, rows in (GOES | EARLIER).items():
        also = [found.consents] if "$2" in rows else []
        goes[table] = (await fetch(tx, f"SELECT count(*) FROM {table} WHERE {rows}", who.id, *also))[0][0]  # noqa: S608  only names of ours
    stays = {
        table: (await fetch(tx, f"SELECT count(*) FROM {table} WHERE {rows}", who.id))[0][0]  # noqa: S608  only names of ours
        for table, rows in STAYS.items()
    }
    contents = f"SELECT count(*) FROM ledger_contents WHERE {CONTENTS}"  # noqa: S608  only names of ours
    goes["ledger_contents"] = (await fetch(tx, contents, who.stream, [*found.ids, str(who.id)]))[0][0]
    return goes, stays


# What is left of a handover is between whom it was, when, and how it went.
_EMPTIED = """
    UPDATE handovers SET data_key = NULL, notes = NULL, hired_on = NULL, first_conference_on = NULL, shared_on = NULL,
        employer_window_id = NULL, clock_on = NULL, revision = revision + 1, changed_at = $2, erased_at = $2
    WHERE person_id = $1 AND erased_at IS NULL
"""


async def erase(tx: WriteTx, at: datetime, who: Person, found: Traces) -> dict[str, int]:
    """Nothing is left that says who the person was or what they were like; how many rows of each table went."""
    await fetch(tx, "SELECT FROM handovers WHERE person_id = $1 ORDER BY id FOR NO KEY UPDATE", who.id)
    gone = {"idempotent_answers": await _forget_answers(tx, [*found.ids, str(who.id)])}
    for table, rows in GOES.items():
        also = [found.consents] if "$2" in rows else []
        gone[table] = await _deleted(tx, table, rows, who.id, *also)
    await fetch(tx, _EMPTIED, who.id, at)
    for table, rows in EARLIER.items():
        gone[table] = await _deleted(tx, table, rows, who.id)
    await fetch(tx, "UPDATE people SET erased_at = $2 WHERE id = $1", who.id, at)
    async with as_eraser(tx):
        about = [*found.ids, str(who.id)]
        gone["ledger_contents"] = await _deleted(tx, "ledger_contents", CONTENTS, who.stream, about)
    return gone


async def _deleted(tx: WriteTx, table: str, rows: str, *values: object) -> int:
    return len(await fetch(tx, f"DELETE FROM {table} WHERE {rows} RETURNING 1", *values))  # noqa: S608  only names of ours


_OUTLIVED = """
    DELETE FROM provisions p WHERE retain_until <= $1
        AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.person_id = p.person_id AND h.released_at IS NULL)
    RETURNING 1
"""


async def forget_provisions(tx: WriteTx, today: date) -> int:
    """Records of provision that nobody needs to keep are gone, but for those of people who are held; how many."""
    return len(await fetch(tx, _OUTLIVED, today))


_ANSWERS = """
    SELECT organization_id, client_id, key, data_key, answer FROM idempotent_answers
    WHERE ($1::uuid IS NULL OR (organization_id, client_id, key) > ($1, $2, $3))
    ORDER BY organization_id, client_id, key LIMIT 500
"""


async def _forget_answers(tx: WriteTx, ids: Sequence[str]) -> int:
    """Kept answers that name one of these ids are gone: there are those of a week, sealed, so each is looked at."""
    after, gone = (None, "", ""), 0
    while rows := await fetch(tx, _ANSWERS, *after):
        for *where, data_key, answer in map(tuple, rows):
            at = ("idempotent_answers", *where)
            text = keys(tx).opened(data_key, *at).unseal(answer, *at).decode(errors="replace")
            if any(one in text for one in ids):
                await fetch(
                    tx,
                    "DELETE FROM idempotent_answers WHERE organization_id = $1 AND client_id = $2 AND key = $3",
                    *where,
                )
                gone += 1
        after = tuple(rows[-1])[:3]
    return gone
