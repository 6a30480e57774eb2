"""Who is responsible for a person: as a picture, as a table, and what needs attention, for any day as known on any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from fastapi.responses import Response

from tsunagi.clock import civil_date
from tsunagi.errors import InvalidParameter
from tsunagi.web.asking import Asked, asked, faults
from tsunagi.web.dates import civil
from tsunagi.web.drawing import draw
from tsunagi.web.intervals import Interval, intervals
from tsunagi.web.site import pages
from tsunagi.web.visit import Visit

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
    basis: str


@dataclass(frozen=True, slots=True)
class Shown:
    responsibility: Any
    milestones: Any
    changes: Any
    """None where nothing is compared: each version of the record would be looked at."""
    lines: list[Interval]
    rows: list[Row]
    picture: str
    as_of: date

    @property
    def now(self) -> list[tuple[str, Interval | None]]:
        """Who is primary on the day that was asked about, by domain."""
        primaries = [one for one in self.lines if one.role == "primary"]
        return [
            (domain["domain"], next((one for one in primaries if self._held(one, domain["domain"])), None))
            for domain in self.responsibility["domains"]
        ]

    def _held(self, one: Interval, domain: str) -> bool:
        return one.domain == domain and one.covers(self.as_of)


def rows(visit: Visit, lines: Sequence[Interval], known_on: date) -> Iterator[Row]:
    """In words here and not in the template, which takes twice as long for a thousand lines."""
    words, dates = visit.words, visit.dates
    planned, ended = visit.t("予定", "Planned"), visit.t("終了", "Ended")
    going_on = visit.t("継続中", "Going on")
    for line in lines:
        over = line.end is not None and line.end <= known_on
        yield Row(
            line.number,
            words.domain(line.domain),
            words.role(line.role),
            line.holder,
            dates.short(line.first),
            dates.until(line.end),
            planned if line.first > known_on else ended if over else going_on,
            words.basis(line.basis) if line.basis else "",
        )


async def _shown(visit: Visit, person_id: str, form: Asked) -> Shown:
    known_at = form.instant("knownAt")
    responsibility = await visit.ask(
        "getResponsibility", personId=person_id, asOf=form.get("asOf"), knownAt=known_at
    )
    found = await visit.ask("getMilestones", personId=person_id, knownAt=known_at)
    changes = None
    if form.get("since"):
        between: dict[str, Any] = {"from": form.instant("since"), "to": known_at}
        changes = await visit.ask("getResponsibilityChanges", personId=person_id, **between)
    milestones = found["milestones"]
    picture = draw(responsibility, milestones, today=visit.today, words=visit.words, dates=visit.dates)
    lines = intervals(responsibility["domains"])
    known = civil_date(datetime.fromisoformat(responsibility["knownAt"]))
    return Shown(
        responsibility,
        milestones,
        changes,
        lines,
        list(rows(visit, lines, min(visit.today, known))),
        picture,
        civil(responsibility["asOf"]),
    )
