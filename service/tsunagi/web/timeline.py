"""Who is responsible for a person: as a picture, as a table, and what needs attention, for any day as known on any."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Shown:
    responsibility: Any
    milestones: Any
    changes: Any
    """None where nothing is compared: each version of the record would be looked at."""
    lines: list[Interval]
    picture: str
    as_of: date
    known_on: date

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

    def state(self, line: Interval) -> str:
        if line.first > self.known_on:
            return "planned"
        return "ended" if line.end is not None and line.end <= self.known_on else "going_on"


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
    known = civil_date(datetime.fromisoformat(responsibility["knownAt"]))
    return Shown(
        responsibility,
        milestones,
        changes,
        intervals(responsibility["domains"]),
        picture,
        civil(responsibility["asOf"]),
        min(visit.today, known),
    )
