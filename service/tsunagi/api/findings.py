"""The operations of the tag Findings."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from tsunagi.api.bodies import dumped, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.listing import cursor, opened_cursor, paged
from tsunagi.clock import civil_date
from tsunagi.ids import OrganizationId, PersonId
from tsunagi.oversight import actions, store
from tsunagi.oversight.actions import Filter, Place
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
        page = await actions.findings(tx, call.by, _filter(asked), after=after, limit=asked["limit"])
        names = await store.names(tx, responsible(page.findings), civil_date(call.at))
    end = cursor([str(page.end.person_id), page.end.items]) if page.end else None
    return paged(call, [dumped(finding(one, names)) for one in page.findings], end)


def _filter(asked: Mapping[str, Any]) -> Filter:
    days = {name: date.fromisoformat(asked[name]) for name in ("from", "to") if name in asked}
    return Filter(
        kind=asked.get("kind"),
        person_id=PersonId(UUID(asked["personId"])) if "personId" in asked else None,
        area=asked.get("area"),
        organization=OrganizationId(UUID(asked["organization"])) if "organization" in asked else None,
        from_day=days.get("from"),
        to_day=days.get("to"),
        known_at=datetime.fromisoformat(asked["knownAt"]) if "knownAt" in asked else None,
    )


def responsible(found: Iterable[Finding]) -> set[OrganizationId]:
    """Every organization whose turn it is."""
    return {one.responsible for one in found if one.responsible is not None}


def finding(one: Finding, names: Mapping[OrganizationId, str]) -> dict[str, Any]:
    """Finding. An interval without an end says so by null."""
    found = present(
        kind=one.kind,
        severity=one.severity,
        personId=one.person_id,
        domain=one.domain,
        handoverId=one.handover_id,
        since=one.since,
        responsibleParty=one.party,
        responsible=one.responsible and {"id": str(one.responsible), "name": names[one.responsible]},
        message={"ja": one.message.ja, "en": one.message.en},
        evidence=[present(entryId=each.entry_id, action=each.action, at=each.at) for each in one.evidence],
    )
    if one.from_day is not None:
        found["from"] = one.from_day.isoformat()
        found["to"] = one.to_day.isoformat() if one.to_day else None
    return found
