"""Who is in charge: shown by name, chosen among one's own colleagues, one at a time or several."""

import re
from typing import Any

import httpx2
from sqlalchemy import text

from tests.api.many import copies
from tests.web.test_coming import text_of
from tests.web.visitors import Visitor, visitor
from tests.world import World
from tsunagi.db import Database


async def rename(world: World, member: Visitor, name: str, **changes: str) -> str:
    """The member has that name from now on; their id."""
    members = {"name": name} | changes
    said = ", ".join(f"{one} = :{one}" for one in members)
    async with world.services.db.platform() as tx:
        await tx.execute(
            text(f"UPDATE staff_members SET {said} WHERE id = :id"),
            members | {"id": member.added.member.id},
        )
    return str(member.added.member.id)


async def assignee(world: World, handover_id: str) -> Any:
    return (await world.center.get(f"/v1/handovers/{handover_id}")).json().get("assignee")


def choices(page: httpx2.Response, name: str) -> dict[str, str]:
    """The options of the page's select of that id."""
    (options,) = re.findall(rf'<select id="{name}".*?</select>', page.text, re.DOTALL)
    return dict(re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', options))


async def test_one_of_one_s_own_is_put_in_charge_on_the_page_of_the_handover(world: World) -> None:
    found = await world.received()
    member, colleague = await visitor(world.center), await visitor(world.center)
    known = await rename(world, colleague, "見本 次郎")
    stranger = await visitor(world.settlement)
    page = await member.get(f"/handovers/{found['id']}")
    assert "自機関の担当者：未定" in text_of(page)
    offered = choices(page, "assignee")
    assert list(offered) == [str(member.added.member.id), known, ""]
    assert str(stranger.added.member.id) not in page.text
    answer = await member.post(f"/handovers/{found['id']}/assignee", {"assignee": known})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/handovers/{found['id']}")
    page = await member.get(f"/handovers/{found['id']}")
    assert "自機関の担当者：見本次郎" in text_of(page)
    assert f'value="{known}" selected' in page.text
    assert await assignee(world, found["id"]) == known
    await member.post(f"/handovers/{found['id']}/assignee", {"assignee": ""})
    assert await assignee(world, found["id"]) is None


async def test_whoever_looks_is_offered_where_nobody_is_in_charge(world: World) -> None:
    found = await world.accepted()
    member = await visitor(world.center)
    page = await member.get(f"/handovers/{found['id']}")
    assert f'value="{member.added.member.id}" selected>わたし<' in page.text


async def test_an_auditor_or_whoever_was_disabled_cannot_be_chosen(world: World) -> None:
    found = await world.received()
    member, gone = await visitor(world.center), await visitor(world.center)
    auditor = await visitor(world.center, "auditor")
    known = await rename(world, gone, "見本 三郎", status="disabled")
    await member.post(f"/handovers/{found['id']}/assignee", {"assignee": known})
    page = await member.get(f"/handovers/{found['id']}")
    assert "自機関の担当者：見本三郎停止中" in text_of(page)
    listed = await member.get("/coming")
    assert "担当見本三郎停止中" in text_of(listed)
    assert str(auditor.added.member.id) not in choices(page, "assignee")
    assert list(choices(listed, "give-to")) == [str(member.added.member.id), ""]
    assert "担当見本三郎" in text_of(await member.get(f"/coming?assignee={known}"))


async def test_before_the_window_opens_the_notice_offers_it(world: World) -> None:
    world.on("2026-06-01")
    found = await world.offered()
    member = await visitor(world.center)
    known = str(member.added.member.id)
    assert "自機関の担当者：" in text_of(await member.get(f"/handovers/{found['id']}"))
    await member.post(f"/handovers/{found['id']}/assignee", {"assignee": known})
    assert await assignee(world, found["id"]) == known


async def test_what_is_no_colleague_s_id_is_shown_as_it_is(world: World) -> None:
    found = await world.received()
    await world.center.put(f"/v1/handovers/{found['id']}/assignee", {"assignee": "S-0012"})
    member = await visitor(world.center)
    for path in (f"/handovers/{found['id']}", "/coming", "/coming?assignee=S-0012"):
        assert "S-0012" in text_of(await member.get(path)), path
    assert "S-0012" not in (await (await visitor(world.settlement)).get("/coming")).text


async def test_the_list_is_filtered_by_who_is_in_charge(world: World) -> None:
    found = await world.received()
    member, other = await visitor(world.center), await visitor(world.center)
    mine, theirs = str(member.added.member.id), str(other.added.member.id)
    await member.post(f"/handovers/{found['id']}/assignee", {"assignee": mine})
    page = await member.get("/coming")
    assert {mine: "わたしの担当", "~": "まだ決まっていない"}.items() <= choices(page, "assignee").items()
    for query, there in {mine: True, theirs: False, "~": False, "": True}.items():
        page = (
            await member.get("/coming", **{}) if not query else await member.get(f"/coming?assignee={query}")
        )
        assert (found["id"] in page.text) is there, query
    refused = await member.get("/coming?assignee=%E8%A6%8B")
    assert refused.status_code == 400
    assert 'id="assignee-error"' in refused.text


async def test_several_are_given_to_one_at_once(world: World, db: Database) -> None:
    drafted = await world.draft()
    await copies(db, drafted["id"], 4)
    member = await visitor(world.settlement)
    page = await member.get("/coming?direction=outgoing&type=settlement_to_center")
    ids = re.findall(r'name="handover" value="([^"]*)"', page.text)
    assert len(ids) == 5
    (asked,) = re.findall(r'name="asked" value="([^"]*)"', page.text)
    form = {
        "handover": ids[:3],
        "assignee": str(member.added.member.id),
        "asked": asked.replace("&amp;", "&"),
    }
    answer = await member.post("/coming/assignees", form)
    assert answer.headers["location"] == (
        "/coming?direction=outgoing&type=settlement_to_center&assigned=3&of=3"
    )
    page = await member.get(answer.headers["location"])
    assert "3件の担当者を変えました。" in text_of(page)
    mine = await member.get(f"/coming?direction=outgoing&assignee={member.added.member.id}")
    assert set(re.findall(r'name="handover" value="([^"]*)"', mine.text)) == set(ids[:3])


async def test_what_has_ended_meanwhile_is_told_and_left(world: World) -> None:
    found = await world.received()
    await world.center.post(f"/v1/handovers/{found['id']}/decline", {"reason": {"code": "capacity"}})
    member = await visitor(world.center)
    form = {"handover": [found["id"]], "assignee": str(member.added.member.id), "asked": ""}
    answer = await member.post("/coming/assignees", form)
    page = await member.get(answer.headers["location"])
    assert "1件は、終わっているなどのため変えられませんでした。" in text_of(page)
    ended = await member.get("/coming?status=declined")
    assert found["id"] in ended.text
    assert 'name="handover"' not in ended.text
    nothing = await member.post("/coming/assignees", {"assignee": "", "asked": ""})
    assert "選んでください" in text_of(await member.get(nothing.headers["location"]))


async def test_areas_are_called_by_their_names(world: World) -> None:
    await world.offered()
    page = await (await visitor(world.center)).get("/coming")
    areas = (await world.center.get("/v1/areas")).json()["items"]
    (code,) = {one["areaCode"] for one in (await world.center.get("/v1/handovers")).json()["items"]}
    (name,) = (one["name"] for one in areas if one["code"] == code)
    row = page.text.partition("<tbody")[2]
    assert name in row
    assert code not in row
