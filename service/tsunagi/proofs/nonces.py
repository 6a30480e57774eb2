"""Nonces by which a proof shows that it was made lately (RFC 9449 section 8).

A nonce is the time at which it was made, under a keyed hash: whoever has the key can check it, nobody need remember
it, and all processes that share the key accept each other's.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from joserfc.util import urlsafe_b64decode

from tsunagi.secret_files import shared_secret

KEY_BYTES = 32
LIFETIME = timedelta(seconds=300)
"""As long as a token lives: whoever uses the nonce of the last answer need never ask for one."""

RENEWED_AFTER = LIFETIME / 2
_TIME_BYTES, _HASH_BYTES = 8, 16
_LENGTH = (_TIME_BYTES + _HASH_BYTES) * 4 // 3
_AHEAD = timedelta(seconds=10)
"""By how much the clock of another process may be ahead."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def kept_nonces(folder: Path) -> "Nonces":
    """Nonces under the key in this folder, which is made on first use."""
    return Nonces(shared_secret(folder, "nonces.key", size=KEY_BYTES))


class Nonces:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, now: datetime) -> str:
        time = ((now - _EPOCH) // _MICROSECOND).to_bytes(_TIME_BYTES, "big")
        return urlsafe_b64encode(time + self._hash(time)).decode()

    def made_at(self, nonce: object, now: datetime) -> datetime | None:
        """When it was made; None when it was not made here, or longer than LIFETIME ago."""
        if not isinstance(nonce, str) or len(nonce) != _LENGTH:
            return None
        try:
            raw = urlsafe_b64decode(nonce.encode("ascii"))
        except ValueError:  # binascii.Error is one
            return None
        time, mac = raw[:_TIME_BYTES], raw[_TIME_BYTES:]
        if not hmac.compare_digest(mac, self._hash(time)):
            return None
        made = _EPOCH + int.from_bytes(time, "big") * _MICROSECOND
        return made if -_AHEAD <= now - made < LIFETIME else None

    def _hash(self, time: bytes) -> bytes:
        return hmac.digest(self._key, time, sha256)[:_HASH_BYTES]
