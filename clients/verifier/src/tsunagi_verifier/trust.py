"""Whom a verifier believes, and what it keeps: keys and checkpoints in files of its own."""

import contextlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tsunagi_verifier.notes import LOG, WITNESS, Checkpoint, Key, open_checkpoint
from tsunagi_verifier.refusals import Refused, Unchecked


@dataclass(frozen=True)
class Trust:
    """A checkpoint is good when one of the log's keys has signed it, under the log's name, and as many of the
    witnesses as are required have cosigned it: all, unless told."""

    keys: tuple[Key, ...]
    origin: str | None = None
    witnesses: tuple[Key, ...] = ()
    quorum: int | None = None

    def open(self, note: str) -> Checkpoint:
        """Raises Refused."""
        return open_checkpoint(
            note, self.keys, origin=self.origin, witnesses=self.witnesses, quorum=self.quorum
        )

    def open_kept(self, note: str) -> Checkpoint:
        """A checkpoint that was kept by whoever verifies. Raises Unchecked: a file that was damaged here says nothing
        about the log."""
        try:
            return open_checkpoint(note, self.keys, origin=self.origin)
        except Refused as refused:
            raise Unchecked(
                f"保管していた検証点が、渡された鍵で確かめられません（{refused.ja}）。鍵を替えた後なら、前の鍵も渡してください",
                f"the kept checkpoint cannot be verified with the keys given ({refused.en});"
                " after a change of keys, give the old one as well",
            ) from None


def read_keys(lines: Iterable[str]) -> tuple[Key, ...]:
    """One a line; what begins with # is a remark. Raises Refused."""
    return tuple(Key.read(line) for line in lines if line.strip() and not line.startswith("#"))


def log_keys(keys: Iterable[Key]) -> tuple[Key, ...]:
    return tuple(key for key in keys if key.kind == LOG)


def witness_keys(keys: Iterable[Key]) -> tuple[Key, ...]:
    return tuple(key for key in keys if key.kind == WITNESS)


def read_kept(path: Path) -> str | None:
    """What was kept there, if anything was. Raises Unchecked when it cannot be read."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise Unchecked(f"{path} を読めません", f"{path} cannot be read") from None


def keep(path: Path, content: str) -> None:
    """The file holds this, also after a power failure; whoever reads meanwhile finds the old content or the new.
    Raises Unchecked when it cannot be written."""
    try:
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(path)
        _settle(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            Path(partial).unlink()


def _settle(folder: Path) -> None:
    """The names in the folder are durable, where the system has folders that can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _unwritable(path: Path, error: OSError) -> Unchecked:
    return Unchecked(f"{path} に書けません", f"{path} cannot be written: {error.strerror}")
