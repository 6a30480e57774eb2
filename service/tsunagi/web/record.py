"""One handover: its record in reading order, two versions side by side, and the files that one takes along."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import Response

from tsunagi.api.sheets import PDF
from tsunagi.disclosure.document import HANDOVER
from tsunagi.errors import NotFound
from tsunagi.ids import number
from tsunagi.layout.differences import differences
from tsunagi.layout.rules import Layout
from tsunagi.web.assigning import team
from tsunagi.web.plan_sheet import XLSX, plan_sheet
from tsunagi.web.site import pages
from tsunagi.web.together import together
from tsunagi.web.visit import Visit

_STANDING = (
    "handoverType",
    "plannedDate",
    "serviceEndsOn",
    "answerDueOn",
    "windowOpensOn",
    "recordedAt",
    "offeredAt",
    "receivedAt",
    "answeredAt",
    "personInCharge",
    "reason",
)


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
    plan = layout(visit)
    standing = plan.parts(HANDOVER, {name: found[name] for name in _STANDING if name in found})
    if "record" not in found:
        return visit.page("notice.html", found=found, standing=standing, team=await team(visit))
    return visit.page(
        "record.html",
        found=found,
        team=await team(visit),
        together=None if version else await together(visit, found),
        standing=standing,
        sections=list(plan.sections(found["record"])),
        about=plan.header(found["record"]),
        answered=plan.parts(HANDOVER, {"domains": found["domains"]}),
        name=named(found),
        asked=version,
    )


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
    return visit.page(
        "versions.html",
        newest=newest,
        left=left,
        right=right,
        before=before,
        after=after,
        found=differences(layout(visit), before["record"], after["record"]) if both else [],
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
