"""What the sender does with a handover that is there: it is mended in a draft and offered again, withdrawn, or opened
early. What cannot be taken back is said before it is confirmed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from fastapi.responses import Response

from tsunagi.drafts import actions as drafts
from tsunagi.errors import PreconditionFailed, Refusal, Text, WrongState
from tsunagi.ids import HandoverId, PersonId
from tsunagi.web.desk import writer
from tsunagi.web.record import handover_id
from tsunagi.web.site import pages
from tsunagi.web.visit import ConfirmationNeeded, Visit

NOT_WRITTEN = frozenset({"schemaVersion", "personId", "sections"})
"""Members of a record that a draft keeps in places of their own."""
DONE = {"withdraw": "withdrawn", "open": "opened"}
FIELDS = ("etag", "key", "reason", "text")


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the sender's that is confirmed on a page of its own."""

    action: str
    operation: str
    reasoned: bool

    def body(self, form: Mapping[str, str]) -> Any:
        if not self.reasoned:
            return None
        said = {"code": form["reason"], "text": form["text"].strip()}
        return {"reason": {name: text for name, text in said.items() if text}}


WITHDRAW = Step("withdraw", "withdrawHandover", reasoned=True)
OPEN = Step("open", "openHandover", reasoned=False)


@pages.post("/handovers/{handover_id}/draft")
async def mend(visit: Visit) -> Response:
    """The handover's record lies in a draft: the one in which it is being mended already, or a new one."""
    acting = writer(visit)
    found, _ = await _read(visit)
    if not {"amend", "offer"} & {*found["availableActions"]}:
        return _too_late(visit, found)
    ours = visit.member.organization_id
    async with visit.services.db.write(acting) as tx:
        draft = await drafts.bound(tx, ours, HandoverId(UUID(found["id"]))) or await drafts.begin(
            tx, visit.at, ours, visit.services.match_secret, by=visit.member.name, **_written(found)
        )
    offering = (await visit.form()).get("go") == "offer"
    return visit.redirect(f"/hand-over/{draft.id}" + ("#send" if offering else ""))


def _written(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a draft of this handover begins with."""
    record = found["record"]
    return {
        "receiver_name": found["receiver"]["name"],
        "overview": {name: value for name, value in record.items() if name not in NOT_WRITTEN},
        "sections": record["sections"],
        "person_id": PersonId(UUID(found["personId"])),
        "handover_id": HandoverId(UUID(found["id"])),
        "version": found["version"],
    }


@pages.get("/handovers/{handover_id}/withdraw")
async def withdraw_page(visit: Visit) -> Response:
    return await _asked(visit, WITHDRAW)


@pages.post("/handovers/{handover_id}/withdraw")
async def withdraw(visit: Visit) -> Response:
    return await _taken(visit, WITHDRAW)


@pages.get("/handovers/{handover_id}/open")
async def open_page(visit: Visit) -> Response:
    return await _asked(visit, OPEN)


@pages.post("/handovers/{handover_id}/open")
async def open_early(visit: Visit) -> Response:
    return await _taken(visit, OPEN)


async def _read(visit: Visit) -> tuple[Any, str]:
    """The handover as it is, and its entity tag. What the visitor can do is what it says: a receiver none of this."""
    answer = await visit.answer("getHandover", handoverId=handover_id(visit))
    return json.loads(bytes(answer.body)), answer.headers["etag"]


async def _asked(visit: Visit, step: Step) -> Response:
    """The page on which the step is confirmed, if it can be taken."""
    writer(visit)
    found, etag = await _read(visit)
    if step.action not in found["availableActions"]:
        return _too_late(visit, found)
    visit.confirmed()
    return _page(visit, step, found, {"etag": etag, "key": str(uuid4()), "reason": "", "text": ""})


async def _taken(visit: Visit, step: Step) -> Response:
    """The step is taken, if the handover still is what was looked at; sent twice, it is taken once."""
    posted = await visit.form()
    form = {name: str(posted.get(name, "")) for name in FIELDS}
    headers = {"If-Match": form["etag"], "Idempotency-Key": form["key"]}
    try:
        visit.confirmed()
        await visit.ask(step.operation, body=step.body(form), headers=headers, handoverId=handover_id(visit))
    except ConfirmationNeeded:
        return _page(visit, step, (await _read(visit))[0], form, status=403, confirm=True)
    except (PreconditionFailed, WrongState):
        return _too_late(visit, (await _read(visit))[0], status=409)
    except Refusal as refusal:
        if refusal.on_ledger or not refusal.errors:
            raise
        return _page(visit, step, (await _read(visit))[0], form, status=422, wrong=[_said(refusal)])
    return visit.redirect(f"/handovers/{handover_id(visit)}", done=DONE[step.action])


def _said(refusal: Refusal) -> Text:
    """The form has one field that can be wrong."""
    if any(one.pointer == "/reason/text" for one in refusal.errors):
        return refusal.errors[0].message
    return Text("理由を選んでください", "Choose a reason")


def _page(
    visit: Visit,
    step: Step,
    found: Any,
    form: Mapping[str, str],
    *,
    status: int = 200,
    confirm: bool = False,
    wrong: list[Text] | None = None,
) -> Response:
    shown = {"found": found, "form": form, "confirm": confirm, "wrong": wrong or []}
    return visit.page(f"sender_{step.action}.html", status=status, **shown)


def _too_late(visit: Visit, found: Any, *, status: int = 200) -> Response:
    return visit.page("sender_too_late.html", status=status, found=found)
