"""What only a script can do, and what is shown in the fonts that are served."""

import pytest
from playwright.async_api import Dialog, expect

from tests.web.browser import BrowserWorld
from tests.web.visitors import Visitor, visitor


async def begun(pages: BrowserWorld, member: Visitor) -> str:
    """Where the first part of a new draft is written."""
    form = {"receiver": str(pages.world.center.id), "/handoverType": "settlement_to_center"}
    return (await member.post("/hand-over", form)).headers["location"]


async def test_who_leaves_a_form_that_is_not_saved_is_asked(pages: BrowserWorld) -> None:
    member = await visitor(pages.world.settlement)
    async with pages.browsing(member) as somebody:
        page = await somebody.open(await begun(pages, member))
        asked: list[str] = []

        async def stay(dialog: Dialog) -> None:
            asked.append(dialog.type)
            await dialog.dismiss()

        page.on("dialog", stay)
        written, here = page.get_by_label("職員番号").first, page.url
        await written.fill("A-12")
        await page.get_by_role("link", name="引継ぎの全体に戻る").click()
        await page.wait_for_timeout(300)
        assert (asked, page.url) == (["beforeunload"], here)
        await somebody.press("保存して次へ")
        await somebody.follow("引継ぎの全体に戻る")
        assert asked == ["beforeunload"]


async def test_what_is_asked_of_a_field_leads_nobody_away(pages: BrowserWorld) -> None:
    """Whoever was signed out meanwhile keeps what was typed."""
    member = await visitor(pages.world.settlement)
    async with pages.browsing(member) as somebody:
        page = await somebody.open(await begun(pages, member))
        asked: list[str] = []
        page.on("dialog", lambda dialog: asked.append(dialog.type))
        await somebody.context.clear_cookies()
        here, written = page.url, page.get_by_label("職員番号").first
        async with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
            await written.fill("A-12")
            await written.press("Tab")
        await page.wait_for_timeout(300)
        await expect(written).to_have_value("A-12")
        assert (page.url, asked) == (here, [])
        somebody.faults.clear()


@pytest.mark.parametrize("scripts", [True, False])
async def test_printing_is_offered_where_a_script_can_print(pages: BrowserWorld, scripts: bool) -> None:
    handover = await pages.world.accepted()
    async with pages.browsing(await visitor(pages.world.center), scripts=scripts) as somebody:
        page = await somebody.open(f"/people/{handover['personId']}/report")
        button = page.locator("[data-print]")
        await expect(button).to_be_visible(visible=scripts)
        if scripts:
            await page.evaluate("window.print = () => document.body.dataset.printed = 'yes'")
            await button.click()
            await expect(page.locator("body")).to_have_attribute("data-printed", "yes")


@pytest.mark.parametrize("element", ["h1", "p"])
async def test_names_are_shown_in_the_fonts_that_are_served(pages: BrowserWorld, element: str) -> None:
    async with pages.browsing() as somebody:
        page = await somebody.open("/sign-in")
        name = "髙﨑𠮷子 葛󠄀城 ㈱① がぎぐ ABC 123"
        await page.locator(element).first.evaluate("(one, name) => one.textContent = name", name)
        await page.wait_for_load_state("networkidle")
        inspector = await somebody.context.new_cdp_session(page)
        await inspector.send("DOM.enable")
        await inspector.send("CSS.enable")
        root = (await inspector.send("DOM.getDocument"))["root"]["nodeId"]
        found = await inspector.send("DOM.querySelector", {"nodeId": root, "selector": element})
        fonts = (await inspector.send("CSS.getPlatformFontsForNode", {"nodeId": found["nodeId"]}))["fonts"]
        assert {(one["familyName"], one["isCustomFont"]) for one in fonts} == {("Noto Sans JP", True)}
