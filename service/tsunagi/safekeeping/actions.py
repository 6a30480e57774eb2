"""Copies a database to a folder and back, and says what a copy lacks."""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tsunagi.db import Database, ReadTx
from tsunagi.safekeeping import manifest as manifests
from tsunagi.safekeeping import store, tools
from tsunagi.safekeeping.manifest import DUMP, Ledger, Manifest
from tsunagi.transparency import store as log
from tsunagi.transparency.notes import Checkpoint
from tsunagi.transparency.rules import Edge, edge_root, grown, leaf_hash

LEAVES = 10_000
"""Of the log, that are read at once."""


class NotEmpty(RuntimeError):
    """There is something where the copy should go."""


class NotWhole(RuntimeError):
    """A copy was made, and is not what it was made from."""


async def back_up(url: str, folder: Path, at: datetime) -> Manifest:
    """The folder holds one moment of the database, checked and on disk; before that it is not there.

    1. In one snapshot: what there is to count, and PostgreSQL's own dump. 2. The dump is read through. 3. The
    manifest, with the hash of each file. 4. On disk, and then under its name.
    Raises NotEmpty when there is such a folder, NotAllRows, ToolsMissing, ToolFailed.
    """
    partial = _beside(folder)
    try:
        async with store.all_rows(url) as tx:
            found = await _counted(tx, at)
            bin_dir = tools.tools_for(found.server_major)
            snapshot = await store.export_snapshot(tx)
            await tools.run(
                *(
                    bin_dir / "pg_dump",
                    "--format=custom",
                    "--no-unlogged-table-data",
                    f"--snapshot={snapshot}",
                ),
                f"--file={partial / DUMP}",
                url=url,
            )
        await tools.run(bin_dir / "pg_restore", f"--file={os.devnull}", partial / DUMP)
        made = replace(found, files=manifests.files_of(partial))
        manifests.write(partial, made)
        manifests.read(partial)
        _settle(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return made


def _beside(folder: Path) -> Path:
    """A new folder, on the same disk as the one that is to be."""
    if folder.exists():
        raise NotEmpty(str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))


async def _counted(tx: ReadTx, at: datetime) -> Manifest:
    rows = await store.counts(tx)
    newest = await log.newest(tx)
    return Manifest(
        made_at=at.isoformat(),
        server_major=await store.server_major(tx),
        schema_revision=await store.revision(tx),
        tables=rows,
        ledger=Ledger(rows["ledger_entries"], rows["log_entries"], newest.note if newest else None),
        files={},
    )


def _settle(partial: Path, folder: Path) -> None:
    """All of it is on disk, and then has its name."""
    for path in (*partial.iterdir(), partial):
        _sync(path)
    partial.rename(folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


async def restore(url: str, folder: Path, *, revisions: Sequence[str], owner: str | None = None) -> Manifest:
    """The database, which was empty, is as it was when it was backed up, walls and all.

    `revisions`: those that this version of the service knows. `owner`: whose everything is to be, if not the role's
    that restores. Raises BackupDamaged, NotEmpty, NotAllRows, NotWhole, ToolsMissing, ToolFailed, WallsDown.
    """
    backup = manifests.read(folder)
    if backup.schema_revision not in revisions:
        raise NotWhole(
            f"{backup.schema_revision}: made by another version of the service; restore with that one"
        )
    async with store.all_rows(url) as tx:
        if not await store.is_empty(tx):
            raise NotEmpty("DATABASE_URL")
        major = await store.server_major(tx)
    if major < backup.server_major:
        raise NotWhole(f"PostgreSQL {backup.server_major} was backed up, and {major} is older")
    bin_dir = tools.tools_for(major)
    await store.prepare_roles(url)
    await _fill(url, bin_dir / "pg_restore", folder / DUMP, owner)
    await store.finish_privileges(url, owner)
    await _check(url, backup)
    return backup


async def _fill(url: str, pg_restore: Path, dump: Path, owner: str | None) -> None:
    """All of the dump is there, or nothing; but for what names the role that owned the original."""
    with tempfile.NamedTemporaryFile("w") as chosen:
        listed = await tools.run(pg_restore, "--list", dump)
        chosen.write("\n".join(line for line in listed.splitlines() if " DEFAULT ACL " not in line) + "\n")
        chosen.flush()
        as_owner = [f"--role={owner}"] if owner else []
        whole = ["--exit-on-error", "--single-transaction", "--no-owner"]
        await tools.run(pg_restore, *whole, *as_owner, f"--use-list={chosen.name}", dump, url=url)


async def _check(url: str, backup: Manifest) -> None:
    """The copy has what the manifest counts, its ledger holds, its log is that of the checkpoint, its walls stand."""
    async with store.all_rows(url) as tx:
        rows = await store.counts(tx)
        if rows != backup.tables:
            raise NotWhole(_differing(rows, backup.tables))
        if broken := await store.broken_entries(tx):
            raise NotWhole(f"{broken} entries of the ledger are not what they were committed to be")
        newest = await log.newest(tx)
        if newest and await root(tx, newest.size) != newest.root:
            raise NotWhole("the log is not the one that was signed for")
    db = Database(url, pool_size=1)
    try:
        await db.check_walls()
    finally:
        await db.close()


def _differing(found: Mapping[str, int], expected: Mapping[str, int]) -> str:
    return ", ".join(
        f"{name}: {found.get(name, 0)} instead of {expected.get(name, 0)}"
        for name in sorted({*found, *expected})
        if found.get(name, 0) != expected.get(name, 0)
    )


async def root(tx: ReadTx, size: int) -> bytes:
    """The hash of the tree that the first `size` entries make, computed from them alone."""
    edge: Edge = ()
    for first in range(0, size, LEAVES):
        found = await store.leaves(tx, first, min(first + LEAVES, size))
        edge, _ = grown(first, edge, [leaf_hash(one) for one in found])
    return edge_root(size, edge) if size else edge_root(0, ([],))


@dataclass(frozen=True, slots=True)
class Compared:
    """A database beside a checkpoint that was kept elsewhere."""

    size: int
    """Entries in the log of the database."""
    newest: datetime | None
    """When the last of them was recorded."""
    missing: int
    """Entries that the checkpoint has and the database has not."""
    same: bool | None
    """Whether the database's log begins with the checkpoint's; unknown while entries are missing."""


async def compared(url: str, kept: Checkpoint) -> Compared:
    """What the database lacks of the log that somebody kept a checkpoint of."""
    async with store.all_rows(url) as tx:
        newest = await log.newest(tx)
        size = newest.size if newest else 0
        missing = max(kept.size - size, 0)
        same = None if missing else await root(tx, kept.size) == kept.root
        return Compared(size, await store.newest_logged(tx), missing, same)
