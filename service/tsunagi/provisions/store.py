"""The records as they are kept: rows that are added, never changed, and deleted when nobody needs to keep them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from tsunagi.db import ReadTx, Write, columns, fetch, metadata
from tsunagi.ids import HandoverId, OrganizationId, PersonId, Stream
from tsunagi.provisions.rules import CONTINUED_MONTHS, Acquisition, Means, Party, Provision, Role, Transfer

provisions = Table(
    "provisions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("handover_id", Uuid, ForeignKey("handovers.id"), nullable=False),
    Column("version", Integer, nullable=False, comment="of the handover's record"),
    Column("digest", LargeBinary, nullable=False, comment="of day, ground, sections and consents"),
    Column("person_id", Uuid, ForeignKey("people.id"), nullable=False),
    Column("stream", Uuid, nullable=False, comment="the person's pseudonym in the ledger"),
    Column("area_code", Text, nullable=True, comment="whose auditors see it"),
    Column("giver_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("receiver_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("giver", Text, nullable=False, comment="JSON: name, address and representative of that day"),
    Column("receiver", Text, nullable=False, comment="JSON: likewise"),
    Column("same_corporation", Boolean, nullable=False),
    Column("provided_at", DateTime(timezone=True), nullable=False),
    Column("provided_on", Date, nullable=False),
    Column("means", Text, nullable=False),
    Column("ground", Text, nullable=False),
    Column("sections", ARRAY(Text), nullable=False),
    Column("consent_ids", ARRAY(Uuid), nullable=False),
    Column("acquisition", Text, nullable=False, comment="how the giver came by the data"),
    Column("withheld_from_person", Text, nullable=True, comment="the rule by which the person is not told"),
    Column("entry_id", Uuid, nullable=False, comment="the ledger's entry of the reading"),
    Column("retain_until", Date, nullable=False, comment="exclusive"),
    CheckConstraint("means IN ('read', 'export')", name="means"),
    CheckConstraint("acquisition IN ('in_support', 'stated')", name="acquisition"),
    Index("provisions_version_key", "handover_id", "version", "digest", unique=True),
    Index("provisions_person_id_idx", "person_id"),
    Index("provisions_giver_idx", "giver_id", "provided_on", "id"),
    Index("provisions_receiver_idx", "receiver_id", "provided_on", "id"),
    Index("provisions_area_idx", "area_code", "provided_on", "id"),
)

retention = Table(
    "provision_retention",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_kind", Text, nullable=True, comment="null: of every kind"),
    Column("prefecture_code", Text, nullable=True, comment="null: everywhere"),
    Column("years", Integer, nullable=False),
    Column("source", Text, nullable=False, comment="the law or ordinance that says so"),
    CheckConstraint("years >= 3", name="years"),  # rules art. 21 and 25: never less
    comment="how long records of provision are kept: the longest that applies to either side",
)

_PARTY = {
    "id": "{o}.id",
    "kind": "{o}.kind",
    "name": "{o}.name",
    "corporate_name": "{b}.name",
    "corporate_number": "{b}.corporate_number",
    "corporate_address": "{b}.address",
    "representative": "{b}.representative",
    "postal_code": "{o}.postal_code",
    "prefecture_code": "{o}.prefecture_code",
    "municipality_name": "{o}.municipality_name",
    "address_rest": "{o}.address_rest",
    "building": "{o}.building",
}
assert list(_PARTY) == [member.name for member in fields(Party)]


def _party(organization: str, body: str) -> str:
    members = ", ".join(
        f"'{name}', {column.format(o=organization, b=body)}" for name, column in _PARTY.items()
    )
    return f"CAST(json_strip_nulls(json_build_object({members})) AS text)"


class Row(NamedTuple):
    """A record before the database has put in what it knows of the two sides."""

    id: UUID
    handover_id: HandoverId
    version: int
    digest: bytes
    person_id: PersonId
    stream: Stream
    area_code: str | None
    giver_id: OrganizationId
    receiver_id: OrganizationId
    provided_at: datetime
    provided_on: date
    means: Means
    ground: str
    sections: str
    """With commas: `unnest` would flatten lists of lists. So are the consents."""
    consent_ids: str
    acquisition: Acquisition
    withheld_from_person: str | None
    entry_id: UUID


_TYPES = (
    *("uuid", "uuid", "int", "bytea", "uuid", "uuid", "text", "uuid", "uuid", "timestamptz", "date", "text"),
    *("text", "text", "text", "text", "text", "uuid"),
)
_AS_SENT = [name for name in Row._fields if name not in ("sections", "consent_ids")]

# Two readings may both find that theirs is the first: the second one waits for the stream's row, as its entry does,
# before it adds anything, and then adds nothing.
_RECORD = f"""
    INSERT INTO provisions (
        {", ".join(_AS_SENT)}, sections, consent_ids, giver, receiver, same_corporation, retain_until)
    SELECT {", ".join(f"n.{name}" for name in _AS_SENT)},
        string_to_array(n.sections, ','), CAST(string_to_array(n.consent_ids, ',') AS uuid[]),
        {_party("g", "gb")}, {_party("r", "rb")}, coalesce(g.corporate_body_id = r.corporate_body_id, false),
        CAST(n.provided_on + interval '{CONTINUED_MONTHS} months' + make_interval(years => (
            SELECT max(t.years)
            FROM provision_retention t,
                (VALUES (g.kind, g.prefecture_code), (r.kind, r.prefecture_code)) AS side (kind, prefecture_code)
            WHERE coalesce(t.organization_kind, side.kind) = side.kind
                AND (t.prefecture_code IS NULL OR t.prefecture_code = side.prefecture_code))) AS date)
    FROM unnest({", ".join(f"${place}::{kind}[]" for place, kind in enumerate(_TYPES, 1))})
        AS n ({", ".join(Row._fields)})
    LEFT JOIN held_stream ON held_stream.stream = n.stream
    JOIN organizations g ON g.id = n.giver_id LEFT JOIN corporate_bodies gb ON gb.id = g.corporate_body_id
    JOIN organizations r ON r.id = n.receiver_id LEFT JOIN corporate_bodies rb ON rb.id = r.corporate_body_id
    ON CONFLICT (handover_id, version, digest) DO NOTHING
