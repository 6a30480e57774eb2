"""The form of a document, made from its schema: what can be filled in, what it is called, and what it may hold.

A form says nothing that the schema does not. What stands here is only how its types are asked for in a browser.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urljoin

from tsunagi.consent.rules import FAMILY
from tsunagi.contract import BASE_URI, Contract
from tsunagi.errors import Text
from tsunagi.municipalities import name_of

Kind = Literal[
    "line",
    "text",
    "number",
    "yes_no",
    "choice",
    "choices",
    "day",
    "last_day",
    "month",
    "partial_day",
    "place",
    "service",
    "hash",
    "group",
    "list",
]
"""`last_day` is the exclusive end of a period, asked for as its last day. `place` is a municipality, by code or name;
`service` one of the coded services; `hash` that of a file; `choices` a list of codes, `list` one of anything else."""

SECTIONS = (
    "identity",
    "disability",
    "medical",
    "family",
    "assessment",
    "employment",
    "employer_contacts",
    "support_plan",
    "support_history",
    "continuing_needs",
    "handover_plan",
)
RECORD = f"{BASE_URI}schemas/handover-record.json"
CONSENT = f"{BASE_URI}schemas/consent.json"
WITHDRAWAL = f"{BASE_URI}schemas/consent-withdrawal.json"
ACTIVITIES: Mapping[str, tuple[str, str]] = {
    "case_conference": ("caseConference", f"{BASE_URI}schemas/handover-plan.json#/$defs/caseConference"),
    "joint_visit": ("jointVisit", f"{BASE_URI}schemas/handover-plan.json#/$defs/jointVisit"),
    "employer_window": ("employerWindow", f"{BASE_URI}schemas/activity.json#/$defs/employerWindow"),
}
"""What both sides do together, by kind: the member that holds its content, and the schema of that."""
NOT_ASKED = frozenset({"schemaVersion", "personId", "receiverId", "sections", "extensions"})
"""Members of a record that the page knows, or nobody types."""

_KNOWN_OF_CONSENTS = frozenset({"personId", "subject", "recipientIds"})

_KINDS: Mapping[str, Kind] = {
    "date": "day",
    "yearMonth": "month",
    "partialDate": "partial_day",
    "municipalityCode": "place",
    "serviceCode": "service",
    "sha256": "hash",
    "text": "text",
    "longText": "text",
}
"""By the name of the common type."""
_COMMON = f"{BASE_URI}schemas/common.json#/$defs/"
_CHOSEN = {*_KINDS, "prefectureCode", "areaCode", "uuid", "code", "version"}
"""Types that nobody writes in the form that their description asks for."""
_PLACE_HELP = Text(
    "都道府県から書いた名前（東京都新宿区）か、5桁の番号。",
    "The name from the prefecture on, or the number of five digits.",
)
_PREFECTURES = [f"{number:02}" for number in range(1, 48)]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: Text


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. `most` and `least` are the schema's limits of items, characters or the number."""

    name: str
    kind: Kind
    label: Text
    help: Text | None = None
    required: bool = False
    type: str = ""
    """The name of the common type, where it has one."""
    choices: tuple[Choice, ...] = ()
    fields: tuple["Field", ...] = ()
    """A group's members; of a list the one that each item is."""
    least: float | None = None
    most: float | None = None

    @property
    def item(self) -> "Field":
        return self.fields[0]

    def at(self, pointer: str) -> "Field | None":
        """The field that a pointer into the document leads to."""
        field: Field | None = self
        for part in pointer.split("/")[1:]:
            if field is None:
                return None
            field = (
                field.item
                if field.kind == "list"
                else next((one for one in field.fields if one.name == part), None)
            )
        return field


