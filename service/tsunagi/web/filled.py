"""A form with what was filled in, as a template draws it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tsunagi.errors import Notice, Text
from tsunagi.web.dates import Dates
from tsunagi.web.forms import Choice, Field
from tsunagi.web.forms_posted import DATES, Inputs, typed


@dataclass(frozen=True)
class Filled:
    """`notices` are what is wrong, or to be noted; `offered` are choices for fields of a common type, or of a name,
    that the contract cannot know; `theirs` what somebody else has saved meanwhile. `check` is where a field is checked
    that was changed and left."""

    field: Field
    inputs: Inputs
    notices: Sequence[Notice]
    dates: Dates
    offered: Mapping[str, Sequence[Choice]]
    check: str = ""
    theirs: Inputs | None = None

    def value(self, name: str) -> str:
        return next(iter(self.inputs.get(name, ())), "")

    def values(self, name: str) -> Sequence[str]:
        return self.inputs.get(name, ())

    def count(self, at: str) -> int:
        """How many items of a list there are; one to begin with where there has to be one."""
        shown = self.value(f"{at}:items")
        if shown.isdigit():
            return int(shown)
        field = self.field.at(at)
        return int(bool(field and field.least and not self.value(f"{at}:none")))

    def full(self, field: Field, at: str) -> bool:
        return field.most is not None and self.count(at) >= field.most

    def choices(self, field: Field, at: str) -> list[Choice]:
        """What there is to choose from, and what stands there already. None where one writes freely."""
        known = [*field.choices, *self.offered.get(field.name, self.offered.get(field.type, ()))]
        if not known:
            return []
        there = [one for one in self.values(at) if one and one not in {choice.value for choice in known}]
        return [*known, *(Choice(one, Text(one, one)) for one in there)]

    def note(self, field: Field, at: str) -> str:
        """What was typed, said in another way: a date with its era, a municipality by its whole name."""
        text = typed(field, self.inputs, at)
        if field.kind == "place":
            return text if text != self.value(at) else ""
        try:
            return self.dates.long(text) if text and field.kind in ("day", "last_day") else ""
        except ValueError:
            return ""

    def saved(self, field: Field, at: str) -> str | None:
        """What somebody else has saved there, where that is something else."""
        if self.theirs is None or field.kind in ("group", "list"):
            return None
        mine, other = (self._said(field, inputs, at) for inputs in (self.inputs, self.theirs))
        return None if mine == other else other

    def _said(self, field: Field, inputs: Inputs, at: str) -> str:
        texts = inputs.get(at, ()) if field.kind == "choices" else [typed(field, inputs, at)]
        labels = {one.value: one.label for one in field.choices}
        english = self.dates.language == "en"
        said = [(labels[one].en if english else labels[one].ja) if one in labels else one for one in texts]
        return "、".join(said) or "—"

    @cached_property
    def _errors(self) -> Mapping[str, list[Text]]:
        return self._placed(one for one in self.notices if one.level == "error")

    @cached_property
    def _warnings(self) -> Mapping[str, list[Text]]:
        return self._placed(one for one in self.notices if one.level != "error")

    def _placed(self, notices: Iterable[Notice]) -> Mapping[str, list[Text]]:
        found: dict[str, list[Text]] = {}
        for one in notices:
            at = self._shown_at(one.pointer)
            found.setdefault(at, []).append(_said(self.field.at(at) or self.field, one))
        return found

    def _shown_at(self, pointer: str) -> str:
        """The nearest field above a place that is one of the form."""
        while pointer and self.field.at(pointer) is None:
            pointer = pointer.rpartition("/")[0]
        return pointer

    def errors(self, at: str) -> Sequence[Text]:
        return self._errors.get(at, ())

    def warnings(self, at: str) -> Sequence[Text]:
        return self._warnings.get(at, ())

    @cached_property
    def all_errors(self) -> Sequence[tuple[str, Text]]:
        return [(at, one) for at, texts in self._errors.items() for one in texts]


def _said(field: Field, fault: Notice) -> Text:
    """What is wrong, to somebody who looks at a form and not at a document."""
    ja, en = field.label.ja, field.label.en
    if fault.code == "schema.required":
        return Text(f"「{ja}」を書いてください", f"{en}: please fill in")
    if field.kind in DATES and fault.code.startswith("schema."):
        return Text(f"「{ja}」を暦の日付として読めません", f"{en} is no date of the calendar")
    if field.kind == "place" and fault.code.startswith("schema."):
        return Text(
            f"「{ja}」が見つかりません。都道府県から書いた名前（東京都新宿区など）か、5桁の番号で書いてください",
            f"{en} is not known: give its name with the prefecture, or its number of five digits",
        )
    return fault.message
