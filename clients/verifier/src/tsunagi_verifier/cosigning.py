"""A log's checkpoint, brought to a witness (C2SP tlog-witness) by whoever wants it cosigned."""

from base64 import b64encode
from pathlib import Path

from tsunagi_verifier.growth import refuse_rollback
from tsunagi_verifier.notes import (
    KEY_ID_BYTES,
    Checkpoint,
    Key,
    note_text,
    number,
    open_checkpoint,
    signature_line,
    signature_lines,
    verified,
)
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.sources import Server, Source
from tsunagi_verifier.trees import Tree
from tsunagi_verifier.trust import Trust, keep, read_kept

SIZE_TYPE = "text/x.tlog.size"
OK, CONFLICT, UNPROVEN = 200, 409, 422
ROUNDS = 3


def cosign(log: Source, trust: Trust, witness: Server, key: Key, kept: Path) -> Checkpoint:
    """The file holds the log's newest checkpoint with the cosignature of this witness, and with those of other
    witnesses that it had for the same checkpoint.

    1. The newest checkpoint is one of the log, and larger than the one in the file or the same.
    2. The witness gets the proof that the log has only grown since what it has seen, and signs.
    3. Where it has seen more, the log is asked again: it may have grown meanwhile.

    Raises Refused when the log was rolled back or forked, and Unchecked when the witness does not answer as it should.
    """
    had = read_kept(kept)
    before = _open_kept(trust, had, key)
    shown, seen = log.text("checkpoint"), 0
    for _ in range(ROUNDS):
        now = trust.open(shown)
        if had is not None and before is not None:
            refuse_rollback(before, now, {"kept": had, "shown": shown})
        if now.size < seen:
            raise _rolled_back(now, seen, shown)
        answer = submit(witness, Tree(log, now), shown, key, old=before.size if before else 0)
        if isinstance(answer, str):
            note = merged(shown, f"{note_text(shown)}\n{answer}", had or "")
            cosigned = open_checkpoint(note, trust.keys, origin=trust.origin, witnesses=[key])
            keep(kept, note)
            return cosigned
        shown, seen = log.text("checkpoint"), answer
    raise Unchecked("証人が先に進み続けています", "the witness is always ahead")


def _open_kept(trust: Trust, note: str | None, witness: Key) -> Checkpoint | None:
    """The checkpoint in the file, with the time at which this witness cosigned it, if it did."""
    if note is None:
        return None
    trust.open_kept(note)
    return open_checkpoint(note, trust.keys, origin=trust.origin, witnesses=[witness], quorum=0)


def submit(witness: Server, tree: Tree, note: str, key: Key, *, old: int) -> str | int:
    """The line by which the witness cosigns the note; or how much of the log it has seen, when that is more. Raises
    Refused when it has seen another log, and Unchecked for other answers."""
    status, kind, answer = witness.post("add-checkpoint", request(note, tree, old))
    has = number(answer.decode(errors="replace").removesuffix("\n")) if kind == SIZE_TYPE else None
    if status == CONFLICT and has is not None and has != old:
        if has > tree.size:
            return has
        old = has
        status, kind, answer = witness.post("add-checkpoint", request(note, tree, old))
    if status == OK:
        return _line_of(answer, note, key)
    if status == UNPROVEN or (status == CONFLICT and old == tree.size):
        raise Refused(
            f"証人は別のログを見ています。連署を拒みました（{status}）",
            f"the witness has seen another log, and refuses to cosign this one ({status})",
            evidence={"shown": note},
        )
    raise Unchecked(f"証人が連署しません（{status}）", f"the witness does not cosign ({status})")


def request(note: str, tree: Tree, old: int) -> bytes:
    proof = "".join(f"{b64encode(one).decode()}\n" for one in tree.consistency(old))
    return f"old {old}\n{proof}\n{note}".encode()


def merged(*notes: str) -> str:
    """The first note, with the signatures that the others have for the same text: one of each key, the earliest
    named."""
    text = note_text(notes[0])
    lines: dict[tuple[str, bytes], str] = {}
    for note in notes:
        if note_text(note) == text:
            for name, raw in signature_lines(note[len(text) + 1 :].splitlines()):
                line = f"— {name} {b64encode(raw).decode()}\n"
                lines.setdefault((name, raw[:KEY_ID_BYTES]), line)
    return f"{text}\n{''.join(lines.values())}"


def _rolled_back(now: Checkpoint, seen: int, shown: str) -> Refused:
    return Refused(
        f"証人はこのログの{seen}件を確かめていますが、今の検証点は{now.size}件です",
        f"the witness has seen {seen} entries of this log, which now shows {now.size}",
        evidence={"shown": shown},
    )


def _line_of(answer: bytes, note: str, key: Key) -> str:
    """The cosignature of the key, out of the answer, which may hold others. Raises Unchecked when there is none that
    is good."""
    try:
        for name, raw in signature_lines(answer.decode().splitlines()):
            if (name, raw[:KEY_ID_BYTES]) == (key.name, key.id):
                verified(key, note_text(note), raw[KEY_ID_BYTES:])
                return signature_line(key, raw[KEY_ID_BYTES:])
    except (Refused, UnicodeDecodeError):
        pass
    raise Unchecked("証人の答えに正しい連署がありません", "the witness's answer has no good cosignature")
