"""What the directory knows, read and written."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, literal, or_, select, text
from sqlalchemy.exc import IntegrityError

from tsunagi import municipalities
from tsunagi.clock import civil_date
from tsunagi.db import ReadTx, WriteTx, fetch
from tsunagi.directory import tables
from tsunagi.directory.rules import (
    DEFAULT_AREA_RULES,
    Address,
    Area,
    AreaPurpose,
    AreaRules,
    Contact,
    CorporateBody,
    FormerName,
    Identifier,
    Organization,
    OrganizationKind,
    OrganizationProfile,
    OrganizationRef,
    OrganizationVersion,
    Receiving,
    ascii_digits,
    bigrams,
    clean,
    comparable,
    identifier_notices,
)
from tsunagi.directory.tables import (
    area_municipalities,
    corporate_bodies,
    identifiers,
    organization_areas,
    organizations,
    versions,
)
from tsunagi.errors import Notice, RuleViolated, Text
from tsunagi.ids import OrganizationId, ordered_id

_RULES = [column.name for column in fields(AreaRules)]


async def find_organizations(
    tx: ReadTx,
    *,
    q: str | None = None,
    kind: OrganizationKind | None = None,
    municipality: str | None = None,
    area: str | None = None,
    identifier: str | None = None,
    include_closed: bool = False,
    after: OrganizationId | None = None,
    limit: int = 50,
) -> list[Organization]:
    """A page in the order of ids, beginning after `after`. `q`: words that all occur in the names or kana of
    the office or in its corporation's name; `municipality`: a city means its wards too; `identifier`: `value`
    or `system:value`, also one that is no longer used."""
    conditions = [*_words(q)] if q else []
    if kind is not None:
        conditions.append(organizations.c.kind == kind)
    if municipality is not None:
        conditions.append(_lies_in(literal(municipality)))
    if area is not None:
        conditions.append(_in_area(area))
    if identifier is not None:
        conditions.append(_has_identifier(ascii_digits(identifier)))
    if not include_closed:
        conditions.append(organizations.c.status == "active")
    if after is not None:
        conditions.append(organizations.c.id > after)
    return await _load(tx, *conditions, limit=limit)


async def organization(tx: ReadTx, organization_id: OrganizationId) -> Organization | None:
    found = await _load(tx, organizations.c.id == organization_id)
    return found[0] if found else None


async def organization_refs(
    tx: ReadTx, ids: Collection[OrganizationId]
) -> dict[OrganizationId, OrganizationRef]:
    """Those of `ids` that exist."""
    rows = await tx.execute(
        select(organizations.c.id, organizations.c.name, organizations.c.kind).where(
            organizations.c.id.in_(ids)
        )
    )
    return {row.id: OrganizationRef(row.id, row.name, row.kind) for row in rows}


async def history(tx: ReadTx, organization_id: OrganizationId) -> list[OrganizationVersion]:
    """All that the organization was, the newest last."""
    columns = [versions.c[column.name] for column in fields(OrganizationVersion)]
    mine = select(*columns).where(versions.c.organization_id == organization_id)
    return [OrganizationVersion(*row) for row in await tx.execute(mine.order_by(versions.c.version))]


async def areas(tx: ReadTx) -> list[Area]:
    members: dict[str, list[str]] = defaultdict(list)
    for row in await tx.execute(select(area_municipalities).order_by("municipality_code")):
        members[row.area_code].append(row.municipality_code)
    rows = await tx.execute(select(tables.areas).order_by(tables.areas.c.code))
    return [
        Area(
            row.code, row.name, row.prefecture_code, row.name_kana, tuple(members[row.code]), _area_rules(row)
        )
        for row in rows
    ]


_RECEIVING = f"""
    WITH own AS (
        SELECT coalesce(
            (SELECT min(area_code) FROM organization_areas WHERE organization_id = $1 AND purpose = 'serves'),
            (
                SELECT CASE WHEN count(DISTINCT m.area_code) = 1 THEN min(m.area_code) END
                FROM organizations o
                JOIN area_municipalities m ON m.municipality_code IN (o.municipality_code, o.city_code)
                WHERE o.id = $1
            )) AS code
    )
    SELECT receiver.status,
        coalesce(receiver.id = sender.id OR receiver.corporate_body_id = sender.corporate_body_id, false),
        named.code IS NOT NULL, own.code, area.code IS NOT NULL, {", ".join(f"area.{name}" for name in _RULES)}
    FROM own
    LEFT JOIN organizations receiver ON receiver.id = $1
    LEFT JOIN organizations sender ON sender.id = $3
    LEFT JOIN areas named ON named.code = $2
    LEFT JOIN areas area ON area.code = coalesce(named.code, own.code)
