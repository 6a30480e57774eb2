"""Turns what one request sent to the database into a pgbench script that sends it again and again.

Several requests of one kind are compared, each for another copy (`multiply.py`) of one person or handover. What they
have in common is a constant; what differs is made anew for every run. The rules, none of which knows a table:

1. An id that is a copy of one that `multiply` copied: the same copy's, for the entity of this run.
2. A value that an earlier statement of the request returned: taken from its answer (`\\gset`).
3. Any other id: a copy of the first request's, numbered by the run; so are ids within texts and arrays.
4. Bytes: others of the same length.
5. Anything else, and texts from LONG characters on: as the first request had it.

The statements keep their texts but for the names of parameters, which carry their types. A batch that the driver sends
in one go, and a simple query of several statements, become a pipeline. Constants are handed to pgbench as variables,
so that they travel as parameters too.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

from bench.capture import Statement
from bench.multiply import UUID, copy_of, copy_sql, quoted

LONG = 1000
NULL = "none"
"""A variable that is never set: pgbench sends a null for it."""

FRESH = "/* fresh values */"

_PARAMETER = re.compile(r"\$(\d+)")

Values = tuple[str | None, ...]
"""One parameter, as each of the requests had it."""


class Incomparable(ValueError):
    """The requests did not send the same statements."""


@dataclass
class Script:
    """A request as pgbench runs it. `{k}` stands for the place of the run in its block, from 0."""

    lines: list[str] = field(default_factory=list)
    fresh: dict[str, str] = field(default_factory=dict)
    """Variables that are made before a run: SQL expressions over {x}, the run, and {n}, the entity."""

    constants: dict[str, str] = field(default_factory=dict)

    def __add__(self, following: "Script") -> "Script":
        return Script(
            self.lines + following.lines, self.fresh | following.fresh, self.constants | following.constants
        )

    def block(self, runs: int, entity: str) -> str:
        """The text of a file that runs the request `runs` times. Run numbers begin at the variable `base` and are
        dealt out in turn to the clients; `entity` is an SQL expression over {x}.

        One statement more than the service sends makes the fresh values, for all runs of the block.
        """
        head = ["\\set i :i + 1", f"\\set x :base + (:i * :clients + :client_id) * {runs}"]
        made = []
        for k in range(runs):
            x = f"(x + {k})"
            n = f"({entity.format(x=x)})"
            made += [f"({sql.format(x=x, n=n)})::text AS {name}_{k}" for name, sql in self.fresh.items()]
        if made:
            head.append(f"{FRESH} SELECT {', '.join(made)} FROM (SELECT :x::bigint AS x) one \\gset")
        body = (line.replace("{k}", str(k)) for k in range(runs) for line in self.lines)
        return "\n".join([*head, *body]) + "\n"


def scripts(
    series: Sequence[Sequence[Sequence[Statement]]], numbers: Sequence[int], ids: Iterable[str]
) -> list[Script]:
    """The scripts of requests that follow each other: what is fresh in one is the same in the next. `series` holds
    them once for each of these copies of what has the `ids`.

    Raises Incomparable when they did not send the same statements for every copy.
    """
    writer = _Writer(numbers, ids)
    found = []
    for requests in zip(*series, strict=True):
        writer.begin()
        for statements in zip(*requests, strict=False):
            writer.add(statements)
        if len({len(request) for request in requests}) > 1:
            raise Incomparable("different numbers of statements")
        found.append(writer.end())
    return found


def _literal(text: str) -> str:
    """As SQL, with nothing in it that pgbench takes for a variable."""
    return re.sub(r":(?=\w)", ":' || '", quoted(text))


class _Writer:
    def __init__(self, numbers: Sequence[int], ids: Iterable[str]) -> None:
        self._numbers = numbers
        self._copied = {copy_of(one, numbers[0]): one for one in ids}
        self._variables: dict[str, str] = {}
        self._names = count()
        self.begin()

    def begin(self) -> None:
        self._script = Script()
        self._sent: set[Values] = set()
        self._returned: dict[Values, tuple[int, str]] = {}
        self._kept: dict[int, str] = {}

    def end(self) -> Script:
        """The script, with what a later statement needs of an answer kept from it."""
        for line, prefix in self._kept.items():
            self._script.lines[line] = self._script.lines[line].rstrip(";") + f" \\gset {prefix}"
        return self._script

    def add(self, statements: Sequence[Statement]) -> None:
        """One statement, as each of the requests sent it."""
        first = statements[0]
        if any(one.text != first.text or len(one.rows) != len(first.rows) for one in statements):
            raise Incomparable(first.text)
        texts = self._texts(statements) if first.prepared else first.text.split(";")
        lines = [f"{text.strip()};" for text in texts if text.strip()]
        if len(lines) == 1:
            self._remember(statements)
            self._script.lines += lines
        else:
            self._script.lines += ["\\startpipeline", *lines, "\\endpipeline"]

    def _texts(self, statements: Sequence[Statement]) -> list[str]:
        """The statement once for each row of parameters, each `$n` by name and with the type that it has."""
        text, types = statements[0].text.strip(" ;\n"), statements[0].types
        found = []
        for row in zip(*(one.rows for one in statements), strict=True):
            names = [self._parameter(values) for values in zip(*row, strict=True)]
            named = [f":{name}::{kind}" for name, kind in zip(names, types, strict=True)]
            found.append(_PARAMETER.sub(lambda number, named=named: named[int(number[1]) - 1], text))
        return found

    def _remember(self, statements: Sequence[Statement]) -> None:
        """What is in the one row of an answer, and was not known before."""
        if any(len(one.returned) != 1 for one in statements):
            return
        line = len(self._script.lines)
        for column in statements[0].returned[0]:
            values = tuple(one.returned[0][column] for one in statements)
            differing = len(set(values)) > 1 and None not in values and column.isidentifier()
            if differing and values not in self._sent and self._copy(values) is None:
                self._returned.setdefault(values, (line, column))

    def _parameter(self, values: Values) -> str:
        """The name of the variable that holds a parameter."""
        first = values[0]
        if None in values:
            if set(values) != {None}:
                raise Incomparable("a parameter that is null in some requests only")
            return NULL
        self._sent.add(values)
        if len(set(values)) == 1 or len(first or "") >= LONG:
            return self._constant(first or "")
        if values in self._returned:
            line, column = self._returned[values]
            prefix = self._kept.setdefault(line, f"r{next(self._names)}_{{k}}_")
            return prefix + column
        if (expression := self._expression([value or "" for value in values])) is None:
            return self._constant(first or "")
        name = self._variables.setdefault(expression, f"v{len(self._variables)}")
        self._script.fresh[name] = expression
        return f"{name}_{{k}}"

    def _constant(self, text: str) -> str:
        for name, known in self._script.constants.items():
            if known == text:
                return name
        name = f"c{next(self._names)}"
        self._script.constants[name] = text
        return name

    def _expression(self, values: list[str]) -> str | None:
        """What makes such a value, as SQL; None where that is not known."""
        if all(value.startswith("\\x") for value in values):
            length = len(values[0]) - 2
            digest = f"md5('{values[0][-16:]}' || {{x}})"
            return f"'\\x' || substr(repeat({digest}, {length // 32 + 1}), 1, {length})"
        between = [UUID.split(value) for value in values]
        if any(one != between[0] for one in between):
            return None
        literals = [_literal(one).replace("{", "{{").replace("}", "}}") for one in between[0]]
        parts = [literals[0]]
        ids = zip(*(UUID.findall(value) for value in values), strict=True)
        for literal, texts in zip(literals[1:], ids, strict=True):
            parts += [f"({self._id(texts)})::text", literal]
        return " || ".join(part for part in parts if part != "''")

    def _id(self, texts: Values) -> str:
        if len(set(texts)) == 1:
            return quoted(texts[0] or "")
        copied = self._copy(texts)
        return copy_sql(copied, "{n}") if copied else copy_sql(texts[0] or "", "{x}")

    def _copy(self, texts: Values) -> str | None:
        """The original whose copies these are, request by request."""
        original = self._copied.get(texts[0] or "")
        if original is None:
            return None
        same = all(copy_of(original, n) == text for n, text in zip(self._numbers, texts, strict=True))
        return original if same else None
