"""Receipts and pages of entries: what they prove, and that nothing in them can be changed unnoticed."""

import copy
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.transparency.test_notes import LOG, OTHER
from tests.verifier.logs import Log, entries
from tsunagi.ids import ClientId, OrganizationId, Stream
from tsunagi.ledger.rules import Actor, Entry, Record, body, commitment
from tsunagi.transparency import rules as tree
from tsunagi.transparency.notes import proof_file
from tsunagi_verifier.command import main

KEY = ["--key", str(LOG.key)]
AT = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
HANDOVER, STREAM = UUID(int=7), Stream(UUID(int=8))
ACTIONS = ("handovers:create", "handovers:offer", "handovers:read", "handovers:receive")
CHANGES = ((None, "draft"), ("draft", "offered"), None, ("offered", "received"))
BEFORE = 300


def written(count: int) -> list[dict[str, Any]]:
    """A stream of entries as the service writes and shows them."""
    shown: list[dict[str, Any]] = []
    actor = Actor(OrganizationId(UUID(int=1)), ClientId("software"), None, "r-1")
    previous = None
    for number in range(count):
        entry = Entry(
            ACTIONS[number % 4],  # type: ignore[arg-type]
            AT + timedelta(minutes=number),
            actor,
            stream=STREAM,
            record=Record("handover", HANDOVER, 1),
            change=CHANGES[number % 4],
        )
        entry_id, salt = UUID(int=100 + number), bytes([number]) * 32
        text = body(entry, entry_id=entry_id, number=number + 1, previous=previous)
        previous = commitment(salt, text)
        shown.append(
            {
                "id": str(entry_id),
                "position": BEFORE + number,
                "body": text.decode(),
                "salt": b64encode(salt).decode(),
                "commitment": previous.hex(),
            }
        )
    return shown


SHOWN = written(5)
LEAVES = [*entries(BEFORE), *(bytes.fromhex(one["commitment"]) for one in SHOWN), *entries(90)]
MADE = Log(LEAVES)


def proof(position: int, log: Log = MADE) -> str:
    return proof_file(position, tree.hashes(tree.inclusion(position, log.size), log.tiles), log.note)


def step(entry: dict[str, Any]) -> dict[str, Any]:
    said = json.loads(entry["body"])
    return {
        "action": said["action"],
        "at": said["at"].replace("+00:00", "Z"),
        "organizationId": said["actor"]["organization"],
        "recordVersion": 1,
        "entry": entry,
        "proof": proof(entry["position"]),
    }