"""  # noqa: S608  nothing but the names of columns is put in


async def receiving(
    tx: ReadTx, receiver: OrganizationId, *, area_code: str | None, sender: OrganizationId | None = None
) -> Receiving:
    """What the directory knows of a receiver; `area_code` is the area that the record names, if any."""
    (row,) = await fetch(tx, _RECEIVING, receiver, area_code, sender)
    status, same, named, own, has_area, *lead_times = row
    return Receiving(status, same, named, own, AreaRules(*lead_times) if has_area else DEFAULT_AREA_RULES)


async def area_rules(tx: ReadTx, area_code: str | None, organization_id: OrganizationId) -> AreaRules:
    """Those of the named area, else those of the organization's own area, else the defaults."""
    return (await receiving(tx, organization_id, area_code=area_code)).rules


async def add_area(tx: WriteTx, area: Area) -> None:
    values = asdict(area) | asdict(area.rules)
    del values["municipality_codes"], values["rules"]
    await tx.execute(tables.areas.insert().values(values))
    if area.municipality_codes:
        await tx.execute(
            area_municipalities.insert(),
            [{"area_code": area.code, "municipality_code": code} for code in area.municipality_codes],
        )


async def add_organization(tx: WriteTx, profile: OrganizationProfile, *, at: datetime) -> OrganizationId:
    """Raises RuleViolated when a number fails its check digit or belongs to another organization."""
    if faults := identifier_notices(profile.identifiers):
        raise RuleViolated(errors=faults)
    organization_id = OrganizationId(ordered_id())
    await tx.execute(organizations.insert().values(id=organization_id, **await _columns(tx, profile)))
    if profile.identifiers:
        await _add_identifiers(tx, organization_id, profile.identifiers)
    for purpose, codes in (("serves", profile.serves), ("remit", profile.remit)):
        await add_areas(tx, organization_id, purpose, codes)  # type: ignore[arg-type]  # mypy widens the tuple
    await add_versions(tx, [organization_id], effective_on=civil_date(at), at=at)
    return organization_id


async def add_areas(
    tx: WriteTx, organization_id: OrganizationId, purpose: AreaPurpose, codes: Sequence[str]
) -> None:
    """The organization serves these areas, or has them in its remit."""
    if codes:
        rows = [{"organization_id": organization_id, "area_code": code, "purpose": purpose} for code in codes]
        await tx.execute(organization_areas.insert(), rows)


_add_versions = text("""
    INSERT INTO organization_versions (
        organization_id, version, name, name_kana, status, corporate_body_id, corporation_name,
        prefecture_code, municipality_code, municipality_name, address_rest, building,
        effective_on, recorded_at, import_id)
    SELECT o.id, 1 + (SELECT count(*) FROM organization_versions WHERE organization_id = o.id),
        o.name, o.name_kana, o.status, o.corporate_body_id, coalesce(l.corporation_name, b.name),
        o.prefecture_code, o.municipality_code, o.municipality_name, o.address_rest, o.building,
        :effective_on, :at, :import_id
    FROM organizations o
    LEFT JOIN directory_listings l ON l.organization_id = o.id
    LEFT JOIN corporate_bodies b ON b.id = o.corporate_body_id
    WHERE o.id = ANY(CAST(:ids AS uuid[]))
""")


