"""One handover: its record in reading order, two versions side by side, and the files that one takes along."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fastapi.responses import Response

from tsunagi.api.sheets import PDF
from tsunagi.disclosure.document import HANDOVER
from tsunagi.errors import NotFound
from tsunagi.ids import number
from tsunagi.layout.differences import differences
from tsunagi.layout.rules import Fact, Group, Layout, Part
from tsunagi.web.assigning import team
from tsunagi.web.plan_sheet import XLSX, plan_sheet
from tsunagi.web.site import pages
from tsunagi.web.together import together
from tsunagi.web.visit import Visit
from tsunagi.web.withdrawn import withdrawn

_STANDING = ("handoverType", "plannedDate", "serviceEndsOn", "answerDueOn", "personInCharge")
_TIMES = ("windowOpensOn", "offeredAt", "receivedAt", "answeredAt", "recordedAt")
_REQUEST = "/sections/handover_plan/request"
"""The questions that whoever takes over asks first; it stands before everything else."""
ENDED = frozenset({"declined", "withdrawn", "expired", "completed"})


def layout(visit: Visit) -> Layout:
    return Layout(visit.services.shapes, visit.language)


def handover_id(visit: Visit) -> str:
    return str(visit.request.path_params["handover_id"])


async def read(visit: Visit, version: str | None = None) -> Any:
    """The handover, or one version of it, as the visitor may see it. Reading is on the ledger."""
    if version is None:
        return await visit.ask("getHandover", handoverId=handover_id(visit))
    return await visit.ask("getHandoverVersion", handoverId=handover_id(visit), version=version)


@pages.get("/handovers/{handover_id}")
async def record_page(visit: Visit) -> Response:
    version = visit.request.query_params.get("version")
    found = await read(visit, version)
    plan = await _naming_areas(visit)
    if "record" not in found:
        dates = _told(plan, found, (*_standing(found), *_TIMES))
        shown: dict[str, Any] = {
            "standing": dates,
            "contact": await _contact(visit, found),
            "over": found["status"] in ENDED,
        }
        return visit.page("notice.html", found=found, team=await team(visit), **shown)
    sections = dict(plan.sections(found["record"]))
    request, sections = _first(sections)
    taken = _taken_from(visit, found)
    return visit.page(
        "record.html",
        found=found,
        request=request,
        times=_told(plan, found, _TIMES),
        contact=await _contact(visit, found) if found["withheld"] else None,
        team=await team(visit),
        together=None if version else await together(visit, found),
        withdrawn=[] if version else await withdrawn(visit, found),
        standing=_beside(_told(plan, found, _standing(found)), "/plannedDate", taken),
        taken=taken,
        sections=list(sections.items()),
        about=plan.header(found["record"]),
        answered=plan.parts(HANDOVER, {"domains": found["domains"]}),
        name=named(found),
        asked=version,
    )


def _standing(found: Mapping[str, Any]) -> list[str]:
    """Once it is answered, no longer until when that is due."""
    return [one for one in _STANDING if one != "answerDueOn" or "answeredAt" not in found]


def _taken_from(visit: Visit, found: Mapping[str, Any]) -> Fact | None:
    """From when each domain was taken, where any is not from the planned date on."""
    taken = {one["domain"]: one["acceptedFrom"] for one in found["domains"] if "acceptedFrom" in one}
    if not set(taken.values()) - {found["plannedDate"]}:
        return None
    said = "\n".join(f"{visit.words.domain(one)} {visit.dates.long(day)}" for one, day in taken.items())
    return Fact(visit.t("受けた開始日", "Accepted from"), said, "")


def _beside(parts: Iterable[Part], pointer: str, added: Part | None) -> list[Part]:
    """With one more behind that of the pointer."""
    return [one for part in parts for one in (part, added if part.pointer == pointer else None) if one]


def _told(plan: Layout, found: Mapping[str, Any], names: Iterable[str]) -> tuple[Part, ...]:
    return plan.parts(HANDOVER, {name: found[name] for name in names if name in found})


def _first(sections: Mapping[str, Group]) -> tuple[Group | None, dict[str, Group]]:
    """What is asked of the receiver, and the sections without it."""
    planned = sections.get("handover_plan")
    asked = next((one for one in planned.parts if one.pointer == _REQUEST), None) if planned else None
    if planned is None or not isinstance(asked, Group):
        return None, dict(sections)
    others = replace(planned, parts=tuple(one for one in planned.parts if one is not asked))
    left = {**sections, "handover_plan": others}
    return asked, {name: section for name, section in left.items() if section.parts}


async def _naming_areas(visit: Visit) -> Layout:
    areas = (await visit.ask("listAreas"))["items"]
    return replace(layout(visit), areas={one["code"]: one["name"] for one in areas})


async def _contact(visit: Visit, found: Mapping[str, Any]) -> str | None:
    """Whom to call at the sender, as the directory has it; None where it has no number."""
    try:
        there = await visit.ask("getOrganization", organizationId=found["sender"]["id"])
    except NotFound:
        return None
    contact = there.get("handoverContact", {})
    phone = contact.get("phone", there.get("phone"))
    parts = (there["name"], contact.get("department"), contact.get("name"), phone)
    return " ".join(one for one in parts if one) if phone else None


def named(found: Mapping[str, Any]) -> str | None:
    """The person's name, where it may be known."""
    who = found.get("record", {}).get("sections", {}).get("identity")
    return f"{who['familyName']} {who['givenName']}" if who else None


