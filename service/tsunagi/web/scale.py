"""Where a day lies on the picture, and which days its axis names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tsunagi.web.dates import FISCAL_YEAR_BEGINS, fiscal_year

BEYOND = timedelta(days=180)
"""How much of the time after the last known day is shown."""
STEPS = (1, 2, 5, 10, 20, 50, 100, 200)
"""Every so many fiscal years has a name."""
_DAYS_IN_YEAR = 365.25


def april(year: int) -> date:
    return date(year, FISCAL_YEAR_BEGINS, 1)


@dataclass(frozen=True, slots=True)
class Scale:
    """Days from `first` up to `end` between `left` and `right`. What lies outside is drawn at the edge."""

    first: date
    end: date
    left: float
    right: float

    def x(self, day: date | None) -> float:
        """None: without end."""
        if day is None or day >= self.end:
            return self.right
        share = (day - self.first).days / (self.end - self.first).days
        return self.left + max(share, 0) * (self.right - self.left)

    @property
    def year_width(self) -> float:
        return (self.right - self.left) * _DAYS_IN_YEAR / (self.end - self.first).days

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.end

    def years(self, label_width: float) -> Iterator[date]:
        """The first days of those fiscal years for whose names there is room."""
        step = next(step for step in STEPS if step * self.year_width >= label_width)
        return (april(year) for year in range(self.first.year, self.end.year) if year % step == 0)

    def months(self, label_width: float) -> Iterator[date]:
        """The first days of those months within fiscal years for whose names there is room."""
        named = next((months for months in ((1, 7, 10), (10,)) if self._fit(months, label_width)), ())
        for year in range(self.first.year, self.end.year + 1):
            yield from (day for month in named if (day := date(year, month, 1)) in self)

    def _fit(self, months: tuple[int, ...], label_width: float) -> bool:
        return self.year_width / (len(months) + 1) >= label_width


def scale(days: Iterable[date], left: float, right: float) -> Scale:
    """Whole fiscal years around all of `days`."""
    known = sorted(days)
    return Scale(april(fiscal_year(known[0])), april(fiscal_year(known[-1] + BEYOND) + 1), left, right)
