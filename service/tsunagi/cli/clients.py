"""`tsunagi client`: which software may call, and for whom."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

import typer
from joserfc.jwk import ECKey

from tsunagi import strict_json
from tsunagi.auth import actions, server
from tsunagi.auth.rules import Profile, Scope, accept_keys, acceptable_client_id
from tsunagi.cli.context import database
from tsunagi.db import WriteTx
from tsunagi.errors import Refusal
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.ledger.rules import PLATFORM, Actor
from tsunagi.secret_files import write_private
from tsunagi.settings import Settings

app = typer.Typer(
    help="Register the software that may call, change its keys, revoke it.", no_args_is_help=True
)

Result = TypeVar("Result")
KeyFile = Annotated[
    Path | None,
    typer.Option(help="Where the new private key goes: PKCS #8 PEM, or a JWK when the name ends in .json."),
]
PublicKeys = Annotated[
    Path | None, typer.Option(help="A JWK or JWK Set of public keys, when the client made its own.")
]


_PROFILES: Mapping[Profile, str] = {
    "fapi2": "tokens are bound to a key (DPoP)",
    "smart": "tokens are bound to a key (DPoP); 'scope' is required, 'aud' may be the token endpoint",
    "sandbox": "whoever sees a token can use it; made-up data only",
}

AsProfile = Annotated[
    Profile,
    typer.Option(
        help="fapi2: the rule. smart: SMART Backend Services. sandbox: tokens work without DPoP proofs,"
        " for a first afternoon with made-up data."
    ),
]


@app.command()
def register(
    name: str,
    *,
    organization: Annotated[list[UUID], typer.Option(help="An organization it acts for; may be repeated.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do; may be repeated. Everything when absent.")
    ] = None,
    profile: AsProfile = "fapi2",
    client_id: Annotated[str | None, typer.Option(help="Its id; a new UUID when absent.")] = None,
    key_file: KeyFile = None,
    jwks: PublicKeys = None,
) -> None:
    """Register a client. Without --jwks a key pair is made for it, for ES256."""
    issuer = _issuer()
    new_id = acceptable_client_id(client_id or str(uuid4()))
    if new_id is None:
        raise typer.BadParameter("A client id has 3 to 100 letters, digits, '.', '_', '~' or '-'.")
    granted = {OrganizationId(served): frozenset(scope or Scope) for served in organization}
    with _keys(jwks, key_file or Path(f"{new_id}.pem")) as keys:

        async def work(tx: WriteTx) -> None:
            await actions.register_client(
                tx,
                _now(),
                _operator(),
                name=name,
                jwks=keys,
                organizations=granted,
                client_id=new_id,
                profile=profile,
            )

        _run(work)
    _describe(new_id, keys, issuer)
    typer.echo(f"profile         {profile}: {_PROFILES[profile]}")


@app.command()
def rotate(
    client_id: str,
    *,
    key_file: KeyFile = None,
    jwks: PublicKeys = None,
    overlap_hours: Annotated[
        int,
        typer.Option(
            min=0, max=720, help="How long the old keys stay valid; 0 revokes them, as after a leak."
        ),
    ] = 24,
) -> None:
    """Give a client a new key. The old ones stay valid for a while, so that it never stands still."""
    issuer = _issuer()
    made = Path(f"{client_id}-{_now():%Y%m%dT%H%M%S}.pem")
    with _keys(jwks, key_file or made) as keys:

        async def work(tx: WriteTx) -> None:
            await actions.rotate_key(
                tx,
                _now(),
                _operator(),
                client_id=ClientId(client_id),
                jwk=_only(keys),
                overlap=timedelta(hours=overlap_hours),
            )

        _run(work)
    _describe(client_id, keys, issuer)


@app.command()
def revoke(client_id: str) -> None:
    """Revoke a client: it gets no more tokens, and those it has are refused within a second."""

    async def work(tx: WriteTx) -> None:
        await actions.revoke_client(tx, _now(), _operator(), client_id=ClientId(client_id))

    _run(work)
    typer.echo(f"revoked {client_id}")


@contextmanager
def _keys(jwks: Path | None, key_file: Path) -> Iterator[Mapping[str, Any]]:
    """The client's public keys. When they are made here, the private one lies in `key_file`, unless the block
    fails."""
    if jwks is not None:
        yield _read_keys(jwks)
        return
    key = ECKey.generate_key("P-256")
    public = {**key.as_dict(private=False), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}
    try:
        write_private(key_file, _encoded(key, public, as_jwk=key_file.suffix == ".json"))
    except OSError as error:
        raise typer.BadParameter(f"{key_file}: {error.strerror}") from None
    try:
        yield {"keys": [public]}
    except BaseException:
        key_file.unlink()
        raise
    typer.echo(f"private key     {key_file}")


def _encoded(key: ECKey, public: Mapping[str, Any], *, as_jwk: bool) -> bytes:
    if not as_jwk:
        return key.as_pem(private=True)
    return json.dumps({**public, **key.as_dict(private=True)}, indent=2).encode()


def _read_keys(path: Path) -> Mapping[str, Any]:
    try:
        value = strict_json.parse(path.read_bytes())
    except (OSError, Refusal):
        raise typer.BadParameter(f"{path}: not a JSON file that can be read") from None
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{path}: neither a JWK nor a JWK Set")
    return value if "keys" in value else {"keys": [value]}


def _only(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    if len(keys["keys"]) != 1:
        raise typer.BadParameter("One new key at a time.")
    only: Mapping[str, Any] = keys["keys"][0]
    return only


def _run(work: Callable[[WriteTx], Awaitable[None]]) -> None:
    """`work` is done and committed, or the command ends with what stands against it."""

    async def run() -> None:
        async with database() as db, db.platform() as tx:
            await work(tx)

    try:
        asyncio.run(run())
    except Refusal as refusal:
        for text in [notice.message for notice in refusal.errors] or [refusal.title]:
            typer.echo(f"{text.en} ({text.ja})", err=True)
        raise typer.Exit(1) from None


def _issuer() -> str:
    try:
        return server.issuer_of(Settings().base_url)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _describe(client_id: str, keys: Mapping[str, Any], issuer: str) -> None:
    typer.echo(f"client id       {client_id}")
    for key in accept_keys(keys):
        typer.echo(f"key id          {key.kid}")
    typer.echo(f"issuer          {issuer}")
    typer.echo(f"token endpoint  {issuer}{server.TOKEN_PATH}")


def _operator() -> Actor:
    """Whoever may run commands on the platform's own machine acts as the platform."""
    return Actor(None, PLATFORM, None, f"cli-{uuid4()}")


def _now() -> datetime:
    return datetime.now(UTC)
