"""Whether the consents typed in a draft let the receiver read what is written: found before anything is recorded."""

from collections.abc import Iterable, Iterator
from datetime import date

from tsunagi.drafts.rules import Draft
from tsunagi.errors import Notice, Text
from tsunagi.web.dates import Dates

NOT_COVERED = "consent.section_not_covered"
FAMILY = "family"


def uncovered(draft: Draft, missing: Iterable[str], on: date) -> list[str]:
    """Of the sections that no consent covers yet, those that the draft's do not cover on that day either."""
    own, families = (_covers(draft, subject, on) for subject in ("person", "family"))
    return [
        name
        for name in missing
        if not (name in own and (name != FAMILY or name in families))
        and not (name == FAMILY and draft.handover_id is not None and name in families)
    ]


def _covers(draft: Draft, subject: str, on: date) -> frozenset[str]:
    content = draft.consents.get(subject, {})
    holds = str(content.get("from", "9")) <= on.isoformat() < str(content.get("to", ""))
    return frozenset(content.get("sections", ())) if holds else frozenset()


def nothing_covered(draft: Draft, on: date) -> Notice:
    """Why the receiver could read nothing at all, at the field where that is mended."""
    content = draft.consents.get("person", {})
    ja, en = Dates("ja").short(on), Dates("en").short(on)
    if not content:
        text = Text(
            "提供先に渡すことへの同意がありません", "There is no consent to giving this to the receiver"
        )
        return Notice("consent.missing", "error", text, "/consents/person")
    if str(content.get("from", "9")) > on.isoformat():
        text = Text(
            f"同意が始まる前に、提供先が読めるようになります（{ja}）",
            f"The receiver could read it before the consent begins ({en})",
        )
        return Notice("consent.missing", "error", text, "/consents/person/from")
    text = Text(
        f"提供先が読めるようになる日（{ja}）には、同意の期間が終わっています",
        f"The consent is over by the day on which the receiver could read it ({en})",
    )
    return Notice("consent.missing", "error", text, "/consents/person/to")


def withheld(names: Iterable[str]) -> Iterator[tuple[str, Notice]]:
    """Each section with what is said of it, at the consent's field."""
    text = Text(
        "書かれていますが、同意に含まれていないので、提供先には見えません",
        "is written, but not consented to: the receiver will not see it",
    )
    for name in names:
        at = "/consents/family" if name == FAMILY else "/consents/person/sections"
        yield name, Notice(NOT_COVERED, "warning", text, at)
