"""What a backup says of itself."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FORMAT = "tsunagi-backup/1"
NAME, DUMP = "manifest.json", "database.dump"
SUM = "manifest.sha256"
"""For `sha256sum --check`."""

NOT_HERE = (
    "鍵（keys、ledger-keys、マスター鍵）は入っていません。別の場所に保管してください / "
    "no key is in here (keys, ledger-keys, the master key): they are kept apart from this"
)


class BackupDamaged(RuntimeError):
    """A folder is not, or no longer, the backup that was made."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """How far the ledger had come."""

    entries: int
    size: int
    """Entries that had a place in the log; the others waited for theirs."""
    checkpoint: str | None
    """The newest, as it was signed."""


@dataclass(frozen=True, slots=True)
class Manifest:
    made_at: str
    server_major: int
    """The version of the server that was backed up: it cannot be restored to an older one."""
    schema_revision: str
    tables: Mapping[str, int]
    """Rows of each."""
    ledger: Ledger
    files: Mapping[str, Mapping[str, int | str]]
    """Bytes and SHA-256 of each."""
    format: str = FORMAT
    not_here: str = NOT_HERE

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


def write(folder: Path, manifest: Manifest) -> None:
    (folder / NAME).write_text(manifest.text())
    (folder / SUM).write_text(_sum(folder))


def _sum(folder: Path) -> str:
    return f"{hashlib.sha256((folder / NAME).read_bytes()).hexdigest()}  {NAME}\n"


def read(folder: Path) -> Manifest:
    """The manifest of a backup whose files are what it says. Raises BackupDamaged."""
    try:
        if _sum(folder) != (folder / SUM).read_text():
            raise BackupDamaged(f"{folder / NAME}")
        content = json.loads((folder / NAME).read_text())
        if content["format"] != FORMAT:
            raise BackupDamaged(f"{folder / NAME}: {content['format']}")
        manifest = Manifest(**{**content, "ledger": Ledger(**content["ledger"])})
        found = files_of(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupDamaged(f"{folder / NAME}: {type(error).__name__}") from error
    if found != manifest.files:
        raise BackupDamaged(
            ", ".join(sorted(name for name in {*found, *manifest.files} if differ(name, found, manifest)))
        )
    return manifest


def differ(name: str, found: Mapping[str, Mapping[str, int | str]], manifest: Manifest) -> bool:
    return found.get(name) != manifest.files.get(name)


def files_of(folder: Path) -> dict[str, dict[str, int | str]]:
    """Bytes and SHA-256 of each file of a backup, but for the manifest and its own sum."""
    found: dict[str, dict[str, int | str]] = {}
    for path in sorted(folder.iterdir()):
        if path.name not in (NAME, SUM):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[path.name] = {"bytes": path.stat().st_size, "sha256": digest}
    return found
