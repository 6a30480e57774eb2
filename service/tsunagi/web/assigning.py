"""Who is in charge of a handover: one of the visitor's own colleagues, whom pages name and the contract does not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi.responses import Response

from tsunagi.errors import NotFound, WrongState
from tsunagi.staff import actions as staff
from tsunagi.staff.rules import Colleague
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

MOST = 50
"""How many are assigned at once: a page of the list."""


@dataclass(frozen=True, slots=True)
class Team:
    """The staff of the visitor's organization, as whoever is or may be in charge."""

    visitor_id: str
    colleagues: Sequence[Colleague]

    def name(self, assignee: str) -> str:
        """Of a colleague. Whatever else the organization's software calls its staff stands for itself."""
        return next((one.name for one in self.colleagues if str(one.id) == assignee), assignee)

    def gone(self, assignee: str) -> bool:
        """Whether it is a colleague who cannot sign in any more."""
        return any(str(one.id) == assignee and not one.active for one in self.colleagues)

    @property
    def choices(self) -> dict[str, str]:
        """Who can be put in charge, by reference: whoever looks comes first."""
        found = {str(one.id): one.name for one in self.colleagues if one.takes_charge}
        return {self.visitor_id: found.pop(self.visitor_id, ""), **found}

    @property
    def others(self) -> dict[str, str]:
        """Who cannot, and may be in charge nevertheless."""
        return {str(one.id): one.name for one in self.colleagues if not one.takes_charge}


async def team(visit: Visit) -> Team:
    return Team(str(visit.member.id), await staff.colleagues(visit.services.db, visit.member))


@pages.post("/handovers/{handover_id}/assignee")
async def assign_one(visit: Visit) -> Response:
    form = await visit.form()
    handover_id = visit.request.path_params["handover_id"]
    await _assign(visit, handover_id, form.get("assignee"))
    return visit.redirect(f"/handovers/{handover_id}", done="assigned")


@pages.post("/coming/assignees")
async def assign_several(visit: Visit) -> Response:
    """Those that were ticked in the list have somebody in charge; how many that were is said in the list again."""
    form = await visit.form()
    ticked = [one for one in form.getlist("handover") if isinstance(one, str)]
    assigned = 0
    for handover_id in ticked[:MOST]:
        assigned += await _assigned(visit, handover_id, form.get("assignee"))
    told = [("assigned", str(assigned)), ("of", str(len(ticked)))]
    return visit.redirect(f"/coming?{urlencode([*_asked(form.get('asked')), *told])}")


async def _assigned(visit: Visit, handover_id: str, assignee: Any) -> bool:
    """Whether it still could be: another may have ended it meanwhile."""
    try:
        await _assign(visit, handover_id, assignee)
    except (NotFound, WrongState):
        return False
    return True


async def _assign(visit: Visit, handover_id: str, assignee: Any) -> None:
    body = {"assignee": str(assignee) if assignee else None}
    await visit.ask("assignHandover", body=body, handoverId=handover_id)


def _asked(query: Any) -> Iterable[tuple[str, str]]:
    """What the list was asked for, without what was said of an earlier assignment."""
    return [one for one in parse_qsl(str(query or "")) if one[0] not in ("assigned", "of")]
