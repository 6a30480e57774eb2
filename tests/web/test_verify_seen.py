"""A receipt that is dropped into the page is checked in the browser, and goes nowhere."""

import json
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import expect

from tests.crowd import offer
from tests.transparency.test_notes import OTHER
from tests.web.browser import BrowserWorld
from tests.web.visitors import visitor
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys
from tsunagi.transparency.notes import Checkpoint, signed
from tsunagi.web.dates import Dates

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
    at = json.loads(content)["steps"][-1]["at"].encode()
    later = tmp_path / "later.json"
    later.write_bytes(content.replace(b'"at":"%b"' % at, b'"at":"2026-12-01T00:00:00Z"'))
    async with pages.browsing(await visitor(world.auditor, "auditor")) as somebody:
        page = await somebody.open("/verify")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        result = page.locator("#result")
        file = page.get_by_label("受渡しの証明のファイル（ここに落としても構いません）")
        await file.set_input_files(good)
        await expect(result.get_by_role("heading")).to_have_text("確かめられました")
        await expect(result.get_by_role("row")).to_have_count(5)  # the heads, and four steps
        await expect(result).to_contain_text("の「引継ぎの受諾」で、そのときの引継ぎの状態は「受諾」です。")
        first = json.loads(content)["steps"][0]
        at = Dates("ja").moment(first["at"])
        said = f"{at} 引継ぎの申込み 就労定着支援事業所 みほん（架空） {first['entry']['position']}"
        await expect(result.get_by_role("row", name=said)).to_be_visible()
        await somebody.check()
        await file.set_input_files(wrong)
        await expect(result.get_by_role("heading")).to_have_text("誤りがあります")
        await expect(result).to_contain_text("受渡しの証明の action が、記載")
        await expect(result).to_contain_text("このファイルは書き換えられています（4番目の手続の記載）")
        await file.set_input_files(later)
        await expect(result).to_contain_text("このファイルは書き換えられています（引継ぎの受諾の記載）")
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
        await page.get_by_label("受渡しの証明のファイル").last.set_input_files(tmp_path / "receipt.json")
        await somebody.press("送って確かめる")
        await expect(page.get_by_role("status")).to_contain_text("サーバーの答えです")


async def test_a_kept_checkpoint_is_seen_to_be_continued_or_not(pages: BrowserWorld, tmp_path: Path) -> None:
    world = pages.world
    sequencer = Sequencer(world.services.db, FileKeys(tmp_path / "keys", ORIGIN), ORIGIN)
    await world.received()
    await sequencer.sequence(datetime.now(UTC))
    kept = tmp_path / "checkpoint.txt"
    kept.write_bytes((await world.center.get("/ledger/checkpoint")).content)
    await offer(world, 1)
    await sequencer.sequence(datetime.now(UTC))
    size, now = (
        int(note.split("\n")[1])
        for note in (kept.read_text(), (await world.center.get("/ledger/checkpoint")).text)
    )
    assert 0 < size < now
    good = f"同じ歴史の続きです。保存したときの{size:,}件は、今の{now:,}件の最初に、そのまま残っています。"
    async with pages.browsing(await visitor(world.auditor, "auditor")) as somebody:
        page = await somebody.open("/verify/checkpoint")
        result = page.locator("#result")
        file = page.get_by_label("検証点のファイル（ここに落としても構いません）")
        await file.set_input_files(kept)
        await expect(result).to_contain_text(good)
        await somebody.check()
        await page.get_by_label("信じるログの鍵").first.fill(str(OTHER.key))
        await page.get_by_role("button", name="確かめる", exact=True).click()
        await expect(result.get_by_role("heading")).to_have_text("確かめられませんでした")
    async with pages.browsing(await visitor(world.auditor, "auditor"), scripts=False) as somebody:
        page = await somebody.open("/verify/checkpoint")
        await page.get_by_text("サーバーに送って確かめる").click()
        await page.get_by_label("検証点のファイル").last.set_input_files(kept)
        await somebody.press("送って確かめる")
        await expect(page.get_by_role("status")).to_contain_text(good)
        await expect(page.get_by_role("status")).to_contain_text("サーバーの答えです")


async def test_a_log_that_does_not_go_on_from_the_checkpoint_is_said_to_be_another(
    pages: BrowserWorld, tmp_path: Path
) -> None:
    world = pages.world
    held = FileKeys(tmp_path / "keys", ORIGIN)
    await world.received()
    await Sequencer(world.services.db, held, ORIGIN).sequence(datetime.now(UTC))
    note = (await world.center.get("/ledger/checkpoint")).text
    size = int(note.split("\n")[1])
    kept = tmp_path / "checkpoint.txt"
    kept.write_text(signed(Checkpoint(ORIGIN, size - 1, b"\1" * 32).text(), *held.signers()))
    async with pages.browsing(await visitor(world.auditor, "auditor")) as somebody:
        page = await somebody.open("/verify/checkpoint")
        await page.get_by_label("検証点のファイル（ここに落としても構いません）").set_input_files(kept)
        await expect(page.locator("#result")).to_contain_text(
            "違います。今の台帳は、この検証点の続きではありません"
        )
        await expect(page.locator("#result")).to_contain_text("書き換えられています（分岐）")
    async with pages.browsing(await visitor(world.auditor, "auditor"), scripts=False) as somebody:
        page = await somebody.open("/verify/checkpoint")
        await page.get_by_text("サーバーに送って確かめる").click()
        await page.get_by_label("検証点のファイル").last.set_input_files(kept)
        await somebody.press("送って確かめる")
        await expect(page.get_by_role("status")).to_contain_text("今の台帳は、この検証点の続きではありません")
