"""What `tsunagi-verify` says: for people in Japanese and English, for machines as one JSON object."""

import json
import sys
from typing import Any

from tsunagi_verifier.refusals import Refused, Said

GOOD, WRONG, UNCHECKED = 0, 1, 2
"""The exit statuses."""

RESULT = {GOOD: "good", WRONG: "wrong", UNCHECKED: "unchecked"}
VERDICT = {
    GOOD: "問題ありません / good",
    WRONG: "誤りが証明されました / PROVEN WRONG",
    UNCHECKED: "確かめられませんでした / could not be checked",
}


class Report:
    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._facts: dict[str, Any] = {}
        self._said: list[dict[str, str]] = []
        self._warned: list[dict[str, str]] = []

    def fact(self, **facts: Any) -> None:
        """For machines alone."""
        self._facts |= facts

    def says(self, ja: str, en: str) -> None:
        self._said.append({"ja": ja, "en": en})
        if not self._as_json:
            print(visible(f"{ja}\n  {en}"))

    def warns(self, ja: str, en: str) -> None:
        self._warned.append({"ja": ja, "en": en})
        if not self._as_json:
            print(visible(f"!! 注意: {ja}\n!! WARNING: {en}"), file=sys.stderr)

    def end(self, status: int, why: Said | None = None) -> int:
        """Says how it ended, and returns the exit status."""
        if self._as_json:
            said = json.dumps(self._document(status, why), ensure_ascii=False, indent=2)
            print(said.encode(errors="backslashreplace").decode())
            return status
        print(VERDICT[status], file=sys.stderr if status else sys.stdout)
        if why is not None:
            print(visible(f"{why.ja}\n  {why.en}"), file=sys.stderr)
        for name, note in (why.evidence if isinstance(why, Refused) else {}).items():
            print(visible(f"\n証拠 / evidence: {name}\n{note}"), end="", file=sys.stderr)
        return status

    def _document(self, status: int, why: Said | None) -> dict[str, Any]:
        document: dict[str, Any] = {"result": RESULT[status], **self._facts, "checks": self._said}
        if self._warned:
            document["warnings"] = self._warned
        if why is not None:
            document["reason"] = {"ja": why.ja, "en": why.en}
        if isinstance(why, Refused):
            document |= {"entry": why.entry, "among": why.among and list(why.among), "evidence": why.evidence}
        return document


def visible(text: str) -> str:
    """As a terminal may have it: what was shown by others could hold orders to it."""
    return "".join(mark if mark.isprintable() or mark == "\n" else f"\\u{ord(mark):04x}" for mark in text)
