"""What the ledger proves, checked by `tsunagi_verifier` (`tsunagi-client[proof]`), which does not believe the service.

These block, and need no token. `keys` are the log's, as its operator told you them by another way than this service.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tsunagi_client.ledger import Receipt
from tsunagi_verifier import Checkpoint, Key, Refused, Server, Unchecked
from tsunagi_verifier.growth import grown
from tsunagi_verifier.receipts import Receipt as Proven
from tsunagi_verifier.receipts import check_receipt
from tsunagi_verifier.trust import Trust, keep, read_kept

__all__ = ["Checkpoint", "Proven", "Refused", "Unchecked", "verify_growth", "verify_receipt"]


def verify_receipt(receipt: Receipt | Mapping[str, Any], keys: Sequence[str]) -> Proven:
    """What the receipt proves. Raises Refused where it does not prove what it says.

    Steps that are `waiting` are in no checkpoint yet: ask again in a second or two.
    """
    return check_receipt(receipt, _trust(keys))


def verify_growth(base_url: str, kept: Path, keys: Sequence[str]) -> Checkpoint:
    """The newest checkpoint, which continues the one in the file `kept`, and is in it afterwards. The first time there
    is none, and nothing to compare with.

    Raises Refused, with both notes as `evidence`, when the log was rolled back or forked, and Unchecked when it cannot
    be had. The file is then as it was.
    """
    trust = _trust(keys)
    with closing(Server(f"{base_url.rstrip('/')}/ledger")) as log:
        note = log.text("checkpoint")
        grown(log, trust, note, read_kept(kept))
        keep(kept, note)
        return trust.open(note)


def _trust(keys: Sequence[str]) -> Trust:
    return Trust(tuple(map(Key.read, keys)))
