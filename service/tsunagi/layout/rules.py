"""A record as its reader meets it: sections in reading order, each made of facts, groups and tables."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tsunagi.layout.shapes import RECORD, Shape, Shapes
from tsunagi.paper.rules import Language, day, last_day, moment

READING_ORDER = (
    "handover_plan",
    "identity",
    "continuing_needs",
    "support_plan",
    "employment",
    "employer_contacts",
    "assessment",
    "disability",
    "medical",
    "family",
    "support_history",
)
"""Why somebody comes and who they are, what they need and what is planned, then what stands behind it."""

WIDE = 3
"""What a column of free text takes of a table, where a short one takes 1."""
MAX_WIDTH = 12
"""Lists whose columns take more are set one item below the other."""
LETTERS = 6
"""That a column of width 1 has room for on paper, in the widest table: words that cannot be broken need more."""

OPAQUE = frozenset({"uuid", "extensions"})
"""Made for machines."""

_FREE = frozenset({"text", "longText"})
_THE_DAY_AFTER = "の翌日"
_WORDS = re.compile(r"[!-~]+")
_YEAR_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str
    pointer: str
    """Where it stands in the record (RFC 6901)."""


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    parts: tuple["Part", ...]
    pointer: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A list whose items are alike and short enough to stand in rows."""

    label: str
    head: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    pointer: str


