"""Handing over without software of one's own: the drafts there are, and how one is begun."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.drafts import actions as drafts
from tsunagi.errors import NotFound
from tsunagi.ids import PersonId
from tsunagi.web.dates import civil
from tsunagi.web.desk import writer
from tsunagi.web.draft_parts import forms_of
from tsunagi.web.forms import SECTIONS
from tsunagi.web.forms_posted import document
from tsunagi.web.handing_over_receiver import receivers, usual_type
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

EARLIER = 20
"""So many earlier handovers are offered to begin from."""

TAKEN = ("responsibleOfficer", "guideline", "acquisitionContext")
"""Beside the sections, of an earlier record; its dates, its author and what it offers are another handover's."""
FRESH: Mapping[str, frozenset[str]] = {
    "continuing_needs": frozenset({"serviceEndsOn", "sharedOn", "sharedWith"}),
}
"""Members of sections that are another handover's, too; of the plan of that handover everything is."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A handover that the organization has sent, as something to begin from."""

    id: str
    person_id: PersonId
    person: str
    receiver: str
    planned_date: date
    record: Mapping[str, Any]

    @property
    def overview(self) -> dict[str, Any]:
        return {name: self.record[name] for name in TAKEN if name in self.record}

    @property
    def sections(self) -> dict[str, Any]:
        written = self.record["sections"]
        return {
            name: {one: value for one, value in written[name].items() if one not in FRESH.get(name, ())}
            for name in SECTIONS
            if name in written and name != "handover_plan"
        }


@pages.get("/hand-over")
async def list_drafts(visit: Visit) -> Response:
    writer(visit)
    asked = visit.request.query_params
    return await _page(visit, asked.get("q", "").strip(), await _earlier(visit, asked.get("from", "")))


async def _page(visit: Visit, q: str, earlier: Earlier | None, status: int = 200) -> Response:
    """The drafts, and to whom a new one could be: those found by part of a name."""
    async with visit.services.db.read(writer(visit)) as tx:
        written = await drafts.listed(tx, visit.member.organization_id)
    sent = await visit.ask("listHandovers", direction="outgoing", limit=EARLIER) if not earlier else {}
    overview = forms_of(visit.services.contract).overview
    return visit.page(
        "hand_over.html",
        status=status,
        drafts=written,
        q=q,
        receivers=await receivers(visit, q),
        sent=[one for one in sent.get("items", ()) if one["status"] != "draft"],
        earlier=earlier,
        planned=overview.at("/plannedDate"),
    )


@pages.post("/hand-over")
async def start(visit: Visit) -> Response:
    acting = writer(visit)
    form = await visit.form()
    typed = {name: [str(one) for one in form.getlist(name)] for name in form}
    written = document(forms_of(visit.services.contract).overview, typed)
    begun = {name: value for name, value in written.items() if name == "plannedDate"}
    earlier = await _earlier(visit, str(form.get("from", "")))
    receiver = str(form.get("receiver", ""))
    if not receiver:
        return await _page(visit, str(form.get("q", "")), earlier, 422)
    organization = await visit.ask("getOrganization", organizationId=receiver)
    known = {"receiverId": organization["id"], "handoverType": await usual_type(visit, organization)}
    taken = earlier.overview if earlier else {}
    async with visit.services.db.write(acting) as tx:
        draft = await drafts.begin(
            tx,
            visit.at,
            visit.member.organization_id,
            visit.services.match_secret,
            by=visit.member.name,
            receiver_name=organization["name"],
            overview={"author": {"name": visit.member.name}, **taken, **begun, **known},
            proposed=True,
            sections=earlier.sections if earlier else {},
            person_id=earlier.person_id if earlier else None,
        )
    return visit.redirect(f"/hand-over/{draft.id}/overview")


async def _earlier(visit: Visit, handover_id: str) -> Earlier | None:
    """Raises NotFound where the organization did not send it."""
    if not handover_id:
        return None
    read = await visit.ask("getHandover", handoverId=handover_id)
    if read["direction"] != "outgoing":
        raise NotFound
    who = read["record"]["sections"]["identity"]
    return Earlier(
        read["id"],
        PersonId(UUID(read["personId"])),
        f"{who['familyName']} {who['givenName']}",
        read["receiver"]["name"],
        civil(read["record"]["plannedDate"]),
        read["record"],
    )
