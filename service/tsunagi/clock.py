"""The only source of the present.

Rules never read it: they take `at` (an instant) or `today` (a civil date in Japan) as a value.
Security (token and assertion lifetimes) always uses the machine's own time, never a moved clock.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")


class Clock:
    """The machine's clock, shifted by `offset` so that tests and the demo can live through years."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def move_to(self, at: datetime) -> None:
        self.offset = at - datetime.now(UTC)

    def move_to_date(self, day: date) -> None:
        """Nine in the morning of `day` in Japan, when offices open."""
        self.move_to(datetime(day.year, day.month, day.day, 9, tzinfo=JAPAN))


def civil_date(at: datetime) -> date:
    """The date in Japan at an instant: what 「期限」 and 「開始日」 are measured in."""
    return at.astimezone(JAPAN).date()
