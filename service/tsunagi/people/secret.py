"""The secret of the keyed hashes, kept in a file of its owner alone."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from tsunagi.people.rules import KEY_BYTES


def matching_secret(folder: Path) -> bytes:
    """The secret under `folder`, made on first use. All processes share it: without it nobody is recognized."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "matching.key"
    if not path.exists():
        with tempfile.NamedTemporaryFile(dir=folder, prefix="matching.") as partial:
            partial.write(secrets.token_bytes(KEY_BYTES))
            partial.flush()
            with contextlib.suppress(FileExistsError):  # whoever is second takes the first one's
                os.link(partial.name, path)
    return path.read_bytes()
