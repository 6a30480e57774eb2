"""The operations of the tag Responsibility."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from fastapi.responses import Response

from tsunagi.api.bodies import instant, present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.findings import finding
from tsunagi.api.idempotency import Answer
from tsunagi.clock import civil_date
from tsunagi.db import ReadTx
from tsunagi.directory import store as directory
from tsunagi.ids import OrganizationId, PersonId
from tsunagi.oversight import actions
from tsunagi.responsibility.actions import DomainTimeline
from tsunagi.responsibility.rules import FOREVER

routes = Routes()

Names = Mapping[OrganizationId, str]


@routes.operation("getResponsibility")
async def get_responsibility(call: Call) -> Response:
    asked = call.parameters
    as_of = date.fromisoformat(asked["asOf"]) if "asOf" in asked else civil_date(call.at)
    known_at = datetime.fromisoformat(asked["knownAt"]) if "knownAt" in asked else None
    person_id = PersonId(call.id("personId"))
    async with call.services.db.write(call.overseeing) as tx:
        timeline, findings = await actions.timeline(tx, call.by, person_id, as_of=as_of, known_at=known_at)
        names = await _names(tx, timeline.organizations, as_of)
    return Answer(
        {
            "personId": str(person_id),
            "asOf": as_of.isoformat(),
            "knownAt": asked.get("knownAt") or instant(call.at),
            "domains": [_domain(one, names) for one in timeline.domains],
            "findings": [finding(one) for one in findings],
        }
    ).response()


def _domain(one: DomainTimeline, names: Names) -> dict[str, Any]:
    return {
        "domain": one.domain,
        "version": one.version,
        "recordedAt": instant(one.recorded_at),
        "holder": _holder(one.holder, names),
        "segments": [
            {
                "organization": _holder(segment.holder, names),
                "from": segment.valid_from.isoformat(),
                "to": _end(segment.valid_to),
                **present(basis=segment.basis),
            }
            for segment in one.segments
        ],
        "support": [
            {
                "organization": _holder(support.organization, names),
                "role": support.role,
                "from": support.valid_from.isoformat(),
                "to": _end(support.valid_to),
            }
            for support in one.support
        ],
    }


async def _names(tx: ReadTx, organizations: Iterable[OrganizationId], day: date) -> Names:
    """What the organizations were called on that day; before the first known name, by that one."""
    found: dict[OrganizationId, str] = {}
    for organization_id in organizations:
        known = await directory.history(tx, organization_id)
        of_the_day = [one for one in known if one.effective_on <= day] or known[:1]
        found[organization_id] = of_the_day[-1].name
    return found


def _holder(organization_id: OrganizationId | None, names: Names) -> Mapping[str, str] | None:
    if organization_id is None:
        return None
    return {"id": str(organization_id), "name": names[organization_id]}


def _end(valid_to: date) -> str | None:
    return None if valid_to == FOREVER else valid_to.isoformat()


@routes.operation("getMilestones")
async def get_milestones(call: Call) -> Response:
    person_id = PersonId(call.id("personId"))
    async with call.services.db.write(call.overseeing) as tx:
        dates = await actions.dates(tx, call.by, person_id)
    found = [
        present(
            kind=dated.milestone.kind,
            date=dated.milestone.on,
            handoverId=dated.handover_id,
            overdue=dated.overdue,
        )
        for dated in dates
    ]
    return Answer({"personId": str(person_id), "milestones": found}).response()
