"""Made-up lists in the published form, and where the real ones may lie."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from tsunagi.db import WriteTx
from tsunagi.directory import wam_net
from tsunagi.directory.actions import Counts, import_lists

ROOT = Path(__file__).parents[2]
LISTS = ROOT / "tests" / "fixtures" / "wam-net"
MARCH = LISTS / "2025-03"
SEPTEMBER = LISTS / "2025-09"
MARCH_RELEASE = date(2025, 3, 31)
SEPTEMBER_RELEASE = date(2025, 9, 30)
AT = datetime(2025, 10, 1, 3, tzinfo=UTC)


async def bring_in(
    tx: WriteTx, *files: Path, release: date = MARCH_RELEASE, only: Sequence[int] | None = None
) -> Counts:
    """The files come in; `only`: just these rows of them, counted from 0."""
    lists = [list_ for file in files for list_ in wam_net.read(file)]
    if only is not None:
        for list_ in lists:
            list_.offices[:] = [list_.offices[index] for index in only]
    return await import_lists(tx, lists, release=release, at=AT)


async def bring_in_march(tx: WriteTx) -> Counts:
    return await bring_in(tx, *sorted(MARCH.glob("*.csv")))


def real_lists() -> list[Path]:
    """WAM NET's own files: in `TSUNAGI_WAM_NET_DIR`, or beside the repository."""
    named = os.environ.get("TSUNAGI_WAM_NET_DIR")
    folder = Path(named) if named else ROOT.parent / "shared" / "data" / "wam-net"
    return sorted(folder.glob("*.zip")) or sorted(folder.glob("csvdownload*.csv"))
