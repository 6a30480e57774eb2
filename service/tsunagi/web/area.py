"""A whole area: who holds what for everyone in it, gaps first, and what needs attention there."""

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


@pages.get("/area")
async def area(visit: Visit) -> Response:
    form = asked(visit, "area", "asOf", "knownAt", "cursor")
    areas = await _areas(visit)
    chosen = form.get("area") or await _own(visit)
    found, errors = None, dict[str, str]()
    if chosen:
        try:
            found = await visit.ask(
                "getAreaResponsibility",
                areaCode=chosen,
                asOf=form.get("asOf"),
                knownAt=form.instant("knownAt"),
                cursor=form.get("cursor"),
                limit=PEOPLE,
            )
        except InvalidParameter as refusal:
            errors = faults(visit, refusal, {"asOf": "asOf", "knownAt": "knownAt", "areaCode": "area"})
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
    )


@pages.get("/area/findings")
async def findings(visit: Visit) -> Response:
    form = asked(visit, "area", "organization", "kind", "from", "until", "knownAt", "cursor")
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
    same = {name: form.get(name) for name in ("area", "organization", "kind", "from", "cursor")}
    return {**same, "to": form.day_after("until"), "knownAt": form.instant("knownAt")}


def totals(said: Sequence[Mapping[str, Any]]) -> list[tuple[str | None, dict[str, int]]]:
    """How many people each organization holds, by domain; nobody first, then whoever holds most."""
    rows: dict[str | None, tuple[str | None, dict[str, int]]] = {}
    for one in said:
        holder = one["organization"]
        key, name = (holder["id"], holder["name"]) if holder else (None, None)
        rows.setdefault(key, (name, {}))[1][one["domain"]] = one["people"]
    return sorted(rows.values(), key=lambda row: (row[0] is not None, -sum(row[1].values()), row[0] or ""))


async def _areas(visit: Visit) -> dict[str, str]:
    """The names of all areas, by code."""
    return {one["code"]: one["name"] for one in (await visit.ask("listAreas"))["items"]}


async def _own(visit: Visit) -> str | None:
    """The area that one sees before choosing: the first in the organization's remit, or that it serves."""
    own = await visit.ask("getOrganization", organizationId=visit.member.organization_id)
    return next(iter([*own.get("remitAreaCodes", ()), *own["areaCodes"]]), None)


async def _organizations(visit: Visit, form: Asked) -> dict[str, str]:
    """Those of the chosen area, by id, for the filter; whoever is chosen stays."""
    found = await visit.ask("listOrganizations", area=form.get("area"), limit=ORGANIZATIONS)
    names = {one["id"]: one["name"] for one in found["items"]}
    if (chosen := form.get("organization")) and chosen not in names:
        names[chosen] = chosen
    return names
