"""What both sides did together, on the pages: recorded, seen, agreed on, and taken back."""

from typing import Any

import httpx2
import pytest
from playwright.async_api import expect

from tests.activities.together import conference, listed, recorded, visit, window
from tests.crowd import offer, record_of
from tests.oversight.test_findings import kinds
from tests.web.browser import BrowserWorld
from tests.web.browsing import controls
from tests.web.test_coming import text_of
from tests.web.visitors import Visitor, visitor
from tests.world import Organization, World

PATH = "/handovers/{}/activities/{}"


async def at_the_form(
    who: Organization, handover: dict[str, Any], kind: str
) -> tuple[Visitor, str, httpx2.Response]:
    member = await visitor(who)
    path = PATH.format(handover["id"], kind)
    page = await member.get(path)
    assert page.status_code == 200, page.text
    return member, path, page


def typed(page: httpx2.Response, path: str, **changes: str) -> dict[str, Any]:
    """What a browser would send of the form, had somebody changed these inputs (`_` stands for `/`)."""
    return dict(controls(page.text, path)) | {
        name if ":" in name or name in ("go", "add", "remove") else f"/{name.replace('_', '/')}": value
        for name, value in changes.items()
    }


def on(at: str, year: str, month: str, day: str) -> dict[str, str]:
    return {f"{at}:year": year, f"{at}:month": month, f"{at}:day": day}


async def test_a_conference_is_recorded_and_both_sides_see_it(world: World) -> None:
    handover = await world.accepted()
    member, path, page = await at_the_form(world.center, handover, "case_conference")
    sent = typed(page, path, chairRole="service_manager", decisions="月に2回いっしょに訪ねる。")
    assert sent["/participants/0/organizationName"] == ["就労定着支援事業所 みほん（架空）"]
    sent |= {"/participants/0/role": "サービス管理責任者", "/participants/1/role": "就業支援担当者"}
    done = await member.post(path, sent | on("/heldOn", "令和8", "9", "15"))
    assert (done.status_code, done.headers["location"]) == (303, f"/handovers/{handover['id']}#together")
    (seen,) = (await listed(world.settlement, handover))["items"]
    assert (seen["side"], seen["caseConference"]["heldOn"]) == ("receiver", "2026-09-15")
    for who in (world.settlement, world.center):
        said = text_of(await (await visitor(who)).get(f"/handovers/{handover['id']}"))
        assert "ケース会議令和8年9月15日" in said
        assert "提供先が記録" in said
        assert "月に2回いっしょに訪ねる。" in said


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(world: World) -> None:
    handover = await world.received()
    member, path, page = await at_the_form(world.settlement, handover, "joint_visit")
    sent = typed(page, path, content="紹介した。") | on("/visitedOn", "2026", "11", "31")
    answer = await member.post(path, sent)
    assert answer.status_code == 422
    assert "まだ記録していません。直すところが2か所あります" in answer.text
    assert "「訪問日」を暦の日付として読めません" in answer.text
    kept = controls(answer.text, path)
    assert (kept["/content"], kept["/visitedOn:day"]) == (["紹介した。"], ["31"])
    assert kept["key"] == controls(page.text, path)["key"]
    kept |= {"/companions/0": ["支援員"], "/visitedOn:day": ["30"]}
    answer = await member.post(path, kept)
    assert answer.status_code == 422
    assert "まだ来ていない日です" in answer.text
    assert (await listed(world.settlement, handover))["items"] == []
    kept |= {"/visitedOn:day": ["10"]}
    assert [(await member.post(path, kept)).status_code for _ in range(2)] == [303, 303]
    assert len((await listed(world.settlement, handover))["items"]) == 1


async def test_lists_grow_and_shrink_without_scripts(world: World) -> None:
    handover = await world.received()
    member, path, page = await at_the_form(world.center, handover, "case_conference")
    more = await member.post(path, typed(page, path, decisions="決めた。") | {"add": "/participants"})
    assert more.status_code == 200
    assert 'href="#at/participants/2"' in more.text
    assert controls(more.text, path)["/participants:items"] == ["3"]
    assert controls(more.text, path)["/decisions"] == ["決めた。"]
    less = await member.post(path, dict(controls(more.text, path)) | {"remove": "/participants/0"})
    left = controls(less.text, path)
    assert left["/participants:items"] == ["2"]
    assert left["/participants/0/organizationName"] == ["障害者就業・生活支援センター みほん（架空）"]
    assert (await listed(world.center, handover))["items"] == []


