"""`tsunagi serve` as it would be if nothing were written into the ledger: for comparison, and for nothing else."""

from typing import Any
from uuid import UUID

from tsunagi.cli.serving import serve
from tsunagi.db import Write, WriteTx
from tsunagi.ledger import store
from tsunagi.ledger.rules import Entry


async def _append(_tx: WriteTx, *_new: Entry) -> list[UUID]:
    return []


def _entering(_entry: Entry, **_named: Any) -> Write:
    return Write("SELECT", ())


def _opening(*_new: Entry) -> list[Write]:
    return []


# The types are those of what is replaced, but for parameters that nobody here looks at.
store.append, store.entering, store.opening = _append, _entering, _opening  # type: ignore[assignment]

if __name__ == "__main__":
    serve()
