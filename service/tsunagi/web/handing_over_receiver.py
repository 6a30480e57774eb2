"""To whom somebody is handed over: searched for in the directory, and changed as long as nothing is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response

from tsunagi.drafts.rules import Draft
from tsunagi.errors import PreconditionFailed
from tsunagi.web.desk import present, save
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

CHOICES = 20
"""Receivers that are offered to choose from."""

TYPES: Mapping[tuple[str, str], str] = {
    ("transition", "settlement"): "transition_to_settlement",
    ("settlement", "center"): "settlement_to_center",
    ("center", "center"): "center_to_center",
}
"""By the kinds of sender and receiver."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """Organizations that were found; `more`: not all that there are."""

    found: list[Mapping[str, Any]]
    more: bool
    area_names: Mapping[str, str]


async def receivers(visit: Visit, q: str) -> Receivers:
    """Those that somebody could be handed over to, by part of the name."""
    if not q:
        return Receivers([], False, {})
    listed = await visit.ask("listOrganizations", q=q[:100], limit=CHOICES)
    areas = (await visit.ask("listAreas"))["items"]
    ours = str(visit.member.organization_id)
    found = [one for one in listed["items"] if "closedOn" not in one and one["id"] != ours]
    return Receivers(found, bool(listed["nextCursor"]), {one["code"]: one["name"] for one in areas})


async def usual_type(visit: Visit, receiver: Mapping[str, Any]) -> str:
    """What the handover would usually be, between organizations of these kinds. It can be changed in the form."""
    sender = await visit.ask("getOrganization", organizationId=visit.member.organization_id)
    usual = TYPES.get((sender["kind"], receiver["kind"]))
    if usual is None and receiver["kind"] == "center":
        usual = "sender_to_center"
    elif usual is None and sender["kind"] == "selection":
        usual = "selection_to_service"
    return usual or "other"


@pages.get("/hand-over/{draft_id}/receiver/search")
async def search_receiver(visit: Visit) -> Response:
    return await _page(visit, await present(visit), visit.request.query_params.get("q", "").strip())


async def _page(visit: Visit, draft: Draft, q: str, status: int = 200) -> Response:
    if draft.handover_id is not None:
        return visit.redirect(f"/hand-over/{draft.id}")
    found = await receivers(visit, q)
    return visit.page("hand_over_receiver.html", status=status, draft=draft, q=q, receivers=found)


@pages.post("/hand-over/{draft_id}/receiver/search")
async def change_receiver(visit: Visit) -> Response:
    """A consent names who receives the data: those that were written are gone with the receiver they named."""
    draft, form = await present(visit), await visit.form()
    receiver = str(form.get("receiver", ""))
    if not receiver or draft.handover_id is not None:
        return await _page(visit, draft, str(form.get("q", "")), 422)
    if form.get("revision") != str(draft.revision):
        raise PreconditionFailed
    organization = await visit.ask("getOrganization", organizationId=receiver)
    if organization["id"] != draft.overview.get("receiverId"):
        known = {"receiverId": organization["id"], "handoverType": await usual_type(visit, organization)}
        named = {"receiver_name": organization["name"], "overview": {**draft.overview, **known}}
        await save(visit, draft, **named, consents={}, given={})
    return visit.redirect(f"/hand-over/{draft.id}/overview")
