"""The directory: organizations by name, kind and area, and the areas with their lead times."""

from typing import Any

from fastapi.responses import Response

from tsunagi.errors import InvalidParameter
from tsunagi.web.asking import asked, faults
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

FILTERS = ("q", "kind", "area", "identifier")
ORGANIZATIONS = 50


@pages.get("/directory")
async def directory_page(visit: Visit) -> Response:
    form = asked(visit, *FILTERS, "cursor")
    given: dict[str, Any] = {**form.again()}
    found, errors = None, dict[str, str]()
    try:
        found = await visit.ask("listOrganizations", limit=ORGANIZATIONS, **given)
    except InvalidParameter as refusal:
        errors = faults(visit, refusal, {name: name for name in FILTERS})
    areas = (await visit.ask("listAreas"))["items"]
    kinds = visit.words.labels["organization-kind"]
    return visit.page(
        "directory.html",
        status=400 if errors else 200,
        asked=form,
        errors=errors,
        found=found,
        areas=areas,
        area_names={one["code"]: one["name"] for one in areas},
        kinds={code: visit.words.text(label) for code, label in kinds.items()},
    )
