"""What the benchmark measures the service against is the service's own work."""

import pytest

from bench.floors import Floors, kinds
from tests.plans.conftest import READY, Filled

pytestmark = pytest.mark.xdist_group("plans")  # what is looked at is built once, by one worker

FIRST = 100
"""The first copy, among those that are ready, that no other test hands over."""


async def test_pgbench_sends_what_the_service_sends_and_leaves_the_same_rows(filled: Filled) -> None:
    asked = await kinds(filled.admin, filled.play, filled.stage)
    assert asked["both"].rows.keys() >= {"handovers", "record_sections", "ledger_entries", "events"}
    floors = Floors(filled.admin, filled.session, asked, range(FIRST, READY))
    await floors.calibrate([2])  # raises NotTheSameWork
    assert all(rate > 0 for rate in floors.rates.values())
