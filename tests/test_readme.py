"""The README's snippets work as they stand, in both languages, pasted one after another."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.running import RunningService, running_service
from tests.world import ROOT
from tsunagi.auth.actions import register_client
from tsunagi.auth.rules import Scope
from tsunagi.db import Database
from tsunagi.ids import OrganizationId
from tsunagi.ledger.rules import PLATFORM, Actor


@pytest.fixture
def running(server_url: str, template_url: str, tmp_path: Path) -> Any:
    with running_service(server_url, template_url, tmp_path / "data") as service:
        yield service


@pytest.fixture
async def folder(running: RunningService, tmp_path: Path) -> Path:
    """A clone as the reader has it while the demo is served."""
    here = tmp_path / "clone"
    (here / ".tsunagi").mkdir(parents=True)
    (here / "schemas").symlink_to(ROOT / "schemas")
    (here / ".venv" / "bin").mkdir(parents=True)
    (here / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (here / ".venv" / "bin" / "python").chmod(0o755)
    members = {"settlement": running.settlement, "center": running.center}
    organizations = {role: await member(running, here, role, who) for role, who in members.items()}
    demo = {"baseUrl": running.base_url, "organizations": organizations}
    (here / ".tsunagi" / "demo.json").write_text(json.dumps(demo))
    return here


async def member(
    running: RunningService, here: Path, role: str, organization: OrganizationId
) -> dict[str, str]:
    key = ECKey.generate_key("P-256")
    path = here / f"{role}.pem"
    path.write_bytes(key.as_pem(private=True))
    database = Database(running.database_url)
    async with database.platform() as tx:
        client_id = await register_client(
            tx,
            datetime.now(UTC),
            Actor(None, PLATFORM, None, "test"),
            name=role,
            jwks={"keys": [key.as_dict(private=False)]},
            organizations={organization: frozenset(Scope)},
        )
    await database.close()
    return {"id": str(organization), "clientId": client_id, "kid": key.thumbprint(), "keyFile": str(path)}


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_first_handover_goes_as_the_readme_says(folder: Path, readme: str) -> None:
    snippets = re.findall(r"```sh\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)[1:]
    assert len(snippets) == 5
    script = "set -euo pipefail\n" + "\n".join(snippets)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert json.loads((folder / ".tsunagi/try/received.json").read_text())["withheld"]
    assert '"holder": {' in done.stdout
