"""Secrets in files of their owner alone, beside the platform's other keys."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """A new file, readable by its owner alone. Raises FileExistsError: a key is never overwritten."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def shared_secret(folder: Path, name: str, *, size: int) -> bytes:
    """The secret that `folder` keeps under this name, made on first use: all processes get the same."""
    path = folder / name
    if not path.exists():
        make_once(path, secrets.token_bytes(size))
    return path.read_bytes()


def make_once(path: Path, content: bytes) -> None:
    """The file is there, whole, and survives a crash of the machine: with this content, or with that of whoever was
    first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _written(path, content) as partial, contextlib.suppress(FileExistsError):
        os.link(partial, path)


def replace_private(path: Path, content: bytes) -> None:
    """The file has this content, and survives a crash of the machine: before the crash the old one, or the new."""
    with _written(path, content) as partial:
        partial.replace(path)


@contextlib.contextmanager
def _written(path: Path, content: bytes) -> Iterator[Path]:
    """A file beside `path` that is on the disk; what the block makes of it is too, afterwards."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield partial
    finally:
        partial.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
