"""The application over a database that is rolled back after each test."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx2
import pytest

from tests.running import contract_of_this_tree
from tests.world import Organization, World
from tsunagi.api.edge import Services
from tsunagi.app import create_app, create_services
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import Area, Identifier, OrganizationProfile
from tsunagi.settings import Settings

AREA = "12-91"


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def contract() -> Contract:
    return contract_of_this_tree()


@pytest.fixture
def services(db: Database, data_dir: Path, contract: Contract) -> Services:
    settings = Settings(data_dir=data_dir, base_url="http://127.0.0.1:8080")
    return create_services(settings, db, Clock(), contract)


@pytest.fixture
async def http(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(services, work=False), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client


@pytest.fixture
async def world(services: Services, http: httpx2.AsyncClient, db: Database) -> World:
    return await built(services, http, db)


async def built(
    services: Services, http: httpx2.AsyncClient, db: Database, voice: type[Organization] = Organization
) -> World:
    """Three organizations that hand over, one that has nothing to do with it, and an auditor of the area.

    It is 2026-11-20: the window of a handover planned for 2027-04-01 has been open since October.
    """
    services.clock.move_to_date(date(2026, 11, 20))
    profiles = [
        OrganizationProfile(kind="transition", name="就労移行支援事業所 みほん（架空）", serves=(AREA,)),
        OrganizationProfile(
            kind="settlement",
            name="就労定着支援事業所 みほん（架空）",
            serves=(AREA,),
            identifiers=(Identifier("office_number", "1219900428", "47", 1),),
        ),
        OrganizationProfile(
            kind="center", name="障害者就業・生活支援センター みほん（架空）", serves=(AREA,)
        ),
        OrganizationProfile(kind="center", name="障害者就業・生活支援センター べつ（架空）"),
        OrganizationProfile(kind="prefecture", name="架空県 福祉部", remit=(AREA,)),
    ]
    async with db.platform() as tx:
        await directory.add_area(tx, Area(AREA, "架空圏域", "12"))
        ids = [await directory.add_organization(tx, one, at=services.clock.now()) for one in profiles]
    voices = [voice(one, http, services) for one in ids]
    return World(services, http, *voices)
