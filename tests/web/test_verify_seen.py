"""A receipt that is dropped into the page is checked in the browser, and goes nowhere."""

from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import expect

from tests.transparency.test_notes import OTHER
from tests.web.browser import BrowserWorld
from tests.web.visitors import visitor
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys

ORIGIN = "127.0.0.1:8080/ledger"


async def test_a_receipt_is_checked_where_it_is(pages: BrowserWorld, tmp_path: Path) -> None:
    world = pages.world
    accepted = await world.accepted()
    await Sequencer(world.services.db, FileKeys(tmp_path / "keys", ORIGIN), ORIGIN).sequence(
        datetime.now(UTC)
    )
    content = (await world.center.get(f"/v1/handovers/{accepted['id']}/receipt")).content
    good, wrong = tmp_path / "good.json", tmp_path / "wrong.json"
    good.write_bytes(content)
    wrong.write_bytes(content.replace(b"handovers:accept", b"handovers:refuse", 1))
    async with pages.browsing(await visitor(world.auditor, "auditor")) as somebody:
        page = await somebody.open("/verify")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        result = page.locator("#result")
        file = page.get_by_label("受領証のファイル（ここに落としても構いません）")
        await file.set_input_files(good)
        await expect(result.get_by_role("heading")).to_have_text("確かめられました")
        await expect(result.get_by_role("row")).to_have_count(5)  # the heads, and four steps
        await somebody.check()
        await file.set_input_files(wrong)
        await expect(result.get_by_role("heading")).to_have_text("誤りがあります")
        await expect(result).to_contain_text("受領証の action が、記載")
        await file.set_input_files(good)
        await page.get_by_label("信じるログの鍵").first.fill(str(OTHER.key))
        await page.get_by_role("button", name="確かめる", exact=True).click()
        await expect(result).to_contain_text("渡された鍵の署名がありません")
        assert not asked


async def test_without_scripts_the_server_checks_and_says_that_it_is_believed(
    pages: BrowserWorld, tmp_path: Path
) -> None:
    (tmp_path / "receipt.json").write_text("{}")
    async with pages.browsing(await visitor(pages.world.auditor, "auditor"), scripts=False) as somebody:
        page = await somebody.open("/verify")
        await expect(page.locator("#check-here")).to_be_hidden()
        await page.get_by_text("サーバーに送って確かめる").click()
        await page.get_by_label("受領証のファイル").last.set_input_files(tmp_path / "receipt.json")
        await somebody.press("送って確かめる")
        await expect(page.get_by_role("status")).to_contain_text("サーバーの答えです")
