"""The responsibility timeline and the area's pages in a browser: for eyes, keys, screen readers and paper."""

from io import BytesIO
from typing import Any

import pytest
from playwright.async_api import expect
from pypdf import PdfReader

from tests.crowd import accept, offer
from tests.oversight.test_findings import unclaimed
from tests.web.browser import BrowserWorld
from tests.web.visitors import visitor
from tests.world import World
from tsunagi.ids import number


async def somebody_with_a_gap(world: World) -> str:
    """Daily life is nobody's from 2026-11-20 until the center takes over on 2027-04-01. It is 2026-12-01."""
    offered = await unclaimed(world)
    world.on("2026-12-01")
    await accept(world, offered)
    person_id: str = offered["personId"]
    return person_id


TIMELINE = """
- main:
  - heading "責任の経過" [level=1]
  - paragraph:
    - text: /本人 番号 [0-9A-F]{6}/
    - link "台帳の記載"
    - button "この画面を印刷"
  - text: いつの責任か（空欄は今日）
  - textbox "いつの責任か（空欄は今日）"
  - text: いつの記録で（空欄は今）
  - textbox "いつの記録で（空欄は今）"
  - text: いつの記録と比べるか
  - textbox "いつの記録と比べるか"
  - button "表示"
  - paragraph: 令和8年12月1日（2026-12-01）の責任を、令和8年12月1日 9:00時点の記録で示しています。
  - heading "その日の担当" [level=2]
  - term: 就業支援
  - definition: 就労定着支援事業所 みほん（架空） 令和6年4月1日から令和9年3月31日まで
  - term: 生活支援
  - definition: 担当なし 令和8年11月20日から令和9年3月31日まで
  - term: 企業窓口
  - definition: 就労定着支援事業所 みほん（架空） 令和6年4月1日から令和9年3月31日まで
  - heading "所見（1件）" [level=2]
  - list:
    - listitem:
      - paragraph:
        - text: 重大
        - strong: 主担当の空白
        - text: 生活支援
      - paragraph: 主担当がいない期間があります
      - paragraph: "期間: 令和8年11月20日から令和9年3月31日まで"
      - paragraph: "令和8年11月20日から、対応する側: 提供元"
      - group: もとになった台帳の記載（1件）
  - heading "図" [level=2]
  - group "図":
    - img "責任の経過": /.+/
  - heading "表" [level=2]
  - group "図と同じ内容。番号は図の番号です。":
    - table "図と同じ内容。番号は図の番号です。":
      - rowgroup:
        - row /番号/:
          - columnheader "番号"
          - columnheader "領域"
          - columnheader "役割"
          - columnheader "機関"
          - columnheader "初日"
          - columnheader "最終日"
          - columnheader "その日の状況"
          - columnheader "根拠"
      - rowgroup:
        - row /1 就業支援 主担当 就労定着支援事業所 みほん（架空） 令和6年4月1日 令和9年3月31日 継続中/
        - row /2 就業支援 主担当 障害者就業・生活支援センター みほん（架空） 令和9年4月1日 期限なし これから/
"""


async def test_the_timeline_as_a_screen_reader_meets_it(pages: BrowserWorld) -> None:
    person_id = await somebody_with_a_gap(pages.world)
    async with pages.browsing(await visitor(pages.world.auditor, "auditor")) as somebody:
        page = await somebody.open(f"/people/{person_id}/responsibility")
        await expect(page.locator("body")).to_match_aria_snapshot(TIMELINE)
        picture = page.get_by_role("img", name="責任の経過")
        await expect(picture).to_have_accessible_description(
            "令和8年12月1日の主担当。就業支援: 就労定着支援事業所 みほん（架空）。"
            "生活支援: 担当なし、担当なしの期間1件。企業窓口: 就労定着支援事業所 みほん（架空）。"
            "すべての期間が表にあります。"
        )


async def test_an_auditor_goes_from_the_area_to_a_person_on_another_day(pages: BrowserWorld) -> None:
    person_id = await somebody_with_a_gap(pages.world)
    async with pages.browsing(await visitor(pages.world.auditor, "auditor"), scripts=False) as somebody:
        page = await somebody.open("/")
        await expect(page.get_by_role("heading", level=1)).to_have_text("圏域の責任")
        await page.get_by_label("いつの責任か").fill("2027-05-01")
        await somebody.press("表示")
        await somebody.follow(f"番号 {number(person_id)}")
        now = page.locator("dl")
        await expect(now).to_contain_text("障害者就業・生活支援センター みほん（架空）")
        await page.get_by_label("いつの記録で").fill("2026-11-25T09:00")
        await somebody.press("表示")
        await expect(now).to_contain_text("就労定着支援事業所 みほん（架空）")
        await expect(now).to_contain_text("担当なし")


async def test_keys_reach_the_picture_and_move_it(pages: BrowserWorld) -> None:
    person_id = await somebody_with_a_gap(pages.world)
    async with pages.browsing(await visitor(pages.world.center), width=390) as somebody:
        page = await somebody.open(f"/people/{person_id}/responsibility")
        picture = page.get_by_role("group", name="図", exact=True)
        await page.get_by_role("button", name="表示").focus()
        for _ in range(4):  # past the links between
            await page.keyboard.press("Tab")
            if await picture.evaluate("picture => picture === document.activeElement"):
                break
        await expect(picture).to_be_focused()
        for _ in range(3):
            await page.keyboard.press("ArrowRight")
        for _ in range(100):  # it moves smoothly; the policy forbids the browser to wait for an expression
            if await page.evaluate("document.querySelector('.timeline').scrollLeft") > 0:
                break
            await page.wait_for_timeout(50)
        else:
            pytest.fail("the picture did not move")


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("width", [1280, 390, 320])
async def test_every_page_about_responsibility_fits_its_screen(
    pages: BrowserWorld, width: int, language: Any
) -> None:
    person_id = await somebody_with_a_gap(pages.world)
    await offer(pages.world, 7)
    member = await visitor(pages.world.auditor, "auditor")
    async with pages.browsing(member, width=width, language=language) as somebody:
        for path, status in (
            (f"/people/{person_id}/responsibility?since=2026-11-25T09:00", 200),
            (f"/people/{person_id}/responsibility?asOf=1899-12-31&knownAt=1899-12-31T00:00", 400),
            ("/area", 200),
            ("/area/findings", 200),
        ):
            await somebody.open(path, status=status)
            assert await somebody.width() <= width, path


async def test_on_paper_the_picture_is_whole_and_the_form_is_gone(pages: BrowserWorld) -> None:
    person_id = await somebody_with_a_gap(pages.world)
    async with pages.browsing(await visitor(pages.world.center), width=700) as somebody:
        page = await somebody.open(f"/people/{person_id}/responsibility")
        await page.emulate_media(media="print")
        await expect(page.get_by_role("button", name="表示")).to_be_hidden()
        box = await page.locator(".timeline svg").bounding_box()
        assert box is not None
        assert box["width"] <= 700
        await expect(page.locator(".sheet-head")).to_have_text(
            f"責任の経過　本人 番号 {number(person_id)}　令和8年12月1日の責任（令和8年12月1日 9:00時点の記録）"
        )
        sheets = await page.pdf(prefer_css_page_size=True)
        heads = [
            one.extract_text().replace(" ", "").count("時点の記録）")
            for one in PdfReader(BytesIO(sheets)).pages
        ]
        assert heads == [1] * len(heads)
        assert len(heads) > 1
