"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint), as far as a reader needs them."""

import binascii
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tsunagi_verifier.merkle import Refused

MAX_NOTE_BYTES = 100_000


@dataclass(frozen=True)
class Key:
    """An Ed25519 key under its name."""

    name: str
    id: bytes
    public: bytes

    @classmethod
    def read(cls, text: str) -> "Key":
        """A key as logs publish it: `name+id+key`. Raises Refused."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not parts[0]:
            raise Refused("a key is written name+id+key")
        typed = decoded(parts[2])
        if len(typed) != 33 or typed[0] != 1:
            raise Refused("the key is not one of Ed25519")
        key_id = hashlib.sha256(parts[0].encode() + b"\n" + typed).digest()[:4]
        if parts[1] != key_id.hex():
            raise Refused("the key is not the one of its id")
        return cls(parts[0], key_id, typed[1:])


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes


def open_checkpoint(note: str, keys: Iterable[Key], *, origin: str | None = None) -> Checkpoint:
    """The checkpoint in a note, signed by one of the keys, of the log that is called `origin`: the first key's name,
    unless told. Raises Refused."""
    known = list(keys)
    if not known:
        raise Refused("no key was given")
    text = _signed_text(note, known)
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]):
        raise Refused("the note is no checkpoint")
    root = decoded(lines[2])
    if not (lines[1].isascii() and lines[1].isdigit() and str(int(lines[1])) == lines[1]) or len(root) != 32:
        raise Refused("the note is no checkpoint")
    if lines[0] != (origin or known[0].name):
        raise Refused("the checkpoint is of another log")
    return Checkpoint(lines[0], int(lines[1]), root)


def _signed_text(note: str, keys: list[Key]) -> str:
    if len(note.encode()) > MAX_NOTE_BYTES or any(one < " " and one != "\n" for one in note):
        raise Refused("the note is not well formed")
    end = note.rfind("\n\n")
    if end < 0 or not note.endswith("\n") or end + 2 == len(note):
        raise Refused("the note is not signed")
    text, verified = note[: end + 1], False
    for line in note[end + 2 : -1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        raw = decoded(encoded)
        if dash != "\N{EM DASH}" or not name or len(raw) < 5:
            raise Refused("the note is not well formed")
        for key in keys:
            if (key.name, key.id) == (name, raw[:4]):
                _check(key, text, raw[4:])
                verified = True
    if not verified:
        raise Refused("the note is not signed by the key that was given")
    return text


def _check(key: Key, text: str, signature: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
    except InvalidSignature:
        raise Refused("the signature is not that of the key") from None


def decoded(text: str) -> bytes:
    """Base64, in the one way it is written. Raises Refused."""
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("not base64") from None
    if b64encode(raw).decode() != text:
        raise Refused("not base64")
    return raw
