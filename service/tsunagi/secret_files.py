"""Secrets in files of their owner alone, beside the platform's other keys."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """A new file, readable by its owner alone. Raises FileExistsError: a key is never overwritten."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def shared_secret(folder: Path, name: str, *, size: int) -> bytes:
    """The secret that `folder` keeps under this name, made on first use: all processes get the same."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{name}.") as partial:
            partial.write(secrets.token_bytes(size))
            partial.flush()
            with contextlib.suppress(FileExistsError):  # whoever is second takes the first one's
                os.link(partial.name, path)
    return path.read_bytes()
