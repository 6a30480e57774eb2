"""The operations of the tag Handovers."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import date
from typing import cast
from uuid import UUID

from fastapi.responses import Response, StreamingResponse

from tsunagi.api import bodies, sheets
from tsunagi.api.edge import Call, Routes, entity_tags
from tsunagi.api.idempotency import Answer, once
from tsunagi.api.listing import cursor, opened_cursor, paged
from tsunagi.api.problems import language
from tsunagi.api.responsibility import timeline
from tsunagi.api.sheets import wants_pdf
from tsunagi.assignees import actions as assignees
from tsunagi.clock import JAPAN, civil_date
from tsunagi.db import ReadTx, WriteTx
from tsunagi.directory.store import areas
from tsunagi.disclosure import actions as disclosure
from tsunagi.disclosure.actions import Disclosed
from tsunagi.disclosure.document import document
from tsunagi.disclosure.listing import Filter, listing
from tsunagi.errors import PreconditionFailed, Text
from tsunagi.handovers import actions, drafting
from tsunagi.handovers.drafting import Foreseen
from tsunagi.handovers.rules import Handover
from tsunagi.handovers.steps import present
from tsunagi.ids import HandoverId, PersonId, number
from tsunagi.layout.rules import Layout
from tsunagi.oversight import store
from tsunagi.paper.rules import Language
from tsunagi.people.actions import match_keys
from tsunagi.records.store import document_of
from tsunagi.records.view import RecordView
from tsunagi.strict_json import decode

routes = Routes()

Step = Callable[[WriteTx, Call, Handover], Awaitable[Handover]]


def spoken(call: Call) -> Language:
    return language(call.request.headers.get("accept-language", ""))


@routes.operation("createHandover")
async def create_handover(call: Call) -> Response:
    record = RecordView.model_validate(call.body)
    keys = match_keys(call.services.match_secret, call.body["sections"]["identity"])
    if call.parameters["dryRun"]:
        async with call.services.db.read(call.acting) as tx:
            foreseen = await drafting.check_new(tx, call.by, record, keys=keys)
        return _valid(call, foreseen).response()
    document = document_of(decode(call.raw))

    async def produce(tx: WriteTx) -> Answer:
        drafted = await drafting.create(tx, call.by, record, document, keys=keys)
        standing = disclosure.own(call.by, drafted.handover, document.sections, drafted.warnings)
        body = bodies.status(drafted.handover, standing, call.by, spoken(call))
        headers = {"Location": f"/v1/handovers/{drafted.handover.id}", "ETag": standing.etag}
        return Answer(body, 201, headers, drafted.writes)

    return await once(call, produce)


def _valid(call: Call, foreseen: Foreseen) -> Answer:
    """The record could be taken; nothing is kept."""
    warnings = [bodies.warning(notice, spoken(call)) for notice in foreseen.warnings]
    return Answer({"valid": True, "warnings": warnings, "readableOn": foreseen.readable_on.isoformat()})


@routes.operation("amendHandover")
async def amend_handover(call: Call) -> Response:
    record = RecordView.model_validate(call.body)
    document = document_of(decode(call.raw))
    keys = match_keys(call.services.match_secret, call.body["sections"]["identity"])

    async def produce(tx: WriteTx) -> Answer:
        handover = await _present(tx, call)
        if call.parameters["dryRun"]:
            names = document.sections
            return _valid(call, await drafting.foresee_amendment(tx, call.by, handover, record, names=names))
        amended = await drafting.amend(tx, call.by, handover, record, document, keys=keys)
        return await _status(tx, call, amended)

    return await once(call, produce)


def _transition(operation_id: str, step: Step) -> None:
    """Registers a step that answers with the new state."""

    @routes.operation(operation_id)
    async def handler(call: Call) -> Response:
        async def produce(tx: WriteTx) -> Answer:
            return await _status(tx, call, await step(tx, call, await _present(tx, call)))

        return await once(call, produce)


_transition("offerHandover", lambda tx, call, handover: actions.offer(tx, call.by, handover))
_transition("openHandover", lambda tx, call, handover: actions.open_early(tx, call.by, handover))
_transition("receiveHandover", lambda tx, call, handover: actions.receive(tx, call.by, handover))
_transition(
    "withdrawHandover",
    lambda tx, call, handover: actions.withdraw(tx, call.by, handover, call.body["reason"]),
)
_transition(
    "declineHandover",
    lambda tx, call, handover: actions.decline(tx, call.by, handover, call.body["reason"]),
)
_transition(
    "returnHandover",
    lambda tx, call, handover: actions.give_back(tx, call.by, handover, call.body["reason"]),
)


@routes.operation("acceptHandover")
async def accept_handover(call: Call) -> Response:
    domains, person = call.body["domains"], call.body.get("personInCharge")

    async def produce(tx: WriteTx) -> Answer:
        handover = await _present(tx, call)
        if call.parameters["dryRun"]:
            today = civil_date(call.at)
            projected = await actions.preview(tx, call.by, handover, domains, as_of=today)
            names = await store.names(tx, projected.organizations, today)
            return Answer({"valid": True, **timeline(projected, names, call.at)})
        accepted = await actions.accept(tx, call.by, handover, domains, person_in_charge=person)
        return await _status(tx, call, accepted)

    return await once(call, produce)


@routes.operation("assignHandover")
async def assign_handover(call: Call) -> Response:
    async with call.services.db.write(call.acting) as tx:
        await assignees.assign(tx, call.by, HandoverId(call.id("handoverId")), call.body["assignee"])
    return Answer({"assignee": call.body["assignee"]}).response()


async def _present(tx: WriteTx, call: Call) -> Handover:
    """The handover that the path names, if it still is what the caller last saw. Raises PreconditionFailed."""
    handover = await present(tx, call.by, HandoverId(call.id("handoverId")))
    expected = set(entity_tags(call.parameters.get("If-Match")))
    if call.parameters.get("If-Match") is not None and "*" not in expected:
        standing = await disclosure.standing(tx, call.by, handover)
        if standing.etag not in expected:
            raise PreconditionFailed(
                Text("読み直して、新しい ETag で送り直してください", "Read it again and send the new ETag")
            )
    return handover


async def _status(tx: ReadTx, call: Call, handover: Handover) -> Answer:
    standing = await disclosure.standing(tx, call.by, handover)
    body = bodies.status(handover, standing, call.by, spoken(call))
    return Answer(body, 200, {"ETag": standing.etag})


@routes.operation("getHandover")
async def get_handover(call: Call) -> Response:
    return await _read(call, None)


@routes.operation("getHandoverVersion")
async def get_handover_version(call: Call) -> Response:
    return await _read(call, call.parameters["version"])


async def _read(call: Call, version: int | None) -> Response:
    if wants_pdf(call):
        return await _print(call, version)
    asked = set(entity_tags(call.parameters.get("If-None-Match")))
    async with call.services.db.write(call.acting) as tx:
        seen = await disclosure.read(
            tx, call.by, HandoverId(call.id("handoverId")), version=version, unless=asked
        )
        if seen.reading is None:
            return Response(status_code=304, headers={"ETag": seen.etag})
        body = bodies.reading(seen.reading, call.by, seen.refs, spoken(call))
    return Response(body, 200, {"ETag": seen.etag, "Vary": "Accept"}, media_type="application/json")


async def _print(call: Call, version: int | None) -> Response:
    """The same reading on paper. It has no entity tag: no two prints are alike, and each is a reading."""
    async with call.services.db.write(call.acting) as tx:
        seen = await disclosure.read(tx, call.by, HandoverId(call.id("handoverId")), version=version)
        assert seen.reading is not None, "nothing was said to be at hand already"
        body = bodies.reading(seen.reading, call.by, seen.refs, spoken(call))
        named = {one.code: one.name for one in await areas(tx)}
    layout = Layout(call.services.shapes, spoken(call), named)
    paper = document(
        layout,
        json.loads(body),
        call.by,
        issuer=seen.refs[call.caller.organization_id].name,
        origin=call.services.settings.base_url,
        attached=body,
    )
    printed = await call.services.printer.print(paper)
    # Not by the person's name: that would be in every list of files.
    name = f"handover-{number(str(call.id('handoverId')))}-{call.at.astimezone(JAPAN):%Y-%m-%d}"
    answer = sheets.printed(name, printed)
    answer.headers["Vary"] = "Accept"
    return answer


@routes.operation("listHandovers")
async def list_handovers(call: Call) -> Response:
    asked, limit = call.parameters, call.parameters["limit"]
    wanted = Filter(
        direction=asked.get("direction"),
        statuses=asked.get("status", ()),
        due_before=date.fromisoformat(asked["dueBefore"]) if "dueBefore" in asked else None,
        window=asked.get("window"),
        area=asked.get("area"),
        handover_type=asked.get("handoverType"),
        assignee=asked.get("assignee"),
        unassigned=asked.get("unassigned"),
        person_id=PersonId(UUID(asked["personId"])) if "personId" in asked else None,
    )
    async with call.services.db.read(call.acting) as tx:
        found = await listing(tx, call.acting, wanted, after=_after(asked.get("cursor")), limit=limit + 1)
    end = found[limit - 1] if len(found) > limit else None
    return paged(
        call,
        bodies.summaries(found[:limit], call.by),
        cursor([end.due_on.isoformat(), str(end.id)]) if end else None,
    )


def _after(text: str | None) -> tuple[date, HandoverId] | None:
    if text is None:
        return None
    due_on, handover_id = opened_cursor(text, date.fromisoformat, UUID)
    return cast(date, due_on), HandoverId(cast(UUID, handover_id))


@routes.operation("exportHandovers")
async def export_handovers(call: Call) -> Response:
    batches = disclosure.export(call.services.db, call.services.clock, call.by)
    # Before the answer begins: until then it can still be a refusal.
    first: list[Disclosed] = await anext(batches, [])

    async def lines() -> AsyncIterator[str]:
        yield _lines(call, first)
        async for batch in batches:
            yield _lines(call, batch)

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def _lines(call: Call, batch: Iterable[Disclosed]) -> str:
    return "".join(bodies.reading(one.reading, call.by, one.refs, spoken(call)) + "\n" for one in batch)
