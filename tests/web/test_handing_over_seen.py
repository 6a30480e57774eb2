"""Handing over in a real browser: by keys and readers, on narrow screens, with and without scripts."""

import hashlib
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.web.browser import BrowserWorld, Browsing
from tests.web.test_handing_over import written
from tests.web.visitors import visitor
from tests.world import settlement_record
from tsunagi.web.forms import SECTIONS

PARTS = ("overview", *SECTIONS, "consent", "family_consent")


async def begin(somebody: Browsing) -> str:
    """The path of a new draft."""
    page = await somebody.open("/hand-over")
    await page.get_by_label("提供先の名称かカナの一部").fill("みほん")
    await somebody.press("探す")
    await page.get_by_label("障害者就業・生活支援センター みほん（架空）").check()
    for label, text in (("年", "令和9"), ("月", "4"), ("日", "1")):
        await page.get_by_role("textbox", name=label, exact=True).fill(text)
    await somebody.press("書き始める")
    return page.url.removeprefix(somebody.base_url).removesuffix("/overview")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_draft_survives_a_closed_browser(pages: BrowserWorld, scripts: bool) -> None:
    member = await visitor(pages.world.settlement)
    async with pages.browsing(member, scripts=scripts) as somebody:
        path = await begin(somebody)
        page = somebody.page
        await expect(page.get_by_text("令和9年4月1日（2027-04-01）")).to_be_visible()
        await somebody.press("「領域ごとの申込み」を加える")
        await expect(page.get_by_role("group", name="領域ごとの申込み 2 必須")).to_be_visible()
        await somebody.press("「領域ごとの申込み 2」を取り除く")
        await expect(page.get_by_role("group", name="領域ごとの申込み 2 必須")).to_have_count(0)
        await somebody.open(f"{path}/medical")
        await page.get_by_label("本人の対処").fill("散歩をする\n音楽を聴く")
        await page.get_by_label("本人の対処").press("Tab")
        await somebody.press("保存して次へ")
        assert page.url.endswith("/family")
    async with pages.browsing(member, scripts=scripts) as somebody:
        page = await somebody.open(f"{path}/medical")
        await expect(page.get_by_label("本人の対処")).to_have_value("散歩をする\n音楽を聴く")
        await somebody.open("/hand-over")
        await somebody.follow("（氏名はまだ）")
        assert page.url.endswith(path)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_of_the_signed_form_the_hash_is_kept(
    pages: BrowserWorld, scripts: bool, tmp_path: Path
) -> None:
    """With scripts the file does not leave the browser."""
    scan = tmp_path / "form.pdf"
    scan.write_bytes(b"%PDF-1.7 signed")
    hashed = hashlib.sha256(scan.read_bytes()).hexdigest()
    async with pages.browsing(await visitor(pages.world.settlement), scripts=scripts) as somebody:
        path = await begin(somebody)
        page = await somebody.open(f"{path}/consent")
        await page.get_by_label("署名済みの同意書の画像またはPDF").set_input_files(scan)
        if scripts:
            await expect(page.get_by_label("同意書のハッシュ値")).to_have_value(hashed)
            assert await page.get_by_label("署名済みの同意書の画像またはPDF").input_value() == ""
        await somebody.press("保存")
        await expect(page.get_by_label("同意書のハッシュ値")).to_have_value(hashed)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_data_are_given_without_consent_on_a_ground_of_the_law(
    pages: BrowserWorld, scripts: bool
) -> None:
    async with pages.browsing(await visitor(pages.world.settlement), scripts=scripts, width=390) as somebody:
        path = await begin(somebody)
        page = await somebody.open(f"{path}/consent")
        await page.get_by_label("利用目的").fill("本人の安全を守るため")
        await page.get_by_label("同意によらない（").check()
        await somebody.press("この根拠で書く")
        await expect(
            page.get_by_role("heading", name="同意によらない提供（本人の情報）", level=1)
        ).to_be_visible()
        await expect(page.get_by_label("利用目的")).to_have_value("本人の安全を守るため")
        await expect(
            page.get_by_text("第三者提供記録に、同意ではなくこの根拠で渡したことが残ります")
        ).to_be_visible()
        await expect(page.get_by_label("立場")).to_have_count(0)
        await page.get_by_label("根拠").select_option("障害者虐待の通報")
        await page.get_by_label("理由").fill("使用者による虐待の疑い")
        await somebody.press("保存")
        assert await somebody.width() <= 390
        await expect(page.get_by_role("group", name="同意によらない提供 必須")).to_be_visible()
        await expect(page.get_by_label("理由")).to_have_value("使用者による虐待の疑い")


