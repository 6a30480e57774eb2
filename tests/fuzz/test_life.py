"""Many lives of handovers, lived by several organizations at once, agree with the table of the design."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.effort import EFFORT
from tests.fuzz.life import Life, Parties
from tests.running import RunningService, running_service


@pytest.fixture(scope="module")
def service(
    template_url: str, server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    """Its own worker sleeps: what it would do the machine does when it wants to."""
    unlimited = {"client_requests_per_minute": 0, "organization_requests_per_minute": 0}
    folder = tmp_path_factory.mktemp("life")
    with running_service(
        server_url, template_url, folder, worker_interval_seconds=86_400.0, **unlimited
    ) as running:
        yield running


def test_every_life_is_one_that_the_table_allows(service: RunningService) -> None:
    Life.parties = Parties(service)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Life,
        settings=settings(
            max_examples=EFFORT.lives,
            stateful_step_count=EFFORT.steps,
            derandomize=EFFORT.derandomize,
            phases=EFFORT.phases,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    Life.parties.close()
    assert len(Life.reached) >= EFFORT.states, "the lives were too short to mean much"
