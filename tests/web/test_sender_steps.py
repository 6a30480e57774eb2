"""What the sender does in a browser with a handover that is there: amended, offered again, opened early, withdrawn."""

import re
from typing import Any

import pytest

from tests.api.states import reach, take
from tests.ledger.entries import kept
from tests.web.browsing import controls
from tests.web.test_handing_over import begun, fill
from tests.web.visitors import Visitor, unconfirmed, visitor
from tests.world import World, consent_for


def here(handover: dict[str, Any]) -> str:
    return f"/handovers/{handover['id']}"


async def mending(member: Visitor, handover: dict[str, Any], **how: str) -> str:
    """The path of the draft in which the handover is mended."""
    answer = await member.post(f"{here(handover)}/draft", how)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("#")[0]


async def send(member: Visitor, path: str) -> Any:
    return await member.post(path, controls((await member.get(path)).text, path))


async def offered_with(world: World, **changes: Any) -> dict[str, Any]:
    """On offer, with a record of its own."""
    drafted = await world.draft(**changes)
    await world.settlement.post("/v1/consents", consent_for(drafted["personId"], world.center.id))
    answer = await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    assert answer.status_code == 200, answer.text
    return drafted | answer.json()


async def standing(world: World, handover: dict[str, Any]) -> tuple[str, int]:
    read = (await world.settlement.get(f"/v1{here(handover)}")).json()
    return read["status"], read["version"]


@pytest.mark.parametrize(
    ("status", "ways"),
    [
        ("draft", {"draft", "withdraw"}),
        ("offered", {"draft", "withdraw", "open"}),
        ("received", {"draft", "withdraw"}),
        ("returned", {"draft", "withdraw"}),
        ("accepted", {"withdraw"}),
        ("overlapping", set()),
        ("declined", set()),
        ("withdrawn", set()),
    ],
)
async def test_for_each_step_that_is_possible_there_is_a_way(
    world: World, status: str, ways: set[str]
) -> None:
    made = await reach(world, status)
    page = (await (await visitor(world.settlement)).get(here(made))).text
    found = set(re.findall(rf'(?:href|action)="{here(made)}/(draft|withdraw|open)"', page))
    assert found - {"open"} == ways - {"open"}
    theirs = (await (await visitor(world.center)).get(here(made))).text
    assert not re.search(rf'"{here(made)}/(draft|withdraw|open)"', theirs)


async def test_what_was_returned_is_amended_and_offered_again_as_one_handover(world: World) -> None:
    returned, member = await reach(world, "returned"), await visitor(world.settlement)
    path = await mending(member, returned)
    assert await mending(member, returned) == path, "it is mended in one draft"
    page = (await member.get(path)).text
    assert "差戻しの理由：追加の情報" in page
    assert "通勤経路を教えてください" in page
    await fill(member, f"{path}/medical", {"/coping": ["散歩をする"]})
    assert "記録は差し戻されたときのままです" not in (await member.get(path)).text
    answers = [await send(member, path) for _ in range(2)]
    assert {one.headers["location"] for one in answers} == {here(returned)}
    assert await standing(world, returned) == ("offered", 2)
    for side in (member, await visitor(world.center)):
        told = (await side.get(here(returned))).text
        assert "前に差し戻された理由：追加の情報" in told
        assert "通勤経路を教えてください" in told
    read = (await world.center.get(f"/v1{here(returned)}")).json()
    assert read["record"]["sections"]["medical"]["coping"] == "散歩をする"
    assert len((await world.settlement.get("/v1/handovers")).json()["items"]) == 1
    assert path not in (await member.get("/hand-over")).text


async def test_it_can_be_offered_again_as_it_is(world: World) -> None:
    returned, member = await reach(world, "returned"), await visitor(world.settlement)
    path = await mending(member, returned, go="offer")
    assert "記録は差し戻されたときのままです" in (await member.get(path.partition("#")[0])).text
    answer = await send(member, path)
    assert answer.status_code == 303, answer.text
    assert await standing(world, returned) == ("offered", 1)
    assert "引継ぎを申し込み、提供先に知らせました" in (await member.get(here(returned))).text


