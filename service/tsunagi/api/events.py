"""The operation of the tag Events."""

from fastapi.responses import Response

from tsunagi.api.edge import Call, Routes
from tsunagi.api.idempotency import Answer
from tsunagi.notifications import store

routes = Routes()


@routes.operation("listEvents")
async def list_events(call: Call) -> Response:
    after = call.parameters.get("after", 0)
    async with call.services.db.write(call.acting) as tx:
        found = await store.feed(tx, call.caller.organization_id, after=after, limit=call.parameters["limit"])
    items = [event.document() for event in found]
    return Answer({"items": items, "next": found[-1].position if found else after}).response()
