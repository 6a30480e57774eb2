"""Starting with the right master keys, and changing them."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime

from tsunagi.db import Database
from tsunagi.sealing import store
from tsunagi.sealing.keys import Keyring
from tsunagi.sealing.store import Wrapped

BATCH = 500


class MasterKeyMissing(RuntimeError):
    """The database holds texts that nobody here could read."""


async def begin(db: Database, at: datetime, ring: Keyring) -> None:
    """Whatever the database holds can be read with the ring's master keys, and it knows that it needs them. The
    first one of all is made here.

    Raises MasterKeyMissing, KeysDamaged.
    """
    async with db.platform() as tx:
        await store.hold(tx)
        missing = [key_id for key_id in await store.needed(tx) if key_id not in ring]
        if missing:
            raise MasterKeyMissing(
                f"the database is sealed under the master key {', '.join(missing)},"
                f" which is not in {ring.source}: see docs/operations.md, Master keys"
            )
        if not list(ring):
            ring.begin()
        await store.need(tx, at, [ring.newest.id])


async def add(db: Database, at: datetime, ring: Keyring) -> str:
    """Whatever is sealed from now on is sealed under a new master key, whose id this is."""
    async with db.platform() as tx:
        await store.hold(tx)
        key = ring.add()
        await store.need(tx, at, [key.id])
    return key.id


async def rotate(db: Database, ring: Keyring) -> AsyncIterator[int]:
    """Every data key is wrapped by the newest master key; yields how many more are after each batch.

    Each batch is committed by itself: what was broken off is taken up where it stands. Rows that others hold are
    come back to.
    """
    newest = ring.newest
    for table in store.key_tables():
        after, passed = None, 0
        while True:
            async with db.platform() as tx:
                rows = await store.wrapped_otherwise(
                    tx, table, bytes.fromhex(newest.id), after=after, limit=BATCH
                )
                changed = [
                    Wrapped(one.key, ring.rewrapped(one.data_key, table.name, *one.key)) for one in rows
                ]
                if changed:
                    await store.rewrap(tx, table, changed)
            passed += len(rows)
            if rows:
                after = rows[-1].key
                yield len(rows)
            elif passed:
                after, passed = None, 0
            else:
                break


async def uses(db: Database) -> dict[str, int]:
    """How many data keys each master key wraps, where it is any."""
    async with db.platform() as tx:
        counts = [await store.counted(tx, table) for table in store.key_tables()]
    return dict(sum((Counter(one) for one in counts), Counter()))


async def retire(db: Database, ring: Keyring) -> list[str]:
    """The master keys but the newest that no data key is under any more: the database no longer needs them."""
    used = await uses(db)
    async with db.platform() as tx:
        await store.hold(tx)
        unused = [one for one in await store.needed(tx) if one not in used and one != ring.newest.id]
        await store.need_no_longer(tx, unused)
    return unused
