"""Signed notes, checkpoints and proof files (C2SP signed-note, tlog-checkpoint, tlog-proof): the texts by which a log
binds itself. They are written here; `clients/verifier` reads them, and shares no code with this."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

ED25519 = 0x01
"""The type of signature that checkpoints carry."""

KEY_ID_BYTES = 4


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
            raise ValueError("the name of a key is not empty and has neither spaces nor plus signs")

    @property
    def id(self) -> bytes:
        typed = bytes([ED25519]) + self.public
        return hashlib.sha256(self.name.encode() + b"\n" + typed).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        """As others are told it: name, id, and type with public key."""
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([ED25519]) + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How large a log is, and what all of it comes to."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def signed(text: str, *signers: Signer) -> str:
    """The note: the text, and a line for each signature."""
    body = text.encode()
    return text + "\n" + "".join(signature_line(one.key, one.sign(body)) for one in signers)


def signature_line(key: Key, signature: bytes) -> str:
    return f"— {key.name} {b64encode(key.id + signature).decode()}\n"


PROOF = "c2sp.org/tlog-proof@v1"


def proof_file(index: int, hashes: Iterable[bytes], checkpoint: str, *, extra: bytes | None = None) -> str:
    """That entry `index` is in the log of this signed checkpoint, for whoever has nothing but the log's key."""
    lines = [PROOF]
    if extra is not None:
        lines.append(f"extra {b64encode(extra).decode()}")
    lines += [f"index {index}", *(b64encode(one).decode() for one in hashes)]
    return "\n".join(lines) + f"\n\n{checkpoint}"