async def test_what_a_colleague_has_saved_is_not_overwritten_unseen(pages: BrowserWorld) -> None:
    one, two = await visitor(pages.world.settlement), await visitor(pages.world.settlement)
    async with pages.browsing(one) as first, pages.browsing(two, width=390) as second:
        path = await begin(first)
        for somebody, text in ((first, "散歩をする"), (second, "音楽を聴く")):
            page = await somebody.open(f"{path}/medical")
            await page.get_by_label("本人の対処").fill(text)
        await first.press("保存")
        await second.press("保存")
        page = second.page
        await expect(page.get_by_role("alert")).to_contain_text("ほかの職員が先に保存しました")
        await expect(page.get_by_label("本人の対処")).to_have_value("音楽を聴く")
        await expect(page.locator("[id='at/coping']")).to_contain_text("いま保存されている内容 散歩をする")
        await page.get_by_label("本人の対処").fill("散歩をする\n音楽を聴く")
        await second.press("保存")
        await first.open(f"{path}/medical")
        await expect(first.page.get_by_label("本人の対処")).to_have_value("散歩をする\n音楽を聴く")


async def test_every_part_is_free_of_barriers_and_as_wide_as_the_screen(pages: BrowserWorld) -> None:
    """Empty, filled in, and with mistakes."""
    member = await visitor(pages.world.settlement)
    full = await written(member, pages.world, settlement_record(pages.world.center.id))
    async with pages.browsing(member, width=390, scale=2) as somebody:
        empty = await begin(somebody)
        for path in (empty, full):
            await somebody.open(path)
            assert await somebody.width() <= 390
            for part in PARTS[: None if path is full else -1]:
                await somebody.open(f"{path}/{part}")
                assert await somebody.width() <= 390, part
        await somebody.open(f"{empty}/identity")
        await somebody.page.get_by_label("姓").fill("相川")
        await somebody.press("保存")
        assert await somebody.width() <= 390


MISTAKES = """
- alert:
  - heading "下書きは保存されています。直すところが5か所あります" [level=2]
  - list:
    - listitem:
      - link "「名」を書いてください"
    - listitem:
      - link "「セイ」を書いてください"
"""
BIRTH = """
- group "生年月日 必須":
  - text: 生年月日 必須
  - paragraph: /「生年月日」を暦の日付として読めません/
  - text: 年
  - textbox "年" [invalid]: "2026"
  - text: 月
  - textbox "月" [invalid]: "13"
  - text: 日
  - textbox "日" [invalid]
"""


async def test_mistakes_as_a_screen_reader_meets_them(pages: BrowserWorld) -> None:
    async with pages.browsing(await visitor(pages.world.settlement)) as somebody:
        path = await begin(somebody)
        page = await somebody.open(f"{path}/identity")
        await page.get_by_label("姓").fill("相川")
        birth = page.get_by_role("group", name="生年月日")
        await birth.get_by_label("年").fill("2026")
        await birth.get_by_label("月").fill("13")
        await somebody.press("保存")
        await expect(page.get_by_role("alert")).to_match_aria_snapshot(MISTAKES)
        await expect(page.locator("main")).to_match_aria_snapshot(BIRTH)
        name = page.get_by_role("textbox", name="名 必須", exact=True)
        await expect(name).to_have_accessible_description(re.compile("「名」を書いてください"))


async def test_the_whole_way_is_gone_without_scripts(pages: BrowserWorld) -> None:
    member = await visitor(pages.world.settlement)
    path = await written(member, pages.world, settlement_record(pages.world.center.id))
    async with pages.browsing(member, scripts=False) as somebody:
        page = await somebody.open(path)
        await page.get_by_role("button", name="登録して申し込む").click()
        await page.wait_for_url("**/handovers/*")
    (made,) = (await pages.world.settlement.get("/v1/handovers?direction=outgoing")).json()["items"]
    assert made["status"] == "offered"
