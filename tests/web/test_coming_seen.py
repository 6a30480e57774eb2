"""The list of what is coming in a browser: filtered without reloading, on a narrow screen, and without scripts."""

import pytest
from playwright.async_api import Page, expect

from tests.web.browser import BrowserWorld
from tests.web.visitors import visitor

LINK = "就労定着支援事業所 みほん（架空）から"


async def stays(page: Page) -> None:
    """Remembered by the page for as long as it is not loaded anew."""
    await page.evaluate("document.body.dataset.same = 'yes'")


async def stayed(page: Page) -> bool:
    return bool(await page.evaluate("document.body.dataset.same === 'yes'"))


async def test_a_changed_filter_changes_the_list_alone(pages: BrowserWorld) -> None:
    await pages.world.offered()
    async with pages.browsing(await visitor(pages.world.center)) as somebody:
        page = await somebody.open("/coming")
        await stays(page)
        count = page.get_by_role("status")
        await expect(count).to_have_text("1件")
        state = page.get_by_label("状態", exact=True)
        await state.focus()
        await state.select_option(value="accepted")
        await expect(count).to_have_text("この条件の引継ぎはありません。")
        await expect(page.get_by_role("link", name=LINK)).to_have_count(0)
        await expect(state).to_be_focused()
        assert "status=accepted" in page.url
        assert await stayed(page)
        await somebody.check()
        await page.reload()
        await expect(page.get_by_label("状態", exact=True)).to_have_value("accepted")
        await expect(count).to_have_text("この条件の引継ぎはありません。")


async def test_going_back_shows_the_list_as_it_was(pages: BrowserWorld) -> None:
    await pages.world.offered()
    async with pages.browsing(await visitor(pages.world.center)) as somebody:
        page = await somebody.open("/coming")
        await page.get_by_label("向き").select_option("渡す")
        await expect(page.get_by_role("status")).to_have_text("この条件の引継ぎはありません。")
        await page.go_back()
        await expect(page.get_by_role("link", name=LINK)).to_be_visible()
        await expect(page.get_by_label("向き")).to_have_value("")
        await somebody.check()


async def test_whoever_is_signed_out_meanwhile_is_led_to_signing_in(pages: BrowserWorld) -> None:
    await pages.world.offered()
    async with pages.browsing(await visitor(pages.world.center)) as somebody:
        page = await somebody.open("/coming")
        await somebody.context.clear_cookies()
        async with page.expect_navigation(url="**/sign-in?next=*"):
            await page.get_by_label("状態", exact=True).select_option(value="accepted")
        await expect(page.get_by_role("heading", level=1)).to_have_text("サインイン")


async def test_the_button_filters_without_scripts(pages: BrowserWorld) -> None:
    await pages.world.offered()
    async with pages.browsing(await visitor(pages.world.center), scripts=False) as somebody:
        page = await somebody.open("/coming")
        await page.get_by_label("状態", exact=True).select_option(value="accepted")
        await somebody.press("絞り込む")
        await expect(page.get_by_text("この条件の引継ぎはありません。")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
async def test_what_is_ticked_is_given_to_somebody(pages: BrowserWorld, scripts: bool) -> None:
    await pages.world.offered()
    async with pages.browsing(await visitor(pages.world.center), scripts=scripts) as somebody:
        page = await somebody.open("/coming")
        await page.get_by_role("checkbox").check()
        await somebody.press("担当者を決める")
        await expect(page.get_by_text("1件の担当者を変えました。")).to_be_visible()
        await page.get_by_label("担当者", exact=True).select_option("わたしの担当")
        if not scripts:
            await somebody.press("絞り込む")
        await expect(page.get_by_role("row", name=LINK)).to_contain_text("試験 太郎")
        await expect(page.get_by_text("1件の担当者を変えました。")).to_have_count(0)
        await page.get_by_label("担当者", exact=True).select_option("まだ決まっていない")
        if not scripts:
            await somebody.press("絞り込む")
        await expect(page.get_by_role("status")).to_have_text("この条件の引継ぎはありません。")


@pytest.mark.parametrize("width", [390, 1280])
async def test_every_date_is_seen_without_scrolling_sideways(pages: BrowserWorld, width: int) -> None:
    await pages.world.offered()
    member = await visitor(pages.world.center)
    async with pages.browsing(member, width=width, height=2400) as somebody:
        page = await somebody.open("/coming")
        row = page.get_by_role("row", name=LINK)
        for label in ("開示開始", "情報共有の期限", "重なりの目安", "引継ぎ予定日"):
            item = row.get_by_role("listitem").filter(has_text=label)
            await expect(item).to_be_in_viewport(ratio=1)
            box = await item.bounding_box()
            assert box
            assert box["x"] + box["width"] <= width
        assert await page.locator(".cards").evaluate("(one) => one.scrollWidth <= one.clientWidth")


LIST = """
- table "期限の近い順。過ぎたものが先です。":
  - caption: /.+/
  - rowgroup:
    - row:
      - columnheader "選択"
      - columnheader "期限"
      - columnheader "引継ぎ"
      - columnheader "状態と担当者"
      - columnheader "すること"
      - columnheader "日程"
  - rowgroup:
    - row:
      - cell:
        - checkbox /選ぶ：.+/
      - cell /.+/
      - rowheader:
        - link
      - cell /申込み済み.*担当 未定/
      - cell "記録を読み、回答する"
      - cell:
        - list:
          - listitem: /開示開始.*/
          - listitem: /情報共有の期限.*/
          - listitem: /重なりの目安.*/
          - listitem: /引継ぎ予定日.*/
"""


@pytest.mark.parametrize("width", [390, 1280])
async def test_it_is_a_table_to_a_screen_reader_on_every_screen(pages: BrowserWorld, width: int) -> None:
    await pages.world.offered()
    async with pages.browsing(await visitor(pages.world.center), width=width) as somebody:
        page = await somebody.open("/coming")
        await expect(page.locator(".cards")).to_match_aria_snapshot(LIST)
