"""What is said before a draft is sent, so that nothing has to be refused or regretted afterwards."""

import re
from typing import Any

import pytest

from tests.ledger.entries import kept
from tests.web.browsing import controls
from tests.web.test_handing_over import begun, fill, written
from tests.web.test_sender_steps import here, mending, send, standing
from tests.web.visitors import Visitor, visitor
from tests.world import World, settlement_record
from tsunagi.handovers.rules import DOMAIN_NAMES
from tsunagi.web import sending
from tsunagi.web.draft_parts import forms_of
from tsunagi.web.forms_posted import inputs


async def acts(world: World) -> list[str]:
    return [one.body["action"] for one in await kept(world.services.db)]


async def handovers(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.settlement.get("/v1/handovers")).json()["items"]
    return found


async def shown(member: Visitor, path: str) -> str:
    return (await member.get(path)).text


def state_of(page: str, part: str) -> str:
    found = re.search(rf'/{part}">[^<]*</a></th>\s*<td><span class="[^"]*">([^<]*)</span>', page)
    assert found, part
    return found[1]


async def test_nobody_is_told_off_before_they_have_saved(world: World) -> None:
    member = await visitor(world.settlement)
    path = await begun(member, world)
    first = await shown(member, f"{path}/overview")
    assert "notice-error" not in first
    assert "保存されています" not in first
    assert state_of(await shown(member, path), "overview") == "まだ（必須）"
    await fill(member, f"{path}/overview", {})
    assert "下書きは保存されています。直すところが" in await shown(member, f"{path}/overview")


async def test_what_is_refused_leaves_nothing_behind_and_the_first_version_is_the_first(world: World) -> None:
    member = await visitor(world.settlement)
    path = await written(member, world, settlement_record(world.center.id))
    before = await acts(world)
    await fill(member, f"{path}/consent", {"/from:year": ["2030"], "/to:year": ["2031"]})
    page = await shown(member, path)
    assert f'href="{path}/consent#at/from">本人の同意: 同意が始まる前に' in page
    assert (await send(member, path)).status_code == 422
    await fill(member, f"{path}/consent", {"/from:year": ["2020"], "/to:year": ["2021"]})
    assert f'href="{path}/consent#at/to">本人の同意: 提供先が読めるようになる日' in await shown(member, path)
    assert (await send(member, path)).status_code == 422
    assert (await handovers(world), await acts(world)) == ([], before)
    await fill(member, f"{path}/consent", {"/from:year": ["2026"], "/to:year": ["2030"]})
    assert (await send(member, path)).status_code == 303
    (made,) = await handovers(world)
    assert (made["status"], made["version"]) == ("offered", 1)
    written_down = [
        one for one in (await acts(world))[len(before) :] if one.startswith(("handovers", "consents"))
    ]
    assert written_down == ["handovers:create", "consents:give", "consents:give", "handovers:offer"]


