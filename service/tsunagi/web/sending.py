"""What of a draft is still to be done, and sending it: recorded, consented to, offered, each once however often
somebody presses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi.responses import Response
from starlette.datastructures import FormData

from tsunagi.drafts.rules import Draft
from tsunagi.errors import PersonAlreadyKnown, PreconditionFailed, Refusal, Text
from tsunagi.ids import ConsentId, HandoverId, PersonId
from tsunagi.web.desk import close, discard, note, present, save
from tsunagi.web.draft_parts import CONSENTS, Part, parts, placed
from tsunagi.web.draft_trial import amend, trial
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to mend or to know, and the page where that is done."""

    path: str
    label: Text | None
    message: Text


@dataclass(frozen=True, slots=True)
class Outlook:
    """`checked`: the record has passed every rule and could be sent as it is."""

    checked: bool
    refusals: Sequence[Remark] = ()
    warnings: Sequence[Remark] = ()
    known_person: str | None = None
    """Somebody known already who is just like this."""


@pages.get("/hand-over/{draft_id}")
async def draft_page(visit: Visit) -> Response:
    return await _overlooked(visit, await present(visit))


async def _overlooked(
    visit: Visit, draft: Draft, refusal: Refusal | None = None, status: int = 200
) -> Response:
    if draft.sent:
        return visit.redirect(f"/handovers/{draft.handover_id}")
    found = parts(visit.services.contract, draft)
    outlook = _refused(draft, found, refusal) if refusal else await _outlook(visit, draft, found)
    return visit.page("hand_over_draft.html", status=status, draft=draft, parts=found, outlook=outlook)


async def _outlook(visit: Visit, draft: Draft, found: Sequence[Part]) -> Outlook:
    if not all(one.ready for one in found):
        return Outlook(False)
    try:
        answer = await trial(visit, draft)
    except Refusal as refusal:
        return _refused(draft, found, refusal)
    warnings = [
        _remark(draft, found, one["pointer"], Text(one["message"], one["message"]))
        for one in answer["warnings"]
    ]
    return Outlook(True, warnings=warnings)


def _refused(draft: Draft, found: Sequence[Part], refusal: Refusal) -> Outlook:
    remarks = [_remark(draft, found, one.pointer, one.message) for one in refusal.errors]
    if not remarks:
        remarks = [Remark(f"/hand-over/{draft.id}", None, refusal.detail or refusal.title)]
    known = refusal.extensions.get("personId") if isinstance(refusal, PersonAlreadyKnown) else None
    return Outlook(False, remarks, known_person=str(known) if known else None)


def _remark(draft: Draft, found: Sequence[Part], pointer: str, message: Text) -> Remark:
    name, within = placed(pointer)
    part = next((one for one in found if one.name == name), found[0])
    return Remark(f"/hand-over/{draft.id}/{part.name}#at{within}", part.label, message)


@pages.post("/hand-over/{draft_id}")
async def send_or_discard(visit: Visit) -> Response:
    draft = await present(visit)
    form = await visit.form()
    if draft.sent:
        return visit.redirect(f"/handovers/{draft.handover_id}")
    if form.get("press") == "discard":
        await discard(visit, draft)
        return visit.redirect("/hand-over")
    return await _send(visit, draft, form)


async def _send(visit: Visit, draft: Draft, form: FormData) -> Response:
    if form.get("revision") != str(draft.revision):
        changed = Text(
            f"その間に{draft.changed_by}さんが下書きを変更しました。確かめてから、もう一度送ってください",
            f"{draft.changed_by} has changed the draft meanwhile: look at it, and send it again",
        )
        return await _overlooked(visit, draft, PreconditionFailed(changed), 409)
    if form.get("same_person"):
        draft = await save(visit, draft, person_id=PersonId(UUID(str(form["same_person"]))))
    try:
        await _sent(visit, draft)
    except Refusal as refusal:
        return await _overlooked(visit, await present(visit), refusal, 422)
    return visit.redirect(f"/handovers/{(await present(visit)).handover_id}")


async def _sent(visit: Visit, draft: Draft) -> None:
    """The handover is on offer, under consents. Raises Refusal; what was reached by then is kept."""
    draft = await _recorded(visit, draft)
    for subject in _subjects(draft):
        if subject not in draft.given:
            draft = await _consented(visit, draft, subject)
    headers = {"Idempotency-Key": draft.key("offer")}
    await visit.ask("offerHandover", handoverId=draft.handover_id, headers=headers)
    try:
        await close(visit, draft)
    except PreconditionFailed:  # somebody who pressed at the same time has closed it
        return


def _subjects(draft: Draft) -> Iterator[str]:
    return (subject for subject in CONSENTS.values() if draft.consents.get(subject))


async def _recorded(visit: Visit, draft: Draft) -> Draft:
    if draft.recorded == draft.revision:
        return draft
    if draft.handover_id is not None:
        await amend(visit, draft)
        return await note(visit, draft, recorded=draft.revision)
    headers = {"Idempotency-Key": draft.key("create")}
    made: Mapping[str, Any] = await visit.ask("createHandover", body=draft.record(), headers=headers)
    return await note(
        visit,
        draft,
        handover_id=HandoverId(UUID(made["id"])),
        person_id=PersonId(UUID(made["personId"])),
        recorded=draft.revision,
    )


async def _consented(visit: Visit, draft: Draft, subject: str) -> Draft:
    assert draft.person_id is not None, "the handover is recorded"
    headers = {"Idempotency-Key": draft.key(f"consent {subject}")}
    body = draft.consent(subject, draft.person_id)
    made = await visit.ask("createConsent", body=body, headers=headers)
    return await note(visit, draft, given={**draft.given, subject: ConsentId(UUID(made["id"]))})
