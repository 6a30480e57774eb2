"""How PostgreSQL would run a statement, as the role that the service runs it as, and what is wrong with that."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg

from bench.capture import Statement

GROWING = (
    "handover",
    "record_",
    "consent",
    "responsibility_",
    "ledger_",
    "event",
    "people",
    "person_",
    "idempotent_",
    "provisions",
)
"""How the names of tables begin that grow with every handover."""

MAX_SORTED_ROWS = 300

Node = dict[str, Any]


async def plans(connection: asyncpg.Connection, statements: list[Statement]) -> list[tuple[Statement, Node]]:
    """The plans of the prepared statements of a request: for the values that they had, and for any values, unless the
    service's sessions leave PostgreSQL no choice between the two.

    What the request said to begin its transactions is said again, so that policies hold as they did. Beside that only
    what merely reads is run: it shows which branches of a policy are never taken.
    """
    chosen = await connection.fetchval("SHOW plan_cache_mode")
    modes = ["force_custom_plan", "force_generic_plan"] if chosen == "auto" else [chosen]
    found = []
    for statement in statements:
        if not statement.prepared:
            await connection.execute("ROLLBACK" if statement.text.startswith("COMMIT") else statement.text)
            continue
        await connection.execute(f"PREPARE one{_list(statement.types)} AS {statement.text}")
        values = _list([_literal(text) for text in statement.rows[0]])
        for mode in modes:
            await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
            run = "ANALYZE, " if statement.text.lstrip().startswith("SELECT") else ""
            text = await connection.fetchval(f"EXPLAIN ({run}FORMAT JSON) EXECUTE one{values}")
            found.append((statement, json.loads(text)[0]["Plan"]))
        await connection.execute("DEALLOCATE one")
    return found


def faults(plan: Node) -> list[str]:
    """Nodes that take longer with every handover there is."""
    return [fault for node in _nodes(plan) if (fault := _fault(node))]


def _fault(node: Node) -> str | None:
    kind, table = node["Node Type"], node.get("Relation Name") or node.get("Index Name") or ""
    if table.startswith(GROWING):
        if kind == "Seq Scan":
            return f"reads all of {table}"
        if kind in ("Index Scan", "Index Only Scan", "Bitmap Index Scan") and "Index Cond" not in node:
            return f"reads all of an index of {table}"
    if kind == "Sort" and node["Plans"][0]["Plan Rows"] > MAX_SORTED_ROWS:
        return f"sorts {node['Plans'][0]['Plan Rows']} rows"
    return None


def _nodes(plan: Node) -> Iterator[Node]:
    yield plan
    if plan.get("One-Time Filter") != "false":  # what is below is never run
        for child in plan.get("Plans", ()):
            if not _untaken(child):
                yield from _nodes(child)


def _untaken(node: Node) -> bool:
    """Whether it is one of several branches (of a CASE), and was not the one."""
    return node.get("Parent Relationship") == "SubPlan" and node.get("Actual Loops") == 0


def _list(items: Sequence[str]) -> str:
    return f" ({', '.join(items)})" if items else ""


def _literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