async def test_the_other_sides_window_is_proposed_and_agreement_is_said_plainly(world: World) -> None:
    handover = await world.accepted()
    here = f"/handovers/{handover['id']}"
    member = await visitor(world.settlement)
    said = text_of(await member.get(here))
    assert "企業の窓口は、まだどちらも記録していません。提供元が申込みの前に書いた窓口は" in said
    await recorded(world.center, handover, window(world.center, "2027-04-01"))
    said = text_of(await member.get(here))
    assert "提供先は障害者就業・生活支援センターみほん（架空）（令和9年4月1日から）としています" in said
    await recorded(world.settlement, handover, window(world.settlement, "2027-04-01"))
    assert "企業の窓口が一致していません" in text_of(await member.get(here))
    member, path, page = await at_the_form(world.settlement, handover, "employer_window")
    assert controls(page.text, path)["/organizationId"] == [str(world.center.id)]
    assert (await member.post(path, controls(page.text, path))).status_code == 303
    said = text_of(await member.get(here))
    assert "両者が一致しています" in said
    assert said.count("その後の申告で変更") == 1


async def test_what_one_wrote_is_taken_back_on_the_page(world: World) -> None:
    handover = await world.received()
    mine = await recorded(world.center, handover, visit())
    theirs = await recorded(world.settlement, handover, conference(world))
    member = await visitor(world.center)
    here = f"/handovers/{handover['id']}"
    page = await member.get(here)
    assert f"{here}/activities/{mine['id']}/withdraw" in page.text
    assert theirs["id"] in page.text
    assert f"{here}/activities/{theirs['id']}/withdraw" not in page.text
    done = await member.post(f"{here}/activities/{mine['id']}/withdraw")
    assert (done.status_code, done.headers["location"]) == (303, f"{here}#together")
    said = text_of(await member.get(here))
    assert "取り消し済み" in said
    assert "記録を取り消しました" in said
    assert (await member.post(f"{here}/activities/{theirs['id']}/withdraw")).status_code == 404


@pytest.mark.parametrize("kind", ["case_conference", "joint_visit", "employer_window"])
async def test_whoever_may_not_record_now_is_led_back(world: World, kind: str) -> None:
    handover = await world.offered()
    member = await visitor(world.center)
    await world.center.post(f"/v1/handovers/{handover['id']}/decline", {"reason": {"code": "capacity"}})
    page = await member.get(PATH.format(handover["id"], kind))
    assert (page.status_code, page.headers["location"]) == (303, f"/handovers/{handover['id']}#together")
    assert (await member.get(PATH.format(handover["id"], "telephone_call"))).status_code == 404


async def test_earlier_versions_are_shown_without_it(world: World) -> None:
    handover = await world.received()
    member = await visitor(world.center)
    assert 'id="together"' in (await member.get(f"/handovers/{handover['id']}")).text
    assert 'id="together"' not in (await member.get(f"/handovers/{handover['id']}?version=1")).text


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without scripts"])
async def test_both_sides_meet_in_a_browser(pages: BrowserWorld, scripts: bool) -> None:
    """The receiver records a conference, the sender sees it; both name the same window, and the findings are gone."""
    world = pages.world
    sections = record_of(world, 0)["sections"]
    del sections["employer_contacts"]["singlePointOfContact"]
    del sections["handover_plan"]["caseConferences"]
    handover = await offer(world, 0, sections=sections)
    here = f"/handovers/{handover['id']}"
    await world.center.get(f"/v1{here}")
    assert sorted(await kinds(world.auditor)) == ["conference_late", "employer_window_undefined"]
    async with pages.browsing(await visitor(world.center), width=390, scripts=scripts) as receiver:
        page = await receiver.open(here)
        await receiver.follow("ケース会議を記録する")
        for name, value in (("年", "R8"), ("月", "9"), ("日", "15")):
            await page.get_by_label(name, exact=True).fill(value)
        await page.get_by_label("主催者の職種").select_option("center_employment_supporter")
        for place, role in enumerate(("定着支援員", "就業支援担当者")):
            await page.get_by_label("職種・立場").nth(place).fill(role)
        await receiver.press("記録する")
        await expect(page.get_by_role("alert")).to_contain_text("「決定事項」を書いてください")
        await page.get_by_label("決定事項").fill("4月から窓口をセンターに移す。")
        await receiver.press("記録する")
        assert page.url.endswith(f"{here}#together")
        await expect(page.get_by_text("4月から窓口をセンターに移す。")).to_be_visible()
        await receiver.follow("企業の窓口を記録する")
        await receiver.press("記録する")
        await expect(page.get_by_text("提供元が同じ機関を記録すると、合意になります")).to_be_visible()
        assert await receiver.width() <= 390
    async with pages.browsing(await visitor(world.settlement), scripts=scripts) as sender:
        page = await sender.open(here)
        await expect(page.get_by_text("4月から窓口をセンターに移す。")).to_be_visible()
        assert await kinds(world.auditor) == ["employer_window_undefined"]
        await sender.follow("企業の窓口を記録する")
        await sender.press("記録する")
        await expect(page.get_by_text("両者が一致しています")).to_be_visible()
    assert await kinds(world.auditor) == []
