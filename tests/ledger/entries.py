"""The ledger as a reader of its tables finds it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from tsunagi.db import Database
from tsunagi.ledger import store


@dataclass(frozen=True)
class Kept:
    stream: UUID | None
    number: int | None
    commitment: bytes
    salt: bytes
    text: str

    @property
    def body(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.text)
        return content


async def kept(db: Database) -> list[Kept]:
    """All entries, in the order of their ids: of one process, the order in which they were made."""
    query = (
        select(
            store.entries.c.stream,
            store.entries.c.number,
            store.entries.c.commitment,
            store.contents.c.salt,
            store.contents.c.body,
        )
        .join(store.contents, store.contents.c.id == store.entries.c.id)
        .order_by(store.entries.c.id)
    )
    async with db.platform() as tx:
        return [Kept(*row) for row in await tx.execute(query)]


def texts(value: Any) -> Iterator[str]:
    """Every text in a document, at whatever depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def personal(document: Any) -> set[str]:
    """What tells about people: names and sentences, addresses, numbers and dates; not codes."""
    return {
        text
        for text in texts(document)
        if not text.isascii() or "@" in text or (len(text) > 6 and text.replace("-", "").isdigit())
    }
