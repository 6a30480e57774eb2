"""What must be true after every fault, asked of the API and of the tables themselves."""

import asyncio
import hashlib
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from tests.concurrency.test_sixteen_writers import holes_or_overlaps, not_as_accepted
from tests.faults.ground import ORIGIN, Ground
from tests.faults.load import Lost, Request
from tests.ledger.entries import Kept, kept
from tests.ledger.test_streams import check_streams
from tests.postgres import PATIENCE_SECONDS
from tsunagi.db import Database
from tsunagi_verifier import Key, open_checkpoint

REPEATED = 40
"""Answers of the past that are asked for again after each fault, besides those of the newest."""

AT_ONCE = 6

ACTIONS = {
    "POST handovers": "handovers:create",
    "POST consents": "consents:give",
    "POST offer": "handovers:offer",
    "POST accept": "handovers:accept",
    "GET handover": "handovers:read",
}


async def check(ground: Ground, *, newest: int = 0) -> None:
    """Every acknowledged write is there once, responsibility has no hole, the ledger holds, and whoever asks again
    is answered as before. Clients are quiet. `newest`: how many of the last answers are asked for again."""
    load = ground.load
    assert not load.surprises, load.surprises
    await answers_stand(ground, newest)
    db = Database(ground.postgres.url_of("tsunagi"))
    try:
        await rows_are_there_once(ground)
        await responsibility_has_no_hole(ground, db)
        entries = await kept(db)
        ledger_holds(entries)
        every_answer_is_on_the_ledger(load.answered, entries)
        await feed_is_whole(ground)
        await log_holds(ground)
    finally:
        await db.close()


async def answers_stand(ground: Ground, newest: int) -> None:
    posts = [one for one in ground.load.answered if one.method == "POST"]
    again = posts[len(posts) - newest :] if newest else []
    again += ground.chance.sample(posts, min(REPEATED, len(posts)))
    for first in range(0, len(again), AT_ONCE):
        await asyncio.gather(*map(ground.load.repeat, again[first : first + AT_ONCE]))


async def rows_are_there_once(ground: Ground) -> None:
    """No row that nobody was told of, either: whoever asks until there is an answer makes one thing."""
    answered = ground.load.answered
    connection = await asyncpg.connect(ground.postgres.url_of("tsunagi"))
    try:
        for what, table in (("POST handovers", "handovers"), ("POST consents", "consents")):
            told = Counter(one.answer["id"] for one in answered if one.what == what)
            rows = Counter(str(row["id"]) for row in await connection.fetch(f"SELECT id FROM {table}"))
            assert told == rows, f"{table}: {differences(told, rows)}"
        people = {str(row["id"]) for row in await connection.fetch("SELECT id FROM people")}
        assert people == {one.answer["personId"] for one in answered if one.what == "POST handovers"}
        states = {
            str(row["id"]): row["status"]
            for row in await connection.fetch("SELECT id, status FROM handovers")
        }
        assert states == {one["id"]: one["status"] for one in ground.load.accepted}
        keys = Counter(row["key"] for row in await connection.fetch("SELECT key FROM idempotent_answers"))
        assert keys == Counter(one.key for one in answered if one.method == "POST")
    finally:
        await connection.close()


async def responsibility_has_no_hole(ground: Ground, db: Database) -> None:
    async with db.platform() as tx:
        assert await tx.scalar(holes_or_overlaps) == 0
        assert await tx.scalar(not_as_accepted) == 0
        stated = await tx.scalar(text("SELECT count(DISTINCT person_id) FROM responsibility_versions"))
    assert stated == len(ground.load.accepted)
    for one in ground.chance.sample(ground.load.accepted, min(5, len(ground.load.accepted))):
        timeline = Request(
            ground.load.receiver,
            "GET",
            f"/v1/people/{one['personId']}/responsibility?asOf={ground.load.today + timedelta(days=100)}",
        )
        answer = (await ground.load.send(timeline)).json()
        assert [domain["holder"]["id"] for domain in answer["domains"]] == [str(ground.load.receiver)] * 3, (
            answer
        )


