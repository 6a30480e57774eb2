"""Generated requests, good and bad: no 500, no undocumented answer, nothing bad accepted.

The service runs for real, on a socket of the loopback and a database of its own.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import (
    not_a_server_error,
)
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.effort import EFFORT
from tests.running import RunningService, running_service
from tests.world import ROOT

schema = schemathesis.openapi.from_path(ROOT / "openapi.yaml")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
]


@pytest.fixture(scope="module")
def service(
    template_url: str, server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    unlimited = {"client_requests_per_minute": 0, "organization_requests_per_minute": 0}
    limits = {"matches_per_minute": 10**6, "token_failures_per_minute": 0} | unlimited
    folder = tmp_path_factory.mktemp("schemathesis")
    with running_service(server_url, template_url, folder, **limits) as running:
        running.clock.move_to_date(date(2026, 11, 20))
        yield running


@schema.parametrize()
@settings(
    max_examples=EFFORT.generated,
    derandomize=EFFORT.derandomize,
    phases=[Phase.explicit, *EFFORT.phases],
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests_meet_the_contract(case: schemathesis.Case, service: RunningService) -> None:
    token = service.token(now=datetime.now(UTC)) if case.operation.path.startswith("/v1/") else None
    headers = {"Authorization": f"Bearer {token}"} if token else None
    case.call_and_validate(base_url=service.base_url, headers=headers, checks=CHECKS)
