"""The operations on what both sides of a handover did together, of the tag Handovers."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import Response

from tsunagi.activities import actions, rules
from tsunagi.activities.rules import Activity, ActivityId, Statement, Window
from tsunagi.api import bodies
from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer, once
from tsunagi.api.problems import language
from tsunagi.db import WriteTx
from tsunagi.directory.rules import OrganizationKind
from tsunagi.handovers.rules import Handover, Side
from tsunagi.ids import HandoverId

routes = Routes()


@routes.operation("listActivities")
async def list_activities(call: Call) -> Response:
    async with call.services.db.write(call.acting) as tx:
        told = await actions.told(tx, call.by, _handover_id(call))
    body: dict[str, Any] = {
        "items": [_activity(call, one, told.handover, told.kinds) for one in told.activities],
        "withheld": [{"section": name, "reason": why} for name, why in told.withheld.items()],
        "availableActions": ["record"] if told.may_record else [],
        "nextCursor": None,
    }
    if told.window is not None:
        body["employerWindow"] = _window(told.window)
    return Answer(body).response()


@routes.operation("recordActivity")
async def record_activity(call: Call) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        found = await actions.record(tx, call.by, _handover_id(call), call.body)
        return Answer(_activity(call, *found), 201)

    return await once(call, produce)


@routes.operation("withdrawActivity")
async def withdraw_activity(call: Call) -> Response:
    async def produce(tx: WriteTx) -> Answer:
        activity_id = ActivityId(call.id("activityId"))
        found = await actions.withdraw(tx, call.by, _handover_id(call), activity_id)
        return Answer(_activity(call, *found))

    return await once(call, produce)


def _handover_id(call: Call) -> HandoverId:
    return HandoverId(call.id("handoverId"))


def _activity(
    call: Call, one: Activity, handover: Handover, kinds: Mapping[Side, OrganizationKind]
) -> dict[str, Any]:
    assert one.document is not None, "whoever reads it has it whole"
    spoken = language(call.request.headers.get("accept-language", ""))
    own = one.recorded_by == call.caller.organization_id
    return bodies.present(
        id=one.id,
        handoverId=one.handover_id,
        **one.document,
        side="sender" if one.recorded_by == handover.sender_id else "receiver",
        recordedAt=one.recorded_at,
        withdrawnAt=one.withdrawn_at,
        availableActions=["withdraw"] if own and one.counts else [],
        warnings=[bodies.warning(notice, spoken) for notice in rules.warnings(one.document, kinds)],
    )


def _window(found: Window) -> dict[str, Any]:
    return {
        "sender": _statement(found.sender),
        "receiver": _statement(found.receiver),
        "agreed": _statement(found.agreed),
    }


def _statement(one: Statement | None) -> dict[str, str] | None:
    if one is None:
        return None
    return {"organizationId": str(one.organization_id), "from": one.from_day.isoformat()}
