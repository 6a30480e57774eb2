"""What is coming: by due date, overdue first, with what is expected of whoever looks."""

import re
from datetime import date

import httpx2
import pytest

from tests.api.many import copies
from tests.web.visitors import visitor
from tests.world import World
from tsunagi.contract import Contract
from tsunagi.db import Database
from tsunagi.web.coming import Row
from tsunagi.web.words import Words, labels

TODAY = date(2026, 11, 20)


def text_of(page: httpx2.Response) -> str:
    """What is read, without tags and blanks."""
    main = page.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", "", re.sub(r"<[^>]*>", " ", main))


async def test_a_worker_sees_what_is_coming_with_its_dates_and_what_to_do(world: World) -> None:
    offered = await world.offered()
    member = await visitor(world.center)
    page = await member.get("/coming")
    assert page.status_code == 200
    assert f'href="/handovers/{offered["id"]}"' in page.text
    text = text_of(page)
    assert "就労定着支援事業所みほん（架空）から" in text
    assert "記録を読み、回答する" in text
    assert "開示開始令和8年10月1日過ぎた" in text
    assert "情報共有の期限令和8年12月31日" in text
    assert "重なりの目安令和9年1月1日" in text
    assert "引継ぎ予定日令和9年4月1日" in text
    assert "回答期限令和8年12月20日あと30日" in text


async def test_the_due_date_says_what_is_due(world: World) -> None:
    received, member = await world.received(), await visitor(world.settlement)
    path, answers = f"/v1/handovers/{received['id']}", [{"domain": "employment", "decision": "accept"}]
    assert "回答期限令和8年12月20日" in text_of(await member.get("/coming"))
    reason = {"code": "more_information", "text": "架空の理由"}
    assert (await world.center.post(f"{path}/return", {"reason": reason})).status_code == 200
    assert "情報共有の期限令和8年12月31日あと41日" in text_of(await member.get("/coming"))
    assert (await world.settlement.post(f"{path}/offer")).status_code == 200
    assert (await world.center.post(f"{path}/receive")).status_code == 200
    answers[0]["from"] = "2026-12-01"
    answers += [{"domain": one, "decision": "accept"} for one in ("daily_life", "employer_liaison")]
    assert (await world.center.post(f"{path}/accept", {"domains": answers})).status_code == 200
    assert "最後の責任の開始日令和9年4月1日" in text_of(await member.get("/coming"))


def test_what_the_row_does_not_tell_of_a_due_date_is_not_said(contract: Contract) -> None:
    words = Words(contract, labels(contract), "ja")
    row = {"status": "returned", "plannedDate": "2027-04-01", "sharingDueOn": "2026-12-31"}
    said = [Row(row | {"dueOn": on}, TODAY).due(words) for on in ("2026-12-31", "2027-04-01", "2026-12-30")]
    assert said == ["情報共有の期限", "引継ぎ予定日", ""]
    taken = {"status": "accepted", "accepted": [{"acceptedFrom": "2027-04-01"}], "dueOn": "2027-04-01"}
    assert Row(row | taken, TODAY).due(words) == "責任の開始日"


async def test_after_reading_it_is_the_worker_s_turn_to_answer(world: World) -> None:
    received = await world.received()
    member = await visitor(world.center)
    page = await member.get("/coming")
    assert "受けるかどうか回答する" in text_of(page)
    assert f'href="/handovers/{received["id"]}/take-over"' in page.text


async def test_what_is_overdue_comes_first_and_says_so(world: World) -> None:
    later = await world.draft()
    person = {"personId": later["personId"]}
    first = await world.draft(plannedDate="2026-12-01", serviceEndsOn="2026-11-30", **person)
    world.on("2026-12-03")
    page = await (await visitor(world.settlement)).get("/coming?direction=outgoing")
    assert page.text.index(first["id"]) < page.text.index(later["id"])
    assert "引継ぎ予定日令和8年12月1日2日超過" in text_of(page)


async def test_before_the_window_opens_one_waits(world: World) -> None:
    world.on("2026-06-01")
    await world.offered()
    text = text_of(await (await visitor(world.center)).get("/coming"))
    assert "開示を待つ" in text
    assert "情報共有の期限" not in text
    theirs = text_of(await (await visitor(world.settlement)).get("/coming"))
    assert "開示の開始を待つ" in theirs
    assert "提供先が読むのを待つ" not in theirs


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("", True),
        ("direction=outgoing", False),
        ("", True),
        ("status=offered", True),
        ("status=completed", False),
        ("type=settlement_to_center", True),
        ("type=center_to_center", False),
        ("window=closed", False),
        ("due=over", False),
        ("due=soon", True),
        ("area=12-99", False),
    ],
)
async def test_the_list_is_filtered(world: World, query: str, there: bool) -> None:
    offered = await world.offered()
    page = await (await visitor(world.center)).get(f"/coming?{query}")
    assert page.status_code == 200, page.text
    assert (offered["id"] in page.text) is there


async def test_long_lists_have_pages(world: World, db: Database) -> None:
    found = await world.draft()
    await copies(db, found["id"], 50)
    member = await visitor(world.settlement)
    page = await member.get("/coming?direction=outgoing")
    (following,) = re.findall(r'href="([^"]*)" rel="next"', page.text)
    assert page.text.count('scope="row"') == 50
    page = await member.get(following.replace("&amp;", "&"))
    assert page.text.count('scope="row"') == 1


async def test_in_english_too(world: World) -> None:
    await world.offered()
    page = await (await visitor(world.center)).get("/coming", **{"Accept-Language": "en"})
    assert "Readtherecordandanswer" in text_of(page)
