"""`tsunagi ledger`: the sequencer, and the keys it signs with."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import structlog
import typer
import uvloop

from tsunagi import logs
from tsunagi.cli.context import database_url, refuse_to_lose
from tsunagi.db import SEQUENCER_ROLE, Database, WallsDown
from tsunagi.logs import fault
from tsunagi.settings import Settings
from tsunagi.transparency.actions import BATCH, LogForked, Sequencer
from tsunagi.transparency.keys import FileKeys

app = typer.Typer(no_args_is_help=True)
log = structlog.get_logger()

FORKED = 3
"""The exit status of a sequencer that must not sign: to start it again changes nothing."""

RETRY_SECONDS = 1.0


@app.command()
def sequence(
    *,
    until_stdin_closes: Annotated[
        bool, typer.Option("--until-stdin-closes", help="End with the process that holds the other end.")
    ] = False,
) -> None:
    """Gives entries their place in the log and signs checkpoints, until interrupted.

    Needs a login that is a member of tsunagi_sequencer, and the folder of the keys; nothing else. Several may run:
    one works at a time. Exits with 3 where the database is not the one that these keys have signed for.
    """
    settings = Settings()
    logs.configure(settings.log_format)
    try:
        uvloop.run(_sequence(settings, until_stdin_closes=until_stdin_closes))
    except LogForked as forked:
        typer.echo(
            f"署名しません。台帳のログが、署名したときのものと違います / not signing: {forked}\n"
            "復元したあとなら / after a restore: docs/operations.md, After a restore",
            err=True,
        )
        raise typer.Exit(FORKED) from None


async def _sequence(settings: Settings, *, until_stdin_closes: bool) -> None:
    url, lossy = database_url(settings), settings.allow_data_loss
    await refuse_to_lose(url, settings)
    db = Database(url, pool_size=1, role=SEQUENCER_ROLE, lossy=lossy)
    sequencer = Sequencer(db, FileKeys(settings.log_keys, settings.log_origin), settings.log_origin)
    working = asyncio.create_task(_work(sequencer, settings.sequencer_interval_seconds))
    waiting = {working}
    if until_stdin_closes:
        waiting.add(asyncio.create_task(_stdin_closes()))
    try:
        await db.check_walls(SEQUENCER_ROLE)
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if working in done:
            await working
    except WallsDown as down:
        raise SystemExit(f"The database does not keep organizations apart: {down}") from None
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await db.close()


async def _work(sequencer: Sequencer, interval_seconds: float) -> None:
    """Sequences what comes, until cancelled. A failure is logged and tried again. Raises LogForked."""
    while True:
        try:
            if await sequencer.sequence(datetime.now(UTC)) < BATCH:
                await asyncio.sleep(interval_seconds)
        except LogForked:
            raise
        except Exception as error:  # the database may be away
            log.warning("sequencing failed", **fault(error))
            await asyncio.sleep(RETRY_SECONDS)


async def _stdin_closes() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.read(1):
        pass


@asynccontextmanager
async def sequencer_beside(settings: Settings, url: str) -> AsyncIterator[None]:
    """A sequencer works in a process of its own, which ends with this one however this one ends."""
    if settings.sequencer == "none":
        yield
        return
    keeping = asyncio.create_task(_keep_sequencing(settings, url))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep_sequencing(settings: Settings, url: str) -> None:
    while True:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tsunagi.cli", "ledger", "sequence", "--until-stdin-closes"),
            stdin=asyncio.subprocess.PIPE,
            env=_environment(settings, url),
        )
        try:
            status = await child.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
            await child.wait()
            raise
        log.error("the sequencer ended", status=status)
        if status == FORKED:
            return
        await asyncio.sleep(RETRY_SECONDS)


def _environment(settings: Settings, url: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": url,
        "TSUNAGI_LEDGER_ORIGIN": settings.log_origin,
        "TSUNAGI_LEDGER_KEYS_DIR": str(settings.log_keys),
        "TSUNAGI_SEQUENCER_INTERVAL_SECONDS": str(settings.sequencer_interval_seconds),
    }


def _keys() -> FileKeys:
    settings = Settings()
    return FileKeys(settings.log_keys, settings.log_origin)


@app.command()
def keys() -> None:
    """Prints the keys that sign, as verifiers take them."""
    for signer in _keys().signers():
        typer.echo(str(signer.key))


@app.command()
def rotate() -> None:
    """Adds a key. Checkpoints carry the signatures of both until `retire` takes the old one away: tell whoever
    verifies in between."""
    store = _keys()
    store.signers()
    typer.echo(str(store.add()))


@app.command()
def retire(key_id: Annotated[str, typer.Argument(help="The id between the plus signs.")]) -> None:
    """The key signs no more. Checkpoints that it signed stay as they are."""
    try:
        typer.echo(f"{_keys().retire(key_id)} は署名をやめました / signs no more")
    except LookupError:
        raise SystemExit(f"そのような鍵はありません / no such key: {key_id}") from None
    except ValueError:
        raise SystemExit(
            "唯一の鍵です。先に rotate してください / the only key there is: rotate first"
        ) from None


@app.command()
def forget_signed() -> None:
    """Lets the sequencer sign a log that is not, or no longer, the one it signed before.

    For after a restore, when entries are known to be lost: whoever kept a later checkpoint will see that they are.
    """
    _keys().forget()
    typer.echo(
        "以前に署名した内容との照合をやめました / what was signed before is no longer compared with the database"
    )
