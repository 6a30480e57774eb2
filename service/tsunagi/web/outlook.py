"""What a draft would meet if it were sent now: what stands in the way, what both sides would be warned of, and what
the sender should know. Nothing is recorded by looking."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tsunagi.drafts.rules import Draft
from tsunagi.errors import Notice, PersonAlreadyKnown, Refusal, Text
from tsunagi.web.draft_parts import CONSENTS, Part, placed
from tsunagi.web.draft_trial import of_consent, trial
from tsunagi.web.visit import Visit

REFUSED_AT_OFFER = frozenset({"record.section_missing", "planned_date.in_past"})
"""Of what a draft is only warned of, what an offer refuses."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to mend or to know, and the page where that is done."""

    path: str
    label: Text | None
    message: Text


@dataclass(frozen=True, slots=True)
class Outlook:
    """`checked`: it has passed every check and could be sent as it is."""

    checked: bool
    refusals: Sequence[Remark] = ()
    warnings: Sequence[Remark] = ()
    known_person: str | None = None
    """Somebody known already who is just like this."""
    there: Mapping[str, Any] = field(default_factory=dict)
    """The handover that is mended, as it is."""
    overtaken: bool = False
    """Whether its record is another one by now than the draft rests on."""


async def outlook(visit: Visit, draft: Draft, found: Sequence[Part]) -> Outlook:
    if draft.handover_id is None:
        return await _of_new(visit, draft, found)
    there = await visit.ask("getHandover", handoverId=draft.handover_id)
    if draft.version not in (None, there["version"]) and not draft.says(there["record"]):
        return Outlook(False, there=there, overtaken=True)
    return await _foreseen(visit, draft, found, there)


async def _of_new(visit: Visit, draft: Draft, found: Sequence[Part]) -> Outlook:
    if draft.checked == draft.revision:  # being sent: its person may be known by now, as this one
        return Outlook(True)
    return await _foreseen(visit, draft, found, {})


async def _foreseen(visit: Visit, draft: Draft, found: Sequence[Part], there: Mapping[str, Any]) -> Outlook:
    if not all(one.ready for one in found):
        return Outlook(False, there=there)
    if wrong := list(_of_consents(visit, draft, found)):
        return Outlook(False, list(_remarks(draft, found, wrong)), there=there)
    try:
        told = await trial(visit, draft)
    except Refusal as refusal:
        return refused(draft, found, refusal, there)
    notices = [_notice(one) for one in told["warnings"]]
    refusals = [one for one in notices if one.code in REFUSED_AT_OFFER]
    warnings = [one for one in notices if one.code not in REFUSED_AT_OFFER]
    return Outlook(
        not refusals,
        list(_remarks(draft, found, refusals)),
        list(_remarks(draft, found, warnings)),
        there=there,
    )


def _of_consents(visit: Visit, draft: Draft, found: Sequence[Part]) -> Iterator[Notice]:
    for part in found:
        if part.consent and part.content:
            for one in of_consent(visit, draft, part.name):
                yield replace(one, pointer=f"/consents/{CONSENTS[part.name]}{one.pointer}")


def unready(draft: Draft, found: Sequence[Part]) -> list[Remark]:
    """The parts that are not written yet, or not right."""
    missing = Text("まだ書かれていません", "Nothing is written yet")
    wrong = Text("直すところがあります", "Something is to be mended")
    return [
        Remark(f"/hand-over/{draft.id}/{one.name}", one.label, wrong if one.content else missing)
        for one in found
        if not one.ready
    ]


def _notice(told: Mapping[str, Any]) -> Notice:
    message = Text(told["message"], told["message"])
    return Notice(told["code"], told["level"], message, told.get("pointer", ""))


def refused(
    draft: Draft, found: Sequence[Part], refusal: Refusal, there: Mapping[str, Any] | None = None
) -> Outlook:
    """What a refusal says, each error with the page where it is mended."""
    remarks = list(_remarks(draft, found, refusal.errors))
    if not remarks:
        remarks = [Remark(f"/hand-over/{draft.id}", None, refusal.detail or refusal.title)]
    known = refusal.extensions.get("personId") if isinstance(refusal, PersonAlreadyKnown) else None
    return Outlook(False, remarks, known_person=str(known) if known else None, there=there or {})


def _remarks(draft: Draft, found: Sequence[Part], notices: Sequence[Notice]) -> Iterator[Remark]:
    for one in notices:
        name, within = placed(one.pointer)
        part = next((part for part in found if part.name == name), found[0])
        yield Remark(f"/hand-over/{draft.id}/{part.name}#at{within}", part.label, one.message)
