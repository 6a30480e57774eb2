"""Signed notes, checkpoints and proof files (C2SP signed-note, tlog-checkpoint, tlog-proof): the texts by which a log
binds itself."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 0x01
"""The type of signature that checkpoints carry."""

KEY_ID_BYTES = 4
MAX_SIGNATURES = 100


class NoteRefused(ValueError):
    """A note that is not well formed, or not by whom it should be."""


class Signer(Protocol):
    """What a key store must be able to do; the private key need not leave it."""

    @property
    def key(self) -> "Key": ...

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature of these bytes."""


@dataclass(frozen=True, slots=True)
class Key:
    """Whose signatures are believed: an Ed25519 key under its name."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(mark.isspace() for mark in self.name):
            raise NoteRefused("the name of a key is not empty and has neither spaces nor plus signs")

    @property
    def id(self) -> bytes:
        typed = bytes([ED25519]) + self.public
        return hashlib.sha256(self.name.encode() + b"\n" + typed).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        """As others are told it: name, id, and type with public key."""
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([ED25519]) + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> "Key":
        """Raises NoteRefused when it is no such key, or its id is another's."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            typed = b64decode(encoded, validate=True)
        except ValueError:
            typed = b""
        if len(typed) != 33 or typed[0] != ED25519:
            raise NoteRefused("not the key of an Ed25519 signer")
        key = cls(name, typed[1:])
        if key.id.hex() != key_id:
            raise NoteRefused("the key has another id than it says")
        return key

    def has_signed(self, text: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How large a log is, and what all of it comes to."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """Raises NoteRefused when the text is none. Lines behind the third are the log's business."""
        lines = text.removesuffix("\n").split("\n")
        if not text.endswith("\n") or len(lines) < 3 or not all(lines):
            raise NoteRefused("a checkpoint has at least three lines, none of them empty")
        origin, size, encoded = lines[:3]
        try:
            root = b64decode(encoded, validate=True)
        except ValueError:
            root = b""
        if not size.isascii() or not size.isdigit() or str(int(size)) != size:
            raise NoteRefused("the second line of a checkpoint is the size of the log")
        if len(root) != hashlib.sha256().digest_size or b64encode(root).decode() != encoded:
            raise NoteRefused("the third line of a checkpoint is a SHA-256 hash in base64")
        return cls(origin, int(size), root)


def signed(text: str, *signers: Signer) -> str:
    """The note: the text, and a line for each signature."""
    body = text.encode()
    return text + "\n" + "".join(signature_line(one.key, one.sign(body)) for one in signers)


def signature_line(key: Key, signature: bytes) -> str:
    return f"— {key.name} {b64encode(key.id + signature).decode()}\n"


def opened(note: str, keys: Iterable[Key]) -> str:
    """The text of a note that at least one of these keys has signed. Signatures of others say nothing.

    Raises NoteRefused when none has, or when one of them is said to have and has not.
    """
    text, lines = _apart(note)
    known = {(key.name, key.id): key for key in keys}
    by: set[Key] = set()
    for line in lines:
        name, key_id, signature = _signature(line)
        key = known.get((name, key_id))
        if key is None:
            continue
        if not key.has_signed(text.encode(), signature):
            raise NoteRefused("a signature is not that of the key it names")
        by.add(key)
    if not by:
        raise NoteRefused("none of the keys that count has signed it")
    return text


def _apart(note: str) -> tuple[str, Sequence[str]]:
    """The text, and the lines of its signatures."""
    if any(mark < " " and mark != "\n" for mark in note):
        raise NoteRefused("a note has no control characters but line feeds")
    text, blank, rest = note.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise NoteRefused("a note is a text, an empty line and signatures")
    lines = rest.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteRefused("too many signatures")
    return text + "\n", lines


def _signature(line: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        raw = b64decode(encoded, validate=True)
    except ValueError:
        raw = b""
    if dash != "—" or not name or len(raw) <= KEY_ID_BYTES:
        raise NoteRefused("not a line with a signature")
    return name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:]


PROOF = "c2sp.org/tlog-proof@v1"


def proof_file(index: int, hashes: Iterable[bytes], checkpoint: str, *, extra: bytes | None = None) -> str:
    """That entry `index` is in the log of this signed checkpoint, for whoever has nothing but the log's key."""
    lines = [PROOF]
    if extra is not None:
        lines.append(f"extra {b64encode(extra).decode()}")
    lines += [f"index {index}", *(b64encode(one).decode() for one in hashes)]
    return "\n".join(lines) + f"\n\n{checkpoint}"