async def test_a_draft_made_by_software_is_finished_in_the_browser(world: World) -> None:
    made, member = await world.consented(), await visitor(world.settlement)
    path = await mending(member, made)
    assert (await send(member, path)).headers["location"] == here(made)
    assert await standing(world, made) == ("offered", 1)


async def test_what_no_form_asks_for_stays_in_the_record(world: World) -> None:
    extensions = {"jp.example.vendor": {"number": "7"}}
    made, member = await offered_with(world, extensions=extensions), await visitor(world.settlement)
    path = await mending(member, made)
    await fill(member, f"{path}/overview", {"/author/name": ["別名 次郎"]})
    assert (await send(member, path)).status_code == 303
    record = (await world.settlement.get(f"/v1{here(made)}")).json()["record"]
    assert (record["author"]["name"], record["extensions"]) == ("別名 次郎", extensions)
    assert await standing(world, made) == ("offered", 2)


async def test_nothing_is_amended_by_sending_what_is_there_already(world: World) -> None:
    """The process died after the amendment: the draft does not know of it, the record does."""
    returned, member = await reach(world, "returned"), await visitor(world.settlement)
    path = await mending(member, returned)
    await fill(member, f"{path}/medical", {"/coping": ["散歩をする"]})
    there = await world.settlement.get(f"/v1{here(returned)}")
    record = there.json()["record"]
    record["sections"]["medical"] = record["sections"].get("medical", {}) | {"coping": "散歩をする"}
    amended = await world.settlement.put(f"/v1{here(returned)}", record, If_Match=there.headers["etag"])
    assert amended.status_code == 200, amended.text
    assert (await send(member, path)).status_code == 303
    assert await standing(world, returned) == ("offered", 2)


async def test_what_somebody_has_amended_meanwhile_is_not_overwritten_unseen(world: World) -> None:
    offered, member = await world.offered(), await visitor(world.settlement)
    path = await mending(member, offered)
    sent = controls((await member.get(path)).text, path)
    there = await world.settlement.get(f"/v1{here(offered)}")
    record = there.json()["record"] | {"author": {"name": "別名 次郎", "role": "管理者"}}
    await world.settlement.put(f"/v1{here(offered)}", record, If_Match=there.headers["etag"])
    await fill(member, f"{path}/medical", {"/coping": ["散歩をする"]})
    page = await member.get(path)
    assert "書き始めたあとに、記録が第2版に直されました" in page.text
    revision = re.search(r'name="revision" value="(\d+)"', page.text)
    assert revision
    refused = await member.post(path, sent | {"revision": revision[1]})
    assert refused.status_code == 422
    assert await standing(world, offered) == ("offered", 2)
    await member.post(path, {"revision": revision[1], "instead_of": "2"})
    assert (await send(member, path)).status_code == 303
    assert await standing(world, offered) == ("offered", 3)


async def test_an_answered_handover_is_amended_no_more(world: World) -> None:
    offered, member = await world.offered(), await visitor(world.settlement)
    path = await mending(member, offered)
    assert (await take(world.center, world, offered["id"], "decline")).status_code == 200
    page = await member.get(path)
    assert 'name="revision"' in page.text
    assert (await send(member, path)).status_code == 422
    late = await member.post(f"{here(offered)}/draft")
    assert "この引継ぎは変わりました" in late.text


