"""A passkey in a real browser, with an authenticator that the browser itself imitates."""

import pytest
from playwright.async_api import expect

from tests.web.browser import BrowserWorld
from tests.web.visitors import PASSWORD, visitor

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.mark.parametrize("pages", ["localhost"], indirect=True)  # an address cannot have passkeys
async def test_a_passkey_is_added_and_signs_in(pages: BrowserWorld) -> None:
    member = await visitor(pages.world.center)
    async with pages.browsing(member) as somebody:
        page = somebody.page
        device = await somebody.context.new_cdp_session(page)
        await device.send("WebAuthn.enable")
        await device.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        await somebody.open("/settings/passkeys")
        await page.get_by_label("名前（どの機器か）").fill("窓口のパソコン")
        await somebody.press("登録する")
        await expect(page.get_by_role("rowheader", name="窓口のパソコン")).to_be_visible()
        await somebody.press("サインアウト")
        await page.get_by_label("ログイン名").fill(member.added.member.login)
        await page.get_by_label("パスワード").fill(PASSWORD)
        await page.get_by_role("button", name="パスキーを使う").click()
        await page.wait_for_url(lambda url: "/sign-in" not in url)
        await expect(page.get_by_text("試験 太郎")).to_be_visible()
