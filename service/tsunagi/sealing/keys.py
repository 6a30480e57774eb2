"""Where master keys come from, and the ring on which a process has them."""

import base64
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from prometheus_client import Counter

from tsunagi.db import ReadTx
from tsunagi.sealing.rules import (
    KEY_BYTES,
    MasterKey,
    SealBroken,
    id_in,
    master_key,
    of_data_key,
    place,
    sealed,
    unsealed,
)
from tsunagi.secret_files import make_once, replace_private
from tsunagi.settings import Settings

BROKEN = Counter("tsunagi_seals_broken", "Sealed texts that could not be opened", ["why"])

LOOK_SECONDS = 1.0
"""How long another process's new master key may go unnoticed."""

_HEADING = "# Tsunagi: master keys, oldest first. Whoever has this file and the database reads everything.\n"


class KeysDamaged(ValueError):
    """The master keys cannot be read."""


class Provider(Protocol):
    """Where master keys are kept. They stay in memory: a service that wraps elsewhere would be asked for each row."""

    def state(self) -> object:
        """Differs after a key has come or gone. Cheap: asked once a second."""

    def read(self) -> Sequence[MasterKey]:
        """Oldest first: the newest wraps. None where nobody has made one yet. Raises KeysDamaged."""

    def begin(self, key: MasterKey) -> None:
        """There is a first key, which survives a crash of the machine: this one, or that of whoever was faster."""

    def add(self, key: MasterKey) -> None:
        """The key is kept beside those that are there, and survives a crash of the machine."""


class KeyFile:
    """Master keys in a file of their owner alone: a line for each, with its id, when it was made, and itself."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def state(self) -> object:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def read(self) -> list[MasterKey]:
        text = self.path.read_text() if self.path.exists() else ""
        return [self._key(line) for line in text.splitlines() if line and not line.startswith("#")]

    def _key(self, line: str) -> MasterKey:
        try:
            key_id, made_at, secret = line.split()
            key = master_key(datetime.fromisoformat(made_at), base64.b64decode(secret, validate=True))
        except ValueError:
            raise KeysDamaged(f"{self.path}: a line is no master key") from None
        if key.id != key_id:
            raise KeysDamaged(f"{self.path}: the key {key_id} is another one")
        return key

    def begin(self, key: MasterKey) -> None:
        make_once(self.path, _lines([key]))

    def add(self, key: MasterKey) -> None:
        if self.state() is None:
            self.begin(key)
        else:
            replace_private(self.path, _lines([*self.read(), key]))


def _lines(keys: Sequence[MasterKey]) -> bytes:
    lines = (f"{key.id} {key.made_at.isoformat()} {base64.b64encode(key.secret).decode()}\n" for key in keys)
    return (_HEADING + "".join(lines)).encode()


def provider(settings: Settings) -> KeyFile:
    """Where this installation's master keys are."""
    return KeyFile(settings.master_keys or settings.data_dir / "keys" / "master.keys")


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one row's texts. `wrapped` is how it is kept, in the row's `data_key`."""

    wrapped: bytes
    cipher: AESGCM

    def seal(self, text: bytes, *where: object) -> bytes:
        return sealed(self.cipher, text, place(*where))

    def unseal(self, text: bytes, *where: object) -> bytes:
        """Raises SealBroken."""
        try:
            return unsealed(self.cipher, text, place(*where))
        except SealBroken as broken:
            raise _counted(broken) from None

    def seal_each(self, texts: Mapping[str, bytes], *where: object) -> dict[str, bytes]:
        """As `seal`, of texts whose names are the last part of their places."""
        within = place(*where, "")
        return {name: sealed(self.cipher, text, within + name.encode()) for name, text in texts.items()}

    def unseal_each(self, texts: Mapping[str, bytes], *where: object) -> dict[str, bytes]:
        """As `unseal`, of texts whose names are the last part of their places. Raises SealBroken."""
        within = place(*where, "")
        try:
            return {name: unsealed(self.cipher, text, within + name.encode()) for name, text in texts.items()}
        except SealBroken as broken:
            raise _counted(broken) from None


class Keyring:
    """The master keys of a process. Wraps under the newest, unwraps under all."""

    def __init__(self, source: Provider) -> None:
        self.source = source
        self._state: object = None
        self._looked = -LOOK_SECONDS
        self._keys: dict[str, MasterKey] = {}

    def __iter__(self) -> Iterator[MasterKey]:
        self._look()
        return iter(list(self._keys.values()))

    def __contains__(self, key_id: str) -> bool:
        return self._find(key_id) is not None

    @property
    def newest(self) -> MasterKey:
        """Raises SealBroken where there is none."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._look()
        if not self._keys:
            raise _counted(SealBroken("no_key", f"there is no master key in {self.source}"))
        return next(reversed(self._keys.values()))

    def fresh(self, *where: object) -> DataKey:
        """A new data key, for the row at this place."""
        key = secrets.token_bytes(KEY_BYTES)
        return DataKey(self.newest.wrap(key, of_data_key(*where)), AESGCM(key))

    def opened(self, wrapped: bytes, *where: object) -> DataKey:
        """The data key of the row at this place. Raises SealBroken."""
        return DataKey(wrapped, AESGCM(self._unwrapped(wrapped, of_data_key(*where))))

    def rewrapped(self, wrapped: bytes, *where: object) -> bytes:
        """The same data key under the newest master key. Raises SealBroken."""
        at = of_data_key(*where)
        return self.newest.wrap(self._unwrapped(wrapped, at), at)

    def begin(self) -> MasterKey:
        """The first master key: all who start at once get the same."""
        self.source.begin(_new_key())
        self._look()
        return self.newest

    def add(self) -> MasterKey:
        """A new master key, which is the newest from now on."""
        self.source.add(_new_key())
        self._look()
        return self.newest

    def _unwrapped(self, wrapped: bytes, at: bytes) -> bytes:
        key = self._find(id_in(wrapped))
        if key is None:
            raise _counted(SealBroken("no_key", f"no master key {id_in(wrapped)} in {self.source}"))
        try:
            return key.unwrap(wrapped, at)
        except SealBroken as broken:
            raise _counted(broken) from None

    def _find(self, key_id: str) -> MasterKey | None:
        if key_id not in self._keys:
            self._look()
        return self._keys.get(key_id)

    def _look(self) -> None:
        self._looked = time.monotonic()
        state = self.source.state()
        if state is not None and state != self._state:  # what is in memory outlives the file
            self._keys = {key.id: key for key in self.source.read()}
            self._state = state


def _counted(broken: SealBroken) -> SealBroken:
    BROKEN.labels(why=broken.why).inc()
    return broken


def kept_keys(settings: Settings) -> Keyring:
    """The ring of this installation; its first master key is made where there is none."""
    ring = Keyring(provider(settings))
    if not list(ring):
        ring.begin()
    return ring


def _new_key() -> MasterKey:
    return master_key(datetime.now(UTC).replace(microsecond=0), secrets.token_bytes(KEY_BYTES))


def keys(tx: ReadTx) -> Keyring:
    """What the transaction's texts are sealed under."""
    ring: Any = tx.info["keys"]
    assert isinstance(ring, Keyring), "whoever puts the rooms together gives the database its keys"
    return ring