@pages.get("/handovers/{handover_id}/versions")
async def versions(visit: Visit) -> Response:
    """Two versions, and where they differ."""
    newest = await read(visit)
    if "record" not in newest:
        raise NotFound
    asked = visit.request.query_params
    right = asked.get("to") or str(newest["version"])
    left = asked.get("from") or str(max(int(right) - 1, 1) if right.isdigit() else 1)
    before = await _version(visit, newest, left)
    after = await _version(visit, newest, right)
    both = before is not None and after is not None
    plan = await _naming_areas(visit)
    return visit.page(
        "versions.html",
        newest=newest,
        left=left,
        right=right,
        before=before,
        after=after,
        found=differences(plan, before["record"], after["record"]) if both else [],
    )


async def _version(visit: Visit, newest: Any, version: str) -> Any:
    """None where there is none, or it was never on offer to the visitor."""
    if version == str(newest["version"]):
        return newest
    try:
        return await read(visit, version)
    except NotFound:
        return None


@pages.get("/handovers/{handover_id}/record.pdf")
async def printed(visit: Visit) -> Response:
    """Raises ConfirmationNeeded: what leaves the service as a file is beyond its reach."""
    visit.confirmed()
    version = visit.request.query_params.get("version")
    return await visit.answer(
        "getHandover" if version is None else "getHandoverVersion",
        headers={"Accept": PDF},
        handoverId=handover_id(visit),
        version=version,
    )


@pages.get("/handovers/{handover_id}/support-plan.xlsx")
async def support_plan(visit: Visit) -> Response:
    """Raises ConfirmationNeeded, as above, and NotFound where the visitor sees no support plan."""
    visit.confirmed(back=f"/handovers/{handover_id(visit)}")
    found = await read(visit, visit.request.query_params.get("version"))
    plan = found.get("record", {}).get("sections", {}).get("support_plan")
    if plan is None:
        raise NotFound
    plan_of = layout(visit)
    person = plan_of.person(found["record"])
    content = plan_sheet(plan_of.section("support_plan", plan), visit.language, person=person)
    return _file(content, f"support-plan-{number(found['id'])}-{visit.today}.xlsx", XLSX)


@pages.get("/handovers/{handover_id}/receipt.json")
async def receipt(visit: Visit) -> Response:
    """Delivery evidence with its proofs, for keeping."""
    answer = await visit.answer("getReceipt", handoverId=handover_id(visit))
    name = f"receipt-{number(handover_id(visit))}-{visit.today}.json"
    return _file(bytes(answer.body), name, "application/json")


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, 200, headers, media_type=media_type)
