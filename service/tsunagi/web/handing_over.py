"""Handing over without software of one's own: the drafts there are, and how one is begun."""

from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.drafts import actions as drafts
from tsunagi.errors import NotFound
from tsunagi.ids import PersonId
from tsunagi.web.desk import writer
from tsunagi.web.draft_parts import forms_of
from tsunagi.web.forms import SECTIONS
from tsunagi.web.forms_posted import document
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

_START = ("handoverType", "plannedDate")


@pages.get("/hand-over")
async def list_drafts(visit: Visit) -> Response:
    writer(visit)
    return await _page(visit, visit.request.query_params.get("q", "").strip())


async def _page(visit: Visit, q: str, status: int = 200) -> Response:
    """The drafts, and to whom a new one could be: those found by part of a name."""
    async with visit.services.db.read(writer(visit)) as tx:
        written = await drafts.listed(tx, visit.member.organization_id)
    found = (await visit.ask("listOrganizations", q=q[:100], limit=20))["items"] if q else []
    sent = (await visit.ask("listHandovers", direction="outgoing", limit=50))["items"] if found else []
    overview = forms_of(visit.services.contract).overview
    ours = str(visit.member.organization_id)
    return visit.page(
        "hand_over.html",
        status=status,
        drafts=written,
        q=q,
        found=[one for one in found if "closedOn" not in one and one["id"] != ours],
        sent=sent,
        fields={one.name: one for one in overview.fields if one.name in _START},
    )


@pages.post("/hand-over")
async def start(visit: Visit) -> Response:
    acting = writer(visit)
    form = await visit.form()
    typed = {name: [str(one) for one in form.getlist(name)] for name in form}
    overview = forms_of(visit.services.contract).overview
    begun = {name: value for name, value in document(overview, typed).items() if name in _START}
    receiver = str(form.get("receiver", ""))
    if not receiver:
        return await _page(visit, str(form.get("q", "")), 422)
    organization = await visit.ask("getOrganization", organizationId=receiver)
    earlier = await _earlier(visit, str(form.get("copy", "")))
    author = {"author": {"name": visit.member.name}}
    async with visit.services.db.write(acting) as tx:
        draft = await drafts.begin(
            tx,
            visit.at,
            visit.member.organization_id,
            visit.services.match_secret,
            by=visit.member.name,
            receiver_name=organization["name"],
            overview={**author, **earlier.pop("overview", {}), **begun, "receiverId": organization["id"]},
            **earlier,
        )
    return visit.redirect(f"/hand-over/{draft.id}/overview")


async def _earlier(visit: Visit, handover_id: str) -> dict[str, Any]:
    """What can be taken over from a record that the organization sent before. Raises NotFound where it did not."""
    if not handover_id:
        return {}
    read = await visit.ask("getHandover", handoverId=handover_id)
    if read["direction"] != "outgoing":
        raise NotFound
    record = read["record"]
    kept = ("author", "responsibleOfficer", "guideline", "acquisitionContext", "areaCode")
    return {
        "overview": {name: record[name] for name in kept if name in record},
        "sections": {name: record["sections"][name] for name in SECTIONS if name in record["sections"]},
        "person_id": PersonId(UUID(read["personId"])),
    }
