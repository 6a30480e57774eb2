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
    """What a receipt proves: each step with the checkpoint whose log it is in, and the `status` in which the last left
    the handover, where the steps' texts tell. `waiting` are in none yet; of those that are `hidden` the text was erased
    or not shown, so that what the receipt says about them is its own word. When it was issued, and that nothing has
    happened since, is so, too."""

    handover_id: str
    status: str | None
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
    5. There is a step; each begins in the state in which the one before left the handover, and the state that the
       receipt names is the one in which the last left it. Whoever cuts off the last steps and names the state before
       them shows an older receipt: for that there is the log.
    """
    handover_id = member(shown, "handoverId", str)
    proven, waiting, course = [], [], _Course()
    for place, step in enumerate(member(shown, "steps", list)):
        try:
            entry = _entry_of(step, handover_id)
            course.follow(entry)
            text = member(step, "proof", str, None)
            if text is None:
                waiting.append(entry)
            else:
                proven.append((entry, _proven(entry, text, trust)))
        except Refused as refused:
            refused.step = place
            raise
    status = course.end(member(shown, "status", str))
    links, _ = check_streams([*(entry for entry, _ in proven), *waiting])
    note = member(shown, "checkpoint", str, None)
    if note is not None:
        trust.open(note)
    return Receipt(handover_id, status, tuple(proven), tuple(waiting), links)


class _Course:
    """The states of a handover, one step after the other."""

    def __init__(self) -> None:
        self._begun = False
        self._state: str | None = None
        """None: not known, since a text was not shown."""

    def follow(self, entry: Entry) -> None:
        """Raises Refused where the step does not begin in the state that was reached."""
        self._begun = True
        if entry.body is None:
            self._state = None
            return
        change: Mapping[str, Any] | None = member(entry.body, "change", dict, None)
        if change is None:
            return
        before = member(change, "from", str, None)
        if self._state not in (None, before):
            raise Refused(
                f"記載 {entry.id} の前の手続が抜けているか、順序が違います",
                f"a step before entry {entry.id} is missing, or their order is another",
                entry=entry.position,
            )
        self._state = member(change, "to", str)

    def end(self, status: str) -> str | None:
        """The state that was reached. Raises Refused where that is another, or no step was shown."""
        if not self._begun:
            raise Refused("受渡しの証明に手続がありません", "the receipt shows no step")
        if self._state not in (None, status):
            raise Refused(
                "受渡しの証明の状態が、最後の手続の後の状態と違います",
                "the status of the receipt is not the one after its last step",
            )
        return self._state


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
            f"受渡しの証明の {'、'.join(wrong)} が、記載 {entry.id} の本文と違います",
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
        raise type(refused)(
            f"記載 {entry.id}: {refused.ja}", f"entry {entry.id}: {refused.en}", entry=entry.position
        ) from None
