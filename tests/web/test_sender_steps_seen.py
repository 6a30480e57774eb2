"""The way to an agreement in a real browser: sent back, amended, offered again, accepted."""

import pytest
from playwright.async_api import expect

from tests.web.browser import BrowserWorld
from tests.web.visitors import visitor


@pytest.mark.parametrize(("scripts", "width"), [(True, 390), (False, 1280)])
async def test_what_was_sent_back_is_amended_offered_again_and_accepted(
    pages: BrowserWorld, scripts: bool, width: int
) -> None:
    offered = await pages.world.received()
    here = f"/handovers/{offered['id']}"
    sender, receiver = await visitor(pages.world.settlement), await visitor(pages.world.center)
    async with pages.browsing(receiver, scripts=scripts) as somebody:
        page = await somebody.open(f"{here}/take-over")
        back = page.get_by_role("region", name="差し戻して尋ねる")
        await back.get_by_label("理由").select_option("追加の情報")
        await back.get_by_label("くわしく").fill("通勤の経路を知りたい")
        await somebody.press("差し戻す内容を確かめる")
        await somebody.press("差し戻す")
        assert page.url.endswith(here)
    async with pages.browsing(sender, scripts=scripts, width=width) as somebody:
        page = await somebody.open(here)
        await somebody.press("もう一度申し込む")
        await expect(page.get_by_text("通勤の経路を知りたい")).to_be_visible()
        await somebody.follow("支援計画")
        assert await somebody.width() <= width
        await page.get_by_label("ニーズ").first.fill("通勤の練習をしたい")
        await somebody.press("保存")
        await somebody.follow("引継ぎの全体に戻る")
        assert await somebody.width() <= width
        await somebody.press("もう一度申し込む")
        assert page.url.endswith(here)
        await expect(page.get_by_text("第2版")).to_be_visible()
        await expect(page.get_by_text("申込み済み", exact=True)).to_be_visible()
    async with pages.browsing(receiver, scripts=scripts) as somebody:
        page = await somebody.open(here)
        await expect(page.get_by_text("通勤の練習をしたい")).to_be_visible()
        await somebody.open(f"{here}/take-over")
        await somebody.press("責任がどう移るか確かめる")
        await somebody.press("受諾を確定する")
    there = (await pages.world.settlement.get(f"/v1{here}")).json()
    assert (there["status"], there["version"]) == ("accepted", 2)


@pytest.mark.parametrize(("language", "width"), [("ja", 390), ("en", 1280)])
async def test_what_the_sender_confirms_has_no_barrier(
    pages: BrowserWorld, language: str, width: int
) -> None:
    offered = await pages.world.offered()
    here = f"/handovers/{offered['id']}"
    member = await visitor(pages.world.settlement)
    async with pages.browsing(member, width=width, language=language) as somebody:  # type: ignore[arg-type]
        page = await somebody.open(here)
        assert await somebody.width() <= width
        await somebody.open(f"{here}/open")
        await somebody.open(f"{here}/withdraw")
        assert await somebody.width() <= width
        reason = page.get_by_label("理由" if language == "ja" else "Reason")
        await reason.select_option("plan_changed")
        await somebody.press("取り下げる" if language == "ja" else "Withdraw")
        assert page.url.endswith(here)
        await somebody.open(f"{here}/withdraw")
