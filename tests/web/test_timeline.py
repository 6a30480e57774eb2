"""The page of the responsibility timeline, as those see it who may."""

from html import unescape

import pytest

from tests.crowd import accept, offer
from tests.oversight.test_findings import findings, unclaimed
from tests.web.pictures import titles
from tests.web.visitors import Visitor, visitor
from tests.world import World
from tsunagi.staff.rules import Role
from tsunagi.web import timeline

NOWHERE = "00000000-0000-4000-8000-00000000dead"


async def accepted(world: World) -> str:
    """Somebody whose settlement support ends on 2027-03-31 and whom the center takes over; it is 2026-12-01."""
    offered = await offer(world)
    world.on("2026-12-01")
    await accept(world, offered)
    person_id: str = offered["personId"]
    return person_id


async def shown(who: Visitor, person_id: str, query: str = "") -> str:
    answer = await who.get(f"/people/{person_id}/responsibility{query}")
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def picture(page: str) -> str:
    return page[page.index("<svg") : page.index("</svg>") + len("</svg>")]


@pytest.mark.parametrize("role", ["worker", "administrator", "auditor"])
async def test_whoever_is_entitled_sees_who_is_responsible_until_when(world: World, role: Role) -> None:
    person_id = await accepted(world)
    for who in (world.settlement, world.center, world.auditor):
        page = await shown(await visitor(who, role), person_id)
        assert "令和8年12月1日（2026-12-01）の責任を" in page
        assert "就労定着支援事業所 みほん（架空）" in page
        assert "令和9年3月31日まで" in page
        assert "令和9年4月1日まで" not in page


async def test_whoever_is_not_entitled_finds_nothing(world: World) -> None:
    person_id = await accepted(world)
    stranger = await visitor(world.other)
    answers = [await stranger.get(f"/people/{one}/responsibility") for one in (person_id, NOWHERE)]
    assert [one.status_code for one in answers] == [404, 404]


async def test_picture_and_table_say_the_same_line_by_line(world: World) -> None:
    page = await shown(await visitor(world.auditor, "auditor"), await accepted(world))
    drawn = [one.split()[0] for one in titles(picture(page))]
    listed = [row.partition('"')[0] for row in page.split('<tr id="line-')[1:]]
    assert drawn == listed
    assert len(listed) >= 9


async def test_another_day_and_another_knowledge_are_asked_for_with_a_form(world: World) -> None:
    person_id = await accepted(world)
    who = await visitor(world.center)
    later = await shown(who, person_id, "?asOf=2027-05-01&knownAt=&since=")
    assert "令和9年5月1日（2027-05-01）の責任を" in later
    now = later[later.index('id="now"') : later.index('id="findings"')]
    assert "障害者就業・生活支援センター みほん（架空）" in now
    before = await shown(who, person_id, "?asOf=2027-05-01&knownAt=2026-11-30T09:00")
    now = before[before.index('id="now"') : before.index('id="findings"')]
    assert "就労定着支援事業所 みほん（架空）" in now
    assert "令和8年11月30日 9:00時点の記録" in before
    nothing = await shown(who, person_id, "?knownAt=2025-01-01T00:00")
    assert "この時点では、責任の記録がありません" in nothing
    assert "<svg" not in nothing


async def test_what_changed_between_two_moments_is_told(world: World) -> None:
    person_id = await accepted(world)
    page = await shown(await visitor(world.auditor, "auditor"), person_id, "?since=2026-11-30T09:00")
    difference = page[page.index('id="difference"') : page.index('id="changes"')]
    assert (
        "主担当: <del>就労定着支援事業所 みほん（架空）</del> → <ins>障害者就業・生活支援センター みほん（架空）</ins>"
        "（令和9年4月1日から）"
    ) in difference
    assert "引継ぎの受諾" in page[page.index('id="changes"') :]
    uncompared = await shown(await visitor(world.center), person_id)
    assert 'id="difference"' not in uncompared
    everything = await shown(await visitor(world.center), person_id, "?since=1900-01-01T00:00")
    assert "記録の始まり" in everything
    assert "記録の変化を最初から見る" in uncompared


