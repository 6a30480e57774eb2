"""The answer to an offer as its form has it: what was filled in, what is asked of the contract, what was refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from tsunagi.errors import Notice, Text
from tsunagi.web.typed_dates import in_line, with_year

ROLES = ("primary", "co_support", "backup")
"""From the heaviest to the lightest: one may take less than was offered, never more."""

TRIED = {"preview": "accept", "ask-return": "return", "ask-decline": "decline"}
"""Steps that show what an answer will do, by the answer."""

_UNREADABLE = {
    "decision": Text("答えを一つ選んでください", "Choose one of the answers"),
    "role": Text("受ける役割を選んでください", "Choose the role that you take"),
    "from": Text(
        "日付として読めません。例：令和9年4月1日、R9.4.1、2027-04-01、12月1日",
        "That is no date. Write it like 2027-04-01",
    ),
    "reason": Text("理由を選んでください", "Choose a reason"),
}
_MISSING = {
    "text": Text("何が必要かを書いてください", "Say what you need"),
    "person": Text(
        "氏名と職種・役職は、両方を書くか、両方とも空けてください", "Give both name and role, or neither"
    ),
}
"""By the first part of an input's name."""

NOTHING_TAKEN = "decline"
"""The place of the form that is meant by an acceptance of nothing: where all of it is declined."""

Inputs = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """What stands in the form: as it was offered, or as somebody has filled it in."""

    inputs: Inputs
    errors: Mapping[str, Text] = field(default_factory=dict)
    """One by the name of an input; under an empty name what is about no input in particular."""

    def __getitem__(self, name: str) -> str:
        return self.inputs.get(name, "")

    @property
    def domains(self) -> list[str]:
        """That were offered, in the order of the form."""
        return [one for one in self["domains"].split(",") if one]

    def dated(self, today: date) -> "Form":
        """The same form, with first days in full: what is seen before it is confirmed is what is confirmed."""
        days = {one: with_year(self[one], today) for one in self.inputs if one.startswith("from-")}
        return Form({**self.inputs, **days}, self.errors)

    def wrong(self, name: str) -> Text | None:
        return self.errors.get(name)

    def answer(self) -> dict[str, Any]:
        """What is asked of the contract: an acceptance, or why all of it is returned or declined."""
        step = self.step
        return self.acceptance() if step == "accept" else {"reason": self.reason(step)}

    @property
    def step(self) -> str:
        """Which of the three answers it is, tried or given."""
        return TRIED.get(self["step"], self["step"])

    def acceptance(self) -> dict[str, Any]:
        body: dict[str, Any] = {"domains": [self._answer(one) for one in self.domains]}
        person = {name: said for name in ("name", "role") if (said := self[f"person-{name}"].strip())}
        return body | ({"personInCharge": person} if person else {})

    def _answer(self, domain: str) -> dict[str, Any]:
        answer: dict[str, Any] = {"domain": domain, "decision": self[f"decision-{domain}"]}
        if answer["decision"] == "accept":
            taken = {"role": self[f"role-{domain}"], "from": in_line(self[f"from-{domain}"])}
            return answer | {name: said for name, said in taken.items() if said}
        reason = self.reason(domain)
        return answer | ({"reason": reason} if reason else {})

    def reason(self, name: str) -> dict[str, str]:
        """Of what is declined or returned: the code, and the words if there are any."""
        said = {"code": self[f"reason-{name}"], "text": self[f"text-{name}"].strip()}
        return {part: text for part, text in said.items() if text}

    def refused(self, title: Text, notices: Sequence[Notice]) -> "Form":
        """The same form, with what was refused beside the inputs that it is about, once."""
        errors: dict[str, Text] = {}
        for one in notices:
            nothing = one.code == "acceptance.nothing_accepted"
            name = NOTHING_TAKEN if nothing else self._input(one.pointer)
            errors.setdefault(name, _said(name, one))
        return Form(self.inputs, errors or {"": title})

    def _input(self, pointer: str) -> str:
        """The input that fills this place of the body."""
        parts = pointer.strip("/").split("/")
        if parts[0] == "domains" and len(parts) > 1 and parts[1].isdigit():
            domain = self.domains[int(parts[1])]
            name = parts[2] if len(parts) > 2 else "decision"
            return f"{'text' if parts[3:] == ['text'] else name}-{domain}"
        if parts[0] == "personInCharge":
            return f"person-{parts[1]}" if len(parts) > 1 else "person-name"
        return f"{'text' if parts[1:] == ['text'] else 'reason'}-{self.step}" if parts[0] == "reason" else ""


def _said(name: str, notice: Notice) -> Text:
    """What the page says where the schema speaks of its own terms."""
    shape = notice.code.startswith("schema.")
    missing = notice.code == "schema.required"
    said = (_UNREADABLE if shape else {}) | (_MISSING if missing else {})
    return said.get(name.partition("-")[0], notice.message)


def offered(handover: Mapping[str, Any], etag: str, from_label: Any, person: Inputs) -> Form:
    """The form before anybody has touched it: everything is taken as it was offered, with that person in charge."""
    inputs = {
        **{f"person-{name}": said for name, said in person.items()},
        "etag": etag,
        "key": str(uuid4()),
        "domains": ",".join(_name(one) for one in handover["domains"]),
    }
    for one in handover["domains"]:
        if isinstance(one, Mapping):
            inputs[f"decision-{one['domain']}"] = "accept"
            inputs[f"role-{one['domain']}"] = one["receiverRole"]
            inputs[f"from-{one['domain']}"] = from_label(one["from"])
    return Form(inputs)


def _name(domain: Any) -> str:
    """A notice has the names alone."""
    return str(domain["domain"] if isinstance(domain, Mapping) else domain)
