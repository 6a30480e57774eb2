"""One handover, seen by everybody in a browser: posted, announced, opened, accepted, overlapping, done, audited."""

from datetime import date, timedelta

from playwright.async_api import Page, expect

from tests.web.browser import BrowserWorld
from tests.web.visitors import visitor
from tests.world import World, consent_for, settlement_record
from tsunagi.handovers.steps import advance

PLANNED = date(2027, 8, 1)
OPENS = "2027-02-01"
CENTER = "障害者就業・生活支援センター みほん（架空）"


async def posted(world: World) -> str:
    """By the settlement provider's software; offered, and long before its window. Its id."""
    record = settlement_record(
        world.center.id,
        plannedDate=PLANNED.isoformat(),
        serviceEndsOn=(PLANNED - timedelta(days=1)).isoformat(),
    )
    overlap = {"from": (PLANNED - timedelta(days=92)).isoformat(), "to": PLANNED.isoformat()}
    record["sections"]["handover_plan"]["overlap"] = overlap
    created = await world.settlement.post("/v1/handovers", record)
    assert created.status_code == 201, created.text
    draft = created.json()
    await world.settlement.post("/v1/consents", consent_for(draft["personId"], world.center.id))
    offered = await world.settlement.post(f"/v1/handovers/{draft['id']}/offer")
    assert offered.status_code == 200, offered.text
    return str(draft["id"])


async def becomes(world: World, day: str) -> None:
    world.on(day)
    await advance(world.services.db, world.services.clock.now())


async def text_of(page: Page) -> str:
    return await page.get_by_role("main").inner_text()


async def test_everybody_sees_the_handover_in_their_turn(pages: BrowserWorld) -> None:
    world = pages.world
    handover = f"/handovers/{await posted(world)}"
    center, auditor = await visitor(world.center), await visitor(world.auditor, "auditor")
    async with pages.browsing(center) as worker:
        page = await worker.open("/coming")
        await expect(page.get_by_role("main")).to_contain_text("令和9年2月1日")
        await worker.open(handover)
        assert "架空 直樹" not in await text_of(page)

        await becomes(world, OPENS)
        await worker.open(handover)
        await expect(page.get_by_role("heading", level=1)).to_contain_text("架空 直樹")
        await worker.open(f"{handover}/take-over")
        await worker.press("責任がどう移るか確かめる")
        await expect(page.get_by_role("img")).to_be_visible()
        await worker.press("受諾を確定する")

        await becomes(world, (PLANNED - timedelta(days=30)).isoformat())
        await worker.open(handover)
        assert "重なり期間中" in await text_of(page)

        await becomes(world, PLANNED.isoformat())
        await worker.open(handover)
        assert "完了" in await text_of(page)

    async with pages.browsing(auditor, scripts=False) as watcher:
        page = await watcher.open("/area")
        held = page.get_by_role("table").last
        await expect(held).to_contain_text(CENTER)
        await held.get_by_role("link").first.click()
        await watcher.check()
        await expect(page.get_by_role("img").first).to_be_visible()
        assert "架空 直樹" not in await text_of(page)
        await watcher.open(handover, status=403)
