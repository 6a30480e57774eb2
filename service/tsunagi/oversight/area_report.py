"""Who holds what in a whole area: everybody's holder on one day, in one statement, however many people there are."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from tsunagi.db import ReadTx, WriteTx, fetch
from tsunagi.directory import store as directory
from tsunagi.errors import NotFound
from tsunagi.handovers.steps import By
from tsunagi.ids import OrganizationId, PersonId
from tsunagi.oversight.actions import record_look_at_many
from tsunagi.responsibility.rules import Domain


class Holding(NamedTuple):
    """One domain of a person on the day asked for. Members are in the order of the statement's."""

    domain: Domain
    holder: OrganizationId | None
    valid_from: date
    valid_to: date


class Total(NamedTuple):
    """How many people an organization holds a domain for; None is nobody."""

    domain: Domain
    holder: OrganizationId | None
    people: int


@dataclass(frozen=True, slots=True)
class Row:
    person_id: PersonId
    gap: bool
    """Whether a domain of theirs is nobody's on that day."""
    domains: tuple[Holding, ...]


@dataclass(frozen=True, slots=True)
class Report:
    people: int
    totals: tuple[Total, ...]
    rows: tuple[Row, ...]
    """A page of them, those with a gap first, then by id."""
    more: bool

    @property
    def organizations(self) -> frozenset[OrganizationId]:
        return frozenset(one.holder for one in self.totals if one.holder is not None)


# LATERAL, so that whatever the planner expects, each person's rows are looked up and nobody else's are read. An
# area's people are those with a handover on offer, or beyond, in it. $6 and $7: the row that the page before ended
# with. $8: the end of a person's id, or of a handover's; whom that is about is told to nobody who may not know of it.
_REPORT = """
    WITH remit AS MATERIALIZED (
        SELECT FROM organization_areas a
        WHERE a.organization_id = $1 AND a.area_code = $2 AND a.purpose = 'remit'
    ), person AS MATERIALIZED (
        SELECT DISTINCT h.person_id FROM handovers h
        WHERE h.area_code = $2 AND h.offered_at IS NOT NULL AND (
            EXISTS (SELECT FROM remit)
            OR h.person_id IN (SELECT r.person_id FROM person_relations r WHERE r.organization_id = $1))
            AND ($8::text IS NULL OR right(h.person_id::text, length($8)) = $8
                OR right(h.id::text, length($8)) = $8 AND (EXISTS (SELECT FROM remit) OR h.sender_id = $1
                OR h.receiver_id = $1 AND h.received_at IS NOT NULL))
    ), newest AS MATERIALIZED (
        SELECT p.person_id, v.domain, v.version
        FROM person p CROSS JOIN LATERAL (
            SELECT domain, max(version) AS version FROM responsibility_versions
            WHERE person_id = p.person_id AND recorded_at <= $4 GROUP BY domain) AS v
    ), held AS MATERIALIZED (
        SELECT n.person_id, n.domain, s.organization_id, s.valid_from, s.valid_to
        FROM newest n CROSS JOIN LATERAL (
            SELECT organization_id, valid_from, valid_to FROM responsibility_segments
            WHERE person_id = n.person_id AND domain = n.domain AND version = n.version
                AND valid_from <= $3 AND $3 < valid_to LIMIT 1) AS s
    ), per_person AS (
        SELECT person_id, bool_or(organization_id IS NULL) AS gap,
            array_agg(ROW(domain, organization_id, valid_from, valid_to) ORDER BY domain) AS domains
        FROM held GROUP BY person_id
    ), page AS (
        SELECT * FROM per_person
        WHERE $6::uuid IS NULL OR (NOT gap, person_id) > ($7, $6) ORDER BY NOT gap, person_id LIMIT $5
    ), total AS (
        SELECT domain, organization_id, count(*) AS people FROM held GROUP BY domain, organization_id
    )
    SELECT (SELECT count(DISTINCT person_id) FROM held) AS people,
        (SELECT array_agg(ROW(domain, organization_id, people)
            ORDER BY domain, organization_id IS NOT NULL, people DESC, organization_id) FROM total) AS totals,
        (SELECT array_agg(ROW(person_id, gap, domains) ORDER BY NOT gap, person_id) FROM page) AS page
"""


async def report(
    tx: WriteTx,
    by: By,
    area_code: str,
    *,
    as_of: date,
    known_at: datetime | None,
    number: str | None = None,
    after: tuple[bool, PersonId] | None,
    limit: int,
) -> Report:
    """Who held what in the area on `as_of`, as known at `known_at`: of all its people for who audits it, of their own
    for others; with `number`, of those whose id, or that of a handover about them, ends so. Domains that are not on
    record for that day are left out. The look is on the ledger.

    Raises NotFound when there is no such area.
    """
    if await directory.rules_of(tx, area_code) is None:
        raise NotFound
    asked = {"asOf": as_of, "knownAt": known_at and known_at.isoformat(), "number": number}
    await record_look_at_many(tx, by, "responsibility:report", area=area_code, **asked)
    known, end = known_at or by.at, number and number.lower()
    return await _report(tx, by.organization_id, area_code, as_of, known, end, after=after, limit=limit)


async def _report(
    tx: ReadTx,
    organization_id: OrganizationId,
    area_code: str,
    as_of: date,
    known_at: datetime,
    end: str | None,
    *,
    after: tuple[bool, PersonId] | None,
    limit: int,
) -> Report:
    gap, person_id = after or (None, None)
    place = (person_id, None if gap is None else not gap)
    asked = (organization_id, area_code, as_of, known_at, limit + 1, *place, end)
    ((people, totals, page),) = await fetch(tx, _REPORT, *asked)
    rows = [
        Row(person, has_gap, tuple(Holding(*one) for one in domains))
        for person, has_gap, domains in page or ()
    ]
    found = tuple(Total(*one) for one in totals or ())
    return Report(people, found, tuple(rows[:limit]), len(rows) > limit)
