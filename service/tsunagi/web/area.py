"""A whole area: who holds what for everyone in it, gaps first, and what needs attention there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from fastapi.responses import Response

from tsunagi.errors import InvalidParameter
from tsunagi.oversight.rules import FindingKind
from tsunagi.responsibility.rules import Domain
from tsunagi.web.asking import Asked, asked, faults
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

PEOPLE, FINDINGS, ORGANIZATIONS = 100, 50, 200
"""How many are asked for at once."""
DOMAINS = get_args(Domain)
AREAS_SEARCHED = 20
FIELDS = {name: name for name in ("asOf", "knownAt", "number")}
NO_NUMBER = (
    "引継ぎか本人の番号（0～9とA～Fの6文字）、またはIDを入れてください",
    "Give the number of a handover or person (six of 0 to 9 and A to F), or an id",
)


@pages.get("/area")
async def area(visit: Visit) -> Response:
    form = asked(visit, "area", "asOf", "knownAt", "number", "cursor")
    areas = await _areas(visit)
    own = await _own(visit)
    chosen = form.get("area") or next(iter(own), None)
    found, errors = None, dict[str, str]()
    try:
        for one in _searched(form, chosen, own):
            found = await _report(visit, form, one)
            if found["people"]:
                chosen = one
                break
    except InvalidParameter as refusal:
        errors = faults(visit, refusal, FIELDS | {"areaCode": "area"})
        errors |= {"number": visit.t(*NO_NUMBER)} if "number" in errors else {}
    return visit.page(
        "area.html",
        status=400 if errors else 200,
        asked=form,
        errors=errors,
        areas=areas,
        chosen=chosen,
        found=found,
        domains=DOMAINS,
        totals=totals(found["totals"]) if found else [],
        unrecorded=unrecorded(found) if found else {},
    )


def _searched(form: Asked, chosen: str | None, own: Sequence[str]) -> list[str]:
    """The areas to look in: the chosen one; for a number, whose area stands on no paper, all of one's own, too."""
    first = [chosen] if chosen else []
    return list(dict.fromkeys([*first, *own]))[:AREAS_SEARCHED] if form.get("number") else first


async def _report(visit: Visit, form: Asked, area_code: str) -> Any:
    return await visit.ask(
        "getAreaResponsibility",
        areaCode=area_code,
        asOf=form.get("asOf"),
        knownAt=form.instant("knownAt"),
        number=form.get("number"),
        cursor=form.get("cursor"),
        limit=PEOPLE,
    )


@pages.get("/area/findings")
async def findings(visit: Visit) -> Response:
    form = asked(visit, "personId", "area", "organization", "kind", "from", "until", "knownAt", "cursor")
    found, errors = None, dict[str, str]()
    try:
        found = await visit.ask("listFindings", **_filters(form), limit=FINDINGS)
    except InvalidParameter as refusal:
        named = {name: name for name in ("area", "organization", "kind", "from", "knownAt")}
        errors = faults(visit, refusal, named | {"to": "until"})
    return visit.page(
        "findings.html",
        status=400 if errors else 200,
        asked=form,
        errors=errors,
        areas=await _areas(visit),
        organizations=await _organizations(visit, form),
        kinds={one: visit.words.finding(one) for one in get_args(FindingKind)},
        found=found,
    )


def _filters(form: Asked) -> dict[str, Any]:
    same = {name: form.get(name) for name in ("personId", "area", "organization", "kind", "from", "cursor")}
    return {**same, "to": form.day_after("until"), "knownAt": form.instant("knownAt")}


def totals(said: Sequence[Mapping[str, Any]]) -> list[tuple[str | None, dict[str, int]]]:
    """How many people each organization holds, by domain; nobody first, then whoever holds most."""
    rows: dict[str | None, tuple[str | None, dict[str, int]]] = {}
    for one in said:
        holder = one["organization"]
        key, name = (holder["id"], holder["name"]) if holder else (None, None)
        rows.setdefault(key, (name, {}))[1][one["domain"]] = one["people"]
    return sorted(rows.values(), key=lambda row: (row[0] is not None, -sum(row[1].values()), row[0] or ""))


def unrecorded(found: Mapping[str, Any]) -> dict[str, int]:
    """For how many people nothing is on record, not even that it is nobody, by domain; where there are any."""
    told = Counter[str]()
    for one in found["totals"]:
        told[one["domain"]] += one["people"]
    return {domain: missing for domain in DOMAINS if (missing := found["people"] - told[domain])}


async def _areas(visit: Visit) -> dict[str, str]:
    """The names of all areas, by code."""
    return {one["code"]: one["name"] for one in (await visit.ask("listAreas"))["items"]}


async def _own(visit: Visit) -> list[str]:
    """The areas in the organization's remit, and those that it serves; the first is seen before one chooses."""
    own = await visit.ask("getOrganization", organizationId=visit.member.organization_id)
    return [*own.get("remitAreaCodes", ()), *own["areaCodes"]]


async def _organizations(visit: Visit, form: Asked) -> dict[str, str]:
    """Those of the chosen area, by id, for the filter; whoever is chosen stays."""
    found = await visit.ask("listOrganizations", area=form.get("area"), limit=ORGANIZATIONS)
    names = {one["id"]: one["name"] for one in found["items"]}
    if (chosen := form.get("organization")) and chosen not in names:
        names[chosen] = chosen
    return names
