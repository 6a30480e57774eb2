"""A draft as a workbook: taken along to fill in, and brought back."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi.responses import Response
from starlette.datastructures import UploadFile

from tsunagi.drafts.rules import Draft
from tsunagi.errors import PreconditionFailed, Text
from tsunagi.web.desk import present, save
from tsunagi.web.draft_parts import CONSENTS, Part, forms_of, part, parts, replaced
from tsunagi.web.forms import Choice, Field, offering
from tsunagi.web.forms_posted import document, inputs
from tsunagi.web.outlook import Remark
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit
from tsunagi.web.workbook import NotReadable, Read, read, write

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PATH = "/hand-over/{draft_id}/workbook/tsunagi.xlsx"
UNREADABLE = Text(
    "このファイルは、ここから出した Excel の様式として読めません",
    "This file cannot be read as a workbook that was taken from here",
)
CHANGED = Text(
    "その間にほかの職員が下書きを変更しました。もう一度読み込んでください",
    "Somebody else has changed the draft meanwhile: bring the workbook in again",
)


@pages.get(PATH)
async def take_workbook(visit: Visit) -> Response:
    draft = await present(visit)
    fields = await _fields(visit)
    found = {
        one.name: (
            fields[one.name],
            inputs(one.field, draft.overview if one.name == "overview" else one.content),
        )
        for one in parts(visit.services.contract, draft, visit.today)
        if one.name not in CONSENTS
    }
    book = await asyncio.to_thread(write, found)
    headers = {"Content-Disposition": 'attachment; filename="tsunagi.xlsx"', "Cache-Control": "no-store"}
    return Response(book, headers=headers, media_type=XLSX)


@pages.post(PATH)
async def bring_workbook(visit: Visit) -> Response:
    draft = await present(visit)
    form = await visit.form()
    sent = form.get("workbook")
    content = await sent.read() if isinstance(sent, UploadFile) else b""
    if isinstance(sent, UploadFile):
        await sent.close()
    if draft.sent:
        return visit.redirect(f"/handovers/{draft.handover_id}")
    fields = await _fields(visit)
    try:
        found = await asyncio.to_thread(read, content, fields)
        draft, taken = await _taken(visit, draft, found, fields)
    except NotReadable:
        return _said(visit, draft, [], [_remark(draft, UNREADABLE)], 422)
    except PreconditionFailed:
        return _said(visit, draft, [], [_remark(draft, CHANGED)], 409)
    kept = [part(visit.services.contract, draft, name, visit.today) for name in taken]
    return _said(visit, draft, kept, list(_mistakes(draft, kept, found)))


async def _fields(visit: Visit) -> dict[str, Field]:
    """The forms of what a workbook has sheets for, with the areas that the directory knows."""
    forms = forms_of(visit.services.contract)
    areas = [
        (one["code"], f"{one['name']}（{one['code']}）") for one in (await visit.ask("listAreas"))["items"]
    ]
    known = tuple(Choice(code, Text(label, label)) for code, label in areas)
    return {
        name: offering(form, "areaCode", known)
        for name, form in {"overview": forms.overview, **forms.sections}.items()
    }


async def _taken(
    visit: Visit, draft: Draft, found: Mapping[str, Read], fields: Mapping[str, Field]
) -> tuple[Draft, list[str]]:
    """The draft with every part that the workbook says something of; the others stay as they were."""
    contents = {name: document(fields[name], one.inputs) for name, one in found.items()}
    changes: dict[str, Any] = {"sections": dict(draft.sections)}
    for name, content in contents.items():
        if content and name == "overview":
            changes |= replaced(draft, name, content)
        elif content:
            changes["sections"][name] = content
    return await save(visit, draft, **changes), [name for name, content in contents.items() if content]


def _mistakes(draft: Draft, kept: list[Part], found: Mapping[str, Read]) -> Iterator[Remark]:
    for one in kept:
        for fault in one.faults:
            cell = found[one.name].cell(fault.pointer) or one.label.ja
            said = Text(f"{cell} {fault.message.ja}", f"{cell} {fault.message.en}")
            yield Remark(f"/hand-over/{draft.id}/{one.name}#at{fault.pointer}", None, said)


def _remark(draft: Draft, message: Text) -> Remark:
    return Remark(f"/hand-over/{draft.id}", None, message)


def _said(visit: Visit, draft: Draft, kept: list[Part], remarks: list[Remark], status: int = 200) -> Response:
    return visit.page("hand_over_workbook.html", status=status, draft=draft, kept=kept, remarks=remarks)
