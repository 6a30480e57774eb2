"""The published list itself, where it is at hand: all of it comes in, and a second time changes nothing."""

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.directory.lists import AT, MARCH_RELEASE, real_lists
from tsunagi.db import Database
from tsunagi.directory import store, wam_net
from tsunagi.directory.actions import Counts, import_lists
from tsunagi.directory.rules import OrganizationKind

FILES = real_lists()

pytestmark = pytest.mark.skipif(
    not FILES, reason="WAM NET's files are not at hand: name their folder in TSUNAGI_WAM_NET_DIR"
)


async def bring_in(db: Database, files: list[Path]) -> Counts:
    started = time.perf_counter()
    lists = [list_ for file in files for list_ in wam_net.read(file)]
    async with db.platform() as tx:
        counts = await import_lists(tx, lists, release=MARCH_RELEASE, at=AT)
    print(f"{time.perf_counter() - started:.2f} s: {counts}")
    return counts


async def test_all_of_the_published_list_comes_in_once(own_database: Database) -> None:
    first = await bring_in(own_database, FILES)
    assert (first.rows, first.created, first.updated, first.closed) == (9884, 9884, 0, 0)
    second = await bring_in(own_database, FILES)
    assert (second.created, second.updated, second.closed, second.unchanged) == (0, 0, 0, 9884)
    assert second.doubtful == first.doubtful
    kinds: dict[OrganizationKind, int] = {"transition": 3418, "settlement": 1859, "continuous_a": 4607}
    async with own_database.platform() as tx:
        for kind, expected in kinds.items():
            assert len(await store.find_organizations(tx, kind=kind, limit=10_000)) == expected


def test_the_doubts_are_the_ones_that_are_known_of_this_release() -> None:
    offices = [office for file in FILES for list_ in wam_net.read(file) for office in list_.offices]
    wam_net.mark_repeated(offices)
    doubts = Counter(code for office in offices for code in {code for code, _ in office.doubts})
    assert doubts["office_number_check_digit"] == 8
    assert doubts["corporate_number_blank"] == 657
    assert doubts["corporate_number_format"] + doubts["corporate_number_check_digit"] == 432
    assert doubts["municipality_unknown"] == 0
