"""Receipts and entries over HTTP: what is shown to whom, and that outsiders can verify it."""

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import rfc8785

from tests.crowd import offer, record_of
from tests.world import EXAMPLES, World
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys
from tsunagi.transparency.notes import Key as SigningKey
from tsunagi_verifier.merkle import Refused
from tsunagi_verifier.notes import Key, open_checkpoint
from tsunagi_verifier.proofs import read_proof

ORIGIN = "127.0.0.1:8080/ledger"


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    return FileKeys(tmp_path / "ledger-keys", ORIGIN)


@pytest.fixture
def sequenced(world: World, keys: FileKeys) -> Callable[[], Awaitable[int]]:
    """Lets the sequencer work once; returns how many entries it took."""
    sequencer = Sequencer(world.services.db, keys, ORIGIN)
    return lambda: sequencer.sequence(datetime.now(UTC))


Sequenced = Callable[[], Awaitable[int]]


def verified(step: dict[str, Any], key: SigningKey) -> dict[str, Any]:
    """What the entry of a step says, after all of it has been checked."""
    entry = step["entry"]
    commitment = hashlib.sha256(base64.b64decode(entry["salt"]) + entry["body"].encode()).digest()
    assert commitment.hex() == entry["commitment"]
    proof = read_proof(step["proof"])
    assert proof.index == entry["position"]
    proof.check(commitment, Key.read(str(key)), origin=ORIGIN)
    said: dict[str, Any] = json.loads(entry["body"])
    return said


def names(receipt: dict[str, Any]) -> list[str]:
    return [step["action"].partition(":")[2] for step in receipt["steps"]]


async def test_a_receipt_proves_what_was_delivered(
    world: World, keys: FileKeys, sequenced: Sequenced
) -> None:
    offered = await offer(world)
    path = f"/v1/handovers/{offered['id']}"
    read = (await world.center.get(path)).json()
    await world.center.get(path)
    answers = {"domains": [{"domain": one["domain"], "decision": "accept"} for one in offered["domains"]]}
    await world.center.post(f"{path}/accept", answers)
    await sequenced()
    receipt = (await world.settlement.get(f"{path}/receipt")).json()
    (key,) = (one.key for one in keys.signers())
    assert receipt["keys"] == [str(key)]
    assert open_checkpoint(receipt["checkpoint"], [Key.read(str(key))], origin=ORIGIN).size > 5
    assert names(receipt) == ["create", "offer", "receive", "read", "accept"]
    said = [verified(step, key) for step in receipt["steps"]]
    assert [one["number"] for one in said] == sorted(one["number"] for one in said)
    reading = said[3]
    assert reading["actor"]["organization"] == str(world.center.id)
    assert reading["sections"] == list(read["record"]["sections"])
    shown = {
        name: hashlib.sha256(rfc8785.dumps(section)).hexdigest()
        for name, section in read["record"]["sections"].items()
    }
    assert reading["content"] == hashlib.sha256(rfc8785.dumps(shown)).hexdigest()
    other = SigningKey(ORIGIN, bytes(32))
    with pytest.raises(Refused):
        verified(receipt["steps"][0], other)


async def test_what_is_not_in_the_log_yet_has_no_proof(world: World, sequenced: Sequenced) -> None:
    offered = await offer(world)
    path = f"/v1/handovers/{offered['id']}"
    receipt = (await world.settlement.get(f"{path}/receipt")).json()
    assert (receipt["checkpoint"], receipt["keys"]) == (None, [])
    assert [(one["entry"]["position"], one["proof"]) for one in receipt["steps"]] == [(None, None)] * 2
    await sequenced()
    await world.center.get(path)
    receipt = (await world.settlement.get(f"{path}/receipt")).json()
    assert [one["proof"] is None for one in receipt["steps"]] == [False, False, True, True]


async def test_each_version_is_read_for_the_first_time_once(world: World, sequenced: Sequenced) -> None:
    offered = await offer(world)
    path = f"/v1/handovers/{offered['id']}"
    record = (await world.settlement.get(path)).json()["record"]
    for _ in range(2):
        await world.center.get(path)
        await world.center.get("/v1/handovers/export")
        await world.settlement.put(path, record, If_Match="*")
    receipt = (await world.settlement.get(f"{path}/receipt")).json()
    reads = [one["recordVersion"] for one in receipt["steps"] if one["action"] == "handovers:read"]
    assert reads == [1, 2]
    assert names(receipt).count("export") == 0


