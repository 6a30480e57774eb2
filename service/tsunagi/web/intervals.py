"""Who holds what from when to when: the lines that the picture draws and the table beside it lists."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tsunagi.web.dates import civil


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One line, under the number by which picture and table refer to it."""

    number: int
    domain: str
    role: str
    holder: str | None
    """The organization's name on the day; None: nobody."""
    first: date
    end: date | None
    """Exclusive; None: without end."""
    holder_id: str | None = None
    basis: str | None = None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days from today on on which nobody is responsible for a domain."""

    domain: str
    first: date
    end: date | None
    """Exclusive; None: without end."""


def gaps(lines: Iterable[Interval], today: date) -> list[Gap]:
    """Of `intervals`, those that are still to come, or to go on."""
    open_ended = (one for one in lines if one.holder is None and (one.end is None or one.end > today))
    return [Gap(one.domain, max(one.first, today), one.end) for one in open_ended]


def beyond(lines: Iterable[Interval], holder_id: str, last: date, today: date) -> list[Interval]:
    """Of `intervals`, those in which an organization is primary after its last day, and not only in the past."""
    end = max(last + timedelta(days=1), today)
    held = (one for one in lines if one.role == "primary" and one.holder_id == holder_id)
    return [one for one in held if one.end is None or one.end > end]


def intervals(domains: Sequence[Mapping[str, Any]]) -> list[Interval]:
    """All of `domains` of an answer to getResponsibility: by domain, the chain first, then what is beside it."""
    return [
        Interval(number=number, **said)
        for number, said in enumerate((said for domain in domains for said in _of(domain)), start=1)
    ]


def _of(domain: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    support = sorted(domain["support"], key=lambda one: (one["from"], one["role"]))
    for one in (*domain["segments"], *support):
        yield {
            "domain": domain["domain"],
            "role": one.get("role", "primary"),
            "holder": one["organization"] and one["organization"]["name"],
            "holder_id": one["organization"] and one["organization"]["id"],
            "first": civil(one["from"]),
            "end": None if one["to"] is None else civil(one["to"]),
            "basis": one.get("basis"),
        }
