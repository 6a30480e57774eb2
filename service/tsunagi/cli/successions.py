"""`tsunagi directory succeed`, `close` and `pass-on`: what becomes of an organization, and of what it holds."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from tsunagi.cli.context import database
from tsunagi.clock import Clock
from tsunagi.directory import actions
from tsunagi.directory.rules import SuccessionKind
from tsunagi.errors import Refusal
from tsunagi.ids import OrganizationId
from tsunagi.responsibility.corrections import pass_on_all

Organization = Annotated[UUID, typer.Argument(metavar="ORGANIZATION", help="Its id in the directory.")]
Day = Annotated[
    datetime,
    typer.Option("--on", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="First day on which it is so."),
]


def succeed(
    predecessor: Organization,
    successor: Annotated[UUID, typer.Argument(metavar="SUCCESSOR", help="Its id in the directory.")],
    kind: Annotated[
        SuccessionKind, typer.Option(help="How it came to be: merged, split, renumbered, transferred.")
    ],
    on: Day,
) -> None:
    """Record that an organization follows another. Unless it was split off, the other one is closed.

    Nothing that it holds changes by this: see `pass-on`.
    """
    if kind == "closed":
        raise typer.BadParameter("`tsunagi directory close` is for those without a successor")
    _record(predecessor, OrganizationId(successor), kind, on)


def close(organization: Organization, on: Day) -> None:
    """Record that an organization has closed, and nobody follows."""
    _record(organization, None, "closed", on)


def pass_on(
    organization: Organization,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """What the organization still holds passes to its successor, where that enters into everything (merged,
    renumbered); otherwise it is stated that nobody holds it, and a successor can take over person by person.

    Each person is a transaction of its own; run it again after an interruption.
    """
    if not yes:
        typer.confirm("残る責任を承継先に移すか、担当なしとします / Pass on what it still holds?", abort=True)
    typer.echo(asyncio.run(_pass_on(OrganizationId(organization))))


def _record(predecessor: UUID, successor: OrganizationId | None, kind: SuccessionKind, on: datetime) -> None:
    async def recorded() -> None:
        async with database() as db, db.platform() as tx:
            whose = (OrganizationId(predecessor), successor)
            await actions.succeed(tx, *whose, kind=kind, on=on.date(), at=Clock().now())

    try:
        asyncio.run(recorded())
    except Refusal as refusal:
        typer.echo(f"{refusal.title.ja} / {refusal.title.en}", err=True)
        raise typer.Exit(1) from refusal


async def _pass_on(organization: OrganizationId) -> str:
    async with database() as db:
        async with db.platform() as tx:
            found = await actions.successions_of(tx, organization)
        people = [await pass_on_all(db, Clock().now(), one) for one in found]
    return f"{sum(people)} people"
