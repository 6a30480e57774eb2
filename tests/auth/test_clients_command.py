"""`tsunagi client` on the command line, as an operator uses it."""
# ruff: noqa: ASYNC240  the loop has nothing else to do meanwhile

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, OKPKey
from typer.testing import CliRunner, Result

from tests.auth.assertions import public_jwk
from tests.auth.conftest import Software, add_organization, token_endpoint
from tsunagi.auth.tokens import AccessTokens, SigningKeys
from tsunagi.cli.clients import app
from tsunagi.db import Database
from tsunagi.ids import ClientId, OrganizationId

Run = Callable[..., Awaitable[Result]]
ISSUER = "https://tsunagi.example"


@pytest.fixture
def run(own_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `tsunagi client …` in an empty folder, on a database of its own."""
    monkeypatch.setenv("DATABASE_URL", own_url)
    monkeypatch.setenv("TSUNAGI_BASE_URL", ISSUER)
    monkeypatch.chdir(tmp_path)

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, arguments)

    return invoke


@pytest.fixture
async def organization(own_database: Database) -> OrganizationId:
    async with own_database.platform() as tx:
        return await add_organization(tx)


def software(db: Database, client_id: str, key: ECKey | OKPKey, tmp_path: Path) -> Software:
    tokens = AccessTokens(SigningKeys(tmp_path / "keys"), ISSUER)
    return Software(ClientId(client_id), key, [], token_endpoint(db, tokens))


def told(result: Result, what: str) -> str:
    assert result.exit_code == 0, result.output
    return next(
        line.removeprefix(what).strip() for line in result.output.splitlines() if line.startswith(what)
    )


async def test_a_registered_client_gets_a_token_with_the_key_that_was_made(
    run: Run, own_database: Database, organization: OrganizationId, tmp_path: Path
) -> None:
    result = await run("register", "Kizuna Office", "--organization", str(organization))
    client_id, path = told(result, "client id"), Path(told(result, "private key"))
    key = ECKey.import_key(path.read_bytes())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"BEGIN PRIVATE KEY" in path.read_bytes()
    assert told(result, "key id") == key.thumbprint()
    assert told(result, "issuer") == ISSUER
    assert told(result, "token endpoint") == f"{ISSUER}/oauth2/token"
    caller = await software(own_database, client_id, key, tmp_path).caller()
    assert caller.organization_id == organization


async def test_a_client_may_bring_its_own_keys_name_and_scopes(
    run: Run, own_database: Database, organization: OrganizationId, tmp_path: Path
) -> None:
    key = OKPKey.generate_key("Ed25519")
    Path("jwks.json").write_text(json.dumps({"keys": [public_jwk(key)]}))
    result = await run(
        *("register", "Kizuna Office", "--organization", str(organization), "--client-id", "kizuna-office"),
        *("--scope", "events:read", "--scope", "handovers:read", "--jwks", "jwks.json"),
    )
    assert told(result, "client id") == "kizuna-office"
    assert "private key" not in result.output
    caller = await software(own_database, "kizuna-office", key, tmp_path).caller()
    assert {str(scope) for scope in caller.scopes} == {"events:read", "handovers:read"}


async def test_a_first_afternoon_is_spent_in_the_sandbox(
    run: Run, own_database: Database, organization: OrganizationId, tmp_path: Path
) -> None:
    for profile, status in (("sandbox", 200), ("fapi2", 400)):
        named = ("--organization", str(organization), "--profile", profile, "--key-file", f"{profile}.pem")
        result = await run("register", "Kizuna Office", *named)
        assert told(result, "profile").startswith(profile)
        key = ECKey.import_key(Path(f"{profile}.pem").read_bytes())
        client = software(own_database, told(result, "client id"), key, tmp_path)
        assert (await client.ask(proofs=[])).status == status
    assert (await run("register", "Kizuna Office", *named[:-4], "--profile", "none")).exit_code == 2


async def test_a_rotated_key_takes_over_and_a_revoked_client_is_out(
    run: Run, own_database: Database, organization: OrganizationId, tmp_path: Path
) -> None:
    registered = await run(
        *("register", "Kizuna Office", "--organization", str(organization)),
        *("--client-id", "kizuna-office", "--key-file", "old.json"),
    )
    assert told(registered, "private key") == "old.json"
    jwk = json.loads(Path("old.json").read_bytes())
    assert jwk["kid"] == told(registered, "key id")
    old = ECKey.import_key(jwk)
    told(await run("rotate", "kizuna-office", "--key-file", "new.pem"), "key id")
    new = ECKey.import_key(Path("new.pem").read_bytes())
    client = software(own_database, "kizuna-office", old, tmp_path)
    assert (await client.ask()).status == 200
    client.key = new
    assert (await client.ask()).status == 200
    newest = told(await run("rotate", "kizuna-office", "--overlap-hours", "0"), "private key")
    assert (await client.ask()).status == 401
    client.key = ECKey.import_key(Path(newest).read_bytes())
    assert (await client.ask()).status == 200
    assert (await run("revoke", "kizuna-office")).exit_code == 0
    assert (await client.ask()).status == 401


async def test_what_fails_leaves_no_key_behind_and_overwrites_none(
    run: Run, organization: OrganizationId, tmp_path: Path
) -> None:
    unknown = await run(
        *("register", "Kizuna Office", "--organization", "00000000-0000-4000-8000-000000000000"),
        *("--key-file", "new.pem"),
    )
    assert unknown.exit_code == 1
    assert "no such organization" in unknown.output
    assert not Path("new.pem").exists()
    Path("mine.pem").write_text("precious")
    overwriting = await run(
        "register", "Kizuna Office", "--organization", str(organization), "--key-file", "mine.pem"
    )
    assert overwriting.exit_code == 2
    assert Path("mine.pem").read_text() == "precious"
    assert (await run("revoke", "nobody")).exit_code == 1
    assert (await run("rotate", "nobody", "--key-file", "new.pem")).exit_code == 1
    assert not Path("new.pem").exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"keys": []}', '{"kty": "oct", "k": "AAAA"}'])
async def test_a_key_set_that_cannot_be_used_is_refused(
    run: Run, organization: OrganizationId, content: str
) -> None:
    Path("jwks.json").write_text(content)
    result = await run(
        "register", "Kizuna Office", "--organization", str(organization), "--jwks", "jwks.json"
    )
    assert result.exit_code in (1, 2), result.output
    assert "Traceback" not in result.output


async def test_a_private_key_is_refused_with_a_warning(run: Run, organization: OrganizationId) -> None:
    private = ECKey.generate_key("P-256").as_dict(private=True)
    Path("jwks.json").write_text(json.dumps(private))
    result = await run(
        "register", "Kizuna Office", "--organization", str(organization), "--jwks", "jwks.json"
    )
    assert result.exit_code == 1
    assert "stop using this private one" in result.output
    assert str(private["d"]) not in result.output
