"""Where the keys of the log are kept: by default files of their owner alone, in a folder that no server opens."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tsunagi.secret_files import make_once, replace_private
from tsunagi.transparency.notes import Key, Signer

MEMORY = "signed.json"


class KeyStore(Protocol):
    """What the sequencer needs: keys that sign, and a memory of what they have signed that is not the database's."""

    def signers(self) -> Sequence[Signer]:
        """The keys that sign checkpoints now; two while one replaces the other. Never none."""

    def remembered(self) -> "Remembered | None":
        """The largest log that was signed."""

    def remember(self, signed: "Remembered") -> None:
        """This is the largest log that was signed, also after a crash."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a log had come to. A database that was restored, or replaced, must not be signed for as if it were that log
    unless it still begins with it."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class FileSigner:
    """An Ed25519 key from a file, in memory."""

    key: Key
    private: Ed25519PrivateKey

    def sign(self, text: bytes) -> bytes:
        return self.private.sign(text)


class FileKeys:
    """Keys as PKCS #8 files `<id>.pem`, made on first use. Those renamed to `<id>.retired` sign no more."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._signers: tuple[frozenset[Path], list[FileSigner]] | None = None

    def signers(self) -> Sequence[FileSigner]:
        """As the folder has them now: a key that is added or retired counts from the next checkpoint on."""
        paths = frozenset(self._folder.glob("*.pem"))
        if not paths:
            self.add()
            return self.signers()
        if self._signers is None or self._signers[0] != paths:
            self._signers = paths, [self._read(path) for path in sorted(paths)]
        return self._signers[1]

    def add(self) -> Key:
        """One more key signs from the next checkpoint on."""
        private = Ed25519PrivateKey.generate()
        signer = FileSigner(Key(self._name, private.public_key().public_bytes_raw()), private)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        make_once(self._folder / f"{signer.key.id.hex()}.pem", pem)
        return signer.key

    def retire(self, key_id: str) -> Key:
        """The key signs no more. Raises LookupError when there is no such key, ValueError when it is the only one."""
        found = next((one.key for one in self.signers() if one.key.id.hex() == key_id), None)
        if found is None:
            raise LookupError(key_id)
        if len(self.signers()) == 1:
            raise ValueError(key_id)
        path = self._folder / f"{key_id}.pem"
        path.rename(path.with_suffix(".retired"))
        return found

    def remembered(self) -> Remembered | None:
        try:
            kept = json.loads((self._folder / MEMORY).read_text())
        except FileNotFoundError:
            return None
        return Remembered(kept["origin"], kept["size"], base64.b64decode(kept["root"]))

    def remember(self, signed: Remembered) -> None:
        root = base64.b64encode(signed.root).decode()
        text = json.dumps({"origin": signed.origin, "size": signed.size, "root": root})
        replace_private(self._folder / MEMORY, text.encode())

    def forget(self) -> None:
        """What was signed is no longer held against the database: an operator has decided so."""
        (self._folder / MEMORY).unlink(missing_ok=True)

    def _read(self, path: Path) -> FileSigner:
        private = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise TypeError(f"{path} is not an Ed25519 key")
        return FileSigner(Key(self._name, private.public_key().public_bytes_raw()), private)
