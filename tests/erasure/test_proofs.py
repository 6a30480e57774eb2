"""Whoever kept a receipt, or a checkpoint, can verify it after the person has been erased."""

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.erasure.test_actions import completed, erased
from tests.world import World
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys
from tsunagi_verifier import Checkpoint, Folder, Tree
from tsunagi_verifier.receipts import check_receipt
from tsunagi_verifier.trust import Trust, read_keys

ORIGIN = "127.0.0.1:8080/ledger"


async def published(world: World, folder: Path) -> tuple[Folder, Checkpoint, Trust]:
    """The log as anybody gets it, in files."""
    trust = Trust(read_keys((await world.http.get("/ledger/keys")).text.splitlines()))
    note = (await world.http.get("/ledger/checkpoint")).text
    checkpoint = trust.open(note)
    for path in (f"tile/0/000.p/{checkpoint.size}", f"tile/entries/000.p/{checkpoint.size}"):
        answer = await world.http.get(f"/ledger/{path}")
        assert answer.status_code == 200, path
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(answer.content)
    (folder / "checkpoint").write_text(note)
    return Folder(folder), checkpoint, trust


async def test_every_proof_still_verifies(world: World, tmp_path: Path) -> None:
    sequencer = Sequencer(world.services.db, FileKeys(tmp_path / "keys", ORIGIN), ORIGIN)
    found = await completed(world, 1)
    await sequencer.sequence(datetime.now(UTC))
    receipt = (await world.settlement.get(f"/v1/handovers/{found['id']}/receipt")).json()
    _, kept, trust = await published(world, tmp_path / "before")

    await erased(world, found)
    await sequencer.sequence(datetime.now(UTC))
    log, checkpoint, _ = await published(world, tmp_path / "after")
    assert checkpoint.size > kept.size
    tree = Tree(log, checkpoint)
    tree.walk()
    assert tree.root_of(kept.size) == kept.root
    assert len(check_receipt(receipt, trust).proven) == len(receipt["steps"])
    stream = receipt["steps"][0]["entry"]["stream"]
    assert (await world.settlement.get(f"/v1/handovers/{found['id']}/receipt")).status_code == 404
    left = (await world.auditor.get(f"/v1/ledger/entries?stream={stream}")).json()["items"]
    assert [one["number"] for one in left] == list(range(1, len(left) + 1))
    told = [json.loads(one["body"])["action"] for one in left if one["body"]]
    assert told == ["people:erase"]
    assert (await world.other.get(f"/v1/ledger/entries?stream={stream}")).json()["items"] == []
