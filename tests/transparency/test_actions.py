"""The sequencer over a real database: what it puts into the log, in which order, and what it refuses to sign."""

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from tests.owner import owner
from tests.transparency.conftest import ORIGIN
from tests.transparency.test_tree import mth
from tsunagi.db import SEQUENCER_ROLE, Database, fetch
from tsunagi.ids import ClientId, Stream, opaque_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Actor, Entry
from tsunagi.transparency import actions as sequencing
from tsunagi.transparency import store
from tsunagi.transparency.actions import LogForked, Sequencer
from tsunagi.transparency.keys import FileKeys
from tsunagi.transparency.notes import Checkpoint
from tsunagi.transparency.rules import leaf_hash
from tsunagi_verifier.notes import Key, open_checkpoint

ACTOR = Actor(organization_id=None, client_id=ClientId("test"), staff=None, request_id="r-1")
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def entry(stream: Stream | None = None) -> Entry:
    return Entry(action="people:register", at=NOW, actor=ACTOR, stream=stream)


async def write(db: Database, count: int, *, stream: Stream | None = None) -> None:
    async with db.platform() as tx:
        await ledger.append(tx, *(entry(stream) for _ in range(count)))


async def rows(db: Database, sql: str) -> list[asyncpg.Record]:
    async with owner(db) as tx:
        return await fetch(tx, sql)


async def log(db: Database) -> list[bytes]:
    found = await rows(db, "SELECT position, commitment FROM log_entries ORDER BY position")
    assert [row["position"] for row in found] == list(range(len(found)))
    return [row["commitment"] for row in found]


async def newest(db: Database) -> store.Signed:
    async with db.platform() as tx:
        found = await store.newest(tx)
    assert found is not None
    return found


async def check_whole(db: Database) -> None:
    """The newest checkpoint is what RFC 6962 says of the entries, word for word."""
    signed = await newest(db)
    commitments = await log(db)
    assert signed.size == len(commitments)
    assert signed.root == mth([leaf_hash(one) for one in commitments])


