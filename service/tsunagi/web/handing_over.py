"""Handing over without software of one's own: the drafts there are, and how one is begun or given up."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.drafts import actions as drafts
from tsunagi.errors import NotFound
from tsunagi.ids import PersonId
from tsunagi.web.desk import present, writer
from tsunagi.web.draft_parts import forms_of
from tsunagi.web.forms import SECTIONS
from tsunagi.web.forms_posted import document
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

_START = ("handoverType", "plannedDate")


@pages.get("/hand-over")
async def list_drafts(visit: Visit) -> Response:
    async with visit.services.db.read(writer(visit)) as tx:
        found = await drafts.listed(tx, visit.member.organization_id)
    return visit.page("hand_over.html", drafts=found)


@pages.get("/hand-over/new")
async def start_page(visit: Visit) -> Response:
    writer(visit)
    return await _start_page(visit, visit.request.query_params.get("q", "").strip(), {})


async def _start_page(visit: Visit, q: str, typed: Mapping[str, Any], status: int = 200) -> Response:
    found = (await visit.ask("listOrganizations", q=q[:100], limit=20))["items"] if q else []
    sent = (await visit.ask("listHandovers", direction="outgoing", limit=50))["items"] if found else []
    field = forms_of(visit.services.contract).overview
    return visit.page(
        "hand_over_new.html",
        status=status,
        q=q,
        found=[one for one in found if "closedOn" not in one and one["id"] != str(visit.member.organization_id)],
        sent=sent,
        fields={one.name: one for one in field.fields if one.name in _START},
        typed=typed,
    )


@pages.post("/hand-over/new")
async def start(visit: Visit) -> Response:
    acting = writer(visit)
    form = await visit.form()
    typed = {name: [str(one) for one in form.getlist(name)] for name in form}
    overview = forms_of(visit.services.contract).overview
    begun = {name: value for name, value in document(overview, typed).items() if name in _START}
    receiver = str(form.get("receiver", ""))
    if not receiver:
        return await _start_page(visit, str(form.get("q", "")), begun, 422)
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


@pages.post("/hand-over/{draft_id}/discard")
async def discard(visit: Visit) -> Response:
    draft = await present(visit)
    async with visit.services.db.write(writer(visit)) as tx:
        await drafts.discard(tx, draft)
    return visit.redirect("/hand-over")
