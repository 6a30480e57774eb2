"""`tsunagi demo`: one handover from offer to completion, told as it happens, and a service to go on with."""

import asyncio
import fcntl
import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Annotated, Any
from uuid import UUID

import asyncpg
import typer
import uvicorn
import uvloop
from joserfc.jwk import ECKey

from tsunagi import logs
from tsunagi.api.edge import Services
from tsunagi.app import create_app, create_services
from tsunagi.auth.actions import register_client
from tsunagi.auth.rules import Scope
from tsunagi.cli.context import database_url
from tsunagi.cli.ledger import sequencer_beside
from tsunagi.cli.serving import choose_port, end_on_sigterm, metrics
from tsunagi.cli.staff import new_password
from tsunagi.cli.story import Cast, Member, StoryBroken, console, tell
from tsunagi.clock import Clock, civil_date
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile
from tsunagi.handovers.steps import advance
from tsunagi.ids import OrganizationId
from tsunagi.ledger.rules import PLATFORM, Actor
from tsunagi.migrating import migrate
from tsunagi.secret_files import write_private
from tsunagi.settings import Settings
from tsunagi.staff.actions import add_member
from tsunagi.staff.rules import Role
from tsunagi.synthetic.organizations import organizations
from tsunagi_client import TsunagiError

DATABASE = "tsunagi_demo"
ACTOR = Actor(None, PLATFORM, None, "demo")
MOVE_TIMEOUT_SECONDS = 60
READ_ONLY = frozenset(
    {
        Scope.RESPONSIBILITY_READ,
        Scope.FINDINGS_READ,
        Scope.LEDGER_READ,
        Scope.DIRECTORY_READ,
        Scope.EVENTS_READ,
    }
)
"""What an auditor's software may do: look at responsibility and the ledger, never at a record."""

STAFF: tuple[tuple[str, Role, str], ...] = (
    ("settlement", "worker", "定着 花子（架空）"),
    ("center", "worker", "支援 一郎（架空）"),
    ("center", "administrator", "管理 桜（架空）"),
    ("auditor", "auditor", "監査 次郎（架空）"),
)
"""Who can sign in to the pages of the demo: of which organization, as what, by which name."""


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit when the handover is completed.")] = False,
) -> None:
    """Carries one made-up handover from offer to completion, then serves until interrupted.

    Runs in a database of its own (tsunagi_demo), made anew each time. Exits with 1 if a step fails.
    """
    settings = Settings()
    logs.configure("text", quiet=True)
    end_on_sigterm()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / "demo.lock").open("w") as lock:
        if not _alone(lock):
            console.print(
                "[bold red]別の make demo が動いています。先にそれを終えてください。[/]\n"
                "another `make demo` is being served from this folder; end it first"
            )
            raise typer.Exit(1)
        _demo(settings, once=once)


def _alone(lock: IO[str]) -> bool:
    """Whether no other demo is at work in this folder; it would lose its database."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _demo(settings: Settings, *, once: bool) -> None:
    console.print("[bold]Tsunagi（繋ぎ）[/] 準備しています… / setting up…")
    port = choose_port(settings.host, settings.port)
    settings = settings.model_copy(
        update={
            "port": port,
            "base_url": f"http://{settings.host}:{port}",
            "metrics_port": 0,
            "ledger_keys_dir": settings.data_dir / "demo-ledger-keys",
        }
    )
    raise typer.Exit(uvloop.run(_run(settings, once=once)))


async def _run(settings: Settings, *, once: bool) -> int:
    url = await _fresh_database(await asyncio.to_thread(database_url, settings))
    await asyncio.to_thread(migrate, url, settings.contract_dir / "migrations")
    shutil.rmtree(settings.log_keys, ignore_errors=True)  # the new database is not what they signed for
    db = Database(url, pool_size=settings.pool_size)
    services = create_services(settings, db, Clock())
    server = _server(services)
    serving = asyncio.create_task(server.serve())
    try:
        async with sequencer_beside(settings, url):
            await _started(server, serving)
            cast = await _cast(services)
            await asyncio.to_thread(tell, cast, _clock_mover(services), civil_date(datetime.now(UTC)))
            cast.made["accounts"] = [await _account(services, cast, *who) for who in STAFF]
            _leave(settings, cast, url, once=once)
            console.print("[bold green]引継ぎは完了しました / the handover was carried to completion[/]")
            if not once:
                with metrics(settings):
                    await serving
        return 0
    except (TsunagiError, StoryBroken) as broken:
        console.print(f"[bold red]途中で止まりました / a step failed:[/] {broken}")
        return 1
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        await db.close()


async def _fresh_database(url: str) -> str:
    """An empty database of the demo's own on the server that `url` names; what `url` itself holds is left alone."""
    base, _, query = url.partition("?")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
    return base.rsplit("/", 1)[0] + "/" + DATABASE + (f"?{query}" if query else "")


