"""Fields that are checked as one goes, in a real browser."""

import hashlib
import re
from pathlib import Path

from playwright.async_api import Locator, Page, Request, expect

from tests.web.browser import BrowserWorld
from tests.web.test_handing_over import written
from tests.web.test_handing_over_seen import begin
from tests.web.visitors import visitor
from tests.world import settlement_record

Asked = list[Request]


def listening(page: Page) -> Asked:
    """The checks that the page asks for."""
    asked: Asked = []
    page.on("request", lambda request: asked.append(request) if "/check?" in request.url else None)
    return asked


async def fill(group: Locator, year: str, month: str, day: str) -> None:
    for label, text in (("年", year), ("月", month), ("日", day)):
        await group.get_by_label(label, exact=True).fill(text)


async def test_a_field_is_checked_when_it_is_left_and_not_before(pages: BrowserWorld) -> None:
    async with pages.browsing(await visitor(pages.world.settlement), width=390) as somebody:
        page = await somebody.open(f"{await begin(somebody)}/identity")
        asked, name = listening(page), page.get_by_role("textbox", name="姓 必須", exact=True)
        await name.press_sequentially("相川")
        birth = page.get_by_role("group", name="生年月日")
        await fill(birth, "昭和64", "13", "1")
        await page.wait_for_timeout(500)
        assert len(asked) == 1, "about the family name; the date was not left yet"
        await page.get_by_label("通称名").focus()
        wrong = birth.get_by_text("「生年月日」を暦の日付として読めません")
        await expect(wrong).to_be_visible()
        await expect(birth.get_by_label("月", exact=True)).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_role("status")).to_have_text("「生年月日」を暦の日付として読めません")
        await expect(page.get_by_label("通称名")).to_be_focused()
        await somebody.check()
        await fill(birth, "昭和64", "1", "7")
        await page.get_by_label("通称名").focus()
        await expect(birth.get_by_text("昭和64年1月7日（1989-01-07）")).to_be_visible()
        await expect(wrong).to_have_count(0)
        assert await birth.get_by_label("月", exact=True).get_attribute("aria-invalid") is None
        assert [one.url.partition("at=")[2] for one in asked] == ["/familyName", "/birthDate", "/birthDate"]
        await page.get_by_label("通称名").blur()
        await somebody.press("保存")
        assert len(asked) == 3, "what was not changed is not asked about, nor what is saved"


async def test_what_is_required_is_missed_when_it_was_emptied(pages: BrowserWorld) -> None:
    async with pages.browsing(await visitor(pages.world.settlement)) as somebody:
        page = await somebody.open(f"{await begin(somebody)}/overview")
        field = page.get_by_role("group", name="作成者").get_by_label("氏名")
        await field.fill("")
        await field.press("Tab")
        await expect(field).to_have_accessible_description(re.compile("「氏名」を書いてください"))
        await expect(field).to_have_attribute("aria-invalid", "true")
        await somebody.page.reload()
        await expect(field).to_have_value("試験 太郎")  # nothing was kept


async def test_the_rules_are_told_as_one_goes_once_the_record_can_be_read(pages: BrowserWorld) -> None:
    member = await visitor(pages.world.settlement)
    path = await written(member, pages.world, settlement_record(pages.world.center.id))
    async with pages.browsing(member) as somebody:
        page = await somebody.open(f"{path}/identity")
        birth = page.get_by_role("group", name="生年月日")
        await fill(birth, "2031", "1", "1")
        await birth.get_by_label("日", exact=True).press("Tab")
        await expect(birth.get_by_text("生年月日が未来の日付です")).to_be_visible()
        await expect(page.get_by_role("status").last).to_have_text("生年月日が未来の日付です")
        await somebody.press("保存")
        await expect(page.get_by_role("alert")).to_contain_text("生年月日が未来の日付です")


async def test_a_scan_that_is_hashed_is_sent_nowhere(pages: BrowserWorld, tmp_path: Path) -> None:
    scan = tmp_path / "form.pdf"
    scan.write_bytes(b"%PDF-1.7 signed, and secret")
    async with pages.browsing(await visitor(pages.world.settlement)) as somebody:
        page = await somebody.open(f"{await begin(somebody)}/consent")
        asked, field = listening(page), page.get_by_label("同意書のハッシュ値")
        await page.get_by_label("署名済みの同意書の画像またはPDF").set_input_files(scan)
        await expect(field).to_have_value(hashlib.sha256(scan.read_bytes()).hexdigest())
        await field.focus()
        async with page.expect_response(lambda answer: "/check?" in answer.url):
            await page.get_by_label("企業への開示範囲").focus()
        (sent,) = asked
        assert sent.post_data is not None
        assert "secret" not in sent.post_data
        assert "evidenceHash=" in sent.post_data


async def test_an_item_below_an_empty_one_is_checked_in_its_own_place(pages: BrowserWorld) -> None:
    async with pages.browsing(await visitor(pages.world.settlement)) as somebody:
        path = await begin(somebody)
        page = await somebody.open(f"{path}/employment")
        await somebody.press("「雇用」を加える")
        await somebody.press("「雇用」を加える")
        second = page.get_by_role("group", name="雇用 2")
        await second.get_by_label("法人番号").fill("12")
        await second.get_by_label("業種").focus()
        told = page.locator("[id='told/episodes/1/corporateNumber']")
        await expect(told.locator(".field-error")).to_be_visible()
        await expect(second.get_by_label("法人番号")).to_have_attribute("aria-invalid", "true")
