"""The page of a whole draft, and sending it: recorded, consented to, offered, each once however often somebody
presses, and nothing of it before everything has been checked."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi.responses import Response
from starlette.datastructures import FormData

from tsunagi.drafts.rules import Draft
from tsunagi.errors import NotFound, PreconditionFailed, Refusal, Text
from tsunagi.ids import ConsentId, HandoverId, PersonId
from tsunagi.web.desk import close, discard, note, present, save
from tsunagi.web.draft_parts import CONSENTS, parts
from tsunagi.web.outlook import Outlook, outlook, refused, unready
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

NOT_ON_OFFER = ("draft", "returned")
"""States in which a handover's record can be mended without being on offer by that."""

MOST_DIGITS = 9


@pages.get("/hand-over/{draft_id}")
async def draft_page(visit: Visit) -> Response:
    draft = await present(visit)
    return await _page(visit, draft, await _outlook(visit, draft))


async def _outlook(visit: Visit, draft: Draft) -> Outlook:
    found = parts(visit.services.contract, draft, visit.today)
    return Outlook(False) if draft.sent else await outlook(visit, draft, found)


async def _page(visit: Visit, draft: Draft, seen: Outlook, status: int = 200) -> Response:
    if draft.sent:
        return visit.redirect(f"/handovers/{draft.handover_id}")
    found = parts(visit.services.contract, draft, visit.today)
    return visit.page("hand_over_draft.html", status=status, draft=draft, parts=found, outlook=seen)


async def _refused(visit: Visit, refusal: Refusal, status: int = 422) -> Response:
    draft = await present(visit)
    if draft.sent:
        return await _page(visit, draft, Outlook(False))
    found = parts(visit.services.contract, draft, visit.today)
    return await _page(visit, draft, refused(draft, found, refusal), status)


@pages.post("/hand-over/{draft_id}")
async def send_or_discard(visit: Visit) -> Response:
    draft = await present(visit)
    form = await visit.form()
    if draft.sent:
        return visit.redirect(f"/handovers/{draft.handover_id}")
    if form.get("press") == "discard":
        await discard(visit, draft)
        return visit.redirect(f"/handovers/{draft.handover_id}" if draft.handover_id else "/hand-over")
    if form.get("revision") != str(draft.revision):
        changed = Text(
            f"その間に{draft.changed_by}さんが下書きを変更しました。確かめてから、もう一度送ってください",
            f"{draft.changed_by} has changed the draft meanwhile: look at it, and send it again",
        )
        return await _refused(visit, PreconditionFailed(changed), 409)
    if version := _number(form, "instead_of"):
        await save(visit, draft, version=version)
        return visit.redirect(f"/hand-over/{draft.id}")
    if same := form.get("same_person"):
        draft = await save(visit, draft, person_id=_person(str(same)))
    return await _send(visit, draft, form)


def _person(text: str) -> PersonId:
    """Raises NotFound for what is no id."""
    try:
        return PersonId(UUID(text))
    except ValueError:
        raise NotFound from None


def _number(form: FormData, name: str) -> int | None:
    text = str(form.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS else None


async def _send(visit: Visit, draft: Draft, form: FormData) -> Response:
    seen = await _outlook(visit, draft)
    if seen.checked and _unsaid(seen, form):
        return await _page(visit, draft, seen, 422)
    if not seen.checked:
        lacking = unready(draft, parts(visit.services.contract, draft, visit.today))
        return await _page(visit, draft, replace(seen, refusals=[*lacking, *seen.refusals]), 422)
    try:
        await _sent(visit, await note(visit, draft, checked=draft.revision))
    except Refusal as refusal:
        return await _refused(visit, refusal)
    done = "offered" if seen.there.get("status", "draft") in NOT_ON_OFFER else "amended"
    return visit.redirect(f"/handovers/{(await present(visit)).handover_id}", done=done)


def _unsaid(seen: Outlook, form: FormData) -> bool:
    """Whether something is to be confirmed that has not been: a gap, or what was not known before the person was."""
    return bool((seen.gaps and not form.get("gap")) or (seen.others and form.get("same_person")))


async def _sent(visit: Visit, draft: Draft) -> None:
    """The handover is on offer, under consents. Raises Refusal; what was reached by then is kept."""
    known = draft.handover_id is not None
    draft = draft if known else await _recorded(visit, draft)
    for subject in _subjects(draft):
        if subject not in draft.given:
            draft = await _consented(visit, draft, subject)
    status = await _amended(visit, draft) if known else "draft"
    if status in NOT_ON_OFFER:
        headers = {"Idempotency-Key": draft.key("offer")}
        await visit.ask("offerHandover", handoverId=draft.handover_id, headers=headers)
    try:
        await close(visit, draft)
    except PreconditionFailed:  # somebody who pressed at the same time has closed it
        return


def _subjects(draft: Draft) -> Iterator[str]:
    return (subject for subject in CONSENTS.values() if draft.consents.get(subject))


async def _recorded(visit: Visit, draft: Draft) -> Draft:
    headers = {"Idempotency-Key": draft.key("create")}
    made: Mapping[str, Any] = await visit.ask("createHandover", body=draft.record(), headers=headers)
    return await note(
        visit,
        draft,
        handover_id=HandoverId(UUID(made["id"])),
        person_id=PersonId(UUID(made["personId"])),
        version=made["version"],
    )


async def _consented(visit: Visit, draft: Draft, subject: str) -> Draft:
    """Raises Refusal, with the places of what is wrong as `placed` reads them."""
    assert draft.person_id is not None, "the handover is recorded"
    headers = {"Idempotency-Key": draft.key(f"consent {subject}")}
    body = draft.consent(subject, draft.person_id)
    try:
        made = await visit.ask("createConsent", body=body, headers=headers)
    except Refusal as refusal:
        at = f"/consents/{subject}"
        refusal.errors = tuple(replace(one, pointer=at + one.pointer) for one in refusal.errors)
        raise
    return await note(visit, draft, given={**draft.given, subject: ConsentId(UUID(made["id"]))})


async def _amended(visit: Visit, draft: Draft) -> str:
    """The handover's record says what the draft does; its state. Raises Refusal.

    What was amended before the process died needs no second version: the record says so.
    """
    answer = await visit.answer("getHandover", handoverId=draft.handover_id)
    there = json.loads(bytes(answer.body))
    if draft.says(there["record"]):
        return str(there["status"])
    if draft.version not in (None, there["version"]):
        raise PreconditionFailed(
            Text("その間に、この引継ぎの記録が直されました", "The handover's record was amended meanwhile")
        )
    headers = {"If-Match": answer.headers["etag"]}
    amended = await visit.ask(
        "amendHandover", handoverId=draft.handover_id, body=draft.record(), headers=headers
    )
    await note(visit, draft, version=amended["version"])
    return str(amended["status"])
