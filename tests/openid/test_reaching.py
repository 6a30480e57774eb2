"""Which addresses a provider may be at, and what the browser is given where there is https."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from tests.openid.going import registered
from tests.openid.provider import OpenIdProvider
from tests.web.visitors import visitor
from tests.webhooks.test_delivery import to
from tests.world import World
from tsunagi.app import create_app, create_services
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.openid.actions import forget_ways
from tsunagi.openid.provider import Providers
from tsunagi.openid.rules import LASTS, ProviderFaulty
from tsunagi.outgoing.asking import Asker
from tsunagi.outgoing.connection import Connector
from tsunagi.settings import Settings


async def test_this_machine_is_no_place_for_a_provider_unless_in_trials(provider: OpenIdProvider) -> None:
    with pytest.raises(ProviderFaulty) as found:
        await Providers(Asker(Connector())).document(provider.issuer)
    assert (found.value.fault, provider.asked) == ("address_refused", [])


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "127.0.0.1", "::1", "fd00::1"])
async def test_a_name_that_leads_inside_is_not_asked(address: str) -> None:
    connector = Connector(resolve=to("93.184.216.34", address))
    with pytest.raises(ProviderFaulty) as found:
        await Providers(Asker(connector)).document("https://idp.example")
    assert found.value.fault == "address_refused"


async def test_over_https_the_cookies_are_bound_to_this_host(
    world: World, provider: OpenIdProvider, db: Database, tmp_path: Path, contract: Contract
) -> None:
    await registered(world.center, provider)
    settings = Settings(data_dir=tmp_path, base_url="https://tsunagi.example", openid_to_loopback=True)
    sealed_under = db.keys
    app = create_app(create_services(settings, db, contract=contract), work=False)
    db.keys = sealed_under
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="https://tsunagi.example"
    ) as http:
        begun = await http.get(f"/sign-in/with/{world.center.id}")
    assert begun.status_code == 303
    cookie = begun.headers["set-cookie"]
    assert cookie.startswith("__Host-way=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    redirect_uri = httpx2.URL(begun.headers["location"]).params["redirect_uri"]
    assert redirect_uri == f"https://tsunagi.example/sign-in/with/{world.center.id}/back"


async def test_ways_that_nobody_ended_are_forgotten(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    stranger = await visitor(world.center, signed_in=False)
    await stranger.get(f"/sign-in/with/{world.center.id}")
    for later, left in ((timedelta(), 1), (LASTS + timedelta(seconds=1), 0)):
        async with world.services.db.platform() as tx:
            await forget_ways(tx, datetime.now(UTC) + later)
            assert (await tx.execute(text("SELECT count(*) FROM openid_ways"))).scalar_one() == left
