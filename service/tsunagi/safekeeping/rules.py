"""Which settings of a database let it lose what it has acknowledged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tsunagi.errors import Text

_CRASH = Text(
    "サーバーの異常終了や停電で、応答済みの書き込みが失われたり、データベースが壊れたりします",
    "a crash or power failure loses acknowledged writes, or leaves the database broken",
)
_UNNOTICED = Text(
    "壊れたページが、気付かれないまま空または誤った内容として扱われます",
    "damaged pages pass for empty or sound ones, and nobody is told",
)
_AT_ONCE = Text(
    "ディスクに書かれる前に応答するため、異常終了の直前の書き込みが失われます",
    "commits are acknowledged before they are on disk: a crash loses the newest ones",
)
_STANDBY = Text(
    "同期スタンバイに書かれる前に応答するため、昇格のときに書き込みが失われます",
    "a synchronous standby is named, and commits do not wait for it: promoting it loses acknowledged writes",
)
_UNLOGGED = Text("異常終了のあと、表が空になります", "a crash empties the table")

# https://www.postgresql.org/docs/current/runtime-config-wal.html, …-error-handling.html, …-developer.html
_SAFE: Mapping[str, tuple[str, Text]] = {
    "fsync": ("on", _CRASH),
    "full_page_writes": ("on", _CRASH),
    "data_sync_retry": ("off", _CRASH),
    "zero_damaged_pages": ("off", _UNNOTICED),
    "ignore_checksum_failure": ("off", _UNNOTICED),
}
_ON_DISK = frozenset({"on", "remote_apply", "remote_write", "local"})
_ON_BOTH_DISKS = frozenset({"on", "remote_apply"})

ASKED = (*_SAFE, "synchronous_commit", "synchronous_standby_names")


@dataclass(frozen=True, slots=True)
class Danger:
    what: str
    why: Text

    def __str__(self) -> str:
        return f"{self.what}: {self.why.ja} / {self.why.en}"


def dangers(settings: Mapping[str, str], unlogged: Iterable[str] = ()) -> list[Danger]:
    """What these settings, as `SHOW` says them, and these unlogged tables would lose."""
    found = [
        Danger(f"{name} = {settings[name]}", why)
        for name, (safe, why) in _SAFE.items()
        if settings[name] != safe
    ]
    commit, standbys = settings["synchronous_commit"], settings["synchronous_standby_names"]
    if commit not in _ON_DISK:
        found.append(Danger(f"synchronous_commit = {commit}", _AT_ONCE))
    elif standbys and commit not in _ON_BOTH_DISKS:
        found.append(Danger(f"synchronous_commit = {commit}", _STANDBY))
    return found + [Danger(f"UNLOGGED {table}", _UNLOGGED) for table in unlogged]
