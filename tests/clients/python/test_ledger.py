"""What the ledger proves, as software of a provider checks it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clients.python.faces import Software, done, items
from tsunagi.db import Database
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys
from tsunagi_client.proof import Refused, Unchecked, verify_growth, verify_receipt
from tsunagi_verifier.command import main


@pytest.fixture(scope="session")
def sequencer(
    software_origin: str, registry: Database, tmp_path_factory: pytest.TempPathFactory
) -> Sequencer:
    keys = FileKeys(tmp_path_factory.mktemp("ledger") / "keys", software_origin)
    return Sequencer(registry, keys, software_origin)


@pytest.fixture(scope="session")
def software_origin(service: Any) -> str:
    return str(service.services.settings.log_origin)


def key_of(sequencer: Sequencer) -> str:
    return str(sequencer.keys.signers()[0].key)


async def test_a_receipt_is_verified_and_a_changed_one_refused(
    software: Software, sequencer: Sequencer, tmp_path: Path
) -> None:
    sender = software.client()
    receiver = sender.acting(organization=str(software.receiving))
    offered = await software.offered(sender)
    await done(receiver.handovers.get(offered["id"]))
    await sequencer.sequence(datetime.now(UTC))
    receipt = await done(sender.ledger.receipt(offered["id"]))
    keys = [key_of(sequencer)]

    proven = verify_receipt(receipt, keys)
    assert proven.handover_id == offered["id"]
    assert [entry.body and entry.body["action"] for entry, _ in proven.proven] == [
        "handovers:create",
        "handovers:offer",
        "handovers:receive",
        "handovers:read",
    ]
    assert not proven.waiting and not proven.hidden
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    url = f"{software.service.base_url}/ledger"
    assert main(["receipt", str(tmp_path / "receipt.json"), "--key", keys[0], "--log", url]) == 0

    receipt["steps"][1]["at"] = "2026-11-19T00:00:00+09:00"
    with pytest.raises(Refused):
        verify_receipt(receipt, keys)


async def test_a_receipt_whose_steps_are_not_all_for_the_receiver_is_verified(
    software: Software, sequencer: Sequencer
) -> None:
    sender = software.client()
    receiver = sender.acting(organization=str(software.receiving))
    offered = await software.offered(sender)
    await done(receiver.handovers.get(offered["id"]))
    await done(receiver.handovers.decline(offered["id"], "capacity"))
    await sequencer.sequence(datetime.now(UTC))
    proven = verify_receipt(await done(receiver.ledger.receipt(offered["id"])), [key_of(sequencer)])
    assert [entry.body is None for entry, _ in proven.proven] == [True, False, False, False]
    assert len(proven.hidden) == 1


async def test_what_was_written_just_now_waits(software: Software, sequencer: Sequencer) -> None:
    sender = software.client()
    offered = await software.offered(sender)
    proven = verify_receipt(await done(sender.ledger.receipt(offered["id"])), [key_of(sequencer)])
    assert len(proven.waiting) == 2 and not proven.proven


async def test_entries_are_listed_and_verified(
    software: Software, sequencer: Sequencer, tmp_path: Path
) -> None:
    sender = software.client()
    offered = await software.offered(sender)
    await sequencer.sequence(datetime.now(UTC))
    found = await items(sender.ledger.entries(handover_id=offered["id"], page_size=2))
    found = [one for one in found if one["position"] is not None]  # its own looks come after, and wait
    assert [json.loads(one["body"])["action"] for one in found] == ["handovers:create", "handovers:offer"]
    (tmp_path / "entries.json").write_text(json.dumps(found))
    url = f"{software.service.base_url}/ledger"
    asked = ["entries", str(tmp_path / "entries.json"), "--log", url, "--key", key_of(sequencer)]
    assert main(asked) == 0
    assert await items(sender.ledger.entries(outcome="deny", until="2020-01-01T00:00:00Z")) == []


async def test_growth_is_verified_and_kept(software: Software, sequencer: Sequencer, tmp_path: Path) -> None:
    sender, kept, keys = software.client(), tmp_path / "kept", [key_of(sequencer)]
    url = software.service.base_url
    sizes = []
    for _ in range(2):
        await software.offered(sender)
        await sequencer.sequence(datetime.now(UTC))
        sizes.append(verify_growth(url, kept, keys).size)
    assert sizes[0] < sizes[1]
    had = kept.read_text()
    kept.write_text(had.replace("\n", "x\n", 1))
    with pytest.raises(Unchecked):
        verify_growth(url, kept, keys)