async def test_withdrawing_says_why_is_confirmed_and_happens_once(world: World) -> None:
    offered, member = await world.offered(), await visitor(world.settlement)
    path = f"{here(offered)}/withdraw"
    page = (await member.get(path)).text
    assert "取り消せません" in page
    assert "架空 直樹" in page
    form = controls(page, path)
    assert (await member.post(path, form)).status_code == 422, "a reason is needed"
    assert (await standing(world, offered))[0] == "offered"
    answers = [
        await member.post(path, form | {"reason": "person_wish", "text": "本人の希望"}) for _ in range(2)
    ]
    assert [one.headers.get("location") for one in answers] == [here(offered)] * 2
    assert (await standing(world, offered))[0] == "withdrawn"
    actions = [one.body["action"] for one in await kept(world.services.db)]
    assert actions.count("handovers:withdraw") == 1
    assert "いまはできない操作" in (await member.get(path)).text


async def test_who_confirmed_long_ago_confirms_before_withdrawing(world: World) -> None:
    offered, member = await world.offered(), await visitor(world.settlement)
    path = f"{here(offered)}/withdraw"
    form = controls((await member.get(path)).text, path)
    await unconfirmed(world)
    answer = await member.post(path, form | {"reason": "person_wish", "text": "ことば"})
    assert answer.status_code == 403
    assert "ことば" in answer.text
    assert (await standing(world, offered))[0] == "offered"


async def test_a_handover_that_went_on_meanwhile_is_not_withdrawn(world: World) -> None:
    offered, member = await world.offered(), await visitor(world.settlement)
    path = f"{here(offered)}/withdraw"
    form = controls((await member.get(path)).text, path)
    assert (await take(world.center, world, offered["id"], "receive")).status_code == 200
    answer = await member.post(path, form | {"reason": "person_wish"})
    assert answer.status_code == 409
    assert "何も登録されていません" in answer.text


async def test_opening_early_says_what_follows_and_opens(world: World) -> None:
    offered = await offered_with(world, plannedDate="2027-10-01", serviceEndsOn="2027-09-30")
    member = await visitor(world.settlement)
    path = f"{here(offered)}/open"
    assert f'href="{path}"' in (await member.get(here(offered))).text
    page = (await member.get(path)).text
    assert "令和9年4月1日" in page
    answer = await member.post(path, controls(page, path))
    assert answer.headers["location"] == here(offered)
    assert (await world.center.get(f"/v1{here(offered)}")).json()["windowOpen"] is True
    after = (await member.get(here(offered))).text
    assert f'href="{path}"' not in after
    assert "開示を早めました" in after


async def test_only_the_sender_takes_its_steps(world: World) -> None:
    offered = await world.offered()
    for stranger, status in ((await visitor(world.center), 200), (await visitor(world.other), 404)):
        for step in ("withdraw", "open"):
            page = await stranger.get(f"{here(offered)}/{step}")
            assert page.status_code == status
            assert "<form" not in page.text.partition("<main")[2]
            answer = await stranger.post(f"{here(offered)}/{step}", {"reason": "other"})
            assert answer.status_code in (404, 409, 422)
        assert (await stranger.post(f"{here(offered)}/draft")).status_code == status
        assert (await stranger.get("/hand-over")).text.count('href="/hand-over/') == 0
    auditor = await visitor(world.settlement, "auditor")
    for step in ("withdraw", "open"):
        assert (await auditor.get(f"{here(offered)}/{step}")).status_code == 403
        assert (await auditor.post(f"{here(offered)}/{step}", {"reason": "other"})).status_code == 403
    assert (await auditor.post(f"{here(offered)}/draft")).status_code == 403
    assert await standing(world, offered) == ("received", 1), "the center has read it"


async def test_a_discarded_amendment_leaves_the_handover_as_it_is(world: World) -> None:
    offered, member = await world.offered(), await visitor(world.settlement)
    path = await mending(member, offered)
    await fill(member, f"{path}/medical", {"/coping": ["散歩をする"]})
    assert (await member.post(path, {"press": "discard"})).headers["location"] == here(offered)
    assert await standing(world, offered) == ("offered", 1)
    assert path not in (await member.get("/hand-over")).text
    assert await begun(member, world) != path
