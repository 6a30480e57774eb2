"""The table in docs/fapi-2.0.md leaves no clause and no test out."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "fapi-2.0.md").read_text()
CLAUSES = {
    "5.2.1": 5,
    "5.2.2": 2,
    "5.2.2.1": 3,
    "5.2.3": 3,
    "5.3.2.1": 14,
    "5.3.2.2": 14,
    "5.3.2.3": 1,
    "5.3.3.1": 13,
    "5.3.3.2": 7,
    "5.3.4": 5,
    "5.4.1": 4,
    "5.4.2": 3,
}
"""The profile's numbered requirements: section and how many."""


def rows() -> Iterator[tuple[str, str]]:
    """The clauses that a row of the table is about, each with what the row says of it."""
    for line in PAGE.splitlines():
        if re.match(r"\| [56]\.", line):
            named, _, said = line.strip("|").split("|")
            first, _, last = named.strip().partition(" to ")
            section, _, number = first.rpartition("-")
            until = int(last.rpartition("-")[2]) if last else None
            for one in range(int(number), until + 1) if until else [number]:
                yield (f"{section}-{one}" if section else str(one)), said


def test_every_clause_of_the_profile_has_a_row() -> None:
    wanted = {f"{section}-{n}" for section, count in CLAUSES.items() for n in range(1, count + 1)}
    wanted = wanted - {"5.4.1-1"} | {"5.4.1-1a", "5.4.1-1b", "5.4.1-1c", "5.4.3"}
    assert {clause for clause, _ in rows() if clause.startswith("5.")} == wanted


def test_every_row_has_a_test_or_a_reason() -> None:
    for clause, said in rows():
        assert "`test_" in said or re.search(r"\w+ \w+.*\.", said), clause


def test_the_table_names_every_test_and_no_other() -> None:
    written = {
        node.name
        for path in HERE.glob("test_fapi_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert written - named == set()
    assert named - written == set()


def test_a_test_is_named_after_the_clause_that_its_row_is_about() -> None:
    for clause, said in rows():
        for name in re.findall(r"`test_fapi_(\w+)`", said):
            assert name.startswith(re.sub(r"[.-]", "_", clause)), (clause, name)