@pytest.mark.parametrize("died_at", ["_consented", "note", "close"])
async def test_whoever_died_while_sending_is_taken_up_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch, died_at: str
) -> None:
    member = await visitor(world.settlement)
    path = await written(member, world, settlement_record(world.center.id))
    going_on = getattr(sending, died_at)
    passed = {"_consented": 0, "note": 1, "close": 0}[died_at]  # that it has been checked is noted first

    async def dying(*given: Any, **named: Any) -> Any:
        nonlocal passed
        passed -= 1
        if passed < 0:
            raise RuntimeError("the process has died")
        return await going_on(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(sending, died_at, dying)
        answer = await send(member, path)
        assert answer.status_code == 500, answer.text
    assert len(await handovers(world)) == 1
    assert 'name="same_person"' not in await shown(member, path)
    assert (await send(member, path)).status_code == 303
    (made,) = await handovers(world)
    assert (made["status"], made["version"]) == ("offered", 1)
    assert (await acts(world)).count("consents:give") == 2


async def test_what_is_needed_to_offer_is_told_from_what_is_only_to_be_noted(world: World) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    for name in ("assessment", "support_plan"):
        del record["sections"][name]
    page = await shown(member, await written(member, world, record))
    assert [state_of(page, name) for name in ("assessment", "support_plan")] == ["まだ（必須）"] * 2
    assert state_of(page, "medical") != "まだ（必須）"
    assert "このままでも申し込めます" not in page
    assert 'name="revision"' not in page


async def test_sections_that_the_consent_leaves_out_are_named_with_a_link_to_it(world: World) -> None:
    member = await visitor(world.settlement)
    path = await written(member, world, settlement_record(world.center.id))
    await fill(member, f"{path}/consent", {"/sections": ["identity", "handover_plan"]})
    page = await shown(member, path)
    for label in ("アセスメント", "支援計画"):
        assert f'href="{path}/consent#at/sections">{label}: 書かれていますが、同意に含まれていない' in page
    assert "引継ぎ計画: 書かれていますが" not in page
    assert (await send(member, path)).status_code == 303


async def test_a_hole_in_responsibility_is_not_made_unknowingly(world: World) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    del record["domains"][0]["senderPrimarySince"]
    path = await written(member, world, record)
    page = await shown(member, path)
    assert "主担当のいない期間ができます" in page
    assert "書かれていないこと" not in page
    assert f'href="{path}/overview#at/domains/0/senderPrimarySince"' in page
    assert "就業支援：引継ぎの日まで、主担当のいない期間があります" in page
    assert not re.search(r"senderPrimarySince(?!\")", page)
    refused = await send(member, path)
    assert (refused.status_code, await handovers(world)) == (422, [])
    form = controls(refused.text, path)
    assert (await member.post(path, form | {"gap": "known"})).status_code == 303
    since = {
        f"/domains/0/senderPrimarySince:{one}": [value] for one, value in (("year", "2024"), ("month", "4"))
    }
    (made,) = await handovers(world)
    mended = await mending(member, made)
    await fill(member, f"{mended}/overview", since | {"/domains/0/senderPrimarySince:day": ["1"]})
    assert "主担当のいない期間ができます" not in await shown(member, mended)
    assert (await send(member, mended)).status_code == 303
    assert await standing(world, made) == ("offered", 2)


@pytest.mark.parametrize(
    ("part", "typed", "at"),
    [
        ("handover_plan", {"/overlap:from": "2027-04-30", "/overlap:to": "2027-03-31"}, "/overlap/to"),
        ("consent", {"/from": "2027-04-01", "/to": "2026-04-01"}, "/to"),
        ("consent", {"/givenOn": "2026-12-24"}, "/givenOn"),
        ("overview", {"/serviceEndsOn": "2027-05-31"}, "/plannedDate"),
    ],
)
async def test_dates_that_do_not_go_together_mark_their_part_when_it_is_saved(
    world: World, part: str, typed: dict[str, str], at: str
) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    path = await written(member, world, record)
    assert state_of(await shown(member, path), part) == "書けた"
    parted = {
        f"{name.replace(':', '/')}:{unit}": [number]
        for name, day in typed.items()
        for unit, number in zip(("year", "month", "day"), day.split("-"), strict=True)
    }
    await fill(member, f"{path}/{part}", parted)
    assert f'href="#at{at}"' in await shown(member, f"{path}/{part}")
    page = await shown(member, path)
    assert state_of(page, part) == "直すところ：1か所"
    assert f'href="{path}/{part}#at{at}"' in page
    assert (await send(member, path)).status_code == 422
    assert await handovers(world) == []


async def test_pairs_of_dates_are_checked_though_nothing_else_is_written(world: World) -> None:
    member = await visitor(world.settlement)
    path = await begun(member, world)
    plan = settlement_record(world.center.id)["sections"]["handover_plan"]
    plan["overlap"] = {"from": plan["overlap"]["to"], "to": plan["overlap"]["from"]}
    await fill(
        member,
        f"{path}/handover_plan",
        inputs(forms_of(world.services.contract).sections["handover_plan"], plan),
    )
    assert state_of(await shown(member, path), "handover_plan") == "直すところ：1か所"


async def test_another_open_handover_of_the_person_is_said_before_sending(world: World) -> None:
    made, member = await world.offered(), await visitor(world.settlement)
    path = await written(member, world, settlement_record(world.center.id))
    page = await shown(member, path)
    assert "当機関で登録されています" in page
    assert "distinctFrom" not in page
    told = await member.post(path, controls(page, path) | {"same_person": made["personId"]})
    assert told.status_code == 422
    assert "この方の引継ぎが、ほかにも開いています" in told.text
    assert f'href="{here(made)}"' in told.text
    assert len(await handovers(world)) == 1
    assert (await send(member, path)).status_code == 303
    assert len(await handovers(world)) == 2


async def test_what_is_left_open_is_said_to_whoever_sends_it(world: World) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    del record["sections"]["continuing_needs"]
    record["domains"] = [one for one in record["domains"] if one["domain"] != "employer_liaison"]
    path = await written(member, world, record)
    page = await shown(member, path)
    assert f'href="{path}/overview#at/domains">引継ぎの概要: 企業窓口は、この引継ぎでは渡りません' in page
    assert "就業支援は、この引継ぎでは" not in page
    judgment = (
        f'href="{path}/continuing_needs#at/determination">要継続支援: 要継続支援かどうかの判断がありません'
    )
    assert judgment in page
    await fill(member, f"{path}/continuing_needs", {"/determination": ["undetermined"]})
    assert judgment in await shown(member, path)
    await fill(member, f"{path}/continuing_needs", {"/determination": ["not_needed"]})
    assert judgment not in await shown(member, path)
    assert (await send(member, path)).status_code == 303


async def test_dates_that_are_over_are_pointed_out(world: World) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    record["sections"]["support_plan"]["nextReviewOn"] = "2026-11-19"
    path = await written(member, world, record)
    page = await shown(member, path)
    assert (
        f'href="{path}/support_plan#at/nextReviewOn">支援計画: 「次回見直し予定日」（令和8年11月19日）が過ぎて'
        in page
    )
    await fill(member, f"{path}/support_plan", {"/nextReviewOn:day": ["20"]})
    assert "nextReviewOn" not in await shown(member, path)


def test_domains_are_called_as_the_schema_calls_them(world: World) -> None:
    labels = world.services.contract.resolve("https://tsunagi.example/schemas/common.json#/$defs/domain")
    said = {code: {"ja": name.ja, "en": name.en} for code, name in DOMAIN_NAMES.items()}
    assert said == labels["x-enum-labels"]
