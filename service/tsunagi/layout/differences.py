"""What two versions of a record say differently, field by field."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from tsunagi.layout.rules import OPAQUE, READING_ORDER, Layout
from tsunagi.layout.shapes import RECORD, Shape

MAX_PIECES = 400
"""Of a text, that are compared one by one; longer ones are shown as changed as a whole."""
ENOUGH = 0.3
"""How much of two items of a list must be the same for one to be the other, changed."""

_ENDS = frozenset("。！？\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text; `differs` where the other version does not have it."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: where it stands, in words, and what each version says. None: that version has it not."""

    path: tuple[str, ...]
    pointer: str
    before: tuple[Piece, ...] | None
    after: tuple[Piece, ...] | None

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


Sides = tuple[Any, Any]
_ABSENT = object()


def differences(layout: Layout, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Of two records as one reader gets them, in reading order."""
    top = layout.shapes.at(RECORD)
    without = [{name: value for name, value in one.items() if name != "sections"} for one in (before, after)]
    found = list(_members(layout, top, (without[0], without[1]), (), ""))
    for name in READING_ORDER:
        shape = layout.shapes.at(f"{RECORD}#/properties/sections/properties/{name}")
        sides = (before["sections"].get(name, _ABSENT), after["sections"].get(name, _ABSENT))
        found += _value(layout, shape, sides, (layout.label(shape),), f"/sections/{name}")
    return found


def _members(
    layout: Layout, shape: Shape, sides: Sides, path: tuple[str, ...], pointer: str
) -> Iterator[Difference]:
    old, new = (one if isinstance(one, dict) else {} for one in sides)
    known = [name for name in shape.node.get("properties", {}) if name in old or name in new]
    for name in known:
        member = layout.shapes.member(shape, name)
        if member is not None and member.kind not in OPAQUE:
            values = (old.get(name, _ABSENT), new.get(name, _ABSENT))
            yield from _value(layout, member, values, (*path, layout.label(member)), f"{pointer}/{name}")


def _value(
    layout: Layout, shape: Shape, sides: Sides, path: tuple[str, ...], pointer: str
) -> Iterator[Difference]:
    if sides[0] == sides[1] and type(sides[0]) is type(sides[1]):
        return
    said = [None if one is _ABSENT else layout.written(shape, one) for one in sides]
    if all(one is _ABSENT or text is not None for one, text in zip(sides, said, strict=True)):
        yield Difference(path, pointer, *_pieces(said[0], said[1]))
    elif any(isinstance(one, list) for one in sides):
        yield from _items(layout, shape, sides, path, pointer)
    else:
        yield from _members(layout, shape, sides, path, pointer)


def _items(
    layout: Layout, shape: Shape, sides: Sides, path: tuple[str, ...], pointer: str
) -> Iterator[Difference]:
    item = layout.shapes.item(shape)
    old, new = (one if isinstance(one, list) else [] for one in sides)
    for first, second in _paired(old, new):
        number = (second if second is not None else first or 0) + 1
        where = (*path[:-1], f"{path[-1]} {number}")
        values = (
            old[first] if first is not None else _ABSENT,
            new[second] if second is not None else _ABSENT,
        )
        yield from _value(layout, item, values, where, f"{pointer}/{number - 1}")


def _paired(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Which item of one list is which of the other, where they are not equal: changed, added or removed."""
    texts, others = ([json.dumps(one, sort_keys=True) for one in side] for side in (old, new))
    for tag, first, until, second, end in SequenceMatcher(None, texts, others, autojunk=False).get_opcodes():
        if tag != "equal":
            right = list(range(second, end))
            for index in range(first, until):
                likeness = {other: _alike(old[index], new[other]) for other in right}
                best = max(right, key=likeness.__getitem__, default=None)
                if best is None or likeness[best] < ENOUGH:
                    yield index, None
                else:
                    right.remove(best)
                    yield index, best
            yield from ((None, other) for other in right)


def _alike(one: Any, other: Any) -> float:
    """The share of members that two items have in common."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return float(one == other)
    names = one.keys() | other.keys()
    equal = [name for name in names if name in one and name in other and one[name] == other[name]]
    return len(equal) / max(len(names), 1)


def _pieces(
    before: str | None, after: str | None
) -> tuple[tuple[Piece, ...] | None, tuple[Piece, ...] | None]:
    if before is None or after is None:
        return tuple(_whole(one) if one is not None else None for one in (before, after))  # type: ignore[return-value]
    old, new = list(_sentences(before)), list(_sentences(after))
    if len(old) == len(new) == 1 or max(len(old), len(new)) > MAX_PIECES:
        return _whole(before), _whole(after)
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return (
        _joined((old[first:until], tag != "equal") for tag, first, until, _, _ in codes),
        _joined((new[first:until], tag != "equal") for tag, _, _, first, until in codes),
    )


def _whole(text: str) -> tuple[Piece, ...]:
    return (Piece(text, differs=True),)


def _joined(runs: Iterable[tuple[Sequence[str], bool]]) -> tuple[Piece, ...]:
    return tuple(Piece("".join(texts), differs) for texts, differs in runs if texts)


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for index, one in enumerate(text, 1):
        if one in _ENDS:
            yield text[start:index]
            start = index
    if start < len(text):
        yield text[start:]
