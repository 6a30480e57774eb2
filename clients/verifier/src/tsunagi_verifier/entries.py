"""Entries as the service shows them: that each is what was committed to, and that no step of a stream is missing."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from tsunagi_verifier.notes import decoded, utf8
from tsunagi_verifier.refusals import Refused
from tsunagi_verifier.trees import Tree

SAME = {"stream": "stream", "number": "number", "action": "action", "outcome": "outcome"}
"""What may stand beside an entry's text, and what it is called there: it must be what the text says."""

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
"""RFC 3339 section 5.6, as the ledger writes it."""


@dataclass(frozen=True)
class Entry:
    """`body` is its text, as committed; None when it was erased."""

    id: str
    position: int | None
    commitment: bytes
    body: Mapping[str, Any] | None
    stream: str | None
    number: int | None


def read_entry(shown: Any) -> Entry:
    """The entry, whose commitment is that of its salt and text, and about which nothing is said that its text does
    not say. Raises Refused."""
    entry_id, position = member(shown, "id", str), member(shown, "position", int, None)
    commitment = _hex(member(shown, "commitment", str), entry_id)
    text, salt = member(shown, "body", str, None), member(shown, "salt", str, None)
    if (text is None) != (salt is None):
        raise Refused(
            f"記載 {entry_id} の本文と塩のどちらかがありません",
            f"entry {entry_id} lacks its text or its salt",
        )
    body = None if text is None or salt is None else _committed(entry_id, text, salt, commitment)
    if body is not None:
        _same(shown, body, entry_id)
    said = shown if body is None else body
    stream, number = member(said, "stream", str, None), member(said, "number", int, None)
    return Entry(entry_id, position, commitment, body, stream, number)


def check_positions(tree: Tree, entries: Iterable[Entry]) -> list[Entry]:
    """Each entry is in the log where it is said to be; returns those that are said to be nowhere yet. Raises
    Refused."""
    waiting = []
    for entry in sorted(entries, key=lambda one: (one.position is None, one.position)):
        if entry.position is None or entry.position >= tree.size:
            waiting.append(entry)
        else:
            tree.check_entry(entry.position, entry.commitment)
    return waiting


def check_streams(entries: Iterable[Entry], *, complete: bool = False) -> tuple[int, int]:
    """Entries that follow each other in a stream name each other; returns how many do, and how many holes there are in
    the numbers. With `complete` there is none. Raises Refused."""
    streams: dict[str, dict[int, Entry]] = defaultdict(dict)
    for entry in entries:
        if entry.stream is not None and entry.number is not None:
            twin = streams[entry.stream].setdefault(entry.number, entry)
            if twin.commitment != entry.commitment:
                raise _broken(entry, f"は{twin.id}と同じ番号です", f"has the number of {twin.id}")
    links = holes = 0
    for held in streams.values():
        for before, number in pairwise([0, *sorted(held)]):
            if number != before + 1:
                holes += 1
                if complete:
                    raise _after_hole(held[number], before + 1)
            elif before:
                _check_link(held[before], held[number])
                links += 1
    return links, holes


def _after_hole(entry: Entry, missing: int) -> Refused:
    return _broken(
        entry,
        f"の前に、{missing}番からの記載がありません",
        f"follows a hole, which begins at number {missing}",
    )


def _check_link(before: Entry, entry: Entry) -> None:
    if entry.body is not None and entry.body.get("previous") != before.commitment.hex():
        raise _broken(entry, f"は{before.id}に続いていません", f"does not follow {before.id}")


def _broken(entry: Entry, ja: str, en: str) -> Refused:
    where = f"流れ {entry.stream} の{entry.number}番の記載 {entry.id} "
    return Refused(
        where + ja,
        f"entry {entry.id}, number {entry.number} of stream {entry.stream}, {en}",
        entry=entry.position,
    )


def _committed(entry_id: str, text: str, salt: str, commitment: bytes) -> Mapping[str, Any]:
    """The text, read, which with the salt comes to the commitment."""
    if hashlib.sha256(decoded(salt) + utf8(text)).digest() != commitment:
        raise Refused(
            f"記載 {entry_id} の本文が、約束値（本文から計算して台帳に残した値）と合いません",
            f"the text of entry {entry_id} is not the one that was committed to",
        )
    body = read_json(text)
    if not isinstance(body, dict) or body.get("id") != entry_id:
        raise Refused(f"{entry_id} は別の記載です", f"the text of {entry_id} is that of another entry")
    return body


def _same(shown: Mapping[str, Any], body: Mapping[str, Any], entry_id: str) -> None:
    wrong = [name for name, there in SAME.items() if name in shown and not same(shown[name], body.get(there))]
    if "recordedAt" in shown and not same_instant(shown["recordedAt"], body.get("at")):
        wrong.append("recordedAt")
    if wrong:
        raise Refused(
            f"記載 {entry_id} の {'、'.join(wrong)} が本文と違います",
            f"{', '.join(wrong)} of entry {entry_id} is not what its text says",
        )


def same(one: object, other: object) -> bool:
    """Whether two members are alike. For Python alone true is 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def same_instant(one: object, other: object) -> bool:
    if not all(isinstance(each, str) and _INSTANT.fullmatch(each) for each in (one, other)):
        return False
    try:
        return datetime.fromisoformat(str(one)) == datetime.fromisoformat(str(other))
    except ValueError:  # no day or time of any calendar
        return False


def read_json(text: str) -> Any:
    """Raises Refused, also where a name stands twice in an object: readers would disagree on what is said."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Refused("JSONとして読めません", "not JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


_NEEDED = object()


def member(document: Any, name: str, kind: type, default: Any = _NEEDED) -> Any:
    """What the document has under this name, of this kind; null counts as absent. Raises Refused."""
    value = document.get(name) if isinstance(document, dict) else None
    if value is None and default is not _NEEDED:
        return default
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Refused(f"{name} がないか、形が違います", f"{name} is missing or of another kind")
    return value


def _hex(text: str, entry_id: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if raw.hex() != text or len(raw) != hashlib.sha256().digest_size:
        raise Refused(
            f"記載 {entry_id} の約束値が読めません", f"the commitment of entry {entry_id} is unreadable"
        )
    return raw
