"""Requests with something wrong in them, sent for real: every answer is one that the contract knows."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest

from tests.fuzz.effort import EFFORT, SEED
from tests.fuzz.mutation import CHANGES, documents
from tests.fuzz.test_documents import BODIES, CONTRACT, examples
from tests.running import RunningService, running_service
from tests.world import check_answer, settlement_record

ABSENT = "01930000-0000-7000-8000-00000000dead"
MARK = "ZZSUBMITTEDZZ"


@pytest.fixture(scope="module")
def service(
    template_url: str, server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    unlimited = {"client_requests_per_minute": 0, "organization_requests_per_minute": 0}
    folder = tmp_path_factory.mktemp("requests")
    with running_service(server_url, template_url, folder, matches_per_minute=10**6, **unlimited) as running:
        running.clock.move_to_date(date(2026, 11, 20))
        yield running


def bodies(service: RunningService, operation_id: str) -> Iterator[bytes]:
    """Bodies that are nearly right for this operation, as values first and then as texts."""
    seeds = examples(operation_id)
    if operation_id in ("createHandover", "amendHandover"):
        seeds += (settlement_record(service.center, acquisitionContext=MARK),)
    draw = random.Random(SEED + 2)
    count = EFFORT.requests // len(BODIES)
    for value in documents(count // 2, seeds):
        yield json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for value in documents(count // 2, seeds):
        raw = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
        yield draw.choice(CHANGES)(draw, raw)


@pytest.mark.parametrize("operation_id", BODIES)
def test_every_answer_is_one_that_the_contract_knows(operation_id: str, service: RunningService) -> None:
    operation = CONTRACT.operations[operation_id]
    path = operation.path.replace("{handoverId}", drafted(service)).replace("{consentId}", ABSENT)
    answered: dict[int, int] = {}
    with httpx2.Client(base_url=service.base_url, timeout=30) as http:
        for number, raw in enumerate(bodies(service, operation_id)):
            headers = {
                "Authorization": f"Bearer {service.token(now=datetime.now(UTC))}",
                "Content-Type": "application/json",
                "Idempotency-Key": f"{operation_id}-{number}",
                "If-Match": "*",
            }
            try:
                answer = http.request(operation.method, path, content=raw, headers=headers)
                check_answer(CONTRACT, operation.method, path, answer)
                assert answer.status_code < 500
                assert answer.status_code < 400 or MARK not in answer.text
            except BaseException as error:
                error.add_note(f"seed {SEED}, body {number}: {raw!r}")
                raise
            answered[answer.status_code] = answered.get(answer.status_code, 0) + 1
    assert set(answered) & {400, 404, 409, 422}, answered


def drafted(service: RunningService) -> str:
    """A handover of the settlement provider's, that some of the requests are about."""
    with httpx2.Client(base_url=service.base_url, timeout=30) as http:
        answer = http.post(
            "/v1/handovers",
            json=settlement_record(service.center),
            headers={
                "Authorization": f"Bearer {service.token(now=datetime.now(UTC))}",
                "Idempotency-Key": "the-draft",
            },
        )
    made: dict[str, Any] = answer.json()
    return str(made["id"])
