"""The service's own log, from outside: whole, growing, witnessed, and rewritten by somebody whom nothing stops."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from typer.testing import CliRunner

from tests.running import RunningService, running_service
from tests.verifier.foreign import Foreign, NoGo, running
from tests.verifier.logs import tiles
from tsunagi.cli import main as tsunagi
from tsunagi.db import SEQUENCER_ROLE, Database
from tsunagi.ids import ClientId, Stream, opaque_id
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Actor, Entry
from tsunagi.transparency import rules as tree
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys
from tsunagi.transparency.notes import Checkpoint, signed
from tsunagi_verifier import Key, Server, Tree, open_checkpoint
from tsunagi_verifier.command import main
from tsunagi_verifier.cosigning import request
from tsunagi_verifier.witness import Witness, create

pytestmark = pytest.mark.xdist_group("go")

ACTOR = Actor(organization_id=None, client_id=ClientId("test"), staff=None, request_id="r-1")
BATCH = 300
Result = TypeVar("Result")


@dataclass
class Ledger:
    """A running service, and what its operator can do."""

    service: RunningService
    keys: FileKeys

    @property
    def url(self) -> str:
        return f"{self.service.base_url}/ledger"

    @property
    def origin(self) -> str:
        return self.service.services.settings.log_origin

    @property
    def key(self) -> str:
        return str(self.keys.signers()[0].key)

    def writes(self, count: int) -> None:
        """So many entries more, and a checkpoint of all."""

        async def work(db: Database) -> None:
            stream = Stream(opaque_id())
            entry = Entry("people:register", datetime.now(UTC), ACTOR, stream=stream)
            async with db.platform() as tx:
                await ledger.append(tx, *[entry] * count)

        self._run(work)
        self.signs()

    def signs(self) -> None:
        async def work(db: Database) -> None:
            while await Sequencer(db, self.keys, self.origin).sequence(datetime.now(UTC)):
                pass

        self._run(work, role=SEQUENCER_ROLE)

    def rewrites(self, position: int, *, whole: bool, signing: bool) -> None:
        """A superuser, whom no trigger stops, puts another entry at this position; with `whole` the tree is made to
        fit, and with `signing` the stolen key signs for it."""

        async def work(database: asyncpg.Connection) -> None:
            await database.execute("SET session_replication_role = replica")
            other = bytes(31) + b"\x01"
            await database.execute(
                "UPDATE ledger_entries SET commitment = $2"
                " WHERE id = (SELECT entry_id FROM log_entries WHERE position = $1)",
                position,
                other,
            )
            await database.execute(
                "UPDATE log_entries SET commitment = $2 WHERE position = $1", position, other
            )
            rows = await database.fetch("SELECT commitment FROM log_entries ORDER BY position")
            of = tiles([row["commitment"] for row in rows])
            nodes = [
                (level, number * 256 + place, raw[place * 32 : place * 32 + 32])
                for (level, number), raw in of.items()
                for place in range(len(raw) // 32)
                if level
            ]
            if whole:
                await database.executemany(
                    "UPDATE log_nodes SET hash = $3 WHERE level = $1 AND place = $2", nodes
                )
            if signing:
                root = tree.root(len(rows), of)
                note = signed(Checkpoint(self.origin, len(rows), root).text(), *self.keys.signers())
                await database.execute(
                    "UPDATE log_checkpoints SET note = $1, root = $2 WHERE size = $3", note, root, len(rows)
                )

        async def connected() -> None:
            database = await asyncpg.connect(self.service.database_url)
            await work(database)
            await database.close()

        asyncio.run(connected())

    def _run(self, work: Callable[[Database], Awaitable[Result]], **role: Any) -> Result:
        async def run() -> Result:
            db = Database(self.service.database_url, **role)
            try:
                return await work(db)
            finally:
                await db.close()

        return asyncio.run(run())


@pytest.fixture(scope="module")
def go() -> Iterator[Foreign | None]:
    try:
        with running() as foreign:
            yield foreign
    except NoGo:
        yield None  # tests/verifier/test_foreign.py says so


@pytest.fixture
def served(server_url: str, template_url: str, tmp_path: Path) -> Iterator[Ledger]:
    with running_service(server_url, template_url, tmp_path / "data") as service:
        origin = service.services.settings.log_origin
        yield Ledger(service, FileKeys(tmp_path / "ledger-keys", origin))


def verify(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = main([*map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


def foreign(go: Foreign | None, served: Ledger, do: str, **more: Any) -> bool | None:
    return go(do, url=served.url, key=served.key, **more)[0] if go else None


def test_the_services_log_is_good_and_grows(
    served: Ledger, go: Foreign | None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    had = None
    served.signs()
    assert verify(capsys, "log", served.url, "--key", served.key)[1]["size"] == 0
    for count in (1, 254, 1, 1, 400):
        served.writes(count)
        status, said = verify(capsys, "log", served.url, "--key", served.key, "--kept", kept)
        assert status == 0, said
        assert verify(capsys, "growth", served.url, "--key", served.key, "--kept", kept)[0] == 0
        assert foreign(go, served, "all") in (True, None)
        assert had is None or foreign(go, served, "growth", old=had) in (True, None)
        assert foreign(go, served, "entry", index=said["size"] - 1) in (True, None)
        had = kept.read_text()
    assert said["size"] == 657


def test_the_commands_own_word_for_it_is_the_same(served: Ledger, tmp_path: Path) -> None:
    served.writes(3)
    ran = CliRunner().invoke(tsunagi, ["ledger", "verify", "log", served.url, "--key", served.key])
    assert ran.exit_code == 0 and "3件" in ran.output
    served.rewrites(1, whole=False, signing=False)
    ran = CliRunner().invoke(tsunagi, ["ledger", "verify", "log", served.url, "--key", served.key])
    assert ran.exit_code == 1


def test_the_keys_that_the_service_names_are_those_it_signs_with(
    served: Ledger, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    served.writes(5)
    old, keys = served.key, tmp_path / "keys"
    status, said = verify(capsys, "log", served.url, "--keys", keys)
    assert status == 0 and said["warnings"]
    assert keys.read_text() == f"{old}\n"
    new = served.keys.add()
    served.writes(5)
    for trusted in (("--keys", keys), ("--key", new)):
        assert verify(capsys, "log", served.url, *trusted)[0] == 0
    served.keys.retire(Key.read(old).id.hex())
    served.writes(5)
    assert verify(capsys, "log", served.url, "--keys", keys)[0] == 1
    assert verify(capsys, "log", served.url, "--key", new)[0] == 0


@pytest.mark.parametrize(
    ("whole", "signing", "seen_without"),
    [(False, False, True), (True, False, True), (True, True, False)],
    ids=["an entry", "an entry and its tree", "everything, signed with the stolen key"],
)
def test_a_superuser_who_rewrites_history_is_caught_by_a_checkpoint_kept_outside(
    served: Ledger,
    go: Foreign | None,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    whole: bool,
    signing: bool,
    seen_without: bool,
) -> None:
    kept, key = tmp_path / "kept", ["--key", served.key]
    served.writes(BATCH)
    assert verify(capsys, "growth", served.url, *key, "--kept", kept)[0] == 0
    had = kept.read_text()
    served.writes(BATCH)
    assert verify(capsys, "log", served.url, *key, "--kept", tmp_path / "second")[0] == 0
    served.rewrites(77, whole=whole, signing=signing)
    # Whoever has kept nothing cannot know that the log was another one: that is what checkpoints are kept for.
    assert verify(capsys, "log", served.url, *key)[0] == int(seen_without)
    assert foreign(go, served, "all") in (not seen_without, None)
    assert foreign(go, served, "growth", old=had) in (not whole, None)  # it looks at the tree alone
    status, said = verify(capsys, "log", served.url, *key, "--kept", kept)
    assert (status, said["result"]) == (1, "wrong")
    if signing:
        assert said["evidence"]["kept"] == had and "forked" in said["reason"]["en"]
        assert verify(capsys, "growth", served.url, *key, "--kept", tmp_path / "second")[0] == 1
    elif not whole:
        assert said["among"] == [0, 255]  # the tile of an entry is made of the entries
    assert kept.read_text() == had


def test_a_witness_cosigns_the_services_log_until_it_is_rewritten(served: Ledger, tmp_path: Path) -> None:
    served.writes(BATCH)
    create(tmp_path / "witness", "witness.example/w1")
    witness = Witness(tmp_path / "witness", {served.origin: (Key.read(served.key),)})
    log, old = Server(served.url), 0
    for _ in range(2):
        note = log.text("checkpoint")
        now = open_checkpoint(note, [Key.read(served.key)])
        answer = witness.add_checkpoint(request(note, Tree(log, now), old))
        assert answer.status == 200
        assert open_checkpoint(note + answer.content, [Key.read(served.key)], witnesses=[witness.key])
        old = now.size
        served.writes(BATCH)
    served.rewrites(77, whole=True, signing=True)
    note = log.text("checkpoint")
    tampered = Tree(log, open_checkpoint(note, [Key.read(served.key)]))
    assert witness.add_checkpoint(request(note, tampered, old)).status == 422
    log.close()
