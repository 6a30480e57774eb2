"""Two members of staff at one draft at the very same time, with real commits."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.web.browsing import controls
from tests.web.test_handing_over import begun, written
from tests.web.visitors import visitor
from tests.world import World, settlement_record
from tests.world_fixtures import built
from tsunagi.app import create_app, create_services
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.settings import Settings


@pytest.fixture
async def committed(own_database: Database, contract: Contract, tmp_path: Path) -> AsyncIterator[World]:
    """The world, over a database of its own."""
    settings = Settings(data_dir=tmp_path, base_url="http://127.0.0.1:8080")
    services = create_services(settings, own_database, Clock(), contract)
    transport = httpx2.ASGITransport(app=create_app(services, work=False), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=settings.base_url) as http:
        yield await built(services, http, own_database)


async def test_a_draft_that_many_send_at_once_is_one_handover_under_its_consents(committed: World) -> None:
    staff = [await visitor(committed.settlement) for _ in range(4)]
    path = await written(staff[0], committed, settlement_record(committed.center.id))
    sent = controls((await staff[0].get(path)).text, path)
    answers = await asyncio.gather(*(one.post(path, sent) for one in staff))
    assert {one.status_code for one in answers} <= {303, 409, 422}, [one.text for one in answers]
    assert 303 in {one.status_code for one in answers}
    again = [await one.post(path, sent) for one in staff]
    (made,) = (await committed.settlement.get("/v1/handovers?direction=outgoing")).json()["items"]
    assert {one.headers["location"] for one in again} == {f"/handovers/{made['id']}"}
    assert (made["status"], made["version"]) == ("offered", 1)
    read = (await committed.center.get(f"/v1/handovers/{made['id']}")).json()
    assert len(read["consents"]) == 2, "the person's and the family's, each once"


async def test_of_many_who_save_one_revision_one_does(committed: World) -> None:
    staff = [await visitor(committed.settlement) for _ in range(4)]
    path = f"{await begun(staff[0], committed)}/medical"
    shown = controls((await staff[0].get(path)).text, path)
    typed = [shown | {"/coping": [f"対処 {number}"], "go": "here"} for number in range(4)]
    answers = await asyncio.gather(*(one.post(path, text) for one, text in zip(staff, typed, strict=True)))
    assert sorted(one.status_code for one in answers) == [303, 409, 409, 409]
    first = next(number for number, one in enumerate(answers) if one.status_code == 303)
    assert controls((await staff[0].get(path)).text, path)["/coping"] == [f"対処 {first}"]
