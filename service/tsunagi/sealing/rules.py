"""AES-256-GCM, with a text's place as associated data: what was moved elsewhere does not open there.

Nonces are 96 random bits. A data key seals the few texts of one row, or of one version of a record, once: two equal
nonces would take 2^48 texts. A master key wraps one data key for each row that is written; NIST SP 800-38D section 8.3
allows 2^32 of those with random nonces, which at fifty million rows a year is eighty years, and a new master key
begins anew.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
ID_BYTES = 4
"""Of a master key, in front of each data key that it wraps."""


Why = Literal["changed", "no_key"]


class SealBroken(RuntimeError):
    """A text or a data key is not what was sealed here: changed or moved, or under a master key that is not there."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why: Why = why


def place(*parts: object) -> bytes:
    """Where a sealed text belongs: its table and primary key, which never holds NUL."""
    return "\0".join(map(str, parts)).encode()


def sealed(cipher: AESGCM, text: bytes, where: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, text, where)


def unsealed(cipher: AESGCM, text: bytes, where: bytes) -> bytes:
    """Raises SealBroken."""
    try:
        return cipher.decrypt(text[:NONCE_BYTES], text[NONCE_BYTES:], where)
    except (InvalidTag, ValueError):  # ValueError: too short to be one
        raise SealBroken("changed", "not what was sealed here") from None


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key that wraps data keys. The id is a hash of it: a wrong key cannot pass for another."""

    id: str
    made_at: datetime
    secret: bytes
    cipher: AESGCM

    def wrap(self, data_key: bytes, where: bytes) -> bytes:
        return bytes.fromhex(self.id) + sealed(self.cipher, data_key, where)

    def unwrap(self, wrapped: bytes, where: bytes) -> bytes:
        """Raises SealBroken."""
        return unsealed(self.cipher, wrapped[ID_BYTES:], where)


def master_key(made_at: datetime, secret: bytes) -> MasterKey:
    """Raises ValueError unless the secret is as long as AES-256 wants it."""
    if len(secret) != KEY_BYTES:
        raise ValueError(f"a master key has {KEY_BYTES} bytes")
    digest = hashlib.sha256(b"tsunagi master key\0" + secret).digest()
    return MasterKey(digest[:ID_BYTES].hex(), made_at, secret, AESGCM(secret))


def id_in(wrapped: bytes) -> str:
    """Of the master key that wraps a data key."""
    return wrapped[:ID_BYTES].hex()


def of_data_key(*where: object) -> bytes:
    """The place of a data key: never that of a text."""
    return place("data_key", *where)
