"""The operations of the tag Findings."""

from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.api.bodies import dumped, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.listing import cursor, opened_cursor, paged
from tsunagi.ids import PersonId
from tsunagi.oversight import actions
from tsunagi.oversight.actions import Place
from tsunagi.oversight.rules import Finding

routes = Routes()


@routes.operation("listFindings")
async def list_findings(call: Call) -> Response:
    asked = call.parameters
    after = None
    if "cursor" in asked:
        person_id, findings = opened_cursor(asked["cursor"], UUID, int)
        after = Place(PersonId(person_id), findings)
    async with call.services.db.write(call.overseeing) as tx:
        page = await actions.findings(
            tx, call.by, kind=asked.get("kind"), area=asked.get("area"), after=after, limit=asked["limit"]
        )
    end = cursor([str(page.end.person_id), page.end.items]) if page.end else None
    return paged(call, [dumped(finding(one)) for one in page.findings], end)


def finding(one: Finding) -> dict[str, Any]:
    """Finding. An interval without an end says so by null."""
    found = present(
        kind=one.kind,
        severity=one.severity,
        personId=one.person_id,
        domain=one.domain,
        handoverId=one.handover_id,
        since=one.since,
        responsibleParty=one.party,
        message={"ja": one.message.ja, "en": one.message.en},
    )
    if one.from_day is not None:
        found["from"] = one.from_day.isoformat()
        found["to"] = one.to_day.isoformat() if one.to_day else None
    return found
