"""Marks that are like nothing else, in every free text of what an organization sends: whoever meets one in an answer
knows whose it is and of which part."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

SECTIONS = (
    "identity",
    "disability",
    "medical",
    "family",
    "assessment",
    "employment",
    "employer_contacts",
    "support_plan",
    "support_history",
    "continuing_needs",
    "handover_plan",
)
PARTS = (
    *SECTIONS,
    "header",
    "extensions",
    "consent",
    "withdrawal",
    "reason",
    "answer",
    "staff",
    "staff_name",
    "webhook",
    "sender_assignee",
    "receiver_assignee",
    "together",
    "noted",
)
LETTERS = {part: chr(ord("a") + index) for index, part in enumerate(PARTS)}
_PART_OF = {letter: part for part, letter in LETTERS.items()}
_MARK = re.compile(rb"ZQ(\d{4})([a-z])QZ")

Valid = Callable[[Any], bool]
Path = tuple[str | int, ...]


def mark(number: int, part: str) -> str:
    return f"ZQ{number:04}{LETTERS[part]}QZ"


def marks_in(data: bytes) -> set[tuple[int, str]]:
    """The numbers and parts of all marks in some bytes."""
    return {(int(number), _PART_OF[letter.decode()]) for number, letter in _MARK.findall(data)}


def planted(document: dict[str, Any], valid: Valid, part_of: Callable[[Path], str]) -> str:
    """The document as a template: a mark, still without number, in every text that may hold one."""
    assert valid(document)
    for path in list(_texts(document)):
        *above, last = path
        parent: Any = document
        for step in above:
            parent = parent[step]
        kept, new = parent[last], mark(0, part_of(path))
        for candidate in (new, f"{new}@example.jp"):
            parent[last] = candidate
            if valid(document):
                break
            parent[last] = kept
    return json.dumps(document, ensure_ascii=False)


def numbered(template: str, number: int) -> dict[str, Any]:
    """The document, with its marks numbered."""
    found: dict[str, Any] = json.loads(template.replace("ZQ0000", f"ZQ{number:04}"))
    return found


def part_of_record(path: Path) -> str:
    if path[0] == "sections":
        return str(path[1])
    return "extensions" if path[0] == "extensions" else "header"


def _texts(node: Any, path: Path = ()) -> Iterator[Path]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if isinstance(value, str):
            yield (*path, key)
        else:
            yield from _texts(value, (*path, key))
