"""There is no database: the service says so, and nothing else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from tests.conftest import plain_url
from tests.world import Organization, check_answer
from tsunagi.api.edge import Services
from tsunagi.db import Database
from tsunagi.ids import OrganizationId, opaque_id


@pytest.fixture(params=["nobody listens", "no socket", "no such database"])
async def db(request: pytest.FixtureRequest, server_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    url = {
        "nobody listens": "postgresql://nobody@127.0.0.1:9/nowhere",
        "no socket": f"postgresql://nobody@/nowhere?host={tmp_path}",
        "no such database": plain_url(server_url, "tsunagi_that_is_gone"),
    }[request.param]
    database = Database(url, pool_size=2)
    yield database
    await database.close()


async def test_the_service_lives_but_is_not_ready(services: Services, http: httpx2.AsyncClient) -> None:
    alive, ready = await http.get("/livez"), await http.get("/readyz")
    check_answer(services.contract, "GET", "/livez", alive)
    check_answer(services.contract, "GET", "/readyz", ready)
    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["code"]) == (503, "unavailable")
    assert ready.headers["retry-after"]


async def test_every_request_may_be_sent_again_later(services: Services, http: httpx2.AsyncClient) -> None:
    someone = Organization(OrganizationId(opaque_id()), http, services)
    services.clock.move_to(datetime(2026, 11, 20, tzinfo=UTC))
    for path in ("/v1/handovers", "/v1/events", f"/v1/handovers/{opaque_id()}", "/v1/areas"):
        answer = await someone.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), path
        assert answer.headers["retry-after"]
