"""An administrator has the feed sent to the organization's software, sees what became of it, and nobody else does."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.web.browser import BrowserWorld
from tests.web.visitors import PASSWORD, Visitor, has_to_confirm, unconfirmed, visitor
from tests.webhooks.receiver import Receiver, listening
from tests.world import World
from tsunagi.api.edge import Services
from tsunagi.app import create_services
from tsunagi.clock import Clock
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.settings import Settings
from tsunagi.webhooks.delivery import Sender
from tsunagi.webhooks.worker import send_due

PAGE = "/settings/webhooks"


@pytest.fixture
def db(own_database: Database) -> Database:
    return own_database


@pytest.fixture
def services(db: Database, data_dir: Path, contract: Contract) -> Services:
    settings = Settings(data_dir=data_dir, base_url="http://127.0.0.1:8080", webhooks_to_loopback=True)
    return create_services(settings, db, Clock(), contract)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as found:
        yield found


def secret_in(page: str) -> str:
    found = re.search(r"<code>(whsec_[^<]+)</code>", page)
    assert found, page
    return found[1].replace("&#43;", "+")


async def added(who: Visitor, url: str) -> tuple[str, str]:
    """The path of its page, and the secret."""
    answer = await who.post(PAGE, {"url": url})
    assert answer.status_code == 200, answer.text
    page = answer.text
    (path,) = set(re.findall(rf'"({PAGE}/[0-9a-f-]+)"', page))
    return path, secret_in(page)


async def test_what_an_administrator_adds_is_tried_and_seen(
    world: World, db: Database, receiver: Receiver
) -> None:
    administrator = await visitor(world.center, "administrator")
    assert PAGE in (await administrator.get("/settings")).text
    assert "通知先はありません" in (await administrator.get(PAGE)).text
    path, secret = await added(administrator, receiver.url)
    assert secret not in (await administrator.get(PAGE)).text + (await administrator.get(path)).text
    answer = await administrator.post(path, {"do": "test"})
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert "送信待ち</span>" in (await administrator.get(path)).text
    await send_due(db, Sender(to_loopback=True))
    assert receiver.received[0].verified(secret)["type"] == "webhook.test"
    page = (await administrator.get(path)).text
    assert "届いた</span>" in page
    assert "<code>204</code>" in page
    (delivery,) = re.findall(r'name="delivery" value="([^"]+)"', page)
    await administrator.post(path, {"do": "resend", "delivery": delivery})
    await send_due(db, Sender(to_loopback=True))
    assert len({one.id for one in receiver.received}) == 1
    assert len(receiver.received) == 2


async def test_it_is_paused_resumed_given_a_new_secret_and_removed(world: World, receiver: Receiver) -> None:
    administrator = await visitor(world.center, "administrator")
    path, secret = await added(administrator, receiver.url)
    await administrator.post(path, {"do": "pause"})
    assert "休止中</span>" in (await administrator.get(path)).text
    await administrator.post(path, {"do": "resume"})
    assert "送る</span>" in (await administrator.get(path)).text
    changed = secret_in((await administrator.post(path, {"do": "rotate"})).text)
    assert changed != secret
    assert (await administrator.post(path, {"do": "remove"})).headers["location"] == PAGE
    assert (await administrator.get(path)).status_code == 404


async def test_a_form_that_is_sent_twice_adds_one(world: World, receiver: Receiver) -> None:
    administrator = await visitor(world.center, "administrator")
    form = {"url": receiver.url, "key": "the-key-of-the-form"}
    first, second = [await administrator.post(PAGE, form) for _ in range(2)]
    assert secret_in(first.text) == secret_in(second.text)
    assert len(set(re.findall(rf'"({PAGE}/[0-9a-f-]+)"', second.text))) == 1


@pytest.mark.parametrize(
    "url", ["", "software.example", "https://10.0.0.1/", "https://user:x@software.example/"]
)
async def test_a_url_that_cannot_be_is_told_at_its_field(world: World, url: str) -> None:
    administrator = await visitor(world.center, "administrator")
    answer = await administrator.post(PAGE, {"url": url})
    assert answer.status_code == 422
    assert 'id="url-error"' in answer.text
    assert 'aria-describedby="url-help url-error"' in answer.text
    assert "通知先はありません" in answer.text


async def test_failed_ones_can_be_looked_at_alone(world: World, db: Database, receiver: Receiver) -> None:
    administrator = await visitor(world.center, "administrator")
    path, _ = await added(administrator, receiver.url)
    await administrator.post(path, {"do": "test"})
    receiver.answers(410)
    await send_due(db, Sender(to_loopback=True))
    page = (await administrator.get(f"{path}?status=failed")).text
    assert "もう要らない" in page
    assert "停止" in page
    await administrator.post(path, {"do": "resume"})
    await administrator.post(path, {"do": "test"})
    assert (await administrator.get(f"{path}?status=failed")).text.count('value="resend"') == 1
    assert (await administrator.get(path)).text.count('value="resend"') == 2


@pytest.mark.parametrize("role", ["worker", "auditor"])
async def test_webhooks_are_for_administrators(world: World, receiver: Receiver, role: Any) -> None:
    path, _ = await added(await visitor(world.center, "administrator"), receiver.url)
    member = await visitor(world.center, role)
    for where in (PAGE, path):
        assert (await member.get(where)).status_code == 403
        assert (await member.post(where, {"do": "remove", "url": receiver.url})).status_code == 403
    assert PAGE not in (await member.get("/settings")).text


async def test_anothers_webhook_is_not_there(world: World, receiver: Receiver) -> None:
    path, _ = await added(await visitor(world.center, "administrator"), receiver.url)
    foreign = await visitor(world.other, "administrator")
    assert path not in (await foreign.get(PAGE)).text
    assert (await foreign.get(path)).status_code == 404
    for do in ("test", "pause", "resume", "rotate", "remove", "steal"):
        assert (await foreign.post(path, {"do": do})).status_code == 404


async def test_secrets_and_ends_need_a_sign_in_that_is_minutes_old(world: World, receiver: Receiver) -> None:
    administrator = await visitor(world.center, "administrator")
    path, _ = await added(administrator, receiver.url)
    await unconfirmed(world)
    assert (await administrator.post(path, {"do": "pause"})).headers["location"] == path
    for where, form in ((PAGE, {"url": receiver.url}), (path, {"do": "rotate"}), (path, {"do": "remove"})):
        assert has_to_confirm(await administrator.post(where, form))


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (390, False)])
async def test_a_webhook_is_added_and_tried_in_a_browser(
    pages: BrowserWorld, width: int, scripts: bool
) -> None:
    administrator = await visitor(pages.world.center, "administrator")
    async with pages.browsing(administrator, width=width, scripts=scripts) as somebody:
        page = await somebody.open("/settings")
        await somebody.follow("通知先")
        await page.get_by_label("URL").fill("https://software.example/tsunagi")
        await unconfirmed(pages.world)
        await somebody.press("登録する")
        await confirm_elsewhere(page, administrator)
        assert await somebody.width() <= width
        await somebody.press("続ける")
        await expect(page.get_by_role("heading", name="署名の秘密")).to_be_visible()
        await expect(page.get_by_text("whsec_")).to_be_visible()
        assert await somebody.width() <= width
        await somebody.follow("https://software.example/tsunagi")
        await somebody.press("試しに送る")
        await expect(page.get_by_role("rowheader")).to_have_count(1)
        assert await somebody.width() <= width
        await somebody.open(page.url.removeprefix(pages.base_url) + "?status=failed")


async def confirm_elsewhere(page: Page, who: Visitor) -> None:
    """In another window, while what was filled in stays in this one."""
    async with page.expect_popup() as popup:
        await page.get_by_role("link", name="あなたであることを確認する").click()
    window = await popup.value
    await window.get_by_label("パスワード").fill(PASSWORD)
    await window.get_by_label("確認コード").fill(who.code())
    async with window.expect_navigation():
        await window.get_by_role("button", name="確認する", exact=True).click()
    await window.close()
