"""A witness (C2SP tlog-witness): it has seen a log, and signs only for more of the same.

The file `seen` holds, for each log, the newest checkpoint that was cosigned. It is made by `create` together with the
key and never made anew: a witness that has forgotten what it has seen must not go on under its name.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tsunagi_verifier.merkle import EMPTY_ROOT, check_consistency
from tsunagi_verifier.notes import (
    TIME_BYTES,
    WITNESS,
    Checkpoint,
    Key,
    cosigned,
    decoded,
    note_text,
    number,
    open_checkpoint,
    read_checkpoint,
    signature_line,
)
from tsunagi_verifier.proofs import MAX_HASHES
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.trust import keep

SEEN, KEY, EVIDENCE = "seen", "key", "evidence"
MAX_EVIDENCE = 1_000


@dataclass(frozen=True)
class Answer:
    """Statuses and contents are those of C2SP tlog-witness, add-checkpoint."""

    status: int
    content: str = ""
    kind: str = "text/plain"


@dataclass(frozen=True)
class Submission:
    old: int
    proof: tuple[bytes, ...]
    note: str

    @classmethod
    def read(cls, body: bytes) -> "Submission":
        """Raises Refused."""
        try:
            head, blank, note = body.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise _unreadable() from None
        first, *lines = head.split("\n")
        old = number(first.removeprefix("old "))
        proof = tuple(map(decoded, lines[: MAX_HASHES + 1]))
        if not (blank and first.startswith("old ")) or old is None or len(lines) > MAX_HASHES:
            raise _unreadable()
        if any(len(one) != 32 for one in proof):
            raise _unreadable()
        return cls(old, proof, note)


class Witness:
    """Cosigns checkpoints of the logs it knows, whose keys are given by origin."""

    def __init__(
        self,
        folder: Path,
        logs: Mapping[str, tuple[Key, ...]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._logs, self._clock = folder, logs, clock
        self._lock = threading.Lock()
        try:
            name, _, secret = (folder / KEY).read_text().strip().rpartition(" ")
            self._private = Ed25519PrivateKey.from_private_bytes(decoded(secret))
            self._seen: dict[str, str] = json.loads((folder / SEEN).read_text())
        except (OSError, ValueError) as error:
            raise Unchecked(
                f"{folder} は証人のフォルダーではありません",
                f"{folder} is not the folder of a witness: {error}",
            ) from None
        self.key = Key.of(name, self._private.public_key().public_bytes_raw(), kind=WITNESS)

    def add_checkpoint(self, body: bytes) -> Answer:
        """The checkpoint is the newest that was seen, durably, and cosigned; or the answer says why not."""
        try:
            asked = Submission.read(body)
            origin = read_checkpoint(note_text(asked.note)).origin
        except Refused as refused:
            return Answer(400, f"{refused.en}\n")
        if origin not in self._logs:
            return Answer(404, "unknown log\n")
        try:
            new = open_checkpoint(asked.note, self._logs[origin], origin=origin)
        except Refused as refused:
            return Answer(403, f"{refused.en}\n")
        if asked.old > new.size:
            return Answer(400, "the old size is larger than the new one\n")
        with self._lock:  # what is compared with must still be the newest when it is replaced
            return self._grown(asked, new)

    def _grown(self, asked: Submission, new: Checkpoint) -> Answer:
        seen = self._newest(new.origin)
        if asked.old != seen.size:
            return Answer(409, f"{seen.size}\n", "text/x.tlog.size")
        if seen.size == new.size and seen.root != new.root:
            self._keep_evidence(asked)
            return Answer(409, f"{seen.size}\n", "text/x.tlog.size")
        try:
            check_consistency(seen.size, seen.root, new.size, new.root, asked.proof)
        except Refused as refused:
            self._keep_evidence(asked)
            return Answer(422, f"{refused.en}\n")
        text = note_text(asked.note)
        if text != note_text(self._seen.get(new.origin, "")):
            self._remember(new.origin, asked.note)
        return Answer(200, self._cosignature(text))

    def _newest(self, origin: str) -> Checkpoint:
        if origin in self._seen:
            return read_checkpoint(note_text(self._seen[origin]))
        return Checkpoint(origin, 0, EMPTY_ROOT)

    def _remember(self, origin: str, note: str) -> None:
        seen = {**self._seen, origin: note}
        keep(self._folder / SEEN, json.dumps(seen, ensure_ascii=False, indent=1))
        self._seen = seen

    def _cosignature(self, text: str) -> str:
        at = int(self._clock())
        return signature_line(
            self.key, at.to_bytes(TIME_BYTES, "big") + self._private.sign(cosigned(text, at))
        )

    def _keep_evidence(self, asked: Submission) -> None:
        """What the log has signed and does not fit what was seen, beside that. Each checkpoint is kept once, and has
        the log's signature: nobody else can fill the folder."""
        folder = self._folder / EVIDENCE
        name = hashlib.sha256(note_text(asked.note).encode()).hexdigest()[:32]
        with contextlib.suppress(OSError, Unchecked):
            folder.mkdir(exist_ok=True)
            if not (folder / name).exists() and len(list(folder.iterdir())) < MAX_EVIDENCE:
                seen = self._seen.get(read_checkpoint(note_text(asked.note)).origin, "")
                keep(folder / name, f"seen:\n{seen}\nshown:\n{asked.note}")


def create(folder: Path, name: str) -> Key:
    """A new witness's folder: a key, readable by its owner alone, and no log seen. Raises Unchecked when there is
    something."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise Unchecked(f"{folder} を作れません", f"{folder} cannot be made: {error.strerror}") from None
    private = Ed25519PrivateKey.generate()
    key = Key.read(str(Key.of(name, private.public_key().public_bytes_raw(), kind=WITNESS)))
    handle = os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{name} {b64encode(private.private_bytes_raw()).decode()}\n")
        file.flush()
        os.fsync(file.fileno())
    keep(folder / SEEN, "{}")
    return key


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else is this witness meanwhile. Raises Unchecked."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unchecked("この証人はもう動いています", "this witness is running already") from None
        yield


def _unreadable() -> Refused:
    return Refused("読めない依頼です", "the request cannot be read")
