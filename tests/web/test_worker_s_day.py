"""A center worker's day in a real browser: what is coming, the record, two versions, and taking over."""

import pytest
from playwright.async_api import expect

from tests.web.browser import BrowserWorld
from tests.web.visitors import visitor


async def test_an_offer_is_sent_back_with_a_question_after_another_look_at_it(pages: BrowserWorld) -> None:
    received = await pages.world.received()
    async with pages.browsing(await visitor(pages.world.center), width=390) as somebody:
        page = await somebody.open(f"/handovers/{received['id']}/take-over")
        asking = page.get_by_role("region", name="差し戻して尋ねる")
        await asking.get_by_label("理由").select_option("more_information")
        await asking.get_by_label("くわしく").fill("通院先を教えてください。")
        await somebody.press("差し戻す内容を確かめる")
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            "架空 直樹さんの引継ぎを差し戻しますか"
        )
        assert await somebody.width() <= 390
        await somebody.press("差し戻す")
        await expect(page.get_by_role("status")).to_contain_text("差し戻し、提供元に知らせました")
        await expect(page.get_by_role("heading", level=2).first).to_have_text("差戻しの理由：追加の情報")


@pytest.mark.parametrize("scripts", [True, False])
async def test_from_the_list_to_an_acceptance(pages: BrowserWorld, scripts: bool) -> None:
    offered = await pages.world.offered()
    member = await visitor(pages.world.center)
    async with pages.browsing(member, scripts=scripts) as somebody:
        page = await somebody.open("/coming")
        await somebody.follow(f"就労定着支援事業所 みほん（架空）から 番号 {offered['id'][-6:].upper()}")
        await expect(page.get_by_role("heading", level=1)).to_have_text("架空 直樹さんの引継ぎ")
        await somebody.follow("回答する（受ける・差し戻す・辞退する）")
        first = page.get_by_role("group", name="就業支援")
        await first.get_by_label("開始日（受ける場合）").fill("令和9年5月1日")
        await page.get_by_role("group", name="生活支援").get_by_label("提供元に残す").check()
        await page.get_by_label("氏名").fill("受入 花子")
        await page.get_by_label("職種・役職").fill("就業支援担当")
        await somebody.press("責任がどう移るか確かめる")
        await expect(page.get_by_role("img")).to_be_visible()
        await somebody.press("受諾を確定する")
        assert page.url.endswith(f"/handovers/{offered['id']}")
        await expect(page.get_by_text("受入 花子")).to_be_visible()


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(("width", "scale"), [(390, 2), (1280, 1)])
async def test_no_page_of_it_is_wider_than_the_screen_or_a_barrier(
    pages: BrowserWorld, width: int, scale: float, language: str
) -> None:
    received = await pages.world.received()
    member = await visitor(pages.world.center)
    async with pages.browsing(member, width=width, scale=scale, language=language) as somebody:
        here = f"/handovers/{received['id']}"
        for path in ("/coming", "/calendar", here, f"{here}/versions", f"{here}/take-over"):
            await somebody.open(path)
            assert await somebody.width() <= width, path
