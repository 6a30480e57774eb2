"""What organizations are called, where an answer has but their ids."""

from collections.abc import Iterable

from tsunagi.errors import NotFound
from tsunagi.web.visit import Visit

MOST_NAMED = 20
"""Each is a question to the directory."""
MOST_AREAS, MOST_OF_AREA = 3, 200


async def names_of(visit: Visit, ids: Iterable[str | None]) -> dict[str, str]:
    """Of the first so many, where the directory has them."""
    names: dict[str, str] = {}
    for one in list(dict.fromkeys(one for one in ids if one))[:MOST_NAMED]:
        try:
            names[one] = (await visit.ask("getOrganization", organizationId=one))["name"]
        except NotFound:
            continue
    return names


async def names_around(visit: Visit) -> dict[str, str]:
    """Of those whom the visitor's organization may meet, before it is known whom it does: itself, and who works in
    the areas that it audits or serves."""
    own = await visit.ask("getOrganization", organizationId=visit.member.organization_id)
    names = {own["id"]: own["name"]}
    for area in dict.fromkeys([*own.get("remitAreaCodes", ()), *own["areaCodes"]][:MOST_AREAS]):
        found = await visit.ask("listOrganizations", area=area, limit=MOST_OF_AREA)
        names |= {one["id"]: one["name"] for one in found["items"]}
    return names
