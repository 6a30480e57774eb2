"""`tsunagi staff`: who signs in to the pages."""

import asyncio
import json
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import pyotp
import segno
import typer

from tsunagi.cli.context import database
from tsunagi.errors import Refusal
from tsunagi.ids import OrganizationId
from tsunagi.ledger.rules import PLATFORM, Actor
from tsunagi.settings import Settings
from tsunagi.staff.actions import Added, add_member
from tsunagi.staff.rules import CODE_SECONDS, Role, code_uri

app = typer.Typer(help="Members of staff who sign in to the pages.", no_args_is_help=True)


@app.command()
def add(
    organization: Annotated[UUID, typer.Argument(help="The organization's id.")],
    login: Annotated[str, typer.Argument(help="What they sign in with, such as a mail address.")],
    name: Annotated[str, typer.Argument(help="Their name, as others see it.")],
    *,
    role: Annotated[Role, typer.Option(help="What they may do.")] = "worker",
) -> None:
    """Add a member of staff. Prints, once, a password and what sets up their authenticator app."""
    password = new_password()

    async def work() -> Added:
        async with database() as db, db.platform() as tx:
            return await add_member(
                tx,
                datetime.now(UTC),
                Actor(None, PLATFORM, None, "cli"),
                organization_id=OrganizationId(organization),
                login=login,
                name=name,
                role=role,
                password=password,
            )

    try:
        added = asyncio.run(work())
    except Refusal as refusal:
        for notice in refusal.errors:
            typer.echo(f"{notice.message.ja} / {notice.message.en}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"login     {added.member.login}\npassword  {password}\nsecret    {added.code_secret}")
    segno.make(code_uri(added.member.login, added.code_secret)).terminal(compact=True)


@app.command()
def codes() -> None:
    """The codes that the authenticator apps of the demo's accounts would show now."""
    path = Settings().data_dir / "demo.json"
    if not path.exists():
        typer.echo("make demo が動いていません / `make demo` has not run here", err=True)
        raise typer.Exit(1)
    accounts: list[dict[str, Any]] = json.loads(path.read_text()).get("accounts", [])
    now = datetime.now(UTC)
    for one in accounts:
        typer.echo(f"{one['login']:<28} {pyotp.TOTP(one['codeSecret']).at(now)}")
    left = CODE_SECONDS - int(now.timestamp()) % CODE_SECONDS
    typer.echo(f"あと{left}秒、それぞれ一度だけ使えます / for {left} seconds more, each of them once")


def new_password() -> str:
    return secrets.token_urlsafe(15)