def _server(services: Services) -> uvicorn.Server:
    settings = services.settings
    return uvicorn.Server(
        uvicorn.Config(
            create_app(services), host=settings.host, port=settings.port, access_log=False, log_config=None
        )
    )


async def _started(server: uvicorn.Server, serving: "asyncio.Task[None]") -> None:
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the server did not start")
        await asyncio.sleep(0.02)


async def _cast(services: Services) -> Cast:
    """The organizations are in the directory, each with software of its own whose key lies in a file."""
    made_up = organizations()
    folder = services.settings.data_dir / "demo-keys"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    async with services.db.platform() as tx:
        for area in made_up.areas:
            await directory.add_area(tx, area)
    return Cast(
        services.settings.base_url,
        made_up.areas[0],
        transition=await _member(services, folder, "transition", made_up.transition),
        settlement=await _member(services, folder, "settlement", made_up.settlement),
        center=await _member(services, folder, "center", made_up.center),
        auditor=await _member(services, folder, "auditor", made_up.auditor),
    )


async def _member(services: Services, folder: Path, name: str, profile: OrganizationProfile) -> Member:
    key = ECKey.generate_key("P-256")
    path = folder / f"{name}.pem"
    write_private(path, key.as_pem(private=True))
    now = datetime.now(UTC)
    scopes = READ_ONLY if name == "auditor" else frozenset(Scope)
    async with services.db.platform() as tx:
        organization_id: OrganizationId = await directory.add_organization(tx, profile, at=now)
        client_id = await register_client(
            tx,
            now,
            ACTOR,
            name=f"{profile.name}の支援ソフト",
            jwks={"keys": [key.as_dict(private=False)]},
            organizations={organization_id: scopes},
        )
    return Member(name, str(organization_id), profile, client_id, key.thumbprint(), path)


async def _account(services: Services, cast: Cast, of: str, role: Role, name: str) -> dict[str, str]:
    """Somebody who can sign in, with all that they need for it: everything here is made up."""
    (organization,) = [member for member in cast.members if member.role == of]
    password = new_password()
    async with services.db.platform() as tx:
        added = await add_member(
            tx,
            datetime.now(UTC),
            ACTOR,
            organization_id=OrganizationId(UUID(organization.id)),
            login=f"{role}@{of}.example",
            name=name,
            role=role,
            password=password,
        )
    return {
        "login": added.member.login,
        "role": role,
        "name": name,
        "password": password,
        "codeSecret": added.code_secret,
    }


def _clock_mover(services: Services) -> Callable[[date | None], None]:
    """A function that lets it become a day, with all that the clock does until then; None is the real present."""
    loop = asyncio.get_running_loop()

    def move(day: date | None) -> None:
        if day is None:
            services.clock.move_to(datetime.now(UTC))
        else:
            services.clock.move_to_date(day)
        work = asyncio.run_coroutine_threadsafe(advance(services.db, services.clock.now()), loop)
        work.result(MOVE_TIMEOUT_SECONDS)

    return move


def _leave(settings: Settings, cast: Cast, database: str, *, once: bool) -> None:
    """`demo.json` says all that a client needs to go on from here."""
    path = settings.data_dir / "demo.json"
    content: dict[str, Any] = {
        "note": "made-up data / 架空のデータ",
        "baseUrl": cast.base_url,
        "tokenEndpoint": f"{cast.base_url}/oauth2/token",
        "databaseUrl": database,
        "organizations": {member.role: member.as_json() for member in cast.members},
        **cast.made,
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    if once:
        console.print(
            f"{path}: 作られたID。動かし続けるには make demo / what was made; `make demo` keeps serving"
        )
        return
    console.rule("つづきは / to go on from here")
    console.print(
        f"API        {cast.base_url}/v1   (docs: {cast.base_url}/docs, {cast.base_url}/openapi.yaml)"
    )
    console.print(f"ページ pages   {cast.base_url}/")
    for account in cast.made["accounts"]:
        console.print(f"  {account['login']:<28} {account['password']}   {account['name']}")
    console.print(
        "  確認コード / codes: make codes   （認証アプリの代わり / in place of an authenticator app）"
    )
    for member in cast.members:
        console.print(
            f"{member.role:<10} {member.profile.name}  client_id={member.client_id}  key={member.key_file}"
        )
    console.print(
        f"{path} に機関・クライアント・鍵・IDがあります / holds organizations, clients, keys and ids"
    )
