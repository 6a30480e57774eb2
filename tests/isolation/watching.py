"""What an answer gives away: its bytes, what was left out of account, and the statements behind it."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from sqlalchemy import event

from tests.isolation.asking import NOBODY
from tests.isolation.marks import marks_in
from tests.isolation.oracle import ids_open_to, marks_open_to, staff_open_to
from tests.isolation.realm import CAST, Realm
from tsunagi.db import Database, driver

_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+")
_SECRET = re.compile(rb"whsec_[0-9A-Za-z+/=]+")
_OWN = {"x-request-id", "ratelimit", "ratelimit-policy"}
"""Headers that differ from one request to the next."""
ASKERS = (0, NOBODY)
"""The numbers of marks that whoever asks puts into requests."""


def whole(answer: httpx2.Response) -> bytes:
    """Status line, headers and body."""
    head = f"{answer.status_code} {answer.reason_phrase}\r\n".encode()
    return (
        head + b"".join(name + b": " + value + b"\r\n" for name, value in answer.headers.raw) + answer.content
    )


def comparable(answer: httpx2.Response) -> tuple[Any, ...]:
    """The answer without what tells this request from the next: two that cannot be told apart are equal. New ids,
    and those that were sent, look alike."""
    passed_over = _OWN | ({"etag"} if answer.is_success else set())  # an entity tag is made from new ids, too
    headers = [
        (name, _UUID.sub(b"<id>", value))
        for name, value in answer.headers.raw
        if name.decode() not in passed_over
    ]
    body = _INSTANT.sub(b"<now>", _UUID.sub(b"<id>", _SECRET.sub(b"<secret>", answer.content)))
    return answer.status_code, tuple(headers), body


@dataclass
class Guard:
    """Finds in an organization's answers what is not meant for it."""

    realm: Realm
    marks: dict[str, set[tuple[int, str]]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    open_ids: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    open_staff: dict[tuple[str, str], set[tuple[int, str]]] = field(default_factory=dict)
    own_rows: bool = False
    """Whether ids in rows that are the organization's own do not count."""

    def __post_init__(self) -> None:
        self.marks = {role: marks_open_to(role, self.realm) for role in CAST}
        self.known = {found for target in self.realm.targets for found in target.ids}

    def foreign(self, role: str, operation: str, answer: httpx2.Response, *, sent: str = "") -> set[Any]:
        """Marks and ids in the answer that are not for this organization, and that it has not `sent` itself."""
        data = whole(answer)
        key = (role, operation)
        if key not in self.open_staff:
            self.open_staff[key] = staff_open_to(role, operation, self.realm)
        open_marks = self.marks[role] | self.open_staff[key]
        found: set[Any] = {one for one in marks_in(data) if one not in open_marks and one[0] not in ASKERS}
        if key not in self.open_ids:
            self.open_ids[key] = ids_open_to(role, operation, self.realm, own_rows=self.own_rows)
        ids = {one.decode() for one in _UUID.findall(data)} & self.known
        return found | {one for one in ids - self.open_ids[key] if one not in sent}


class Statements:
    """What is sent to the database: by the driver and through SQLAlchemy."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()

    def tell(self, statement: str) -> None:
        self.sent.update([statement])

    async def during(self) -> Counter[str]:
        """What was sent since the last time."""
        await asyncio.sleep(0)  # the driver tells in the next turn of the loop
        found, self.sent = self.sent, Counter()
        return found


@asynccontextmanager
async def statements(db: Database) -> AsyncIterator[Statements]:
    seen = Statements()
    connection: Any = db._connection  # type: ignore[attr-defined]  # the one that is rolled back
    server = await driver(connection)
    with (
        _told_by_sqlalchemy(connection, seen),
        server.query_logger(lambda query: seen.tell(query.query)),
    ):
        yield seen


@contextmanager
def _told_by_sqlalchemy(connection: Any, seen: Statements) -> Iterator[None]:
    def tell(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.tell(statement)

    event.listen(connection.sync_connection, "before_cursor_execute", tell)
    try:
        yield
    finally:
        event.remove(connection.sync_connection, "before_cursor_execute", tell)
