"""An organization's own sign-in, the whole way in a real browser: registered, joined by, signed in with, confirmed."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.openid.provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, serving
from tests.web.browser import BrowserWorld, Browsing
from tests.web.visitors import unconfirmed, visitor


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with serving() as found:
        yield found


async def sign_in_there(page: Page, subject: str) -> None:
    """On the provider's own page, which is none of ours."""
    await page.get_by_label("Who").fill(subject)
    await page.get_by_role("button", name="Sign in here").click()


async def register(somebody: Browsing, provider: OpenIdProvider) -> None:
    page = await somebody.open("/settings")
    await somebody.follow("機関のサインイン")
    await page.get_by_label("発行者（issuer）の URL").fill("https://10.0.0.1/")
    await page.get_by_label("クライアントID").fill(CLIENT_ID)
    await page.get_by_label("クライアントシークレット").fill(CLIENT_SECRET)
    await somebody.press("確かめて登録する")
    await expect(page.get_by_role("alert")).to_contain_text("インターネットから見える")
    await page.get_by_label("発行者（issuer）の URL").fill(provider.issuer)
    await page.get_by_label("クライアントシークレット").fill(CLIENT_SECRET)
    await somebody.press("確かめて登録する")
    await expect(page.get_by_text(f"{provider.issuer}", exact=True)).to_be_visible()


async def invite(somebody: Browsing) -> str:
    page = await somebody.open("/settings/staff")
    await page.get_by_label("氏名").fill("招待 花子")
    await page.get_by_label("ログイン名").fill("hanako@example.jp")
    await somebody.press("招待する")
    return await page.locator("dt:has-text('招待の文字') + dd").inner_text()


@pytest.mark.parametrize("scripts", [True, False])
async def test_the_whole_way(pages: BrowserWorld, provider: OpenIdProvider, scripts: bool) -> None:
    center = pages.world.center
    async with pages.browsing(await visitor(center, "administrator"), scripts=scripts) as somebody:
        await register(somebody, provider)
        invitation = await invite(somebody)
    async with pages.browsing(scripts=scripts) as somebody:
        somebody.elsewhere = provider.issuer
        page = await somebody.open("/join")
        await page.get_by_label("ログイン名").fill("hanako@example.jp")
        await page.get_by_label("招待の文字").fill(invitation)
        await somebody.press("次へ")
        await somebody.press("機関のサインインを使う")
        await page.get_by_role("link", name="機関のサインインへ進む").click()
        await sign_in_there(page, "hanako-1")
        await page.wait_for_url(lambda url: url.endswith("/coming"))
        await somebody.check()
        await expect(page.get_by_text("招待 花子")).to_be_visible()
        await somebody.press("サインアウト")
        await page.get_by_role("link", name="機関のサインインを使う").click()
        await sign_in_there(page, "hanako-1")
        await page.wait_for_url(lambda url: url.endswith("/coming"))
        await unconfirmed(pages.world)
        await somebody.open("/settings/openid/link")
        await expect(page.get_by_text("ほかにサインインの手段はありません")).to_be_visible()
        await somebody.open("/confirm?next=/settings/passkeys")
        await page.get_by_role("link", name="機関のサインインで確かめる").click()
        await sign_in_there(page, "hanako-1")
        await page.wait_for_url(lambda url: url.endswith("/settings/passkeys"))
        await somebody.check()


async def test_who_is_not_let_in_is_told_why(pages: BrowserWorld, provider: OpenIdProvider) -> None:
    center = pages.world.center
    async with pages.browsing(await visitor(center, "administrator")) as somebody:
        await register(somebody, provider)
    async with pages.browsing(width=390) as somebody:
        somebody.elsewhere = provider.issuer
        page = somebody.page
        for manner, said in (
            ("", "結び付いていません"),
            ("access_denied", "取りやめたか"),
            ("x", "断りました"),
        ):
            provider.manners.error = manner or None
            await page.goto(f"{somebody.base_url}/sign-in/with/{center.id}")
            await sign_in_there(page, "nobody")
            await page.wait_for_url("**/refused?*")
            await expect(page.get_by_role("main")).to_contain_text(said)
            await somebody.check()
            assert await somebody.width() <= 390
        await somebody.press("English")
        await expect(page.get_by_role("main")).to_contain_text("refused what was asked for")
        await somebody.follow("Sign in with a password")
