"""A draft as its pages show it: part by part, each with its form, what was typed, and what is wrong with that."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from tsunagi.contract import Contract
from tsunagi.drafts.rules import Draft
from tsunagi.errors import Notice, SchemaInvalid, Text
from tsunagi.ids import PersonId
from tsunagi.records.rules import REQUIRED_TO_OFFER
from tsunagi.web.draft_rules import broken_consent, broken_overview, broken_section
from tsunagi.web.forms import CONSENT, NOT_ASKED, RECORD, SECTIONS, Field, Forms

State = Literal["empty", "incomplete", "complete"]

CONSENTS = {"consent": "person", "family_consent": "family"}
"""Parts that are consents, and whose data they are of."""
NEEDED = {"overview", "identity", "handover_plan", *REQUIRED_TO_OFFER}
EXCEPTION = "legalException"
"""What a consent's content has where the data are given without one."""
_LABELS = {
    "consent": Text("本人の同意", "The person's consent"),
    "family_consent": Text("家族の同意", "The family's consent"),
}
_WITHOUT = {
    "consent": Text("同意によらない提供（本人の情報）", "Provision without consent (the person's data)"),
    "family_consent": Text(
        "同意によらない提供（家族の情報）", "Provision without consent (the family's data)"
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One page of the form. `faults` are those of what was typed, empty while nothing was."""

    name: str
    label: Text
    field: Field
    content: Mapping[str, Any]
    faults: tuple[Notice, ...]
    needed: bool
    """Whether it cannot be sent without."""

    @property
    def consent(self) -> bool:
        """Whether it says on what ground the data are given."""
        return self.name in CONSENTS

    @property
    def exception(self) -> bool:
        return EXCEPTION in self.content

    @property
    def seen(self) -> str:
        """What the content is recognized by: whoever saves says on what of it their own rests."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()

    @property
    def state(self) -> State:
        if not self.content:
            return "empty"
        return "incomplete" if self.faults else "complete"

    @property
    def ready(self) -> bool:
        return self.state == "complete" or (self.state == "empty" and not self.needed)


@lru_cache(maxsize=4)
def forms_of(contract: Contract) -> Forms:
    return Forms(contract)


def parts(contract: Contract, draft: Draft, today: date) -> list[Part]:
    """In the order in which they are filled in."""
    return [part(contract, draft, name, today) for name in names(draft)]


def names(draft: Draft) -> Iterator[str]:
    yield "overview"
    yield from SECTIONS
    yield "consent"
    if draft.sections.get("family"):
        yield "family_consent"


def part(contract: Contract, draft: Draft, name: str, today: date) -> Part:
    """Raises KeyError where the draft has no such part."""
    forms = forms_of(contract)
    if name not in names(draft):
        raise KeyError(name)
    content = _content(draft, name)
    field, label = _form(forms, name, content)
    faults = _faults(contract, forms, draft, name, today) if content else ()
    return Part(name, label, field, content, faults, _needed(draft, name))


def _needed(draft: Draft, name: str) -> bool:
    """A handover that is mended has its consents."""
    return name in NEEDED or (name in CONSENTS and draft.handover_id is None)


def _content(draft: Draft, name: str) -> Mapping[str, Any]:
    """What somebody has saved."""
    if name == "overview":
        return {} if draft.proposed else draft.overview
    found: Mapping[str, Any] = (
        draft.consents.get(CONSENTS[name], {}) if name in CONSENTS else draft.sections.get(name, {})
    )
    return found


def _form(forms: Forms, name: str, content: Mapping[str, Any]) -> tuple[Field, Text]:
    """What a part is asked with, and what it is called."""
    if name in CONSENTS:
        without = EXCEPTION in content
        field = (forms.exceptions if without else forms.consents)[CONSENTS[name]]
        return field, (_WITHOUT if without else _LABELS)[name]
    field = forms.overview if name == "overview" else forms.sections[name]
    return field, field.label


def on_other_ground(forms: Forms, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a consent's part holds once it says the other thing: a consent, or provision without one."""
    if EXCEPTION in content:
        return {one: value for one, value in content.items() if one != EXCEPTION}
    asked = {one.name for one in forms.exceptions["person"].fields}
    return {one: value for one, value in content.items() if one in asked} | {EXCEPTION: {}}


def _faults(contract: Contract, forms: Forms, draft: Draft, name: str, today: date) -> tuple[Notice, ...]:
    """What is wrong with a part by its schema; where nothing is, by the rules."""
    if name == "overview":
        uri, body = f"{RECORD}#/$defs/header", {"schemaVersion": "1.0.0", **draft.overview}
    elif name in CONSENTS:
        uri, body = CONSENT, draft.consent(CONSENTS[name], PersonId(draft.id))
    else:
        uri, body = forms.uri(name), dict(draft.sections[name])
    try:
        contract.check(uri, body)
    except SchemaInvalid as invalid:
        return invalid.errors
    if name == "overview":
        return tuple(broken_overview(body, today))
    if name in CONSENTS:
        return tuple(broken_consent(body, today))
    found = broken_section(name, body, today)
    return tuple(replace(one, pointer=placed(one.pointer)[1]) for one in found)


def replaced(draft: Draft, name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """What of the draft changes when this part has this content."""
    if name == "overview":
        kept = {one: value for one, value in draft.overview.items() if one in NOT_ASKED}
        return {"overview": {**kept, **content}, "proposed": False}
    if name in CONSENTS:
        subject = CONSENTS[name]
        given = {one: consent for one, consent in draft.given.items() if one != subject}
        return {"consents": _with(draft.consents, subject, content), "given": given}
    return {"sections": _with(draft.sections, name, content)}


def _with(whole: Mapping[str, Any], name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    rest = {one: value for one, value in whole.items() if one != name}
    return {**rest, name: content} if content else rest


def placed(pointer: str) -> tuple[str, str]:
    """The part that a place in the record is in, or in a consent (`/consents/family/givenOn`), and where in it."""
    _, first, *rest = [*pointer.split("/"), ""]
    within = "".join(f"/{one}" for one in rest[1:] if one)
    if first == "sections" and rest and rest[0]:
        return rest[0], within
    if first == "consents" and rest:
        return next((name for name, subject in CONSENTS.items() if subject == rest[0]), "consent"), within
    return "overview", pointer
