"""Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature), as far as a
reader needs them."""

import binascii
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tsunagi_verifier.refusals import Refused, Unsigned

MAX_NOTE_BYTES = 100_000
MAX_SIZE = 2**63 - 1

LOG, WITNESS = 0x01, 0x04
"""The types of keys (C2SP signed-note and tlog-cosignature): of Ed25519 signatures, and of timestamped ones."""

KEY_ID_BYTES, TIME_BYTES, SIGNATURE_BYTES = 4, 8, 64


@dataclass(frozen=True)
class Key:
    """An Ed25519 key under its name: a log's, or a witness's."""

    name: str
    id: bytes
    public: bytes
    kind: int = LOG

    @classmethod
    def read(cls, text: str) -> "Key":
        """A key as logs and witnesses publish it: `name+id+key`. Raises Refused."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not parts[0] or any(mark.isspace() for mark in parts[0]):
            raise Refused("鍵の書き方は「名+番号+鍵」です", "a key is written name+id+key")
        typed = decoded(parts[2])
        if len(typed) != 33 or typed[0] not in (LOG, WITNESS):
            raise Refused("Ed25519の鍵ではありません", "the key is not one of Ed25519")
        key = cls.of(parts[0], typed[1:], kind=typed[0])
        if parts[1] != key.id.hex():
            raise Refused("鍵とその番号が合いません", "the key is not the one of its id")
        return key

    @classmethod
    def of(cls, name: str, public: bytes, *, kind: int = LOG) -> "Key":
        typed = bytes([kind]) + public
        return cls(name, hashlib.sha256(name.encode() + b"\n" + typed).digest()[:KEY_ID_BYTES], public, kind)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes
    witnessed: tuple[tuple[str, int], ...] = field(default=(), compare=False)
    """The names of the witnesses that cosigned it and are known, and when, in seconds since 1970."""


def open_checkpoint(
    note: str,
    keys: Iterable[Key],
    *,
    origin: str | None = None,
    witnesses: Sequence[Key] = (),
    quorum: int | None = None,
) -> Checkpoint:
    """The checkpoint in a note, signed by one of the keys, of the log that is called `origin`: the first key's name,
    unless told; and cosigned by `quorum` of the witnesses: all of them, unless told. Raises Refused."""
    known = [key for key in keys if key.kind == LOG]
    if not known:
        raise Refused("鍵が渡されていません", "no key was given")
    text, signed = _signed_text(note, [*known, *witnesses])
    if signed.keys().isdisjoint(known):
        raise Unsigned("渡された鍵の署名がありません", "the note is not signed by the key that was given")
    checkpoint = read_checkpoint(text)
    if checkpoint.origin != (origin or known[0].name):
        raise Unsigned("別のログの検証点です", "the checkpoint is of another log")
    seen = tuple((key.name, signed[key]) for key in witnesses if key in signed)
    wanted = len(witnesses) if quorum is None else quorum
    if len({key.public for key in witnesses if key in signed}) < wanted:
        raise Refused(
            f"証人の連署が{wanted}件必要ですが、{len(seen)}件しかありません",
            f"{wanted} witnesses are required and {len(seen)} have cosigned",
        )
    return Checkpoint(checkpoint.origin, checkpoint.size, checkpoint.root, seen)


def read_checkpoint(text: str) -> Checkpoint:
    """What a note's text says. Nobody has signed for it yet. Raises Refused."""
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]):
        raise _no_checkpoint()
    size, root = number(lines[1]), decoded(lines[2])
    if size is None or len(root) != 32:
        raise _no_checkpoint()
    return Checkpoint(lines[0], size, root)


def number(text: str) -> int | None:
    """A number from 0, in the one way it is written, if it is one."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_SIZE))):
        return None
    return int(text) if str(int(text)) == text and int(text) <= MAX_SIZE else None


def note_text(note: str) -> str:
    """What stands above the signatures."""
    return note[: note.rfind("\n\n") + 1]


def cosigned(text: str, at: int) -> bytes:
    """What a witness signs at this time (C2SP tlog-cosignature, Ed25519 signed message)."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def signature_line(key: Key, signature: bytes) -> str:
    return f"— {key.name} {b64encode(key.id + signature).decode()}\n"


def signature_lines(lines: Iterable[str]) -> Iterable[tuple[str, bytes]]:
    """Name and content of each. Raises Refused."""
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        raw = decoded(encoded)
        if dash != "\N{EM DASH}" or not name or len(raw) <= KEY_ID_BYTES:
            raise _malformed()
        yield name, raw


def _signed_text(note: str, keys: Sequence[Key]) -> tuple[str, dict[Key, int]]:
    """The text, and which of the keys have signed it, a witness's with its time. Raises Refused when one that
    seems to has not."""
    if len(utf8(note)) > MAX_NOTE_BYTES or any(one < " " and one != "\n" for one in note):
        raise _malformed()
    end = note.rfind("\n\n")
    if end < 0 or not note.endswith("\n") or end + 2 == len(note):
        raise Refused("署名がありません", "the note is not signed")
    text, signed = note[: end + 1], {}
    for name, raw in signature_lines(note[end + 2 : -1].split("\n")):
        for key in keys:
            if (key.name, key.id) == (name, raw[:KEY_ID_BYTES]):
                signed[key] = verified(key, text, raw[KEY_ID_BYTES:])
    return text, signed


def verified(key: Key, text: str, signature: bytes) -> int:
    """When a witness has signed this text; 0 for a log's key, which does not say. Raises Refused when the signature
    is not this key's."""
    at, message = 0, text.encode()
    if key.kind == WITNESS:
        at = int.from_bytes(signature[:TIME_BYTES], "big")
        message, signature = cosigned(text, at), signature[TIME_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        raise Refused("署名がその鍵のものではありません", "the signature is not that of the key") from None
    return at


def utf8(text: str) -> bytes:
    """Raises Refused for what cannot be written so: JSON can hold halves of characters."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _malformed() from None


def decoded(text: str) -> bytes:
    """Base64, in the one way it is written. Raises Refused."""
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("base64ではありません", "not base64") from None
    if b64encode(raw).decode() != text:
        raise Refused("base64ではありません", "not base64")
    return raw


def _malformed() -> Refused:
    return Refused("署名付きの文の形をしていません", "the note is not well formed")


def _no_checkpoint() -> Refused:
    return Refused("検証点ではありません", "the note is no checkpoint")