async def add_versions(
    tx: WriteTx,
    ids: Sequence[OrganizationId],
    *,
    effective_on: date,
    at: datetime,
    import_id: UUID | None = None,
) -> None:
    """History holds the organizations as they are now."""
    parameters = {"ids": ids, "effective_on": effective_on, "at": at, "import_id": import_id}
    await tx.execute(_add_versions, parameters)


def _words(q: str) -> Iterable[ColumnElement[bool]]:
    for word in filter(None, (comparable(word) for word in clean(q).split())):
        yield organizations.c.search_text.contains(word, autoescape=True)
        if pairs := bigrams(word):
            yield organizations.c.search_bigrams.contains(pairs)


def _lies_in(code: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(organizations.c.municipality_code == code, organizations.c.city_code == code)


def _in_area(code: str) -> ColumnElement[bool]:
    serves = exists().where(
        organization_areas.c.organization_id == organizations.c.id,
        organization_areas.c.area_code == code,
        organization_areas.c.purpose == "serves",
    )
    members = select(area_municipalities.c.municipality_code).where(area_municipalities.c.area_code == code)
    return or_(serves, organizations.c.municipality_code.in_(members), organizations.c.city_code.in_(members))


def _has_identifier(given: str) -> ColumnElement[bool]:
    system, colon, value = given.rpartition(":")
    own = select(identifiers.c.organization_id).where(identifiers.c.value == value)
    found = organizations.c.id.in_(own.where(identifiers.c.system == system) if colon else own)
    if colon and system != "corporate_number":
        return found
    bodies = select(corporate_bodies.c.id).where(corporate_bodies.c.corporate_number == value)
    return or_(found, organizations.c.corporate_body_id.in_(bodies))


async def _load(tx: ReadTx, *conditions: ColumnElement[bool], limit: int | None = None) -> list[Organization]:
    bodies = [
        corporate_bodies.c[column.name].label(f"body_{column.name}") for column in fields(CorporateBody)
    ]
    rows = (
        await tx.execute(
            select(organizations, *bodies)
            .outerjoin(corporate_bodies, corporate_bodies.c.id == organizations.c.corporate_body_id)
            .where(and_(True, *conditions))
            .order_by(organizations.c.id)
            .limit(limit)
        )
    ).all()
    ids = [row.id for row in rows]
    numbers = await _identifiers(tx, ids)
    former = await _former_names(tx, ids)
    held: dict[tuple[UUID, str], list[str]] = defaultdict(list)
    links = select(organization_areas).where(organization_areas.c.organization_id.in_(ids))
    for link in await tx.execute(links.order_by(organization_areas.c.area_code)):
        held[link.organization_id, link.purpose].append(link.area_code)
    return [
        _organization(
            row,
            identifiers=tuple(numbers[row.id]),
            former_names=tuple(former[row.id]),
            serves=tuple(held[row.id, "serves"]),
            remit=tuple(held[row.id, "remit"]),
        )
        for row in rows
    ]


async def _identifiers(tx: ReadTx, ids: Sequence[UUID]) -> dict[UUID, list[Identifier]]:
    found: dict[UUID, list[Identifier]] = defaultdict(list)
    columns = [identifiers.c[column.name] for column in fields(Identifier)]
    query = select(identifiers.c.organization_id, *columns).where(identifiers.c.organization_id.in_(ids))
    oldest_first = query.order_by(
        identifiers.c.valid_from.nulls_first(), identifiers.c.system, identifiers.c.value
    )
    for organization_id, *values in await tx.execute(oldest_first):
        found[organization_id].append(Identifier(*values))
    return found


async def _former_names(tx: ReadTx, ids: Sequence[UUID]) -> dict[UUID, list[FormerName]]:
    found: dict[UUID, list[FormerName]] = defaultdict(list)
    query = select(versions.c.organization_id, versions.c.name, versions.c.effective_on)
    rows = await tx.execute(
        query.where(versions.c.organization_id.in_(ids)).order_by(
            versions.c.organization_id, versions.c.version
        )
    )
    for before, after in pairwise(rows):
        if before.organization_id == after.organization_id and before.name != after.name:
            found[before.organization_id].append(FormerName(before.name, after.effective_on))
    return found


_PLAIN = ("id", "kind", "name", "name_kana", "phone", "email", "url", "closed_on", "successor_id")
_ADDRESS = (
    *("prefecture_code", "municipality_code", "municipality_name"),
    *("address_rest", "building", "postal_code"),
)


def _organization(row: Row[Any], **beside: Any) -> Organization:
    column = row._mapping
    body = [column[f"body_{each.name}"] for each in fields(CorporateBody)]
    return Organization(
        **{name: column[name] for name in _PLAIN},
        corporate_body=CorporateBody(*body) if row.corporate_body_id else None,
        address=Address(*(column[name] for name in _ADDRESS)),
        contact=Contact(*(column[f"contact_{each.name}"] for each in fields(Contact))),
        **beside,
    )


async def rules_of(tx: ReadTx, area_code: str | None) -> AreaRules | None:
    row = (await tx.execute(select(tables.areas).where(tables.areas.c.code == area_code))).one_or_none()
    return _area_rules(row) if row else None


def _area_rules(row: Row[Any]) -> AreaRules:
    return AreaRules(*(getattr(row, name) for name in _RULES))


async def _columns(tx: WriteTx, profile: OrganizationProfile) -> dict[str, Any]:
    address, contact, body = profile.address, profile.contact, profile.corporate_body
    place = municipalities.place_of(address.municipality_code or "") or municipalities.Place()
    names = [comparable(name) for name in (profile.name, profile.name_kana, body and body.name) if name]
    return {
        "kind": profile.kind,
        "name": profile.name,
        "name_kana": profile.name_kana,
        "corporate_body_id": await _corporate_body(tx, body) if body else None,
        "prefecture_code": address.prefecture_code or place.prefecture_code,
        "municipality_code": address.municipality_code,
        "city_code": place.city_code or address.municipality_code,
        "municipality_name": address.municipality_name or place.municipality_name,
        "address_rest": address.rest,
        "building": address.building,
        "postal_code": address.postal_code,
        "phone": profile.phone,
        "email": profile.email,
        "url": profile.url,
        **{f"contact_{name}": value for name, value in asdict(contact).items()},
        "status": "active",
        "search_text": " ".join(names),
        "search_bigrams": bigrams(*names),
    }


async def _corporate_body(tx: WriteTx, body: CorporateBody) -> UUID:
    """The body with this number, or without one with this name and prefecture; it exists afterwards."""
    if body.corporate_number is not None:
        same = corporate_bodies.c.corporate_number == body.corporate_number
    else:
        same = and_(
            corporate_bodies.c.corporate_number.is_(None),
            corporate_bodies.c.match_name == comparable(body.name),
            corporate_bodies.c.prefecture_code.is_not_distinct_from(body.prefecture_code),
        )
    known = await tx.scalar(select(corporate_bodies.c.id).where(same))
    if known is None:
        known = ordered_id()
        values = {"id": known, "match_name": comparable(body.name), **asdict(body)}
        await tx.execute(corporate_bodies.insert().values(values))
    return known


async def _add_identifiers(tx: WriteTx, organization_id: OrganizationId, given: Sequence[Identifier]) -> None:
    rows = [
        {"id": ordered_id(), "organization_id": organization_id, **asdict(identifier)} for identifier in given
    ]
    try:
        await tx.execute(identifiers.insert(), rows)
    except IntegrityError as error:
        if "organization_identifiers_current_key" not in str(error):
            raise
        taken = Text("この番号は別の機関のものです", "This number belongs to another organization")
        raise RuleViolated(
            errors=(Notice("organization.identifier_taken", "error", taken, "/identifiers", "client"),)
        ) from error
