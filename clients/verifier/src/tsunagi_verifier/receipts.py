"""Receipts: that the steps of a handover are in the log as they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsunagi_verifier.entries import Entry, check_streams, member, read_entry, same, same_instant
from tsunagi_verifier.notes import Checkpoint
from tsunagi_verifier.proofs import read_proof
from tsunagi_verifier.refusals import Refused
from tsunagi_verifier.trust import Trust


@dataclass(frozen=True)
class Receipt:
    """What a receipt proves: each step with the checkpoint whose log it is in. `waiting` are in none yet; of those that
    are `hidden` the text was erased or not shown, so that what the receipt says about them is its own word. What is
    said about the whole (its status, when it was issued) is so, too."""

    handover_id: str
    proven: tuple[tuple[Entry, Checkpoint], ...]
    waiting: tuple[Entry, ...]
    links: int

    @property
    def hidden(self) -> tuple[Entry, ...]:
        return tuple(entry for entry, _ in self.proven if entry.body is None)


def check_receipt(shown: Any, trust: Trust) -> Receipt:
    """What the receipt proves. Raises Refused.

    1. Each step's commitment is that of its salt and text, and what stands beside the text is what it says.
    2. The text is about this handover.
    3. The proof leads from the commitment, at the position that is named, to the root of a signed checkpoint.
    4. Steps that follow each other in a stream name each other. Between others there may be more: who read the
       record, for instance. A receipt shows steps, and does not claim to show all.
    """
    handover_id = member(shown, "handoverId", str)
    proven, waiting = [], []
    for step in member(shown, "steps", list):
        entry = _entry_of(step, handover_id)
        text = member(step, "proof", str, None)
        if text is None:
            waiting.append(entry)
        else:
            proven.append((entry, _proven(entry, text, trust)))
    links, _ = check_streams([*(entry for entry, _ in proven), *waiting])
    note = member(shown, "checkpoint", str, None)
    if note is not None:
        trust.open(note)
    return Receipt(handover_id, tuple(proven), tuple(waiting), links)


def _entry_of(step: Any, handover_id: str) -> Entry:
    shown = member(step, "entry", dict)
    entry = read_entry(shown)
    if entry.body is None:
        return entry
    record: Mapping[str, Any] = member(entry.body, "record", dict, {})
    actor: Mapping[str, Any] = member(entry.body, "actor", dict, {})
    version = step.get("recordVersion")
    said = {
        "action": same(step.get("action"), entry.body.get("action")),
        "at": same_instant(step.get("at"), entry.body.get("at")),
        "organizationId": same(step.get("organizationId"), actor.get("organization")),
        "recordVersion": version is None or same(version, record.get("version")),
        "handoverId": record.get("kind") != "handover" or record.get("id") == handover_id,
    }
    if wrong := [name for name, holds in said.items() if not holds]:
        raise Refused(
            f"受領証の {'、'.join(wrong)} が、記載 {entry.id} の本文と違います",
            f"{', '.join(wrong)} of the receipt is not what the text of entry {entry.id} says",
            entry=entry.position,
        )
    return entry


def _proven(entry: Entry, text: str, trust: Trust) -> Checkpoint:
    proof = read_proof(text)
    if proof.index != entry.position:
        raise Refused(
            f"記載 {entry.id} の位置が、証明の位置{proof.index}と違います",
            f"entry {entry.id} is not said to be at {proof.index}, where the proof has it",
            entry=entry.position,
        )
    try:
        return proof.check(
            entry.commitment, *trust.keys, origin=trust.origin, witnesses=trust.witnesses, quorum=trust.quorum
        )
    except Refused as refused:
        raise Refused(
            f"記載 {entry.id}: {refused.ja}", f"entry {entry.id}: {refused.en}", entry=entry.position
        ) from None
