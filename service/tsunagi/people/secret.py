"""The secret of the keyed hashes, kept in a file of its owner alone."""

from pathlib import Path

from tsunagi.people.rules import KEY_BYTES
from tsunagi.secret_files import shared_secret


def matching_secret(folder: Path) -> bytes:
    """The secret under `folder`, made on first use. All processes share it: without it nobody is recognized."""
    return shared_secret(folder, "matching.key", size=KEY_BYTES)