Part = Fact | Group | Grid


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of records in one language."""

    shapes: Shapes
    language: Language
    areas: Mapping[str, str] = field(default_factory=dict)
    """What areas are called, by code: the directory knows, the schemas do not."""

    def person(self, record: Mapping[str, Any]) -> str:
        """Name and date of birth; nothing where the reader may not know them."""
        who = record["sections"].get("identity")
        if who is None:
            return ""
        born = day(date.fromisoformat(who["birthDate"]), self.language)
        name = f"{who['familyName']} {who['givenName']}"
        return f"{name}　{born}生" if self.language == "ja" else f"{name}, born {born}"

    def header(self, record: Mapping[str, Any]) -> tuple[Part, ...]:
        """What stands before the sections: by whom, by when, and what is offered."""
        told = {name: value for name, value in record.items() if name not in ("sections", "schemaVersion")}
        return self.parts(RECORD, told)

    def parts(self, uri: str, value: Mapping[str, Any]) -> tuple[Part, ...]:
        """A value of the schema at `uri`, laid out."""
        return tuple(self._members(self.shapes.at(uri), value, ""))

    def sections(self, record: Mapping[str, Any]) -> Iterator[tuple[str, Group]]:
        """The sections that are there, by name."""
        for name in READING_ORDER:
            if name in record["sections"]:
                yield name, self.section(name, record["sections"][name])

    def section(self, name: str, value: Mapping[str, Any]) -> Group:
        shape, pointer = (
            self.shapes.at(f"{RECORD}#/properties/sections/properties/{name}"),
            f"/sections/{name}",
        )
        return Group(self.label(shape), tuple(self._members(shape, value, pointer)), pointer)

    def label(self, shape: Shape) -> str:
        """What a field is called. Ends are shown as the last day that counts, and are called so."""
        return self.shapes.label(shape, self.language).removesuffix(_THE_DAY_AFTER)

    def written(self, shape: Shape, value: Any) -> str | None:
        """A value that fits on a line, or a paragraph; None where it has parts to be set one by one."""
        if isinstance(value, bool):
            yes = ("はい", "いいえ") if self.language == "ja" else ("yes", "no")
            return yes[0] if value else yes[1]
        if value == []:
            return "なし" if self.language == "ja" else "none"
        if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
            item = self.shapes.item(shape)
            several = "\n" if item.kind in _FREE else "、" if self.language == "ja" else ", "
            return several.join(self.written(item, one) or "" for one in value)
        if isinstance(value, dict):
            return self._compound(shape, value)
        if isinstance(value, str):
            return self._text(shape, value)
        if isinstance(value, list):
            return None
        return "" if value is None else str(value)

    def _compound(self, shape: Shape, value: Mapping[str, Any]) -> str | None:
        """Objects that people read as one value."""
        if shape.kind == "serviceCode":
            return self.shapes.service(value, self.language)
        members = shape.node.get("properties", {})
        if set(members) == {"code", "text"}:  # a reason
            code = self.shapes.member(shape, "code")
            said = [self.written(code, value["code"]) if code else None, value.get("text")]
            return "\n".join(one for one in said if one)
        if set(members) == {"from", "to"} and "from" in value:
            to = value.get("to")
            begins = day(date.fromisoformat(value["from"]), self.language)
            ends = last_day(date.fromisoformat(to) if to else None, self.language)
            return f"{begins}から、{ends}" if self.language == "ja" else f"from {begins} {ends}"
        return None

    def _text(self, shape: Shape, value: str) -> str:
        if shape.kind == "instant":
            return moment(datetime.fromisoformat(value), self.language)
        if shape.node.get("format") == "date":
            exclusive = shape.node.get("title", "").endswith(_THE_DAY_AFTER)
            on = date.fromisoformat(value)
            return last_day(on, self.language) if exclusive else day(on, self.language)
        if shape.kind in ("yearMonth", "partialDate"):
            return self._partial(value)
        if shape.kind == "areaCode" and value in self.areas:
            return (
                f"{self.areas[value]}（{value}）"
                if self.language == "ja"
                else f"{self.areas[value]} ({value})"
            )
        return self.shapes.coded(shape, value, self.language)

    def _partial(self, value: str) -> str:
        """A year, a month or a day, as much as is known."""
        if len(value) == len("2026-04-01"):
            return day(date.fromisoformat(value), self.language)
        found = _YEAR_MONTH.fullmatch(value)
        if self.language == "en":
            return value
        return f"{found[1]}年{int(found[2])}月" if found else f"{value}年"

    def _members(self, shape: Shape, value: Mapping[str, Any], pointer: str) -> list[Part]:
        """Plain facts come first: behind a group they would seem to belong to it."""
        parts = self._each(shape, value, pointer)
        return sorted(parts, key=lambda part: not isinstance(part, Fact))

    def _each(self, shape: Shape, value: Mapping[str, Any], pointer: str) -> Iterator[Part]:
        named = self.shapes.instrument(value, self.language) if _rates(value) else {}
        for name in _in_order(shape, value):
            member, where = self.shapes.member(shape, name), f"{pointer}/{_escaped(name)}"
            if member is None:
                yield from self._unknown(name, value[name], where)
            elif member.kind not in OPAQUE:
                said = named.get(name) or self.written(member, value[name])
                if said is not None:
                    yield Fact(self.label(member), said, where)
                elif isinstance(value[name], dict):
                    parts = tuple(self._members(member, value[name], where))
                    yield Group(self.label(member), parts, where)
                else:
                    yield self._list(member, value[name], where)

    def _unknown(self, name: str, value: Any, pointer: str) -> Iterator[Part]:
        if not isinstance(value, list | dict):
            yield Fact(name, "" if value is None else str(value), pointer)

    def _list(self, shape: Shape, values: Sequence[Mapping[str, Any]], pointer: str) -> Part:
        item, label = self.shapes.item(shape), self.label(shape)
        used = {name for value in values for name in value}
        columns = [
            (name, member)
            for name in _in_order(item, used)
            if (member := self.shapes.member(item, name)) is not None and member.kind not in OPAQUE
        ]
        rows = [self._row(columns, value) for value in values]
        widths = tuple(
            max([_width(member), *(_letters(row[place]) for row in rows)])
            for place, (_, member) in enumerate(columns)
        )
        if sum(widths) <= MAX_WIDTH and all(cell is not None for row in rows for cell in row):
            head = tuple(self.label(member) for _, member in columns)
            return Grid(
                label, head, widths, tuple(tuple(cell or "" for cell in row) for row in rows), pointer
            )
        parts = tuple(
            Group(
                f"{label} {index + 1}",
                tuple(self._members(item, value, f"{pointer}/{index}")),
                f"{pointer}/{index}",
            )
            for index, value in enumerate(values)
        )
        return Group(label, parts, pointer)

    def _row(self, columns: Iterable[tuple[str, Shape]], value: Mapping[str, Any]) -> list[str | None]:
        named = self.shapes.instrument(value, self.language) if _rates(value) else {}
        return [
            named.get(name) or self.written(member, value[name]) if name in value else ""
            for name, member in columns
        ]


def _rates(value: Mapping[str, Any]) -> bool:
    return "instrument" in value and "version" in value


def _in_order(shape: Shape, names: Iterable[str]) -> list[str]:
    """As the schema has them; what it does not know comes last."""
    names = set(names)
    known = [name for name in shape.node.get("properties", {}) if name in names]
    return known + sorted(names.difference(known))


def _width(shape: Shape) -> int:
    if shape.kind in _FREE or shape.node.get("type") == "array" or "text" in shape.node.get("properties", {}):
        return WIDE
    return 2 if shape.node.get("format") == "date" or shape.kind == "dateRange" else 1


def _letters(cell: str | None) -> int:
    """The width that the longest word of a cell needs, up to that of free text."""
    longest = max((len(one) for one in _WORDS.findall(cell or "")), default=0)
    return min(-(-longest // LETTERS), WIDE)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
