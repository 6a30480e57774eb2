"""Taking over: an offer is accepted domain by domain, sent back with a question, or declined. What acceptance will do
to responsibility is shown before it is confirmed, and whoever comes too late sees what has happened meanwhile."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from fastapi.responses import Response

from tsunagi.disclosure.document import HANDOVER
from tsunagi.errors import PreconditionFailed, Refusal, WrongState
from tsunagi.web.answering import ROLES, TRIED, Form, offered
from tsunagi.web.assigning import team
from tsunagi.web.dates import civil
from tsunagi.web.drawing import draw
from tsunagi.web.intervals import Interval, beyond, gaps, intervals
from tsunagi.web.record import handover_id, layout, named
from tsunagi.web.site import pages
from tsunagi.web.visit import ConfirmationNeeded, Visit

DONE = {"accept": "accepted", "return": "returned", "decline": "declined"}
OPERATIONS: Mapping[str, str] = {
    "accept": "acceptHandover",
    "return": "returnHandover",
    "decline": "declineHandover",
}
STEPS = {*OPERATIONS, *TRIED}
PATH = "/handovers/{handover_id}/take-over"


@pages.get(PATH)
async def form_page(visit: Visit) -> Response:
    found, etag = await _read(visit)
    if "decline" not in found["availableActions"] and "accept" not in found["availableActions"]:
        return _meanwhile(visit, found, 200)
    visit.confirmed()
    return _form(visit, found, await _begun(visit, found, etag))


async def _begun(visit: Visit, found: Any, etag: str) -> Form:
    """The form that nobody has touched; a colleague who is in charge stands in it."""
    name = (await team(visit)).choices.get(found.get("assignee", ""), "")
    person = {"name": name, "role": visit.t("支援担当者", "Support worker")} if name else {}
    return offered(found, etag, visit.dates.short if visit.language == "ja" else str, person)


@pages.post(PATH)
async def answer(visit: Visit) -> Response:
    posted = await visit.form()
    inputs = {name: text for name, text in posted.items() if isinstance(text, str)}
    form = Form(inputs).dated(visit.today)
    step = form["step"]
    if step not in STEPS:
        return await _again(visit, form)
    try:
        visit.confirmed()
        told = await _ask(visit, form)
    except ConfirmationNeeded:
        return await _again(visit, form, status=403, confirm=True)
    except (PreconditionFailed, WrongState):
        return _meanwhile(visit, (await _read(visit))[0], 409)
    except Refusal as refusal:
        if refusal.on_ledger:
            raise
        return await _again(visit, form.refused(refusal.title, refusal.errors), status=422)
    if step in TRIED:
        found = (await _read(visit))[0]
        if form.step not in found["availableActions"]:
            return _meanwhile(visit, found, 409)
        if step == "preview":
            return await _preview(visit, found, form, told)
        return visit.page("take_over_confirm.html", found=found, form=form, name=named(found))
    return visit.redirect(f"/handovers/{handover_id(visit)}", done=DONE[step])


async def _ask(visit: Visit, form: Form) -> Any:
    """The step is taken, or tried, if nothing has changed since the form was made; sent twice, it is taken once. Of a
    reason alone only its shape can be tried. Raises Refusal."""
    trying, operation_id = form["step"] in TRIED, OPERATIONS[form.step]
    if trying and form.step != "accept":
        return _check_shape(visit, operation_id, form.answer())
    headers = {"If-Match": form["etag"]} | ({} if trying else {"Idempotency-Key": form["key"]})
    about: dict[str, Any] = {"handoverId": handover_id(visit)} | ({"dryRun": True} if trying else {})
    return await visit.ask(operation_id, body=form.answer(), headers=headers, **about)


def _check_shape(visit: Visit, operation_id: str, body: Any) -> None:
    contract = visit.services.contract
    uri = contract.operations[operation_id].body
    assert uri is not None, operation_id
    contract.check(uri, body)


async def _read(visit: Visit) -> tuple[Any, str]:
    """The handover as it is, and its entity tag."""
    found = await visit.answer("getHandover", handoverId=handover_id(visit))
    return json.loads(bytes(found.body)), found.headers["etag"]


async def _again(visit: Visit, form: Form, *, status: int = 200, confirm: bool = False) -> Response:
    """The form as it was filled in. Of what stood in another form of the page, what it began with."""
    found, etag = await _read(visit)
    begun = await _begun(visit, found, etag)
    whole = Form({**begun.inputs, **form.inputs}, form.errors)
    return _form(visit, found, whole, status=status, confirm=confirm)


def _form(visit: Visit, found: Any, form: Form, *, status: int = 200, confirm: bool = False) -> Response:
    shown = {"found": found, "form": form, "name": named(found), "roles": ROLES, "confirm": confirm}
    return visit.page("take_over.html", status=status, **shown)


async def _preview(visit: Visit, found: Any, form: Form, told: Any) -> Response:
    """What acceptance would make of responsibility, beside what it is now; and whether anybody would be missing."""
    person, after = told["personId"], intervals(told["domains"])
    now = await visit.ask("getResponsibility", personId=person)
    milestones = (await visit.ask("getMilestones", personId=person))["milestones"]
    last = _service_end(found, milestones)
    held = beyond(after, found["sender"]["id"], civil(last["date"]), visit.today) if last else []
    answers = _answers(found, form)
    doubtful = {one.domain for one in held} | {one["domain"] for one in answers if one["shift"] == "later"}
    return visit.page(
        "take_over_preview.html",
        form=form,
        name=named(found),
        handover_id=handover_id(visit),
        answers=answers,
        taken=[one["domain"] for one in answers if one["decision"] == "accept"],
        gaps=gaps(after, visit.today),
        unknown=[one for one in form.domains if one not in {line.domain for line in after}],
        fine=[one for one in dict.fromkeys(line.domain for line in after) if one not in doubtful],
        last=last,
        next_day=(civil(last["date"]) + timedelta(days=1)).isoformat() if last else None,
        beyond=held,
        picture=draw(told, milestones, today=visit.today, words=visit.words, dates=visit.dates),
        rows=list(_compared(intervals(now["domains"]), after)),
    )


def _service_end(found: Any, milestones: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The last day of the sender's service: as it is stated, else as settlement support has to end."""
    of_settlement = found["handoverType"] == "settlement_to_center"
    kinds = ("service_ends", "settlement_ends") if of_settlement else ("service_ends",)
    known = {one["kind"]: one for one in milestones if one["handoverId"] == found["id"]}
    return next((known[kind] for kind in kinds if kind in known), None)


