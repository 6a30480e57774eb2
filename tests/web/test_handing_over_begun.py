"""How a draft is begun: to whom, of which type, from an earlier record; and on what ground its data are given."""

from tests.ledger.entries import kept
from tests.web.browsing import controls
from tests.web.test_forms import same
from tests.web.test_handing_over import begun, fill, written
from tests.web.visitors import visitor
from tests.world import World, example, settlement_record
from tsunagi.ids import number


async def test_one_begins_from_an_earlier_record_of_ones_own(world: World) -> None:
    """What was said of the person is taken over; what was said of that handover is not."""
    made = await world.offered()
    member = await visitor(world.settlement)
    rows = (await member.get("/hand-over")).text
    assert f'href="/hand-over?from={made["id"]}"' in rows
    assert rows.count(f"番号 {number(made['id'])}") == 2  # told apart by sight and by the links alone
    assert f'href="/hand-over?from={made["id"]}"' in (await member.get(f"/handovers/{made['id']}")).text
    earlier = example("handover-record/valid/settlement-to-center.json")
    identity = earlier["sections"]["identity"]
    page = (await member.get(f"/hand-over?q=センター&from={made['id']}")).text
    assert f"{identity['familyName']} {identity['givenName']}さん" in page
    assert f"番号 {number(made['id'])} 障害者就業・生活支援センター みほん（架空）、" in page
    path = await begun(member, world, **{"from": made["id"]})
    parts = {}
    for part in ("overview", "identity", "continuing_needs", "handover_plan", "consent"):
        parts[part] = controls((await member.get(f"{path}/{part}")).text, f"{path}/{part}")
    assert parts["identity"]["/familyName"] == [identity["familyName"]]
    assert parts["overview"]["/author/name"] == ["試験 太郎"]
    assert parts["overview"]["/plannedDate:year"] == ["2027"]
    assert parts["overview"]["/serviceEndsOn:year"] == [""]
    assert parts["overview"]["/domains/0/domain"] == [""]
    assert "sharedOn" in earlier["sections"]["continuing_needs"]
    assert parts["continuing_needs"]["/sharedOn:year"] == [""]
    assert parts["handover_plan"]["/request/whyReceiver"] == [""]
    assert parts["consent"]["/givenOn:year"] == [""]
    home = {"/address/prefectureCode": ["13"], "/address/municipalityCode": ["新宿区"]}
    await fill(member, f"{path}/identity", home)
    again = controls((await member.get(f"{path}/identity")).text, f"{path}/identity")
    assert again["/address/municipalityCode"] == ["東京都新宿区"]


async def test_a_record_that_others_sent_is_no_beginning(world: World) -> None:
    made = await world.offered()
    stranger = await visitor(world.center)
    answer = await stranger.post("/hand-over", {"receiver": str(world.other.id), "from": made["id"]})
    assert answer.status_code == 404
    assert (await stranger.get(f"/hand-over?from={made['id']}")).status_code == 404


async def test_the_type_follows_from_who_hands_over_to_whom(world: World) -> None:
    member = await visitor(world.transition)
    found = (await member.get("/hand-over?q=みほん")).text
    assert "就労定着支援事業所</span>" in found
    assert "架空圏域</span>" in found
    for receiver, usual in (
        (world.settlement, "transition_to_settlement"),
        (world.center, "sender_to_center"),
    ):
        answer = await member.post("/hand-over", {"receiver": str(receiver.id)})
        path = answer.headers["location"]
        shown = controls((await member.get(path)).text, path)
        assert shown["/handoverType"] == [usual]
        await member.post(path, shown | {"/handoverType": "other", "go": "here"})
        assert controls((await member.get(path)).text, path)["/handoverType"] == ["other"]


