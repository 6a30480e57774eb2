"""One part of a draft: filled in, kept as typed, and told what is still wrong with it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi.responses import Response
from starlette.datastructures import FormData, UploadFile

from tsunagi.drafts.rules import Draft
from tsunagi.errors import NotFound, PreconditionFailed, Text
from tsunagi.web.desk import present, save
from tsunagi.web.draft_parts import CONSENTS, Part, forms_of, names, on_other_ground, part, replaced
from tsunagi.web.draft_trial import noticed
from tsunagi.web.filled import Filled
from tsunagi.web.forms import Choice, Field
from tsunagi.web.forms_posted import Inputs, added, document, inputs, posted, removed
from tsunagi.web.instruments import choices
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

ATTEMPTS = 5
"""So often others may save other parts while one saves."""


def _part(visit: Visit, draft: Draft) -> Part:
    try:
        return part(visit.services.contract, draft, visit.request.path_params["part"], visit.today)
    except KeyError:
        raise NotFound from None


@pages.get("/hand-over/{draft_id}/{part}")
async def part_page(visit: Visit) -> Response:
    draft = await present(visit)
    if draft.sent:
        return visit.redirect(f"/handovers/{draft.handover_id}")
    found = _part(visit, draft)
    content = found.content or _proposed(visit, draft, found.name)
    return await _page(visit, draft, found, inputs(found.field, content))


def _proposed(visit: Visit, draft: Draft, name: str) -> Mapping[str, Any]:
    """What stands in a form before anything was saved: in the overview's what the draft began with, in a consent's what
    is to be passed on, from today."""
    if name == "overview":
        return draft.overview
    if name not in CONSENTS:
        return {}
    sections = ["family"] if name == "family_consent" else list(draft.sections)
    explained = {"name": visit.member.name}
    return {"sections": sections, "from": visit.today.isoformat(), "explainedBy": explained}


async def _page(
    visit: Visit, draft: Draft, found: Part, typed: Inputs, *, theirs: Inputs | None = None, status: int = 200
) -> Response:
    notices = await noticed(visit, draft, found) if theirs is None else ()
    offered = await _offered(visit, draft, found.field)
    check = f"/hand-over/{draft.id}/{found.name}/check"
    return visit.page(
        "hand_over_part.html",
        status=status,
        draft=draft,
        part=found,
        filled=Filled(found.field, typed, notices, visit.dates, offered, check, theirs),
    )


@pages.post("/hand-over/{draft_id}/{part}/check")
async def check_field(visit: Visit) -> Response:
    """For scripts: what there is to be said of one field, as the part is filled in now. Nothing is kept."""
    draft = await present(visit)
    if draft.sent:
        raise NotFound
    found, at = _part(visit, draft), visit.request.query_params.get("at", "")
    typed, field = await _typed(await visit.form()), found.field.at(at)
    if field is None:
        raise NotFound
    content = document(found.field, typed, blanks=True)  # with them items keep their places
    draft = replace(draft, **replaced(draft, found.name, content))
    notices = await noticed(visit, draft, _part(visit, draft))
    filled = Filled(found.field, typed, notices, visit.dates, {})
    return visit.page("hand_over_check.html", filled=filled, field=field, at=at)


@pages.post("/hand-over/{draft_id}/{part}")
async def save_part(visit: Visit) -> Response:
    draft = await present(visit)
    form = await visit.form()
    if draft.sent:
        return visit.redirect(f"/handovers/{draft.handover_id}")
    typed, name = await _typed(form), visit.request.path_params["part"]
    for _ in range(ATTEMPTS):
        found = _part(visit, draft)
        if form.get("seen") != found.seen:
            break
        content = _changed(visit, found, typed, form)
        try:
            draft = await save(visit, draft, **replaced(draft, name, content))
        except PreconditionFailed:  # somebody has saved this part or another one: which it was is seen now
            draft = await present(visit)
        else:
            return visit.redirect(_after(draft, name, form))
    return await _conflict(visit, draft, typed)


def _after(draft: Draft, name: str, form: FormData) -> str:
    """Where one goes on."""
    if form.get("go") == "next":
        return _next(draft, name)
    pressed = str(form.get("add") or form.get("remove") or "")
    return f"/hand-over/{draft.id}/{name}" + (f"#at{pressed}" if pressed else "")


async def _conflict(visit: Visit, draft: Draft, typed: Inputs) -> Response:
    """What was typed, and beside it what somebody else has saved meanwhile; nothing is lost."""
    found = _part(visit, draft)
    theirs = inputs(found.field, found.content)
    return await _page(visit, draft, found, typed, theirs=theirs, status=409)


def _changed(visit: Visit, found: Part, typed: Inputs, form: FormData) -> Mapping[str, Any]:
    """What was filled in, with an item more or less, or on the other ground, where that was asked for."""
    field = found.field
    content: Mapping[str, Any]
    if at := str(form.get("add", "")):
        content = added(field, document(field, typed, blanks=True), at)
    elif at := str(form.get("remove", "")):
        content = removed(field, document(field, typed, blanks=True), at)
    else:
        content = document(field, typed)
    if form.get("ground") and found.consent and (form["ground"] == "exception") != found.exception:
        content = on_other_ground(forms_of(visit.services.contract), content)
    return content


async def _typed(form: FormData) -> Inputs:
    """The form's inputs; of a file that was sent along the hash, and nothing else."""
    typed = posted(form)
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if sent := await value.read():
                typed[name.removesuffix(":file")] = [hashlib.sha256(sent).hexdigest()]
            await value.close()
    return typed


def _next(draft: Draft, name: str) -> str:
    order = [*names(draft), ""]
    following = order[order.index(name) + 1]
    return f"/hand-over/{draft.id}/{following}".rstrip("/")


async def _offered(visit: Visit, draft: Draft, field: Field) -> Mapping[str, Sequence[Choice]]:
    """What fields of this form choose from that the contract does not list."""
    offered: dict[str, Sequence[Choice]] = {}
    if field.at("/instruments"):
        offered |= choices(visit.services.contract.folder)
    if field.at("/areaCode") or field.at("/residenceAreaCode") or field.at("/episodes/0/workAreaCode"):
        areas = (await visit.ask("listAreas"))["items"]
        offered["areaCode"] = [Choice(one["code"], Text(one["name"], one["name"])) for one in areas]
    if field.at("/singlePointOfContact"):
        ours = (await visit.ask("getOrganization", organizationId=visit.member.organization_id))["name"]
        sides = {
            str(visit.member.organization_id): ours,
            str(draft.overview["receiverId"]): draft.receiver_name,
        }
        offered["organizationId"] = [Choice(one, Text(name, name)) for one, name in sides.items()]
    return offered
