"""What the ledger says of one person, and what organizations were called on a day."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from tsunagi.db import ReadTx, columns, fetch
from tsunagi.directory.rules import OrganizationKind
from tsunagi.ids import ConsentId, OrganizationId, Stream
from tsunagi.ledger.rules import Action
from tsunagi.provisions.rules import Ground
from tsunagi.reports.rules import Disclosure, Facts, Granted, Offered

READINGS: tuple[Action, ...] = ("handovers:read", "handovers:export")
LOOKS: tuple[Action, ...] = ("handovers:read", "responsibility:read", "people:report", "disclosures:read")
"""Attempts of these that were refused are the person's to know of."""

LOOK = 1_000
"""So many entries of a stream a page looks through, however few of them are readings."""
MOST_FACTS = 5_000
MOST_ENTRIES = 10_000
"""Of a stream a report looks through, the newest: a reading every night for twenty-seven years."""
MOST_READINGS = 400
MOST_ATTEMPTS = 200

_FACTS = """
    SELECT c.action, c.organization_id, c.record_id, c.body
    FROM ledger_entries e JOIN ledger_contents c ON c.id = e.id
    WHERE e.stream = $1 AND c.outcome = 'permit'
        AND c.action IN ('consents:give', 'consents:except', 'handovers:offer', 'handovers:amend')
    ORDER BY e.number LIMIT $2
"""
_PAGE = """
    SELECT e.id, e.number, e.recorded_at, c.action, c.organization_id, c.record_id, c.body
    FROM (
        SELECT id, number, recorded_at FROM ledger_entries
        WHERE stream = $1 AND ($2::bigint IS NULL OR number < $2) ORDER BY number DESC LIMIT $3
    ) AS e
    LEFT JOIN ledger_contents c ON c.id = e.id AND c.action = ANY ($4::text[]) AND c.outcome = 'permit'
    ORDER BY e.number DESC
"""
_GATHERED = """
    SELECT c.organization_id, c.record_id, CAST(r.body -> 'sections' AS text) AS sections,
        CAST(r.body -> 'consents' AS text) AS consents, max(CAST(r.body -> 'record' ->> 'version' AS int)) AS version,
        (array_agg(e.id ORDER BY e.number))[1] AS id, min(e.recorded_at) AS at, max(e.recorded_at) AS last_at,
        count(*) AS times, bool_or(c.action = 'handovers:export') AS exported
    FROM (
        SELECT id, number, recorded_at FROM ledger_entries WHERE stream = $1 ORDER BY number DESC LIMIT $2
    ) AS e
    JOIN ledger_contents c ON c.id = e.id, LATERAL (SELECT CAST(c.body AS jsonb) AS body) AS r
    WHERE c.action = ANY ($3::text[]) AND c.outcome = 'permit' AND r.body ? 'consents'
    GROUP BY c.organization_id, c.record_id, r.body -> 'sections', r.body -> 'consents'
    ORDER BY last_at DESC LIMIT $4
"""
# Who is refused is not told whose it was, so that the entry stands in nobody's stream: it is found by what was named.
_ATTEMPTS = """
    SELECT c.organization_id, c.record_id, c.action, CAST(c.body AS json) ->> 'code' AS code,
        (array_agg(c.id ORDER BY c.id))[1] AS id, count(*) AS times,
        min(CAST(CAST(c.body AS json) ->> 'at' AS timestamptz)) AS at,
        max(CAST(CAST(c.body AS json) ->> 'at' AS timestamptz)) AS last_at
    FROM ledger_contents c
    WHERE c.record_id = ANY ($1::text[]) AND c.outcome = 'deny' AND c.action = ANY ($2::text[])
        AND c.organization_id IS NOT NULL
    GROUP BY c.organization_id, c.record_id, c.action, code
    ORDER BY last_at DESC LIMIT $3
"""
_NAMED = """
    SELECT DISTINCT ON (a.organization_id, a.day) a.organization_id, a.day, v.name
    FROM unnest($1::uuid[], $2::date[]) AS a (organization_id, day)
    JOIN organization_versions v ON v.organization_id = a.organization_id
    ORDER BY a.organization_id, a.day, v.effective_on <= a.day DESC,
        CASE WHEN v.effective_on <= a.day THEN -v.version ELSE v.version END
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """Readings among the entries that were looked through, the newest first, each with its number in the stream."""

    readings: Sequence[tuple[int, Disclosure]]
    end: int | None
    """The number of the last entry looked at; None when there is nothing before it."""


async def facts(tx: ReadTx, stream: Stream) -> Facts:
    """What was consented, and what was offered to whom on which consents."""
    granted: dict[ConsentId, Granted] = {}
    givers: dict[str, OrganizationId] = {}
    covered: dict[str, set[ConsentId]] = defaultdict(set)
    for row in await fetch(tx, _FACTS, stream, MOST_FACTS):
        body = json.loads(row["body"])
        consents = {ConsentId(UUID(one)) for one in body.get("consents", ())}
        if row["action"].startswith("handovers:"):
            givers[row["record_id"]] = row["organization_id"]
            covered[row["record_id"]] |= consents
        else:
            ground: Ground = body["code"] if row["action"] == "consents:except" else "consent"
            granted |= {one: Granted(frozenset(body["sections"]), ground) for one in consents}
    offered = {handover: Offered(giver, frozenset(covered[handover])) for handover, giver in givers.items()}
    return Facts(granted, offered)


async def looked(tx: ReadTx, stream: Stream, *, before: int | None) -> Looked:
    """The readings among the newest entries of the stream before that number."""
    rows = await fetch(tx, _PAGE, stream, before, LOOK, list(READINGS))
    found = [(row["number"], _reading(row)) for row in rows if row["action"] is not None]
    return Looked(found, rows[-1]["number"] if len(rows) == LOOK else None)


def _reading(row: Any) -> Disclosure:
    body = json.loads(row["body"])
    return Disclosure(
        entry_id=row["id"],
        at=row["recorded_at"],
        last_at=row["recorded_at"],
        organization_id=row["organization_id"],
        record_id=row["record_id"],
        version=body["record"].get("version"),
        sections=tuple(body.get("sections", ())),
        consents=_ids(body.get("consents", ())),
        exported=row["action"] == "handovers:export",
    )


async def readings(tx: ReadTx, stream: Stream) -> list[Disclosure]:
    """All readings, those of the same sections on the same consents gathered; the latest, where there are many."""
    return [
        Disclosure(
            entry_id=row["id"],
            at=row["at"],
            last_at=row["last_at"],
            organization_id=row["organization_id"],
            record_id=row["record_id"],
            version=row["version"],
            sections=tuple(json.loads(row["sections"] or "[]")),
            consents=_ids(json.loads(row["consents"])),
            exported=row["exported"],
            times=row["times"],
        )
        for row in await fetch(tx, _GATHERED, stream, MOST_ENTRIES, list(READINGS), MOST_READINGS)
    ]


async def attempts(tx: ReadTx, record_ids: Collection[UUID]) -> list[Disclosure]:
    """What was asked for by these ids and refused, the latest first."""
    named = [str(one) for one in record_ids]
    return [
        Disclosure(
            entry_id=row["id"],
            at=row["at"],
            last_at=row["last_at"],
            organization_id=row["organization_id"],
            record_id=row["record_id"],
            refused=row["code"],
            times=row["times"],
        )
        for row in await fetch(tx, _ATTEMPTS, named, list(LOOKS), MOST_ATTEMPTS)
    ]


def _ids(texts: Iterable[str]) -> tuple[ConsentId, ...]:
    return tuple(ConsentId(UUID(one)) for one in texts)


Named = dict[tuple[OrganizationId, date], str]


async def names(tx: ReadTx, asked: Collection[tuple[OrganizationId, date]]) -> Named:
    """What each organization was called on its day; before its first known name, by that one."""
    ids, days = columns(sorted(asked)) if asked else ([], [])
    return {(row["organization_id"], row["day"]): row["name"] for row in await fetch(tx, _NAMED, ids, days)}


@dataclass(frozen=True, slots=True)
class Office:
    """An organization as it can be reached today."""

    id: OrganizationId
    kind: OrganizationKind
    name: str
    phone: str | None
    department: str | None


_OFFICES = """
    SELECT id, kind, name, coalesce(contact_phone, phone) AS phone, contact_department AS department
    FROM organizations WHERE id = ANY ($1)
"""


async def offices(tx: ReadTx, ids: Collection[OrganizationId]) -> dict[OrganizationId, Office]:
    return {row["id"]: Office(**row) for row in await fetch(tx, _OFFICES, list(ids))}