async def test_another_receiver_is_chosen_and_consents_to_the_first_are_gone(world: World) -> None:
    member = await visitor(world.settlement)
    path = await begun(member, world)
    await fill(member, f"{path}/consent", {"/purpose": ["引継ぎのため"]})
    search = f"{path}/receiver/search"
    assert f'href="{search}"' in (await member.get(path)).text
    page = (await member.get(f"{search}?q=センター")).text
    assert "書いた同意は消えます" in page
    assert str(world.other.id) in page
    shown = controls(page, search)
    assert (await member.post(search, shown)).status_code == 422
    early = await member.post(search, shown | {"receiver": str(world.other.id), "revision": "1"})
    assert early.status_code == 412
    answer = await member.post(search, shown | {"receiver": str(world.other.id)})
    assert answer.headers["location"] == f"{path}/overview"
    consent = controls((await member.get(f"{path}/consent")).text, f"{path}/consent")
    assert consent["/purpose"] == [""]
    assert consent["/givenOn:year"] == [""]
    assert controls((await member.get(f"{path}/overview")).text, f"{path}/overview")["/plannedDate:year"]
    stranger = await visitor(world.center)
    assert (await stranger.get(search)).status_code == 404
    assert (await stranger.post(search, {"receiver": str(world.other.id)})).status_code == 404


async def test_in_an_emergency_a_record_is_given_without_consent(world: World) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    record["sections"].pop("family")
    path = await written(member, world, record)
    here = f"{path}/consent"
    shown = controls((await member.get(here)).text, here)
    assert shown["ground"] == ["consent"]
    assert (await member.post(here, shown | {"ground": "exception", "go": "here"})).status_code == 303
    page = (await member.get(here)).text
    assert "第三者提供記録" in page
    shown = controls(page, here)
    assert "/givenOn:year" not in shown
    assert shown["/sections"] == list(record["sections"])
    why = {
        "/legalException/code": ["life_protection"],
        "/legalException/reason": ["自宅で倒れ、支援が急ぐ。"],
    }
    await fill(member, here, why)
    answer = await member.post(path, controls((await member.get(path)).text, path))
    assert answer.status_code == 303, answer.text
    (made,) = (await world.settlement.get("/v1/handovers?direction=outgoing")).json()["items"]
    assert made["status"] == "offered"
    read = (await world.center.get(f"/v1/handovers/{made['id']}")).json()
    assert read["record"]["sections"] == same(record["sections"])
    (provision,) = (await world.settlement.get("/v1/provisions")).json()["items"]
    assert (provision["ground"], provision["statutory"]) == ("life_protection", False)
    assert "consents:except" in {one.body["action"] for one in await kept(world.services.db)}


async def test_what_a_rule_says_of_a_consent_is_said_where_the_consent_is_written(world: World) -> None:
    member = await visitor(world.settlement)
    path = await written(member, world, settlement_record(world.center.id))
    here = f"{path}/consent"
    await fill(member, here, {"/to:year": ["2020"], "/givenOn:year": ["2100"]})
    page = (await member.get(here)).text
    assert "同意の終了日は開始日より後でなければなりません" in page
    assert "同意日が未来の日付です" in page
    whole = (await member.get(path)).text
    for at in ("to", "givenOn"):
        assert f'href="{here}#at/{at}"' in whole
    assert (await member.post(path, controls(whole, path))).status_code == 422
    assert f'href="{here}#at/to"' in (await member.post(path, controls(whole, path))).text


async def test_a_draft_that_could_not_be_offered_says_what_it_lacks(world: World) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    record["sections"].pop("assessment")
    path = await written(member, world, record)
    page = (await member.get(path)).text
    assert page.count("まだ（必須）") == 1
    assert "登録して申し込む" not in page


async def test_the_ground_can_be_changed_back(world: World) -> None:
    member = await visitor(world.settlement)
    here = f"{await begun(member, world)}/consent"
    for ground, asked in (("exception", "/legalException/code"), ("consent", "/givenBy/kind")):
        shown = controls((await member.get(here)).text, here)
        await member.post(here, shown | {"/purpose": ["引継ぎのため"], "ground": ground, "go": "here"})
        shown = controls((await member.get(here)).text, here)
        assert asked in shown
        assert shown["/purpose"] == ["引継ぎのため"]
