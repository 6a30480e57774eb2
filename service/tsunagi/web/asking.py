"""What a form asks with GET: its fields as text, as the contract wants them, and what was wrong with each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tsunagi.clock import JAPAN
from tsunagi.errors import InvalidParameter
from tsunagi.web.dates import civil
from tsunagi.web.visit import Visit

ORDER = ("終わりが始まりより前です。期間を確かめてください", "This ends before it begins: check both")
"""Instead of the parameters' names, which stand on no page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of one form; what is empty is not asked for."""

    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    def get(self, name: str) -> str | None:
        return self.fields[name] or None

    def instant(self, name: str) -> str | None:
        """What a field of date and time holds, in Japan; whatever is no such thing is for the contract to refuse."""
        return _instant(self.get(name))

    def end_of_day(self, name: str) -> str | None:
        """The instant at which the day is over that a field holds."""
        return _instant(self.day_after(name))

    def day_after(self, name: str) -> str | None:
        """The end of an interval whose last day was given."""
        text = self.get(name)
        try:
            return text and (civil(text) + timedelta(days=1)).isoformat()
        except (ValueError, OverflowError):
            return text

    def again(self, **changes: str) -> dict[str, str]:
        """What a link to another page of the same answer carries."""
        return {name: text for name, text in ({**self.fields, **changes}).items() if text}

    def only(self, *names: str) -> dict[str, str]:
        return {name: text for name, text in self.again().items() if name in names}


def _instant(text: str | None) -> str | None:
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return text
    return (at if at.tzinfo else at.replace(tzinfo=JAPAN)).isoformat()


def asked(visit: Visit, *names: str) -> Asked:
    return Asked({name: visit.request.query_params.get(name, "").strip() for name in names})


def faults(visit: Visit, refusal: InvalidParameter, named: Mapping[str, str]) -> dict[str, str]:
    """What was wrong with which field: `named` are the fields by the parameters that they fill.

    Raises the refusal where it is about something else than the form.
    """
    found = {
        named[one.parameter]: visit.t(*ORDER)
        if one.code == "parameter.order"
        else visit.words.text(one.message)
        for one in refusal.errors
        if one.parameter is not None and one.parameter in named
    }
    if not found:
        raise refusal
    return found
