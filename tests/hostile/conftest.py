"""One running service for all of it, impatient so that tests of patience are short."""

import gc
from collections.abc import Iterator
from datetime import date

import pytest

from tests.hostile.wire import Wire
from tests.running import RunningService, running_service

HEAD_SECONDS, REQUEST_SECONDS = 0.5, 1.0


@pytest.fixture(scope="package")
def service(
    template_url: str, server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("hostile")
    limits = {"client_requests_per_minute": 0, "organization_requests_per_minute": 0}
    patience = {"head_seconds": HEAD_SECONDS, "request_seconds": REQUEST_SECONDS}
    with running_service(server_url, template_url, folder, **limits, **patience) as running:
        running.clock.move_to_date(date(2026, 11, 20))
        gc.collect()
        gc.freeze()  # as `serve` does: what the tests keep is not the service's to look through
        yield running
        gc.unfreeze()


@pytest.fixture
def wire(service: RunningService) -> Wire:
    return Wire(service)