async def test_the_receiver_has_the_receipt_from_the_offer_on(world: World) -> None:
    world.on("2026-03-02")
    drafted = await world.consented()
    path = f"/v1/handovers/{drafted['id']}"
    assert (await world.center.get(f"{path}/receipt")).status_code == 404
    await world.settlement.post(f"{path}/offer")
    before = (await world.center.get(f"{path}/receipt")).json()
    assert names(before) == ["offer"]
    assert (before["steps"][0]["entry"]["body"], before["steps"][0]["entry"]["salt"]) == (None, None)
    world.on("2026-10-02")
    await world.center.get(path)
    opened = (await world.center.get(f"{path}/receipt")).json()
    assert names(opened) == ["offer", "receive", "read"]
    assert all(one["entry"]["body"] for one in opened["steps"])


async def test_after_the_end_the_receiver_keeps_what_it_did_itself(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    await world.center.post(f"{path}/decline", {"reason": {"code": "capacity"}})
    receipt = (await world.center.get(f"{path}/receipt")).json()
    assert names(receipt) == ["offer", "receive", "read", "decline"]
    assert [one["entry"]["body"] is None for one in receipt["steps"]] == [True, False, False, False]


async def test_a_receipt_is_for_the_two_sides(world: World) -> None:
    received = await world.received()
    for whose in (world.other, world.auditor, world.transition):
        assert (await whose.get(f"/v1/handovers/{received['id']}/receipt")).status_code == 404
    assert (await world.settlement.get(f"/v1/handovers/{uuid4()}/receipt")).status_code == 404


async def actions(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [json.loads(one["body"])["action"] for one in answer.json()["items"]]


async def test_an_organization_sees_its_own_acts(world: World) -> None:
    received = await world.received()
    of = f"?handoverId={received['id']}"
    assert await actions(await world.center.get("/v1/ledger/entries")) == [
        "handovers:receive",
        "handovers:read",
    ]
    assert await actions(await world.settlement.get(f"/v1/ledger/entries{of}")) == [
        "handovers:create",
        "handovers:offer",
    ]
    assert await actions(await world.center.get(f"/v1/ledger/entries{of}")) == [
        "handovers:receive",
        "handovers:read",
    ]
    assert await actions(await world.other.get("/v1/ledger/entries")) == []
    assert (await world.other.get(f"/v1/ledger/entries{of}")).status_code == 404
    person = f"?personId={received['personId']}"
    assert (await world.other.get(f"/v1/ledger/entries{person}")).status_code == 404
    assert (
        await actions(await world.center.get("/v1/ledger/entries?action=ledger:read")) == ["ledger:read"] * 2
    )


async def test_an_auditor_sees_everything_about_the_people_of_its_remit(world: World) -> None:
    received = await world.received()
    person = f"/v1/ledger/entries?personId={received['personId']}"
    seen = (await world.auditor.get(person)).json()["items"]
    assert [one["number"] for one in seen] == [1, 2, 3, 4, 5, 6]
    assert {one["stream"] for one in seen} == {seen[0]["stream"]}
    for one in seen:
        commitment = hashlib.sha256(base64.b64decode(one["salt"]) + one["body"].encode()).hexdigest()
        assert commitment == one["commitment"]
    by_stream = (await world.auditor.get(f"/v1/ledger/entries?stream={seen[0]['stream']}")).json()["items"]
    assert by_stream[:6] == seen
    everything = await actions(await world.auditor.get("/v1/ledger/entries?outcome=permit"))
    assert everything[:6] == [json.loads(one["body"])["action"] for one in seen]
    assert await actions(await world.auditor.get("/v1/ledger/entries?outcome=deny")) == []
    period = "&from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z"
    assert len(await actions(await world.auditor.get(f"{person}{period}&action=handovers:read"))) == 1
    past = "&from=2026-11-18T00:00:00Z&to=2026-11-19T00:00:00Z"
    assert await actions(await world.auditor.get(person + past)) == []
    by = f"&organizationId={world.center.id}"
    assert await actions(await world.auditor.get(person + by)) == ["handovers:receive", "handovers:read"]


async def test_what_is_asked_for_together_must_hold_together(world: World) -> None:
    first, second = await offer(world, 1), await offer(world, 2)
    path = f"/v1/ledger/entries?personId={first['personId']}"
    ours = await actions(await world.auditor.get(f"{path}&handoverId={first['id']}"))
    assert ours == ["handovers:create", "handovers:offer"]
    assert await actions(await world.auditor.get(f"{path}&handoverId={second['id']}")) == []
    theirs = (await world.auditor.get(f"/v1/ledger/entries?personId={second['personId']}")).json()["items"]
    other = f"{path}&stream={theirs[0]['stream']}"
    assert (await world.auditor.get(other)).status_code == 404


async def test_pages_of_entries_follow_one_another(world: World) -> None:
    for number in range(3):
        await offer(world, number)
    whole = (await world.settlement.get("/v1/ledger/entries?action=handovers:create")).json()["items"]
    assert len(whole) == 3
    paged, path = [], "/v1/ledger/entries?action=handovers:create&limit=1"
    while path:
        answer = await world.settlement.get(path)
        paged += answer.json()["items"]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert paged == whole


async def test_looking_at_the_ledger_comes_to_an_end(world: World) -> None:
    """Though each look is an entry, and every page of one adds one."""
    await offer(world)
    for whose in (world.settlement, world.auditor):
        path, seen = "/v1/ledger/entries?limit=1", 0
        while path:
            answer = await whose.get(path)
            seen += len(answer.json()["items"])
            assert seen < 20
            path = answer.links["next"]["url"] if "next" in answer.links else ""
        assert seen >= 4


async def test_the_walk_of_an_auditor_goes_on_where_it_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tsunagi.audit.actions.BATCH", 3)
    monkeypatch.setattr("tsunagi.audit.actions.BATCHES_PER_PAGE", 2)
    for number in (1, 2):  # never offered, and so not of the auditor's remit
        await world.settlement.post("/v1/handovers", record_of(world, number))
    received = await world.received()
    wanted = (await world.auditor.get(f"/v1/ledger/entries?personId={received['personId']}")).json()["items"]
    found: list[Any] = []
    answer = await world.auditor.get("/v1/ledger/entries?limit=4")
    for _ in range(20):
        found += answer.json()["items"]
        if "next" not in answer.links or len(found) >= len(wanted):
            break
        answer = await world.auditor.get(answer.links["next"]["url"])
    assert found[: len(wanted)] == wanted


async def test_the_log_is_read_by_anybody(world: World, keys: FileKeys, sequenced: Sequenced) -> None:
    empty = await world.http.get("/ledger/checkpoint")
    assert empty.status_code == 404
    await world.received()
    await offer(world, 1)
    await sequenced()
    checkpoint = await world.http.get("/ledger/checkpoint")
    published = (await world.http.get("/ledger/keys")).text
    assert published == f"{keys.signers()[0].key}\n"
    signed = open_checkpoint(checkpoint.text, [Key.read(published.strip())], origin=ORIGIN)
    bundle = await world.http.get(f"/ledger/tile/entries/000.p/{signed.size}")
    tile = await world.http.get(f"/ledger/tile/0/000.p/{signed.size}")
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert checkpoint.headers["cache-control"] == "public, max-age=1"
    assert bundle.headers["content-type"] == "application/octet-stream"
    leaves = [bundle.content[place : place + 34] for place in range(0, len(bundle.content), 34)]
    assert all(leaf[:2] == b"\x00\x20" for leaf in leaves)
    hashes = [hashlib.sha256(b"\x00" + leaf[2:]).digest() for leaf in leaves]
    assert tile.content == b"".join(hashes)


@pytest.mark.parametrize(
    "path",
    [
        "0/000",  # not full yet
        "0/000.p/200",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/001.p/1",
        "0/x000/000.p/1",
        "0/0.p/1",
        "00/000.p/1",
        "-1/000.p/1",
        "1/000.p/1",
        "99/000.p/1",
        "entries/000",
        "entries/x999/x999/x999/x999/999.p/1",
        "7/x999/x999/x999/x999/999.p/1",
        "entries/x999/x999/x999/x999/x999/999.p/1",
        "0",
    ],
)
async def test_a_tile_has_one_name_and_is_there_or_not(world: World, sequenced: Sequenced, path: str) -> None:
    await world.draft()
    await sequenced()
    assert (await world.http.get("/ledger/tile/0/000.p/1")).status_code == 200
    assert (await world.http.get(f"/ledger/tile/{path}")).status_code == 404


def test_the_published_example_verifies() -> None:
    receipt = json.loads((EXAMPLES / "receipt/valid/accepted.json").read_text())
    key = Key.read(receipt["keys"][0])
    for step in receipt["steps"]:
        entry = step["entry"]
        proof = read_proof(step["proof"])
        commitment = hashlib.sha256(base64.b64decode(entry["salt"]) + entry["body"].encode()).digest()
        assert commitment.hex() == entry["commitment"]
        proof.check(commitment, key, origin="tsunagi.example/ledger")
        assert proof.index == entry["position"]