def _answers(found: Any, form: Form) -> list[dict[str, Any]]:
    """What is answered for each domain, in full; of one that is taken also the day that was offered, and whether the
    answer begins `earlier` or `later` than that."""
    offered = {one["domain"]: one for one in found["domains"]}
    return [_beside_offer(one, offered[one["domain"]]) for one in form.acceptance()["domains"]]


def _beside_offer(answer: Mapping[str, Any], offer: Mapping[str, Any]) -> dict[str, Any]:
    if answer["decision"] != "accept":
        return {**answer, "shift": None}
    full = {"role": offer["receiverRole"], "from": offer["from"], **answer, "offered": offer["from"]}
    shift = "earlier" if full["from"] < offer["from"] else "later" if full["from"] > offer["from"] else None
    return {**full, "shift": shift}


def _compared(
    before: list[Interval], after: list[Interval]
) -> Iterator[tuple[Interval, str, Interval | None]]:
    """Each line with what becomes of it: `new`, `same`, `moved` (with what it was) or `gone`."""

    def key(one: Interval) -> tuple[Any, ...]:
        return one.domain, one.role, one.holder, one.first

    left = {key(one): one for one in before}
    for one in after:
        was = left.pop(key(one), None)
        if was is None:
            yield one, "new", None
        else:
            yield (one, "same", None) if was.end == one.end else (one, "moved", was)
    yield from ((one, "gone", None) for one in left.values())


def _meanwhile(visit: Visit, found: Any, status: int) -> Response:
    names = ("version", "answeredAt", "personInCharge", "reason", "domains")
    known = {name: found[name] for name in names if name in found} if "record" in found else {}
    return visit.page(
        "meanwhile.html",
        status=status,
        found=found,
        late=status == 409,
        name=named(found),
        standing=layout(visit).parts(HANDOVER, known),
    )