async def test_an_empty_log_is_signed_for(own_database: Database, sequencer: Sequencer) -> None:
    assert await sequencer.sequence(NOW) == 0
    signed = await newest(own_database)
    assert signed.size == 0
    assert signed.note.startswith(f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— {ORIGIN} ")
    assert await sequencer.sequence(NOW) == 0
    assert len(await rows(own_database, "SELECT FROM log_checkpoints")) == 1


async def test_what_waits_is_in_the_log_in_its_order_and_waits_no_more(
    own_database: Database, sequencer: Sequencer
) -> None:
    streams = [Stream(opaque_id()) for _ in range(3)]
    for stream in [*streams, *streams]:
        await write(own_database, 2, stream=stream)
    assert await sequencer.sequence(NOW) == 12
    assert await rows(own_database, "SELECT FROM ledger_queue") == []
    placed = await rows(
        own_database,
        """
        SELECT e.stream, e.number, e.commitment = l.commitment AS same
        FROM log_entries l JOIN ledger_entries e ON e.id = l.entry_id ORDER BY l.position
        """,
    )
    assert all(row["same"] for row in placed)
    for stream in streams:
        assert [row["number"] for row in placed if row["stream"] == stream] == [1, 2, 3, 4]
    await check_whole(own_database)


async def test_the_tree_grows_as_rfc_6962_has_it(
    own_database: Database, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through batches of all sizes, past several full tiles."""
    monkeypatch.setattr(sequencing, "BATCH", 300)
    chance = random.Random(7)
    for count in (1, 254, 1, 1, 255, 300, *(chance.randrange(1, 300) for _ in range(4))):
        await write(own_database, count)
        assert await sequencer.sequence(NOW) == count
        await check_whole(own_database)
    async with own_database.platform() as tx:
        assert await sequencing.root(tx, 513) == mth(
            [leaf_hash(one) for one in (await log(own_database))[:513]]
        )


async def test_a_batch_takes_what_waited_longest(
    own_database: Database, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencing, "BATCH", 10)
    await write(own_database, 25)
    assert [await sequencer.sequence(NOW) for _ in range(4)] == [10, 10, 5, 0]
    waited = await rows(own_database, "SELECT id FROM ledger_entries ORDER BY id")
    placed = await rows(own_database, "SELECT entry_id FROM log_entries ORDER BY position")
    assert [row["entry_id"] for row in placed] == [row["id"] for row in waited]


async def test_what_is_not_committed_is_not_in_the_log(own_database: Database, sequencer: Sequencer) -> None:
    with pytest.raises(RuntimeError, match="no"):
        async with own_database.platform() as tx:
            await ledger.append(tx, entry())
            raise RuntimeError("no")
    async with own_database.platform() as tx:
        await ledger.append(tx, entry(Stream(opaque_id())))
        await write(own_database, 1)
        assert await sequencer.sequence(NOW) == 1, "whoever is not ready is not waited for"
    assert await sequencer.sequence(NOW) == 1
    await check_whole(own_database)


async def test_two_sequencers_make_one_log(own_url: str, own_database: Database, tmp_path: Path) -> None:
    keys = FileKeys(tmp_path / "keys", ORIGIN)
    keys.signers()
    both = [Sequencer(own_database, keys, ORIGIN) for _ in range(2)]

    async def work(one: Sequencer) -> int:
        return sum([await one.sequence(NOW) for _ in range(15)])

    async def post() -> int:
        for _ in range(20):
            await write(own_database, 3, stream=Stream(opaque_id()))
        return 0

    placed = sum(await asyncio.gather(work(both[0]), work(both[1]), post(), post()))
    placed += await both[0].sequence(NOW)
    assert placed == 120
    await check_whole(own_database)


async def test_a_sequencer_that_dies_loses_nothing(
    own_database: Database, sequencer: Sequencer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(own_database, 5)

    async def dies(*_: object, **__: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(store, "add", dies)
        with pytest.raises(ConnectionResetError):
            await sequencer.sequence(NOW)
    # What it had committed but not remembered: the database is ahead of its memory.
    remember = FileKeys.remember
    with monkeypatch.context() as patched:
        patched.setattr(FileKeys, "remember", lambda *_: None)
        assert await sequencer.sequence(NOW) == 5
    assert FileKeys.remember is remember
    await write(own_database, 2)
    again = Sequencer(own_database, FileKeys(tmp_path / "keys", ORIGIN), ORIGIN)
    assert await again.sequence(NOW) == 2
    await check_whole(own_database)


async def test_checkpoints_carry_the_signature_of_each_key(
    own_database: Database, sequencer: Sequencer, tmp_path: Path
) -> None:
    keys = FileKeys(tmp_path / "keys", ORIGIN)
    old = keys.signers()[0].key
    await write(own_database, 1)
    await sequencer.sequence(NOW)
    new = keys.add()
    assert await sequencer.sequence(NOW) == 0, "nothing is new but the key"
    both = await newest(own_database)
    assert both.keys == sorted([str(old), str(new)])
    text = Checkpoint(ORIGIN, both.size, both.root).text()
    for key in (old, new):
        read = open_checkpoint(both.note, [Key.read(str(key))], origin=ORIGIN)
        assert (read.size, read.root) == (both.size, both.root)
    assert both.note.startswith(text)
    keys.retire(old.id.hex())
    await sequencer.sequence(NOW)
    assert (await newest(own_database)).keys == [str(new)]
    with pytest.raises(ValueError, match=new.id.hex()):
        keys.retire(new.id.hex())
    with pytest.raises(LookupError):
        keys.retire("00000000")


async def test_a_database_behind_what_was_signed_is_not_signed_for(
    own_database: Database, sequencer: Sequencer, tmp_path: Path
) -> None:
    """As after a restore: the entries are there, the newest of the log are not."""
    await write(own_database, 300)
    await sequencer.sequence(NOW)
    keys = FileKeys(tmp_path / "keys", ORIGIN)
    at_300 = keys.remembered()
    await write(own_database, 10)
    await sequencer.sequence(NOW)
    async with owner(own_database) as tx:
        for table, behind in (
            ("log_entries", "position >= 300"),
            ("log_checkpoints", "size > 300"),
        ):
            await fetch(tx, f"ALTER TABLE {table} DISABLE TRIGGER append_only")
            await fetch(tx, f"DELETE FROM {table} WHERE {behind}")
    await write(own_database, 40)
    with pytest.raises(LogForked, match="310 entries were signed for, and 300 are here"):
        await sequencer.sequence(NOW)
    assert len(await rows(own_database, "SELECT FROM ledger_queue")) == 40, "nothing is lost meanwhile"
    keys.forget()
    assert await sequencer.sequence(NOW) == 40
    assert at_300 is not None
    keys.remember(at_300)  # an older memory: the log has grown beyond it
    await write(own_database, 1)
    assert await sequencer.sequence(NOW) == 1
    await check_whole(own_database)


async def test_a_log_beside_what_was_signed_is_not_signed_for(
    own_database: Database, sequencer: Sequencer
) -> None:
    await write(own_database, 5)
    await sequencer.sequence(NOW)
    async with owner(own_database) as tx:
        for table in ("log_entries", "log_checkpoints"):
            await fetch(tx, f"ALTER TABLE {table} DISABLE TRIGGER append_only")
            await fetch(tx, f"DELETE FROM {table}")
    await write(own_database, 5)
    memory, known = sequencer.keys, sequencer.keys.remembered()
    assert known is not None
    memory.forget()  # type: ignore[attr-defined]  # the files', not every key store's
    await sequencer.sequence(NOW)
    memory.remember(known)
    await write(own_database, 1)
    with pytest.raises(LogForked, match="the first 5 entries are others"):
        await sequencer.sequence(NOW)


async def test_a_log_keeps_its_name(own_database: Database, sequencer: Sequencer, tmp_path: Path) -> None:
    await sequencer.sequence(NOW)
    other = Sequencer(own_database, FileKeys(tmp_path / "others", "other.example"), "other.example")
    with pytest.raises(LogForked, match=r"tsunagi\.example/ledger"):
        await other.sequence(NOW)


@pytest.mark.parametrize("table", ["log_entries", "log_nodes", "log_checkpoints"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_log_refuses_change(
    own_database: Database, sequencer: Sequencer, table: str, change: str
) -> None:
    column = {"log_entries": "position = 9", "log_nodes": "place = 9", "log_checkpoints": "size = 9"}[table]
    await write(own_database, 256)
    await sequencer.sequence(NOW)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        async with owner(own_database) as tx:
            await fetch(tx, change.format(table, column))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM handovers",
        "SELECT FROM ledger_contents",
        "SELECT FROM ledger_entries",
        "INSERT INTO ledger_entries (id, recorded_at, commitment) VALUES (gen_random_uuid(), now(), '')",
        "DELETE FROM log_entries",
    ],
)
async def test_the_sequencer_reaches_nothing_but_the_log(own_database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with own_database.sequencing() as tx:
            await fetch(tx, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO log_entries VALUES (0, gen_random_uuid(), '')",
        "INSERT INTO log_nodes VALUES (1, 0, '')",
        "INSERT INTO log_checkpoints (size, root, signed_at, note, keys) VALUES (0, '', now(), '', '{}')",
        "DELETE FROM ledger_queue",
    ],
)
async def test_nobody_but_the_sequencer_writes_the_log(own_database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with own_database.platform() as tx:
            await fetch(tx, statement)


async def test_a_login_for_the_sequencer_alone_is_enough(
    own_url: str, own_database: Database, tmp_path: Path
) -> None:
    await write(own_database, 1)
    name = f"tsunagi_sequencing_{opaque_id().hex[:8]}"
    async with owner(own_database) as tx:
        await fetch(tx, f"CREATE ROLE {name} LOGIN IN ROLE {SEQUENCER_ROLE}")
    base, _, query = own_url.partition("?")
    own = Database(
        base.replace("//postgres@", f"//{name}@", 1) + f"?{query}", pool_size=1, role=SEQUENCER_ROLE
    )
    try:
        await own.check_walls(SEQUENCER_ROLE)
        assert await Sequencer(own, FileKeys(tmp_path / "keys", ORIGIN), ORIGIN).sequence(NOW) == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with own.platform():
                raise AssertionError("it became the platform")
    finally:
        await own.close()
        async with owner(own_database) as tx:
            await fetch(tx, f"DROP ROLE {name}")