def ledger_holds(entries: list[Kept]) -> None:
    """Each stream is numbered and chained without a hole, and each commitment is that of its entry."""
    check_streams(entries)
    for entry in entries:
        assert entry.commitment == hashlib.sha256(entry.salt + entry.text.encode()).digest()


def every_answer_is_on_the_ledger(answered: list[Request], entries: list[Kept]) -> None:
    """Once for what changed something; what was read, at least as often as it was answered."""
    written = Counter(_entry(entry.body) for entry in entries)
    told = Counter((ACTIONS[one.what], _record(one)) for one in answered)
    for (action, record), times in told.items():
        found = written[action, record]
        exact = action != "handovers:read"
        assert found == times if exact else found >= times, f"{action} {record}: {found} for {times}"


def _entry(body: dict[str, Any]) -> tuple[str, str]:
    return body["action"], body.get("record", {}).get("id", "")


def _record(request: Request) -> str:
    found = request.answer.get("id")
    if not isinstance(found, str):
        raise Lost(f"{request.what} was answered without an id")
    return found


async def feed_is_whole(ground: Ground) -> None:
    """Each side was told of each step once, in positions without a hole."""
    accepted = {one["id"] for one in ground.load.accepted}
    for side in (ground.load.sender, ground.load.receiver):
        items: list[dict[str, Any]] = []
        while True:
            after = items[-1]["position"] if items else 0
            page = await ground.load.send(Request(side, "GET", f"/v1/events?limit=200&after={after}"))
            if not page.json()["items"]:
                break
            items += page.json()["items"]
        assert [one["position"] for one in items] == list(range(1, len(items) + 1))
        for step in ("handover.offered", "handover.received", "handover.accepted"):
            told = Counter(one["handoverId"] for one in items if one["type"] == step)
            assert told == Counter(accepted), f"{step}: {differences(Counter(accepted), told)}"


_IN_ORDER = """
    SELECT e.id, e.stream, e.number, e.commitment, l.position, l.commitment AS leaf
    FROM ledger_entries e FULL JOIN log_entries l ON l.entry_id = e.id ORDER BY l.position
"""


async def log_holds(ground: Ground) -> None:
    """Once the sequencer has run, each entry is in the log once, behind those before it in its stream; the log is
    signed for, and begins with what was signed before."""
    connection = await asyncpg.connect(ground.postgres.url_of("tsunagi"))
    try:
        for _ in range(PATIENCE_SECONDS * 20):
            assert ground.sequencer.runs, ground.sequencer.log.read_text()[-2000:]
            if not await connection.fetchval("SELECT count(*) FROM ledger_queue"):
                break
            await asyncio.sleep(0.05)
        rows = await connection.fetch(_IN_ORDER)
        note = await connection.fetchval("SELECT note FROM log_checkpoints ORDER BY id DESC LIMIT 1")
    finally:
        await connection.close()
    assert [row["position"] for row in rows] == list(range(len(rows)))
    numbers: Counter[UUID] = Counter()
    for row in rows:
        assert row["leaf"] == row["commitment"]
        if row["stream"] is not None:
            numbers[row["stream"]] += 1
            assert row["number"] == numbers[row["stream"]]
    keys = [Key.read(str(one.key)) for one in ground.keys.signers()]
    checkpoint = open_checkpoint(note, keys, origin=ORIGIN)
    assert checkpoint.size == len(rows)
    leaves = [row["leaf"] for row in rows]
    for size, signed in [(checkpoint.size, checkpoint.root), *ground.signed]:
        assert root(leaves[:size]) == signed
    ground.signed[:] = [*ground.signed[-3:], (checkpoint.size, checkpoint.root)]


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, from the bottom up: a last one without a neighbor goes up as it is."""
    row = [hashlib.sha256(b"\0" + one).digest() for one in leaves]
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=False)
        row = [hashlib.sha256(b"\1" + a + b).digest() for a, b in pairs] + row[len(row) & ~1 :]
    return row[0]


def differences(told: Counter[str], rows: Counter[str]) -> str:
    return f"{len(told - rows)} missing, {len(rows - told)} nobody was told of"
