"""What a draft would meet if it were sent now: what stands in the way, what both sides would be warned of, and what
the sender should know. Nothing is recorded by looking."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tsunagi.drafts.rules import Draft
from tsunagi.errors import Notice, PersonAlreadyKnown, Refusal, Text
from tsunagi.web.coming import OPEN
from tsunagi.web.dates import civil
from tsunagi.web.draft_consents import NOT_COVERED, nothing_covered, uncovered, withheld
from tsunagi.web.draft_dates import over
from tsunagi.web.draft_left import left_open
from tsunagi.web.draft_parts import Part, placed
from tsunagi.web.draft_trial import trial
from tsunagi.web.visit import Visit

REFUSED_AT_OFFER = frozenset(
    {
        "record.section_missing",
        "planned_date.in_past",
        "responsibility.not_held",
        "responsibility.effective_before_start",
        "responsibility.date_out_of_range",
    }
)
"""Of what a draft is only warned of, what an offer refuses."""
GAP = "responsibility.nobody_primary"
MOST_OTHERS = 20

ALIKE: Mapping[str, Text] = {
    "person_already_known": Text(
        "名前と生年月日か受給者証が同じ方が、当機関で登録されています。同じ方か、下で確かめてください",
        "Somebody with the same name and birth date, or certificate, is known to us: see below whether it is the same",
    ),
    "match_ambiguous": Text(
        "よく似た方が二人以上登録されています。本人基本情報に受給者証の番号を書くと、見分けられます",
        "Several people like this are known: with the certificate's number in the identity they can be told apart",
    ),
}
"""What these refusals say on a page."""


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
    gaps: Sequence[Remark] = ()
    """Domains that nobody holds until the handover: to be confirmed by whoever sends it all the same."""
    others: Sequence[Mapping[str, Any]] = ()
    """Handovers of the same person that are not over."""
    stale: Sequence[Remark] = ()
    """Dates that were still to come once."""
    left_open: Sequence[Remark] = ()
    """What is not said, and told to the sender alone."""
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
        return Outlook(False, list(_broken(draft, found)), there=there)
    try:
        told = await trial(visit, draft)
    except Refusal as refusal:
        return refused(draft, found, refusal, there)
    refusals, gaps, warnings = _sorted([_notice(one) for one in told["warnings"]])
    unseen = _unseen(draft, told, there)
    if set(unseen) >= set(draft.sections):
        refusals, unseen = [*refusals, nothing_covered(draft, civil(told["readableOn"]))], []
    return Outlook(
        not refusals,
        list(_remarks(draft, found, refusals)),
        [*_withheld(draft, found, unseen), *_remarks(draft, found, warnings)],
        list(_remarks(draft, found, gaps)),
        await _others(visit, draft),
        list(_stale(visit, draft, found)),
        list(_remarks(draft, found, left_open(draft))),
        there=there,
    )


def _sorted(told: Sequence[Notice]) -> tuple[list[Notice], list[Notice], list[Notice]]:
    """What an offer would refuse, the gaps, and the rest but for what the draft's own consents decide."""
    refusals = [one for one in told if one.code in REFUSED_AT_OFFER]
    gaps = [one for one in told if one.code == GAP]
    apart = {*REFUSED_AT_OFFER, GAP, NOT_COVERED}
    return refusals, gaps, [one for one in told if one.code not in apart]


def _unseen(draft: Draft, told: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """The written sections that no consent opens to the receiver: none of those there are, and none of the draft."""
    missing = [placed(one["pointer"])[0] for one in told["warnings"] if one["code"] == NOT_COVERED]
    return uncovered(draft, missing if there else draft.sections, civil(told["readableOn"]))


def _withheld(draft: Draft, found: Sequence[Part], names: Sequence[str]) -> Iterator[Remark]:
    labels = {part.name: part.label for part in found}
    for name, notice in withheld(names):
        (remark,) = _remarks(draft, found, [notice])
        yield replace(remark, label=labels[name])


def _stale(visit: Visit, draft: Draft, found: Sequence[Part]) -> Iterator[Remark]:
    for part, at, said in over(found, visit.today):
        yield Remark(f"/hand-over/{draft.id}/{part.name}#at{at}", part.label, said)


async def _others(visit: Visit, draft: Draft) -> list[Mapping[str, Any]]:
    if draft.person_id is None:
        return []
    listed = await visit.ask(
        "listHandovers",
        direction="outgoing",
        personId=draft.person_id,
        status=list(OPEN),
        limit=MOST_OTHERS,
    )
    return [one for one in listed["items"] if one["id"] != str(draft.handover_id)]


def _broken(draft: Draft, found: Sequence[Part]) -> Iterator[Remark]:
    """What rules say of parts that are written; what a schema does is said on their own pages."""
    for part in found:
        for one in part.faults:
            if not one.code.startswith("schema."):
                yield Remark(f"/hand-over/{draft.id}/{part.name}#at{one.pointer}", part.label, one.message)


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
        said = ALIKE.get(refusal.code) or refusal.detail or refusal.title
        remarks = [Remark(f"/hand-over/{draft.id}#send", None, said)]
    known = refusal.extensions.get("personId") if isinstance(refusal, PersonAlreadyKnown) else None
    return Outlook(False, remarks, known_person=str(known) if known else None, there=there or {})


def _remarks(draft: Draft, found: Sequence[Part], notices: Iterable[Notice]) -> Iterator[Remark]:
    for one in notices:
        name, within = placed(one.pointer)
        part = next((part for part in found if part.name == name), found[0])
        yield Remark(f"/hand-over/{draft.id}/{part.name}#at{within}", part.label, one.message)
