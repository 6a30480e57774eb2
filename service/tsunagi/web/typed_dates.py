"""Dates as people type them: 2026, 令和8, R8, ８; in three fields or in one line.

What cannot be read stays as it was typed, between hyphens: it comes back to the form, and the schema refuses it.
"""

import re
import unicodedata
from datetime import date, timedelta

from tsunagi.paper.rules import ERAS

_ERAS = {era.ja: 1868 if era.en == "Meiji" else first.year for first, era in ERAS}
_SHORT = {name[0]: name for name in _ERAS} | dict(zip("RHSTM", _ERAS, strict=True))
_YEAR = re.compile(rf"({'|'.join(_ERAS)}|[{''.join(_SHORT)}])?\s*([0-9]+|元)\s*年?", re.IGNORECASE)
_LINE = re.compile(r"(?P<year>.+?)\s*[-/.年]\s*(?P<month>[0-9]+)\s*(?:[-/.月]\s*(?:(?P<day>[0-9]+)\s*日?)?)?")
_OF_A_YEAR = re.compile(r"([0-9]{1,2})\s*[月/]\s*([0-9]{1,2})\s*日?")
_LEAP_YEARS_APART = 8
"""At most so many years from one 29 February to the next."""

Parts = tuple[str, str, str]
"""Year, month and day."""


def plain(text: str) -> str:
    """Digits and letters at half width, without blanks around."""
    return unicodedata.normalize("NFKC", text).strip()


def written(parts: Parts) -> str:
    """The parts as one text: 2026-09-30, or as much of it as was typed. Empty where nothing was."""
    year, month, day = (plain(part) for part in parts)
    if not (month or day) and (found := _LINE.fullmatch(year)):
        year, month, day = found["year"], found["month"], found["day"] or ""
    year = _year(year)
    if not year.isdigit():
        return "-".join((year, month, day)).rstrip("-") if (year or month or day) else ""
    pieces = (year.zfill(4), month.zfill(2) if month else "", day.zfill(2) if day else "")
    return "-".join(pieces).rstrip("-")


def _year(text: str) -> str:
    found = _YEAR.fullmatch(text)
    if found is None:
        return text
    number = 1 if found[2] == "元" else int(found[2][:6])
    if found[1] is None:
        return found[2]
    name = _SHORT.get(found[1].upper(), found[1])
    return str(_ERAS[name] + number - 1)


def in_line(text: str) -> str:
    """As `written`, of what was typed in one line."""
    return written((text, "", ""))


def with_year(text: str, today: date) -> str:
    """A day without a year (12月1日, 12/1) is the next such day, today included; all else stays as it was typed."""
    found = _OF_A_YEAR.fullmatch(plain(text))
    if found is None:
        return text
    years = range(today.year, today.year + _LEAP_YEARS_APART + 1)
    days = (written((str(year), found[1], found[2])) for year in years)
    return next((day for day in days if _is_day(day) and day >= today.isoformat()), text)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def parts(text: str) -> Parts:
    """What `written` was made of, without zeros before."""
    year, month, day = [*text.split("-", 2), "", ""][:3]
    return year, month.removeprefix("0"), day.removeprefix("0")


def day_after(text: str) -> str:
    """The exclusive end of what lasts through this day; what is no day stays as it is."""
    return _moved(text, 1)


def day_before(text: str) -> str:
    return _moved(text, -1)


def _moved(text: str, days: int) -> str:
    try:
        return (date.fromisoformat(text) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return text
