"""`tsunagi backup` and `tsunagi restore`."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from alembic.script import ScriptDirectory

from tsunagi.cli.context import database_url
from tsunagi.clock import JAPAN
from tsunagi.db import WallsDown
from tsunagi.migrating import configuration
from tsunagi.safekeeping import actions
from tsunagi.safekeeping.actions import Compared, NotEmpty, NotWhole
from tsunagi.safekeeping.manifest import NOT_HERE, BackupDamaged, Manifest
from tsunagi.safekeeping.store import NotAllRows
from tsunagi.safekeeping.tools import ToolFailed, ToolsMissing
from tsunagi.settings import Settings
from tsunagi.transparency.keys import FileKeys
from tsunagi.transparency.notes import Checkpoint
from tsunagi_verifier import Key, Refused, open_checkpoint

MISSING, ANOTHER_LOG = 3, 4
"""Exit statuses: restored, and entries are missing; restored, and it is not the log that was vouched for."""

_SAID: dict[type[RuntimeError], str] = {
    NotEmpty: "すでに内容があります。上書きしません / there is something already; nothing is overwritten",
    NotWhole: "復元した内容が一致しません / the copy is not whole",
    BackupDamaged: "バックアップが壊れています / the backup is damaged",
    WallsDown: "組織間の壁が立っていません / the database does not keep organizations apart",
    ToolFailed: "PostgreSQL のプログラムが失敗しました / a program of PostgreSQL's failed",
    NotAllRows: "権限が足りません / not enough rights",
    ToolsMissing: "プログラムがありません / a program is missing",
}


def backup(
    folder: Annotated[Path, typer.Argument(help="Made by this command; must not be there yet.")],
) -> None:
    """Copies the whole database, as it is at one moment, into a new folder, and checks the copy.

    The folder holds no key. Needs a role that sees all rows, and PostgreSQL's pg_dump of the server's version.
    """
    try:
        made = asyncio.run(actions.back_up(database_url(Settings()), folder, datetime.now(UTC)))
    except RuntimeError as error:
        raise _exit(error) from None
    typer.echo(f"{folder}: {_told(made)}\n{NOT_HERE}")


def restore(
    folder: Annotated[Path, typer.Argument(help="What `tsunagi backup` made.", exists=True, file_okay=False)],
    *,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="A checkpoint of the log that was kept outside: says what is missing since.", exists=True
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="The log's public key (name+id+key), may be repeated; else those of the keys' folder."
        ),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="The role that is to own everything.")] = None,
) -> None:
    """Brings a backup back into an empty database, walls and all, and checks that it is whole.

    Exits with 3 when entries are missing that the kept checkpoint has, with 4 when the log is another one.
    """
    settings = Settings()
    kept = _kept(settings, checkpoint, key or []) if checkpoint else None
    url = database_url(settings)
    scripts = ScriptDirectory.from_config(configuration(url, settings.contract_dir / "migrations"))
    known = [one.revision for one in scripts.walk_revisions()]
    try:
        restored = asyncio.run(actions.restore(url, folder, revisions=known, owner=owner))
        typer.echo(f"復元しました / restored: {_told(restored)}")
        if kept:
            raise typer.Exit(_tell(asyncio.run(actions.compared(url, kept)), kept, restored))
    except RuntimeError as error:
        raise _exit(error) from None


def _kept(settings: Settings, path: Path, keys: list[str]) -> Checkpoint:
    """The checkpoint that was kept, if its signature holds."""
    try:
        known = [Key.read(one) for one in keys]
        if not known:
            signers = FileKeys(settings.log_keys, settings.log_origin).signers()
            known = [Key.read(str(one.key)) for one in signers]
        found = open_checkpoint(path.read_text(), known, origin=settings.log_origin)
    except Refused as refused:
        raise SystemExit(f"{path}: {refused}") from None
    return Checkpoint(found.origin, found.size, found.root)


def _told(backup: Manifest) -> str:
    ledger = backup.ledger
    return (
        f"{len(backup.tables)} tables, {sum(backup.tables.values())} rows, schema {backup.schema_revision}; "
        f"台帳 {ledger.entries} 件（ログ {ledger.size} 件）/ {ledger.entries} entries, {ledger.size} in the log"
    )


def _tell(found: Compared, kept: Checkpoint, backup: Manifest) -> int:
    """Says how the copy compares with the checkpoint that was kept; returns the exit status."""
    if found.missing:
        since = (
            (found.newest or datetime.fromisoformat(backup.made_at))
            .astimezone(JAPAN)
            .isoformat("T", "seconds")
        )
        typer.echo(
            f"保管されていた検証点（{kept.size} 件）に対して {found.missing} 件が失われています: "
            f"位置 {found.size}〜{kept.size - 1}、{since} より後の記載。\n"
            f"Of the kept checkpoint's {kept.size} entries {found.missing} are missing: positions {found.size} to "
            f"{kept.size - 1}, recorded after {since}.\n"
            "次にすること / what to do: docs/operations.md, Restore",
            err=True,
        )
        return MISSING
    if not found.same:
        typer.echo(
            f"このログは、保管されていた検証点（{kept.size} 件）のログではありません。\n"
            f"This is not the log of the kept checkpoint: its first {kept.size} entries are others.",
            err=True,
        )
        return ANOTHER_LOG
    typer.echo(
        f"保管されていた検証点（{kept.size} 件）までそのまま揃っています / whole up to the kept checkpoint "
        f"({kept.size} entries), and unaltered"
    )
    return 0


def _exit(error: RuntimeError) -> SystemExit:
    said = next((text for kind, text in _SAID.items() if isinstance(error, kind)), None)
    if said is None:
        raise error
    return SystemExit(f"{said}\n  {error}")
