"""How a check ends when it does not end well, in Japanese and English."""

from collections.abc import Mapping


class Said(Exception):
    """Japanese first, English beside it."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(f"{ja} / {en}")
        self.ja, self.en = ja, en


class Refused(Said, ValueError):
    """What was shown does not prove what it is said to."""

    def __init__(
        self,
        ja: str,
        en: str,
        *,
        entry: int | None = None,
        among: tuple[int, int] | None = None,
        evidence: Mapping[str, str] | None = None,
    ) -> None:
        """`entry` is the position of the first that is wrong, from 0; `among`, where that much cannot be told, the
        first and the last of those it is among; `evidence` is what to keep and show to others."""
        super().__init__(ja, en)
        self.entry, self.among, self.evidence = entry, among, dict(evidence or {})
        self.step: int | None = None
        """Of a receipt: the place, from 0, of the step that it is about."""


class Unsigned(Refused):
    """Nothing of it was signed by the keys that are believed: it may be altered, or they may be another log's."""


class Unchecked(Said):
    """It could not be found out whether it is good: not reached, not given, not there yet."""
