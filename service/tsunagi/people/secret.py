"""The secret of the keyed hashes, kept in a file of its owner alone."""

import contextlib
import os
import secrets
from pathlib import Path

from tsunagi.people.rules import KEY_BYTES


def matching_secret(folder: Path) -> bytes:
    """The secret under `folder`, made on first use. All processes share it: without it nobody is recognized."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "matching.key"
    if not path.exists():
        partial = folder / f"matching.{os.getpid()}.partial"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        with contextlib.suppress(FileExistsError):  # whoever is second takes the first one's
            os.link(partial, path)
        partial.unlink()
    return path.read_bytes()
