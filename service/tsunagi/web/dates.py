"""Civil dates as people read them: with the era in Japanese, and ends that belong to what ends."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tsunagi.clock import JAPAN, civil_date
from tsunagi.paper.rules import Language, era_year

FISCAL_YEAR_BEGINS = 4
"""In April, as the budgets and the employment of everybody in this field do."""
_ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

Day = date | str
"""A civil date, or the text of one as it travels."""


def civil(on: Day) -> date:
    return on if isinstance(on, date) else date.fromisoformat(on)


def last_day(end: Day) -> date:
    """The last day of what ends before `end`."""
    return civil(end) - timedelta(days=1)


def fiscal_year(on: Day) -> int:
    """The year in which the fiscal year of that day began."""
    day = civil(on)
    return day.year if day.month >= FISCAL_YEAR_BEGINS else day.year - 1


@dataclass(frozen=True, slots=True)
class Dates:
    """How dates are written in one language."""

    language: Language

    def long(self, on: Day) -> str:
        """令和8年9月30日（2026-09-30） / 30 September 2026"""
        day = civil(on)
        if self.language == "en":
            return f"{day.day} {_ENGLISH_MONTHS[day.month - 1]} {day.year}"
        return f"{self.short(day)}（{day.isoformat()}）" if era_year(day) else day.isoformat()

    def short(self, on: Day) -> str:
        """令和8年9月30日 / 30 Sep 2026"""
        day = civil(on)
        if self.language == "en":
            return f"{day.day} {_ENGLISH_MONTHS[day.month - 1][:3]} {day.year}"
        year = era_year(day)
        return f"{year.ja}{day.month}月{day.day}日" if year else day.isoformat()

    def until(self, end: Day | None) -> str:
        """令和8年9月30日まで / until 30 Sep 2026. `end` is exclusive: what is written is the day before."""
        if end is None:
            return "期限なし" if self.language == "ja" else "without end"
        last = self.short(last_day(end))
        return f"{last}まで" if self.language == "ja" else f"until {last}"

    def span(self, first: Day, end: Day | None) -> str:
        """令和6年4月1日から令和8年9月30日まで / 1 Apr 2024 to 30 Sep 2026. `end` is exclusive."""
        if end is not None and last_day(end) == civil(first):
            return self.short(first) + ("の1日" if self.language == "ja" else " only")
        if self.language == "ja":
            return f"{self.short(first)}から" + (self.until(end) if end else "")
        return f"{self.short(first)} to {self.short(last_day(end))}" if end else f"from {self.short(first)}"

    def fiscal_year(self, on: Day) -> str:
        """令和8年度 / FY2026. Where the era changed within it, the era of its middle: 令和元年度, 昭和63年度."""
        year = fiscal_year(on)
        era = era_year(date(year, 10, 1))
        return f"{era.ja if era else f'{year}年'}度" if self.language == "ja" else f"FY{year}"

    def month(self, on: Day) -> str:
        """9月 / Sep"""
        month = civil(on).month
        return f"{month}月" if self.language == "ja" else _ENGLISH_MONTHS[month - 1][:3]

    def day(self, at: str) -> str:
        """The day of an instant, in Japan, as a field of a form holds it."""
        return civil_date(datetime.fromisoformat(at)).isoformat()

    def moment(self, at: datetime | str) -> str:
        """令和8年9月30日 9:05 / 30 Sep 2026, 9:05, in Japan."""
        instant = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        there = instant.astimezone(JAPAN)
        said = self.short(civil_date(instant)) + (" " if self.language == "ja" else ", ")
        return f"{said}{there.hour}:{there.minute:02}"
