"""The operation of the tag Events."""

from fastapi.responses import Response

from tsunagi.api.bodies import present
from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer
from tsunagi.notifications import store

routes = Routes()


@routes.operation("listEvents")
async def list_events(call: Call) -> Response:
    after = call.parameters.get("after", 0)
    async with call.services.db.write(call.acting) as tx:
        found = await store.feed(tx, call.caller.organization_id, after=after, limit=call.parameters["limit"])
    items = [
        present(
            position=event.position,
            id=event.id,
            type=event.type,
            at=event.at,
            handoverId=event.handover_id,
            consentId=event.consent_id,
            personId=event.person_id,
            status=event.status,
        )
        for event in found
    ]
    return Answer({"items": items, "next": items[-1]["position"] if items else after}).response()
