"""Who is responsible for a person: as a picture, as a table, and what needs attention, for any day as known on any."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple, get_args

from fastapi.responses import Response

from tsunagi.auth.rules import Scope
from tsunagi.clock import civil_date
from tsunagi.errors import InvalidParameter
from tsunagi.responsibility.rules import Domain
from tsunagi.web.asking import Asked, asked, faults
from tsunagi.web.dates import civil, last_day
from tsunagi.web.drawing import draw
from tsunagi.web.intervals import Interval, intervals
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

MOST_FINDINGS = 200
"""Whoever has more is a case for the list of findings."""

FIELDS = {"asOf": "asOf", "knownAt": "knownAt", "to": "knownAt", "from": "since"}
"""Of the form, by the parameters that they fill."""


@pages.get("/people/{person_id}/responsibility")
async def timeline(visit: Visit) -> Response:
    person_id = visit.request.path_params["person_id"]
    form = asked(visit, *dict.fromkeys(FIELDS.values()))
    try:
        shown, errors = await _shown(visit, person_id, form), {}
    except InvalidParameter as refusal:
        shown, errors = None, faults(visit, refusal, FIELDS)
    status = 400 if errors else 200
    return visit.page(
        "timeline.html", status=status, person_id=person_id, asked=form, errors=errors, shown=shown
    )


class Row(NamedTuple):
    """A line of the table, in words."""

    number: int
    domain: str
    role: str
    holder: str | None
    first: str
    last: str
    state: str
    """On the day that was asked about."""
    basis: str


class Standing(NamedTuple):
    """Who holds a domain on the day that was asked about, and who is beside."""

    domain: str
    primary: Interval | None
    """None where nothing is on record for the day, not even that it is nobody."""
    beside: list[Interval]


Changes = list[list[Mapping[str, Any]]]
"""What was recorded: of each act what it changed, by domain."""


@dataclass(frozen=True, slots=True)
class Shown:
    responsibility: Any
    findings: Any
    """A page of all there are about the person: the chain's, which the responsibility has, are among them."""
    milestones: Any
    difference: list[Mapping[str, Any]]
    changes: Changes | None
    """None where nothing is compared: each version of the record would be looked at."""
    lines: list[Interval]
    rows: list[Row]
    picture: str
    as_of: date
    known_on: date
    handovers: list[str]
    """Those that the dates follow from, where the visitor's role may open them."""

    @property
    def now(self) -> list[Standing]:
        found = []
        for domain in get_args(Domain):
            held = [line for line in self.lines if line.domain == domain and line.covers(self.as_of)]
            primary = next((line for line in held if line.role == "primary"), None)
            found.append(Standing(domain, primary, [line for line in held if line.role != "primary"]))
        return found


def rows(visit: Visit, lines: Sequence[Interval], as_of: date) -> Iterator[Row]:
    """In words here and not in the template, which takes twice as long for a thousand lines."""
    words, dates = visit.words, visit.dates
    later, ended = visit.t("これから", "Later"), visit.t("終了", "Ended")
    going_on, endless = visit.t("継続中", "Going on"), visit.t("期限なし", "Without end")
    for line in lines:
        over = line.end is not None and line.end <= as_of
        yield Row(
            line.number,
            words.domain(line.domain),
            words.role(line.role),
            line.holder,
            dates.short(line.first),
            endless if line.end is None else dates.short(last_day(line.end)),
            later if line.first > as_of else ended if over else going_on,
            words.basis(line.basis) if line.basis else "",
        )


async def _shown(visit: Visit, person_id: str, form: Asked) -> Shown:
    known_at = form.instant("knownAt")
    responsibility = await visit.ask(
        "getResponsibility", personId=person_id, asOf=form.get("asOf"), knownAt=known_at
    )
    findings = await visit.ask("listFindings", personId=person_id, knownAt=known_at, limit=MOST_FINDINGS)
    found = await visit.ask("getMilestones", personId=person_id, knownAt=known_at)
    milestones = found["milestones"]
    lines, as_of = intervals(responsibility["domains"]), civil(responsibility["asOf"])
    difference, changes = await _compared(visit, person_id, form)
    reads = Scope.HANDOVERS_READ in visit.member.caller.scopes
    return Shown(
        responsibility,
        findings,
        milestones,
        difference,
        changes,
        lines,
        list(rows(visit, lines, as_of)),
        draw(responsibility, milestones, today=visit.today, words=visit.words, dates=visit.dates),
        as_of,
        civil_date(datetime.fromisoformat(responsibility["knownAt"])),
        list(dict.fromkeys(one["handoverId"] for one in milestones)) if reads else [],
    )


async def _compared(
    visit: Visit, person_id: str, form: Asked
) -> tuple[list[Mapping[str, Any]], Changes | None]:
    """What is known otherwise, and the acts by which it came to be so, each with the domains that it changed."""
    if not form.get("since"):
        return [], None
    between: dict[str, Any] = {"from": form.instant("since"), "to": form.instant("knownAt")}
    said = await visit.ask("getResponsibilityChanges", personId=person_id, **between)
    acts = groupby(said["changes"], lambda one: [one.get(name) for name in _ONE_ACT])
    return in_order(said["difference"]), [in_order(those) for _, those in acts]


_ONE_ACT = ("recordedAt", "recordedBy", "reason", "code", "handoverId")


def in_order(by_domain: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """As the domains stand everywhere else."""
    order = {domain: place for place, domain in enumerate(get_args(Domain))}
    return sorted(by_domain, key=lambda one: order[one["domain"]])
