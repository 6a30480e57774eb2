"""A draft as its pages show it: part by part, each with its form, what was typed, and what is wrong with that."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from tsunagi.contract import Contract
from tsunagi.drafts.rules import Draft
from tsunagi.errors import Notice, SchemaInvalid, Text
from tsunagi.ids import PersonId
from tsunagi.web.forms import CONSENT, RECORD, SECTIONS, Field, Forms

State = Literal["empty", "incomplete", "complete"]

CONSENTS = {"consent": "person", "family_consent": "family"}
"""Parts that are consents, and whose data they are of."""
NEEDED = {"overview", "identity", "handover_plan", "consent"}
_LABELS = {
    "consent": Text("本人の同意", "The person's consent"),
    "family_consent": Text("家族の同意", "The family's consent"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One page of the form. `faults` are those of what was typed, empty while nothing was."""

    name: str
    label: Text
    field: Field
    content: Mapping[str, Any]
    faults: tuple[Notice, ...]

    @property
    def needed(self) -> bool:
        return self.name in NEEDED or self.name == "family_consent"

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


def parts(contract: Contract, draft: Draft) -> list[Part]:
    """In the order in which they are filled in."""
    return [part(contract, draft, name) for name in names(draft)]


def names(draft: Draft) -> Iterator[str]:
    yield "overview"
    yield from SECTIONS
    yield "consent"
    if draft.sections.get("family"):
        yield "family_consent"


def part(contract: Contract, draft: Draft, name: str) -> Part:
    """Raises KeyError where the draft has no such part."""
    forms = forms_of(contract)
    if name not in names(draft):
        raise KeyError(name)
    if name == "overview":
        field, content = forms.overview, draft.overview
    elif name in CONSENTS:
        field, content = forms.consent, draft.consents.get(CONSENTS[name], {})
    else:
        field, content = forms.sections[name], draft.sections.get(name, {})
    faults = _faults(contract, forms, draft, name) if content else ()
    return Part(name, _LABELS.get(name, field.label), field, content, faults)


def _faults(contract: Contract, forms: Forms, draft: Draft, name: str) -> tuple[Notice, ...]:
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
    return ()


def replaced(draft: Draft, name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """What of the draft changes when this part has this content."""
    if name == "overview":
        kept = {"receiverId": draft.overview["receiverId"]} if "receiverId" in draft.overview else {}
        return {"overview": {**kept, **content}}
    if name in CONSENTS:
        subject = CONSENTS[name]
        given = {one: consent for one, consent in draft.given.items() if one != subject}
        return {"consents": _with(draft.consents, subject, content), "given": given}
    return {"sections": _with(draft.sections, name, content)}


def _with(whole: Mapping[str, Any], name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    rest = {one: value for one, value in whole.items() if one != name}
    return {**rest, name: content} if content else rest


def placed(pointer: str) -> tuple[str, str]:
    """The part that a place in the record is in, and where in it."""
    _, first, *rest = [*pointer.split("/"), ""]
    if first == "sections" and rest and rest[0]:
        return rest[0], "".join(f"/{one}" for one in rest[1:] if one)
    return "overview", pointer
