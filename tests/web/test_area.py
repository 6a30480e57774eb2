"""The pages of a whole area."""

import re
from html import unescape

import pytest

from tests.crowd import accept, offer, record_of
from tests.oversight.test_findings import findings
from tests.web.visitors import Visitor, visitor
from tests.world import World
from tests.world_fixtures import AREA
from tsunagi.web import area
from tsunagi.web.area import totals


async def shown(who: Visitor, path: str) -> str:
    answer = await who.get(path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def people(page: str) -> list[str]:
    return re.findall(r'<a href="/people/([0-9a-f-]{36})/responsibility', page)


async def test_everyone_of_the_area_is_listed_with_their_primaries(world: World) -> None:
    first, (one, *_) = await offer(world, 1), record_of(world, 2)["domains"]
    second = await offer(world, 2, domains=[one])
    own = (await world.auditor.get(f"/v1/organizations/{world.auditor.id}")).json()
    assert (own["remitAreaCodes"], own["areaCodes"]) == ([AREA], [])
    page = await shown(await visitor(world.auditor, "auditor"), "/area")
    assert sorted(people(page)) == sorted({first["personId"], second["personId"]})
    assert "就労定着支援事業所 みほん（架空）" in page
    assert f'<option value="{AREA}" selected>架空圏域</option>' in page
    unrecorded = page.partition('<th scope="row">記録なし</th>')[2].partition("</tr>")[0]
    assert re.findall(r">([0-9,]+)<", unrecorded) == ["0", "1", "1"]
    alone = await shown(
        await visitor(world.auditor, "auditor"), f"/people/{second['personId']}/responsibility"
    )
    assert alone.count("誰が受け持つかは、ここに記録されていません") == 2


async def test_who_works_in_no_area_chooses_one(world: World) -> None:
    page = await shown(await visitor(world.other), "/area")
    assert "圏域を選んでください" in page
    early = await shown(await visitor(world.auditor, "auditor"), f"/area?area={AREA}&asOf=2021-01-01")
    assert "この日・この時点の記録はありません" in early
    assert f'<option value="{AREA}">架空圏域</option>' in page


async def test_each_sees_those_whom_the_api_would_show(world: World) -> None:
    offered = await offer(world)
    world.on("2026-12-01")
    await accept(world, offered)
    for who, expected in ((world.center, [offered["personId"]]), (world.other, []), (world.transition, [])):
        assert people(await shown(await visitor(who), f"/area?area={AREA}")) == expected


async def test_a_page_of_people_leads_to_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(area, "PEOPLE", 2)
    offered = {(await offer(world, number))["personId"] for number in range(5)}
    who, path, found = (
        await visitor(world.auditor, "auditor"),
        f"/area?area={AREA}&asOf=2027-01-01",
        list[str](),
    )
    for _ in range(3):
        page = await shown(who, path)
        found += people(page)
        assert "asOf=2027-01-01" in page
        path = next(iter(re.findall(r'href="([^"]+)" rel="next"', page)), "")
    assert not path
    assert sorted(found) == sorted(offered)


async def test_findings_are_filtered_by_area_organization_kind_and_period(world: World) -> None:
    person_id = (await offer(world))["personId"]
    world.on("2026-12-24")
    (silence,) = await findings(world.auditor)
    assert (silence["kind"], silence["since"]) == ("no_answer", "2026-12-21")
    who = await visitor(world.auditor, "auditor")
    exact = "kind=no_answer&from=2026-12-21&until=2026-12-21&knownAt="
    for query in ("", f"area={AREA}&organization={world.settlement.id}&{exact}"):
        page = await shown(who, f"/area/findings?{query}")
        assert people(page) == [person_id], query
        assert silence["message"]["ja"] in page
    for query in (
        "kind=holder_closed",
        f"organization={world.other.id}",
        "until=2026-12-20",
        "from=2026-12-22",
        "knownAt=2026-11-01T09:00",
    ):
        assert not people(await shown(who, f"/area/findings?{query}")), query


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/area?area=12-91&asOf=2026-13-01", "asOf"),
        ("/area?area=12-91&knownAt=x", "knownAt"),
        ("/area?area=%2F", "area"),
        ("/area?number=yamada", "number"),
        ("/area?number=ZZZZZZ", "number"),
        ("/area/findings?kind=unheard_of", "kind"),
        ("/area/findings?until=x", "until"),
        ("/area/findings?organization=x", "organization"),
        ("/area/findings?from=2026-12-02&until=2026-12-01", "until"),
    ],
)
async def test_what_cannot_be_asked_is_said_beside_its_field(world: World, path: str, field: str) -> None:
    answer = await (await visitor(world.auditor, "auditor")).get(path)
    assert answer.status_code == 400, answer.text
    assert f'id="{field}-error"' in answer.text


async def test_the_number_on_a_paper_leads_to_the_person(world: World) -> None:
    first, second = await offer(world, 1), await offer(world, 2)
    who = await visitor(world.auditor, "auditor")
    for asked in (first["id"], first["id"][-6:].upper(), f"{first['id'][-6:]}&area={AREA}"):
        assert people(await shown(who, f"/area?number={asked}")) == [first["personId"]], asked
    assert people(await shown(who, f"/area?number={first['personId'][-6:].upper()}")) == [first["personId"]]
    ledger = await shown(who, f"/audit/ledger?handoverId={first['id']}")
    assert f'href="/area?number={first["id"]}"' in ledger
    assert "番号 000000 の引継ぎも本人も、見ることのできる圏域にありません" in await shown(
        who, "/area?number=000000"
    )
    stranger = await visitor(world.other)
    assert not people(await shown(stranger, f"/area?area={AREA}&number={second['id']}"))


def test_totals_have_a_row_for_each_organization_and_nobody_first() -> None:
    one, other = {"id": "1", "name": "甲"}, {"id": "2", "name": "乙"}
    said = [
        {"domain": "daily_life", "organization": None, "people": 1},
        {"domain": "daily_life", "organization": one, "people": 2},
        {"domain": "employment", "organization": one, "people": 3},
        {"domain": "employment", "organization": other, "people": 9},
    ]
    assert totals(said) == [
        (None, {"daily_life": 1}),
        ("乙", {"employment": 9}),
        ("甲", {"daily_life": 2, "employment": 3}),
    ]
