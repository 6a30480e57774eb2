"""`python -m bench`: runs everything and writes bench/out/latest.json. See bench/README.md."""

import asyncio
import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from bench import load
from bench.load import Result, request
from tsunagi import embedded
from tsunagi.auth.rules import Caller, Scope
from tsunagi.auth.server import issuer_of
from tsunagi.auth.tokens import AccessTokens, SigningKeys
from tsunagi.cli.context import database
from tsunagi.cli.serving import free_port
from tsunagi.clock import civil_date
from tsunagi.directory import store as directory
from tsunagi.ids import ClientId, OrganizationId
from tsunagi.settings import Settings
from tsunagi.synthetic.cases import case
from tsunagi.synthetic.consents import consent
from tsunagi.synthetic.organizations import organizations

ROOT = Path(__file__).parents[1]
OUT = ROOT / "bench" / "out" / "latest.json"
CONNECTIONS = (1, 16)
HANDOVERS = 200
ROUNDS = 3
TODAY = civil_date(datetime.now(UTC))
REQUESTS = {"post": 300, "read": 600, "list": 400, "responsibility": 600, "echo": 3000}
BUSY_LOAD = 0.5
"""More of a core than this used by others before a round, and the run says that it was disturbed."""


@dataclass(frozen=True)
class Scene:
    """A running service with handovers in it."""

    port: int
    pid: int
    tokens: AccessTokens
    sender: OrganizationId
    receiver: OrganizationId

    def headers(self, organization: OrganizationId) -> dict[str, str]:
        caller = Caller(organization, ClientId("bench"), frozenset(Scope))
        return {"Authorization": f"Bearer {self.tokens.issue(caller, datetime.now(UTC))}"}


async def measured(folder: Path) -> dict[str, Any]:
    """The results of a run whose database lies in `folder`."""
    port = free_port()
    settings = Settings(data_dir=folder, base_url=f"http://127.0.0.1:{port}", port=port)
    async with _scene(settings) as scene, _floor() as floor:
        return await _measure(scene, floor)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tsunagi-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        results = asyncio.run(measured(Path(folder)))
        embedded.stop(Path(folder))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n")
    _print(results)


@contextlib.asynccontextmanager
async def _scene(settings: Settings) -> AsyncIterator[Scene]:
    """A service of one process over an embedded database, with HANDOVERS offered handovers."""
    made_up = organizations()
    async with database(settings) as db:
        async with db.write() as tx:
            for area in made_up.areas:
                await directory.add_area(tx, area)
            now = datetime.now(UTC)
            sender = await directory.add_organization(tx, made_up.settlement, at=now)
            receiver = await directory.add_organization(tx, made_up.center, at=now)
        tokens = AccessTokens(SigningKeys(settings.data_dir / "keys"), issuer_of(settings.base_url))
        with _process([sys.executable, "-m", "bench.serve"], settings) as process:
            yield Scene(settings.port, process.pid, tokens, sender, receiver)


@contextlib.asynccontextmanager
async def _floor() -> AsyncIterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.floor:app", "--port", str(port), "--no-access-log"]
    with _process([*command, "--log-level", "error"], None, port):
        yield port