async def test_one_act_is_told_once_and_its_domains_in_their_order(world: World) -> None:
    person_id = await accepted(world)
    page = await shown(await visitor(world.center), person_id, "?since=1900-01-01T00:00")
    told = page[page.index('id="changes"') :]
    assert told.count("<h3>") == 2
    assert [told.index(one) for one in ("就業支援（", "生活支援（", "企業窓口（")] == sorted(
        told.index(one) for one in ("就業支援（", "生活支援（", "企業窓口（")
    )


async def test_who_is_beside_and_how_a_line_stands_is_of_the_day_that_was_asked_about(world: World) -> None:
    person_id = await accepted(world)
    page = await shown(await visitor(world.center), person_id, "?asOf=2027-05-01")
    now = page[page.index('id="now"') : page.index('id="findings"')]
    assert "併走：" in now or "後方：" in now
    first = page[page.index('id="line-1"') :]
    assert "終了" in first[: first.index("</tr>")]


async def test_a_date_that_is_today_is_neither_past_nor_to_come(world: World) -> None:
    person_id = await accepted(world)
    world.on("2027-04-01")
    page = await shown(await visitor(world.center), person_id)
    planned = page[page.index(">引継ぎ予定日</th>") :]
    assert ">今日</td>" in planned[: planned.index("</tr>")]


async def test_whoever_opens_handovers_finds_the_way_to_them_and_auditors_do_not(world: World) -> None:
    offered = await offer(world)
    person_id, way = offered["personId"], f'href="/handovers/{offered["id"]}"'
    assert way in await shown(await visitor(world.settlement), person_id)
    assert way not in await shown(await visitor(world.auditor, "auditor"), person_id)


async def test_a_finding_stands_with_its_evidence(world: World) -> None:
    person_id = (await unclaimed(world))["personId"]
    (gap,) = await findings(world.auditor)
    page = await shown(await visitor(world.auditor, "auditor"), person_id)
    listed = page[page.index('id="findings"') : page.index('id="picture"')]
    for said in (
        gap["message"]["ja"],
        "主担当の空白",
        "重大",
        "令和8年11月20日から",
        gap["evidence"][0]["entryId"],
    ):
        assert said in listed
    assert "担当なし 令和8年11月20日から" in " ".join(titles(picture(page)))


async def test_findings_about_the_handover_stand_there_as_in_the_list(world: World) -> None:
    person_id = (await offer(world))["personId"]
    world.on("2026-12-24")
    (silence,) = await findings(world.auditor)
    assert silence["kind"] == "no_answer"
    who = await visitor(world.auditor, "auditor")
    for query in ("", "?asOf=2027-12-05"):
        assert silence["message"]["ja"] in await shown(who, person_id, query)
    assert silence["message"]["ja"] not in await shown(who, person_id, "?knownAt=2026-11-21T09:00")


async def test_who_has_too_many_findings_for_the_page_is_followed_into_the_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "MOST_FINDINGS", 1)
    person_id = (await unclaimed(world))["personId"]
    world.on("2026-12-24")
    await offer(world, 1)
    who = await visitor(world.auditor, "auditor")
    page = await shown(who, person_id)
    assert "所見（1件と、その続き）" in page
    onward = page.partition('<a href="/area/findings?')[2].partition('"')[0]
    rest = unescape((await who.get(f"/area/findings?{onward}")).text)
    assert "回答がありません" in page + rest
    assert rest.count("/responsibility") == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("asOf=2026-02-30", "asOf"),
        ("asOf=tomorrow", "asOf"),
        ("knownAt=noon", "knownAt"),
        ("since=0001-01-01T00:00", "since"),
    ],
)
async def test_what_cannot_be_asked_is_said_beside_its_field(world: World, query: str, field: str) -> None:
    person_id = await accepted(world)
    answer = await (await visitor(world.center)).get(f"/people/{person_id}/responsibility?{query}")
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert f'aria-describedby="{field}-error"' in answer.text
    assert answer.text.count("field-error") == 1


async def test_in_english_the_page_is_in_english(world: World) -> None:
    person_id = await accepted(world)
    who = await visitor(world.center)
    answer = await who.get(f"/people/{person_id}/responsibility", **{"Accept-Language": "en"})
    assert "Timeline of responsibility" in answer.text
    assert "to 31 Mar 2027" in answer.text
    assert "主担当" not in answer.text