class Forms:
    """The forms of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    @cached_property
    def sections(self) -> Mapping[str, Field]:
        return {name: self._of(self.uri(name), name) for name in SECTIONS}

    @cached_property
    def overview(self) -> Field:
        """The record without its sections: to whom, when and what."""
        whole = self._of(RECORD, "overview", NOT_ASKED)
        return replace(whole, label=Text("引継ぎの概要", "Overview"), help=None)

    @cached_property
    def consents(self) -> Mapping[str, Field]:
        """A consent that was given, by whose data it is about."""
        whole = self._of(CONSENT, "consent", _KNOWN_OF_CONSENTS | {"legalException"})
        conditions = self._contract.resolve(f"{CONSENT}#/$defs/conditions")
        asked = conditions["else"]["required"]
        fields = tuple(replace(one, required=one.required or one.name in asked) for one in whole.fields)
        given = replace(whole, help=None, fields=fields)
        return {
            subject: _about(form, subject)
            for subject, form in self._of_each_subject(given, ("givenBy", "kind")).items()
        }

    @cached_property
    def withdrawals(self) -> Mapping[str, Field]:
        """The withdrawal of a consent, by whose data that is about."""
        return self._of_each_subject(self._of(WITHDRAWAL, "withdrawal"), ("withdrawnBy", "kind"))

    def _of_each_subject(self, whole: Field, who: Sequence[str]) -> Mapping[str, Field]:
        """The form with those alone who may say it."""
        apart = self._contract.resolve(f"{CONSENT}#/$defs/conditions")["allOf"][1]
        branches = (("person", "else"), ("family", "then"))
        return {subject: _changed(whole, who, _without(apart[branch])) for subject, branch in branches}

    @cached_property
    def exceptions(self) -> Mapping[str, Field]:
        """Provision without consent, by whose data it is about: all but who gave it, when and how."""
        absent = self._contract.resolve(f"{CONSENT}#/$defs/conditions/then")["properties"]
        whole = self._of(CONSENT, "consent", _KNOWN_OF_CONSENTS.union(absent))
        needed = _changed(whole, ("legalException",), lambda field: replace(field, required=True))
        return {subject: _about(replace(needed, help=None), subject) for subject in ("person", "family")}

    @cached_property
    def activities(self) -> Mapping[str, Field]:
        return {kind: self._of(uri, member) for kind, (member, uri) in ACTIVITIES.items()}

    def uri(self, section: str) -> str:
        """Of the schema of a section."""
        return f"{BASE_URI}schemas/{section.replace('_', '-')}.json"

    def _of(self, uri: str, name: str, without: frozenset[str] = frozenset()) -> Field:
        node = self._contract.resolve(uri)
        return self._group(uri, name, node, required=True, without=without)

    def _field(self, base: str, name: str, node: Mapping[str, Any], *, required: bool) -> Field:
        base, node, known = self._resolved(base, node)
        kind = _kind(name, node, known)
        if kind == "group":
            return self._group(base, name, node, required=required)
        if kind in ("list", "choices"):
            return self._list(base, name, node, required=required)
        field = Field(name, kind, _label(node), _help(node), required, known)
        if kind == "last_day":
            field = _inclusive(field)
        elif kind == "place" and field.help is None:
            field = replace(field, help=_PLACE_HELP)
        return replace(
            field,
            choices=tuple(self._choices(node, known, kind)),
            least=node.get("minimum"),
            most=node.get("maximum", node.get("maxLength")),
        )

    def _group(
        self,
        base: str,
        name: str,
        node: Mapping[str, Any],
        *,
        required: bool,
        without: frozenset[str] = frozenset(),
    ) -> Field:
        fields = tuple(
            self._field(base, member, inner, required=member in node.get("required", ()))
            for member, inner in node["properties"].items()
            if member not in without
        )
        return Field(name, "group", _label(node), _help(node), required, fields=fields)

    def _list(self, base: str, name: str, node: Mapping[str, Any], *, required: bool) -> Field:
        item = self._field(base, "", node["items"], required=True)
        many = Field(
            name,
            "list",
            _label(node),
            _help(node),
            required,
            fields=(item,),
            least=node.get("minItems", 0),
            most=node["maxItems"],
        )
        return replace(many, kind="choices", choices=item.choices) if item.kind == "choice" else many

    def _resolved(self, base: str, node: Mapping[str, Any]) -> tuple[str, Mapping[str, Any], str]:
        """The node with what it refers to, its own words first; where that stands, and what the common type is."""
        merged, known = dict(node), ""
        while "$ref" in node:
            base = urljoin(base, node["$ref"])
            if base.startswith(_COMMON):
                known = base.removeprefix(_COMMON)
            node = self._contract.resolve(base)
            how_to_write = "pattern" in node and known not in _CHOSEN
            merged = {one: node[one] for one in node if how_to_write or "description" not in one} | merged
        return base, merged, known

    def _choices(self, node: Mapping[str, Any], known: str, kind: Kind) -> Iterator[Choice]:
        if kind == "service":
            yield from self._services
        elif known == "prefectureCode":
            yield from (Choice(code, Text(name_of(code) or code, code)) for code in _PREFECTURES)
        for code in node.get("enum", ()):
            label = node["x-enum-labels"][code]
            yield Choice(code, Text(label["ja"], label["en"]))

    @cached_property
    def _services(self) -> tuple[Choice, ...]:
        """As `billing:43`: what the canonical code system has."""
        listed = json.loads((self._contract.folder / "schemas/codes/service-codes.json").read_text())
        return tuple(
            Choice(f"{listed['canonicalSystem']}:{one['code']}", Text(one["ja"], one["en"]))
            for one in listed["codes"]
        )


def _kind(name: str, node: Mapping[str, Any], known: str) -> Kind:
    if name == "to" and node.get("format") == "date":  # half-open everywhere in the contract
        return "last_day"
    if known in _KINDS:
        return _KINDS[known]
    if node["type"] == "object":
        return "group"
    if node["type"] == "array":
        return "list"
    if "enum" in node or known == "prefectureCode":
        return "choice"
    if node["type"] == "boolean":
        return "yes_no"
    return "number" if node["type"] in ("integer", "number") else "line"


def _label(node: Mapping[str, Any]) -> Text:
    return Text(node.get("title", ""), node.get("x-title-en", ""))


def _help(node: Mapping[str, Any]) -> Text | None:
    """What the member's own description says; that of its type only where it says how to write it."""
    return Text(node["description"], node.get("x-description-en", "")) if "description" in node else None


