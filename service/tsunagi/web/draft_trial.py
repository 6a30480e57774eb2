"""What the operation that is to record a draft says of it beforehand."""

from dataclasses import replace
from typing import Any

from tsunagi.drafts.rules import Draft
from tsunagi.errors import Notice, Refusal, Text
from tsunagi.web.draft_parts import CONSENTS, Part, parts, placed
from tsunagi.web.visit import Visit

READ = frozenset({"overview", "identity", "handover_plan"})
"""Parts without which there is no record that rules could be about."""


async def trial(visit: Visit, draft: Draft) -> Any:
    """Nothing is kept. Raises Refusal."""
    if draft.handover_id is None:
        headers = {"Idempotency-Key": draft.key("check")}
        return await visit.ask("createHandover", body=draft.record(), headers=headers, dryRun=True)
    return await visit.ask(
        "amendHandover",
        handoverId=draft.handover_id,
        body=draft.record(),
        headers={"If-Match": "*"},
        dryRun=True,
    )


async def noticed(visit: Visit, draft: Draft, about: Part) -> tuple[Notice, ...]:
    """What is wrong with a part, or to be noted: by its schema, and where nothing is, by the rules of the record as far
    as that can be read.
    """
    if about.faults or not about.content or about.name in CONSENTS:
        return about.faults
    good = {one.name for one in parts(visit.services.contract, draft, visit.today) if one.state == "complete"}
    if not good >= READ:
        return ()
    legible = replace(draft, sections={name: draft.sections[name] for name in draft.sections if name in good})
    said: tuple[Notice, ...]
    try:
        answer = await trial(visit, legible)
    except Refusal as refusal:
        said = refusal.errors
    else:
        said = tuple(
            Notice(one["code"], one["level"], Text(one["message"], one["message"]), one["pointer"])
            for one in answer["warnings"]
        )
    found = ((one, *placed(one.pointer)) for one in said)
    return tuple(replace(one, pointer=within) for one, name, within in found if name == about.name)