@contextlib.contextmanager
def _process(
    command: list[str], settings: Settings | None, port: int = 0
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of ours that listens; it ends with the block."""
    env = dict(os.environ)
    if settings is not None:
        port = settings.port
        env |= {
            "TSUNAGI_DATA_DIR": str(settings.data_dir),
            "TSUNAGI_BASE_URL": settings.base_url,
            "TSUNAGI_PORT": str(port),
        }
    process = subprocess.Popen(command, cwd=ROOT, env=env)
    try:
        _wait_for(port, process)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise RuntimeError("a process of the benchmark did not start")


async def _measure(scene: Scene, floor: int) -> dict[str, Any]:
    """Rounds are interleaved, so that a slow minute of the machine meets all alike; medians are kept."""
    ids = await _fill(scene)
    work = _work(scene, ids)
    disturbed = False
    rounds: dict[str, list[dict[str, float]]] = {}
    posted = HANDOVERS
    for turn in range(ROUNDS):
        disturbed |= psutil.cpu_percent(interval=0.5) / 100 * (os.cpu_count() or 1) > BUSY_LOAD
        for connections in CONNECTIONS:
            for name, make in work.items():
                port = floor if name == "echo" else scene.port
                sent = make or _posts(scene, posted, REQUESTS["post"])
                posted += 0 if make else REQUESTS["post"]
                result, cpu = await _timed(scene, port, sent, connections, REQUESTS[name])
                rounds.setdefault(f"{name}@{connections}", []).append(_figures(result, cpu))
        print(f"round {turn + 1} of {ROUNDS}", file=sys.stderr)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "disturbed": disturbed,
        "results": {name: _median(figures) for name, figures in rounds.items()},
        "ratios": _ratios({name: _median(figures) for name, figures in rounds.items()}),
    }


async def _timed(
    scene: Scene, port: int, make: load.Request, connections: int, requests: int
) -> tuple[Result, float]:
    before = psutil.Process(scene.pid).cpu_times()
    result = await load.run(port, make, connections=connections, requests=requests)
    after = psutil.Process(scene.pid).cpu_times()
    return result, (after.user + after.system - before.user - before.system) / requests * 1000


def _figures(result: Result, cpu_ms: float) -> dict[str, float]:
    figures = asdict(result) | {"rate": result.rate, "cpu_ms": cpu_ms}
    return {name: round(float(value), 3) for name, value in figures.items()}


def _median(figures: list[dict[str, float]]) -> dict[str, float]:
    return sorted(figures, key=lambda one: one["rate"])[len(figures) // 2]


def _ratios(results: dict[str, dict[str, float]]) -> dict[str, float]:
    """Each rate against the bare HTTP stack's at as many connections."""
    return {
        name: round(figures["rate"] / results[f"echo@{name.partition('@')[2]}"]["rate"], 4)
        for name, figures in results.items()
        if not name.startswith("echo")
    }


async def _fill(scene: Scene) -> list[tuple[str, str]]:
    """HANDOVERS offered handovers; their ids and their people's."""
    bodies = await _call_all(scene, [_record(scene, number) for number in range(HANDOVERS)], "/v1/handovers")
    made = [(body["id"], body["personId"]) for body in bodies]
    consents = [
        consent(_record(scene, number), person_id, [scene.receiver], given_on=TODAY)
        for number, (_, person_id) in enumerate(made)
    ]
    await _call_all(scene, consents, "/v1/consents")
    for handover_id, _ in made:
        await _call_all(scene, [{}], f"/v1/handovers/{handover_id}/offer")
    return made


def _record(scene: Scene, number: int) -> dict[str, Any]:
    planned = TODAY + timedelta(days=100)
    return case(
        number,
        handover_type="settlement_to_center",
        planned_date=planned,
        receiver_id=scene.receiver,
        written_on=TODAY,
    )


async def _call_all(scene: Scene, bodies: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    headers = scene.headers(scene.sender) | {"Content-Type": "application/json"}
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.port)
    for number, body in enumerate(bodies):
        keyed = headers | {"Idempotency-Key": f"fill{path}-{number}"}
        writer.write(request("POST", path, headers=keyed, body=json.dumps(body, ensure_ascii=False).encode()))
        answers.append(json.loads(await load.answer(reader)))
    writer.close()
    return answers


def _posts(scene: Scene, first: int, count: int) -> load.Request:
    headers = scene.headers(scene.sender) | {"Content-Type": "application/json"}
    bodies = [json.dumps(_record(scene, first + n), ensure_ascii=False).encode() for n in range(count)]

    def make(number: int) -> bytes:
        keyed = headers | {"Idempotency-Key": f"post-{first + number}"}
        return request("POST", "/v1/handovers", headers=keyed, body=bodies[number])

    return make


def _work(scene: Scene, made: list[tuple[str, str]]) -> dict[str, load.Request | None]:
    def get(path: str, index: int) -> load.Request:
        headers = scene.headers(scene.receiver)  # lives for five minutes: longer than all rounds

        def make(number: int) -> bytes:
            return request("GET", path.format(made[number % len(made)][index]), headers=headers)

        return make

    return {
        "echo": lambda _number: request("GET", "/"),
        "post": None,  # each round posts other people
        "read": get("/v1/handovers/{}", 0),
        "list": get("/v1/handovers?limit=50", 0),
        "responsibility": get("/v1/people/{}/responsibility", 1),
    }


def _print(results: dict[str, Any]) -> None:
    for name, figures in results["results"].items():
        ratio = results["ratios"].get(name)
        print(
            f"{name:<18} {figures['rate']:>8.0f}/s  p50 {figures['p50_ms']:>7.2f} ms  p99 {figures['p99_ms']:>7.2f} ms"
            f"  server CPU {figures['cpu_ms']:>6.2f} ms" + (f"  {ratio:.3f} of echo" if ratio else "")
        )
    if results["disturbed"]:
        print("disturbed: something else used the machine while this ran")


if __name__ == "__main__":
    main()