def _changed(field: Field, way: Sequence[str], change: Callable[[Field], Field]) -> Field:
    """The field with another one at the end of the way."""
    if not way:
        return change(field)
    inner = (_changed(one, way[1:], change) if one.name == way[0] else one for one in field.fields)
    return replace(field, fields=tuple(inner))


def chosen_from(field: Field, name: str, codes: Sequence[str]) -> Field:
    """The group's member of that name with these choices alone."""
    return _changed(
        field,
        (name,),
        lambda one: replace(
            one,
            choices=tuple(known for known in one.choices if known.value in codes),
            fields=tuple(
                replace(item, choices=tuple(known for known in item.choices if known.value in codes))
                for item in one.fields
            ),
        ),
    )


def offering(field: Field, known: str, choices: tuple[Choice, ...]) -> Field:
    """The field with these choices wherever that common type is asked for."""
    fields = tuple(offering(one, known, choices) for one in field.fields)
    return replace(field, fields=fields, choices=choices if field.type == known else field.choices)


def _about(consent: Field, subject: str) -> Field:
    """A family consents to its own section and to no other: a rule asks for that."""
    return chosen_from(consent, "sections", [FAMILY]) if subject == FAMILY else consent


def _without(branch: Mapping[str, Any]) -> Callable[[Field], Field]:
    """Takes away who cannot consent under this condition."""
    nobody = branch["properties"]["givenBy"]["properties"]["kind"]["not"]["const"]
    return lambda kind: replace(kind, choices=tuple(one for one in kind.choices if one.value != nobody))


def _inclusive(field: Field) -> Field:
    ja = field.label.ja.removesuffix("の翌日")
    label = Text(ja, "Last day" if field.label.en == "To" else field.label.en)
    return replace(field, label=label, help=Text("この日を含みます。", "Inclusive."))