RECEIPT: dict[str, Any] = {
    "handoverId": str(HANDOVER),
    "status": "received",
    "checkpoint": MADE.note,
    "keys": [str(LOG.key)],
    "steps": [step(SHOWN[number]) for number in (0, 1, 3)],
}
PAGE: dict[str, Any] = {
    "items": [
        {**entry, "stream": str(STREAM), "number": number + 1, "recordedAt": json.loads(entry["body"])["at"]}
        for number, entry in enumerate(SHOWN)
    ]
}


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Exit status and report of the command about a document."""

    def run(command: str, document: Any, *arguments: object) -> tuple[int, dict[str, Any]]:
        (tmp_path / "shown.json").write_text(json.dumps(document))
        path = str(tmp_path / "shown.json")
        status = main([command, path, *(str(one) for one in arguments), *KEY, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run


Check = Callable[..., tuple[int, dict[str, Any]]]


def changed(document: Any, *place: Any, to: Any) -> Any:
    new = copy.deepcopy(document)
    at = new
    for name in place[:-1]:
        at = at[name]
    at[place[-1]] = to(at[place[-1]]) if callable(to) else to
    return new


def test_a_receipt_proves_its_steps(check: Check) -> None:
    status, said = check("receipt", RECEIPT)
    assert (status, said["result"]) == (0, "good")
    assert "handovers:offer" in str(said["checks"])


@pytest.mark.parametrize(
    ("place", "to"),
    [
        (("handoverId",), str(UUID(int=9))),
        (("status",), "accepted"),
        (("status",), None),
        (("checkpoint",), lambda note: note.replace("395", "396", 1)),
        (("steps", 1, "action"), "handovers:accept"),
        (("steps", 1, "at"), "2026-04-01T09:02:00Z"),
        (("steps", 1, "recordVersion"), 2),
        (("steps", 1, "organizationId"), str(UUID(int=2))),
        (("steps", 1, "organizationId"), None),
        (("steps", 1, "proof"), RECEIPT["steps"][0]["proof"]),
        (("steps", 1, "proof"), lambda text: text.replace("index 301", "index 302")),
        (("steps", 1, "entry", "id"), str(UUID(int=5))),
        (("steps", 1, "entry", "position"), 302),
        (("steps", 1, "entry", "position"), None),
        (("steps", 1, "entry", "body"), lambda text: text.replace("offer", "other")),
        (("steps", 1, "entry", "salt"), b64encode(bytes(32)).decode()),
        (("steps", 1, "entry", "salt"), None),
        (("steps", 1, "entry", "commitment"), "00" * 32),
        (("steps", 1, "entry", "commitment"), lambda text: text.upper()),
        (("steps", 1, "entry"), SHOWN[0]),
        (("steps", 1, "entry", "body"), "\ud800"),
        (("steps",), None),
        (("steps",), []),
        (("steps",), lambda steps: steps[:2]),
        (("steps",), lambda steps: [steps[0], steps[2]]),
        (("steps",), lambda steps: [steps[1], steps[0], steps[2]]),
        (("steps", 1), 3),
    ],
)
def test_a_receipt_with_anything_changed_is_refused(check: Check, place: tuple[Any, ...], to: Any) -> None:
    status, said = check("receipt", changed(RECEIPT, *place, to=to))
    assert (status, said["result"]) == (1, "wrong"), said


def test_an_entry_of_another_stream_cannot_take_a_steps_place(check: Check) -> None:
    """It is in the log, and does not follow."""
    forged = json.loads(SHOWN[1]["body"]) | {"previous": "11" * 32}
    text = json.dumps(forged, separators=(",", ":"), sort_keys=True)
    entry = {**SHOWN[1], "body": text, "commitment": commitment(bytes([1]) * 32, text.encode()).hex()}
    leaves = [*LEAVES[:301], bytes.fromhex(entry["commitment"]), *LEAVES[302:]]
    log = Log(leaves)
    steps = [{**step(one), "proof": proof(one["position"], log)} for one in (SHOWN[0], entry)]
    status, said = check("receipt", {**RECEIPT, "status": "offered", "checkpoint": log.note, "steps": steps})
    assert (status, said["entry"]) == (1, 301)
    assert "does not follow" in said["reason"]["en"]


def test_a_step_without_proof_is_not_proven_yet(check: Check) -> None:
    waiting = changed(RECEIPT, "steps", 2, "proof", to=None)
    assert check("receipt", changed(waiting, "steps", 2, "entry", "position", to=None))[0] == 2


def test_an_erased_step_is_still_in_the_log(check: Check) -> None:
    erased = changed(RECEIPT, "steps", 1, "entry", to=lambda entry: entry | {"body": None, "salt": None})
    status, said = check("receipt", erased)
    assert status == 0 and "without text" in str(said["checks"])


def test_a_receipts_own_keys_are_not_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.json").write_text(json.dumps(RECEIPT))
    assert main(["receipt", str(tmp_path / "r.json")]) == 2
    assert main(["receipt", str(tmp_path / "r.json"), "--key", str(OTHER.key)]) == 1


def test_a_receipt_is_held_against_the_published_log(check: Check, tmp_path: Path) -> None:
    grown = Log([*LEAVES, *entries(400)]).write(tmp_path / "log")
    other = Log([*LEAVES[:5], *entries(600)]).write(tmp_path / "other")
    assert check("receipt", RECEIPT, "--log", grown)[0] == 0
    status, said = check("receipt", RECEIPT, "--log", other)
    assert status == 1 and "two were shown" in said["reason"]["en"]
    assert check("receipt", RECEIPT, "--log", Log(LEAVES[:100]).write(tmp_path / "small"))[0] == 2


def test_pages_of_entries_are_what_was_committed_without_holes(check: Check, tmp_path: Path) -> None:
    log = MADE.write(tmp_path / "log")
    assert check("entries", PAGE, "--complete")[0] == 0
    assert check("entries", PAGE, "--log", log)[0] == 0
    assert check("entries", [PAGE], "--log", log)[0] == 0
    assert check("entries", PAGE["items"], "--log", log)[0] == 0


@pytest.mark.parametrize(
    ("place", "to"),
    [
        (("items", 2, "body"), lambda text: text.replace("read", "open")),
        (("items", 2, "stream"), str(UUID(int=3))),
        (("items", 2, "number"), 9),
        (("items", 2, "recordedAt"), "2026-04-01T09:03:00Z"),
        (("items", 2), SHOWN[1]),
        (("items",), lambda items: items[:2] + items[3:]),
        (("items",), lambda items: items[1:]),
    ],
)
def test_a_page_with_anything_changed_is_refused(check: Check, place: tuple[Any, ...], to: Any) -> None:
    status, said = check("entries", changed(PAGE, *place, to=to), "--complete")
    assert (status, said["result"]) == (1, "wrong"), said


def test_some_entries_of_a_stream_are_good_when_no_more_are_claimed(check: Check) -> None:
    status, said = check("entries", changed(PAGE, "items", to=lambda items: items[1::2]))
    assert (status, said["holes"], said["links"]) == (0, 2, 0)


def test_an_erased_entry_leaves_no_hole(check: Check, tmp_path: Path) -> None:
    erased = changed(PAGE, "items", 2, to=lambda one: one | {"body": None, "salt": None})
    assert check("entries", erased, "--complete", "--log", MADE.write(tmp_path / "log"))[0] == 0
    assert check("entries", changed(erased, "items", 2, "commitment", to="22" * 32))[0] == 1


def test_an_entry_that_is_elsewhere_in_the_log_is_named(check: Check, tmp_path: Path) -> None:
    log = MADE.write(tmp_path / "log")
    status, said = check("entries", changed(PAGE, "items", 3, "position", to=17), "--log", log)
    assert (status, said["entry"]) == (1, 17)
    assert check("entries", changed(PAGE, "items", 4, "position", to=None), "--log", log)[0] == 2
    assert check("entries", changed(PAGE, "items", 4, "position", to=100_000), "--log", log)[0] == 2


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(RECEIPT).replace('{"handoverId"', '{"handoverId": "other", "handoverId"', 1))
    assert main(["receipt", str(path), *KEY]) == 1
