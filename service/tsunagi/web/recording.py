"""Recording what both sides of a handover did together, in a form made from the schema; and taking it back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from fastapi.responses import Response

from tsunagi.errors import NotFound, Notice, Refusal, Text
from tsunagi.web.draft_parts import forms_of
from tsunagi.web.filled import Filled
from tsunagi.web.forms import ACTIVITIES, Choice
from tsunagi.web.forms_posted import Inputs, added, document, inputs, posted, removed
from tsunagi.web.record import handover_id, read
from tsunagi.web.site import pages
from tsunagi.web.together import Together, together
from tsunagi.web.visit import Visit

PATH = "/handovers/{handover_id}/activities/{kind}"


@pages.get(PATH)
async def form_page(visit: Visit) -> Response:
    kind = _kind(visit)
    handover = await read(visit)
    known = await together(visit, handover)
    if not known.may_record:
        return _back(visit)
    proposed = _proposed(kind, handover, known)
    return _form(visit, handover, known, inputs(_field(visit, kind), proposed), key=str(uuid4()))


@pages.post(PATH)
async def record(visit: Visit) -> Response:
    kind, sent = _kind(visit), await visit.form()
    field, typed, key = _field(visit, kind), posted(sent), str(sent.get("key", ""))
    if at := str(sent.get("add", "")):
        content = added(field, document(field, typed, blanks=True), at)
        place = f"{at}/{len(_list(content, at)) - 1}"
        return await _again(visit, inputs(field, content), key=key, place=place)
    if at := str(sent.get("remove", "")):
        content = removed(field, document(field, typed, blanks=True), at)
        return await _again(visit, inputs(field, content), key=key, place=at.rpartition("/")[0])
    member, _ = ACTIVITIES[kind]
    body = {"kind": kind, member: document(field, typed)}
    headers = {"Idempotency-Key": key or str(uuid4())}
    try:
        await visit.ask("recordActivity", body=body, headers=headers, handoverId=handover_id(visit))
    except Refusal as refusal:
        if refusal.on_ledger or not refusal.errors:
            raise
        faults = [replace(one, pointer=one.pointer.removeprefix(f"/{member}")) for one in refusal.errors]
        return await _again(visit, typed, key=key, faults=faults)
    return _back(visit, "recorded")


@pages.post("/handovers/{handover_id}/activities/{activity_id}/withdraw")
async def take_back(visit: Visit) -> Response:
    activity_id = visit.request.path_params["activity_id"]
    await visit.ask("withdrawActivity", handoverId=handover_id(visit), activityId=activity_id)
    return _back(visit, "taken_back")


def _back(visit: Visit, done: str | None = None) -> Response:
    return visit.redirect(f"/handovers/{handover_id(visit)}#together", done=done)


def _kind(visit: Visit) -> str:
    kind = str(visit.request.path_params["kind"])
    if kind not in ACTIVITIES:
        raise NotFound
    return kind


def _field(visit: Visit, kind: str) -> Any:
    return forms_of(visit.services.contract).activities[kind]


def _list(content: Any, at: str) -> Sequence[Any]:
    """The list at a pointer that the form has; empty where it has none."""
    found = content.get(at.removeprefix("/"), ()) if isinstance(content, dict) else ()
    return found if isinstance(found, list) else ()


async def _again(visit: Visit, typed: Inputs, **how: Any) -> Response:
    """The form with what stands in it, while it cannot be recorded yet."""
    handover = await read(visit)
    known = await together(visit, handover)
    status = 422 if how.get("faults") else 200
    return _form(visit, handover, known, typed, status=status, **how)


def _form(
    visit: Visit,
    handover: Any,
    known: Together,
    typed: Inputs,
    *,
    key: str,
    faults: Sequence[Notice] = (),
    place: str = "",
    status: int = 200,
) -> Response:
    """`place`: where in the form something was added or taken away."""
    kind = _kind(visit)
    sides = [Choice(one, Text(name, name)) for one, name in known.names.items()]
    field = _field(visit, kind)
    return visit.page(
        "record_activity.html",
        status=status,
        handover=handover,
        kind=kind,
        key=key,
        place=place,
        together=known,
        filled=Filled(field, typed, faults, visit.dates, {"organizationId": sides}),
    )


def _proposed(kind: str, handover: Any, known: Together) -> Mapping[str, Any]:
    """What most often is so: both sides were there, the newest employer, the window that the other side named."""
    sides = [handover[side] for side in ("sender", "receiver")]
    if kind == "case_conference":
        there = [{"organizationKind": one["kind"], "organizationName": one["name"]} for one in sides]
        return {"participants": there}
    if kind == "joint_visit":
        sections = handover.get("record", {}).get("sections", {})
        jobs = [one for one in sections.get("employment", {}).get("episodes", ()) if "endedOn" not in one]
        return {"employerName": jobs[-1]["employerName"]} if jobs else {}
    other = "sender" if handover["direction"] == "incoming" else "receiver"
    said = (known.window or {}).get(other)
    taken = {one["domain"]: one.get("acceptedFrom") for one in handover.get("domains", ())}
    begins = taken.get("employer_liaison") or handover["plannedDate"]
    return said or {"organizationId": handover["receiver"]["id"], "from": begins}