"""  # noqa: S608  nothing but the names of columns is put in
_RECORD_STEPS = (
    ("held_stream", "SELECT stream FROM ledger_streams WHERE stream = ANY ($6) ORDER BY stream FOR UPDATE"),
)


def recording(rows: Sequence[Row]) -> Write:
    """These records are kept, unless the same are already."""
    return Write(_RECORD, columns(rows), _RECORD_STEPS)


def row(transfer: Transfer, **members: Any) -> Row:
    """What of a record is known before the database adds the two sides."""
    return Row(
        digest=transfer.digest,
        provided_on=transfer.on,
        ground=transfer.ground,
        sections=",".join(transfer.sections),
        consent_ids=",".join(str(one) for one in transfer.consents),
        **members,
    )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records to list. `until` is exclusive."""

    role: Role | None = None
    since: date | None = None
    until: date | None = None
    person_id: PersonId | None = None
    handover_id: HandoverId | None = None


Place = tuple[date, UUID]
"""Where a page ends: records come in the order of their days."""

_COLUMNS = tuple(member.name for member in fields(Provision))
_SIDES: Mapping[Role, str] = {
    "giver": "(SELECT p.* FROM provisions p WHERE p.giver_id = $1{also} ORDER BY p.provided_on, p.id LIMIT $2)",
    "receiver": "(SELECT p.* FROM provisions p WHERE p.receiver_id = $1{also} ORDER BY p.provided_on, p.id LIMIT $2)",
    "auditor": """(
        SELECT p.* FROM organization_areas a CROSS JOIN LATERAL (
            SELECT * FROM provisions p
            WHERE p.area_code = a.area_code AND $1 NOT IN (p.giver_id, p.receiver_id){also}
            ORDER BY p.provided_on, p.id LIMIT $2) p
        WHERE a.organization_id = $1 AND a.purpose = 'remit')""",
}


async def listing(
    tx: ReadTx, organization_id: OrganizationId, wanted: Filter, *, after: Place | None, limit: int
) -> list[Provision]:
    """Those of the records that the organization may see, behind the place `after`, in the order of their days."""
    conditions = {
        "p.provided_on >= {}": wanted.since,
        "p.provided_on < {}": wanted.until,
        "p.person_id = {}": wanted.person_id,
        "p.handover_id = {}": wanted.handover_id,
    }
    asked = {condition: value for condition, value in conditions.items() if value is not None}
    roles = (wanted.role,) if wanted.role else tuple(_SIDES)
    statement = _statement(roles, tuple(asked), after is not None)
    rows = await fetch(tx, statement, organization_id, limit, *(after or ()), *asked.values())
    return [_provision(row) for row in rows]


@lru_cache(maxsize=100)
def _statement(roles: tuple[Role, ...], conditions: tuple[str, ...], behind: bool) -> str:
    """$1 is the organization, $2 the limit; then the place, where the page is `behind` one, then the conditions'."""
    first = 5 if behind else 3
    also = [condition.format(f"${place}") for place, condition in enumerate(conditions, first)]
    also += ["(p.provided_on, p.id) > ($3, $4)"] if behind else []
    more = "".join(f" AND {one}" for one in also)
    sides = " UNION ALL ".join(_SIDES[role].replace("{also}", more) for role in roles)
    return f"""
        SELECT {", ".join(_COLUMNS)} FROM ({sides}) AS sides ORDER BY provided_on, id LIMIT $2
    """  # noqa: S608  only names of ours


_OF_PEOPLE = f"""
    SELECT {", ".join(_COLUMNS)} FROM provisions WHERE giver_id = $1 AND person_id = ANY ($2)
    ORDER BY provided_on, id
"""  # noqa: S608  only names of ours


async def given(tx: ReadTx, giver: OrganizationId, people: Iterable[PersonId]) -> list[Provision]:
    """What the organization has given of these people, the earliest first."""
    return [_provision(row) for row in await fetch(tx, _OF_PEOPLE, giver, list(people))]


def _provision(row: Any) -> Provision:
    values = {name: row[name] for name in _COLUMNS}
    for side in ("giver", "receiver"):
        values[side] = _read_party(values[side])
    return Provision(**values)


@lru_cache(maxsize=1000)
def _read_party(kept: str) -> Party:
    members = json.loads(kept)
    return Party(**members | {"id": OrganizationId(UUID(members["id"]))})
