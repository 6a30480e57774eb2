"""How far a long verification is, for whoever watches it on a terminal."""

import time
from typing import TextIO

BAR = 30
REDRAW_SECONDS = 0.1


class Progress:
    """A bar on one line, which is gone afterwards. Draws nothing where nobody watches."""

    def __init__(self, total: int, out: TextIO, *, drawn: bool | None = None) -> None:
        self._total, self._out = total, out
        self._drawn = out.isatty() if drawn is None else drawn
        self._began = self._last = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if not self._drawn or (now - self._last < REDRAW_SECONDS and done < self._total):
            return
        self._last = now
        rate = done / max(now - self._began, 1e-9)
        filled = BAR * done // max(self._total, 1)
        left = (self._total - done) / rate if rate else 0
        self._out.write(
            f"\r\x1b[K[{'#' * filled}{'.' * (BAR - filled)}] {done:,}/{self._total:,}件 entries"
            f"  {rate:,.0f}/s  残り left {left:,.0f}s"
        )
        self._out.flush()

    def end(self) -> None:
        if self._drawn:
            self._out.write("\r\x1b[K")
            self._out.flush()
