"""`tsunagi keys`: the master keys under which what is written about people is sealed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.table import Table

from tsunagi import tables
from tsunagi.cli.context import database
from tsunagi.db import Database
from tsunagi.sealing import actions
from tsunagi.sealing.keys import LOOK_SECONDS, Keyring, provider
from tsunagi.settings import Settings

app = typer.Typer(
    help="Master keys: list them, add one, seal everything under the newest.", no_args_is_help=True
)

assert tables, "data keys are found in the tables of all rooms"


def _run(work: Callable[[Database, Keyring], Awaitable[None]]) -> None:
    async def run() -> None:
        settings = Settings()
        async with database(settings) as db:
            await work(db, Keyring(provider(settings)))

    asyncio.run(run())


@app.command("list")
def list_keys() -> None:
    """The master keys, oldest first, and how many data keys each wraps."""

    async def work(db: Database, ring: Keyring) -> None:
        used = await actions.uses(db)
        table = Table("id", "made at", "data keys", "")
        for key in ring:
            newest = "wraps what is new" if key.id == ring.newest.id else ""
            table.add_row(key.id, key.made_at.isoformat(), str(used.get(key.id, 0)), newest)
        Console().print(table)

    _run(work)


@app.command()
def add() -> None:
    """Make a new master key. Whatever is written from now on is sealed under it."""

    async def work(db: Database, ring: Keyring) -> None:
        typer.echo(f"{await actions.add(db, datetime.now(UTC), ring)}  in {ring.source}")
        typer.echo(
            "Back the file up, apart from the database. `tsunagi keys rotate` seals what is there under it."
        )

    _run(work)


@app.command()
def rotate() -> None:
    """Wrap every data key under the newest master key. May be broken off and begun again; the service goes on."""

    async def work(db: Database, ring: Keyring) -> None:
        await asyncio.sleep(LOOK_SECONDS)  # until everybody else has seen which is the newest
        done = 0
        async for number in actions.rotate(db, ring):
            done += number
            typer.echo(f"\r{done} data keys", nl=False)
        unused = await actions.retire(db, ring)
        typer.echo(f"\r{done} data keys are now under {ring.newest.id}")
        for key_id in unused:
            typer.echo(f"{key_id} is needed no more, but for backups from before")

    _run(work)
