"""The directory: organizations by name, kind and area, and the areas with their lead times."""

from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response

from tsunagi.errors import InvalidParameter
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

FILTERS = ("q", "kind", "area", "identifier", "cursor")


@pages.get("/directory")
async def directory_page(visit: Visit) -> Response:
    asked = {name: visit.request.query_params.get(name, "").strip() for name in FILTERS}
    found: dict[str, Any] = {"items": [], "nextCursor": None}
    errors: list[str] = []
    try:
        given: dict[str, Any] = {name: text for name, text in asked.items() if text}
        found = await visit.ask("listOrganizations", limit=50, **given)
    except InvalidParameter:
        errors = [visit.t("絞り込みの値が正しくありません", "One of the filters has no such form")]
    areas = (await visit.ask("listAreas"))["items"]
    onward = {name: text for name, text in asked.items() if text} | {"cursor": found["nextCursor"]}
    return visit.page(
        "directory.html",
        status=400 if errors else 200,
        asked=asked,
        errors=errors,
        organizations=found["items"],
        onward=f"/directory?{urlencode(onward)}" if found["nextCursor"] else None,
        areas=areas,
        area_names={one["code"]: one["name"] for one in areas},
        kinds=visit.words.labels["organization-kind"],
    )
