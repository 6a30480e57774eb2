"""Taking over on the pages: seen before it is confirmed, once, and by one of two."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.web.test_coming import text_of
from tests.web.visitors import Visitor, visitor
from tests.world import World

PATH = "/handovers/{}/take-over"


def filled(page: httpx2.Response, place: int = 0, **changes: str) -> dict[str, str]:
    """What a browser would send of one of the page's forms, had somebody changed these inputs."""
    form = [one for one in re.findall(r"<form.*?</form>", page.text, re.S) if 'take-over" class' in one][
        place
    ]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        about = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if about.get("type") != "radio" or " checked" in tag:
            found[about["name"]] = html.unescape(about.get("value", ""))
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        first = re.search(r'<option value="([^"]*)"', options)
        assert first
        found[name] = (chosen or first)[1]
    for name, said in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.S):
        found[name] = html.unescape(said)
    return found | {name.replace("__", "-"): said for name, said in changes.items()}


async def opened(world: World) -> tuple[Visitor, str, httpx2.Response]:
    offered = await world.offered()
    member = await visitor(world.center)
    path = PATH.format(offered["id"])
    page = await member.get(path)
    assert page.status_code == 200, page.text
    return member, path, page


async def status_of(world: World, path: str) -> Any:
    return (await world.center.get("/v1" + path.removesuffix("/take-over"))).json()


async def test_responsibility_is_shown_before_it_is_confirmed_and_then_moves(world: World) -> None:
    member, path, page = await opened(world)
    form = filled(page, step="preview", person__name="受入 花子", person__role="就業支援担当")
    preview = await member.post(path, form)
    assert preview.status_code == 200, preview.text
    assert "<svg" in preview.text
    said = text_of(preview)
    assert "就業支援主担当障害者就業・生活支援センターみほん（架空）令和9年4月1日から新しく" in said
    assert "令和6年4月1日から令和6年4月1日から令和9年3月31日まで終わりが変わる" in said
    assert "就業支援・生活支援・企業窓口：今日から先、担当のいない日はありません。" in said
    assert "確かめてください" not in said.partition("受諾の後の責任")[0].partition("担当のいない日")[2]
    assert "当機関から取り消すことはできません" in said
    assert (await status_of(world, path))["status"] == "received"
    done = await member.post(path, filled(preview, step="accept"))
    assert (done.status_code, done.headers["location"]) == (303, path.removesuffix("/take-over"))
    now = await status_of(world, path)
    assert now["status"] == "accepted"
    assert now["personInCharge"] == {"name": "受入 花子", "role": "就業支援担当"}
    assert {one["decision"] for one in now["domains"]} == {"accept"}


async def test_that_it_worked_is_said_once_and_on_no_other_page(world: World) -> None:
    member, path, page = await opened(world)
    assert (await member.post(path, filled(page, step="accept"))).status_code == 303
    said = "回答を登録し、提供元に知らせました"
    handover = path.removesuffix("/take-over")
    assert said not in (await member.get("/coming")).text
    assert said in (await member.get(handover)).text
    assert said not in (await member.get(handover)).text
    member.http.cookies.set("done", "forged", domain="127.0.0.1")
    assert "forged" not in (await member.get(handover)).text


async def test_each_domain_has_an_answer_of_its_own(world: World) -> None:
    member, path, page = await opened(world)
    form = filled(
        page,
        step="preview",
        decision__daily_life="left_with_sender",
        role__employment="co_support",
        from__employment="R9.5.1",
        from__employer_liaison="2027-03-01",
    )
    said = text_of(await member.post(path, form))
    sender = "就労定着支援事業所みほん（架空）"
    assert f"生活支援：支援の最終日（令和9年3月31日）の後も、{sender}が主担当のままです" in said
    assert f"就業支援：支援の最終日（令和9年3月31日）の後も、{sender}が主担当のままです" in said
    assert "企業窓口：申し込まれた日（令和9年4月1日）より早い、令和9年3月1日から担います" in said
    assert "就業支援：申し込まれた日（令和9年4月1日）より遅い、令和9年5月1日から担います" in said
    assert "受ける：併走、令和9年5月1日から生活支援提供元に残す企業窓口受ける：主担当" in said
    assert "企業窓口：今日から先、担当のいない日はありません" in said
    assert "支えるのかを、提供元に確かめてください。生活支援は、「回答を直す」で受けることができます" in said
    assert (await member.post(path, form | {"step": "accept"})).status_code == 303
    domains = {one["domain"]: one for one in (await status_of(world, path))["domains"]}
    assert domains["daily_life"]["decision"] == "left_with_sender"
    assert domains["employment"]["acceptedRole"] == "co_support"
    assert domains["employment"]["acceptedFrom"] == "2027-05-01"
    person = (await status_of(world, path))["personId"]
    told = text_of(await member.get(f"/people/{person}/responsibility"))
    for domain in ("就業支援", "生活支援"):
        assert f"警告支援の最終日の後も主担当{domain}" in told


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(world: World) -> None:
    member, path, page = await opened(world)
    form = filled(page, step="preview", from__employment="2026-01-01", person__name="受入 花子")
    answer = await member.post(path, form)
    assert answer.status_code == 422
    assert 'id="person-role-error"' in answer.text
    assert "氏名と職種・役職は、両方を書くか" in answer.text
    form["person-role"] = "支援員"
    answer = await member.post(path, form)
    assert answer.status_code == 422
    assert 'id="from-employment-error">責任の開始日を過去にはできません' in answer.text
    assert ">就業支援の開始日：責任の開始日を過去にはできません" in answer.text
    assert re.search(r'id="from-employment"[^>]*aria-invalid="true"', answer.text)
    assert filled(answer)["person-name"] == "受入 花子"
    assert filled(answer)["from-employment"] == "2026-01-01"
    nothing = {f"decision-{one}": "left_with_sender" for one in form["domains"].split(",")}
    answer = await member.post(path, filled(page, step="preview") | nothing)
    assert re.search(r'辞退になります：<a href="#decline">', answer.text)
    form = filled(page, step="preview", decision__employment="decline", from__daily_life="いつか")
    answer = await member.post(path, form)
    assert answer.status_code == 422
    summary = answer.text.partition('role="alert"')[2].partition("</ul>")[0]
    assert re.findall(r">([^<>]+)</a>", summary) == [
        "就業支援の理由：理由を選んでください",
        "生活支援の開始日：日付として読めません。例：令和9年4月1日、R9.4.1、2027-04-01、12月1日",
    ]


async def test_an_answer_may_be_changed_before_it_is_confirmed(world: World) -> None:
    member, path, page = await opened(world)
    preview = await member.post(path, filled(page, step="preview", from__employment="５月１日"))
    assert "令和9年5月1日から" in text_of(preview)
    assert "令和9年4月30日まで就労定着支援事業所みほん（架空）が主担当です" in text_of(preview)
    late = "より遅い、令和9年5月1日から担います。提供元の支援の最終日（令和9年3月31日）を過ぎてからです"
    assert late in text_of(preview)
    assert "生活支援・企業窓口：今日から先、担当のいない日はありません" in text_of(preview)
    assert "就業支援は、「回答を直す」で開始日を早めることができます" in text_of(preview)
    assert "受けることができます" not in text_of(preview)
    assert "だれが支えるのか" not in text_of(preview)
    again = await member.post(path, filled(preview, step="edit"))
    assert again.status_code == 200
    assert filled(again)["from-employment"] == "2027-05-01"


async def test_the_form_as_it_comes_can_be_sent_in_both_languages(world: World) -> None:
    member, path, _ = await opened(world)
    await member.post("/language", {"language": "en", "next": path})
    preview = await member.post(path, filled(await member.get(path), step="preview"))
    assert preview.status_code == 200, preview.text
    assert "Accept: Primary, from 1 Apr 2027" in preview.text


async def test_whoever_is_in_charge_stands_in_the_form(world: World) -> None:
    member, path, page = await opened(world)
    assert "person-name" in filled(page)
    assert not filled(page)["person-name"]
    await member.post(path.replace("take-over", "assignee"), {"assignee": str(member.added.member.id)})
    form = filled(await member.get(path), step="preview")
    assert (form["person-name"], form["person-role"]) == ("試験 太郎", "支援担当者")
    assert (await member.post(path, form)).status_code == 200
    await world.center.put(f"/v1{path.replace('take-over', 'assignee')}", {"assignee": "staff-7"})
    assert not filled(await member.get(path))["person-name"]


async def test_it_can_be_sent_back_with_a_question(world: World) -> None:
    member, path, page = await opened(world)
    form = filled(page, 1, step="ask-return", reason__return="more_information")
    answer = await member.post(path, form)
    assert answer.status_code == 422
    assert "「くわしく」：何が必要かを書いてください" in answer.text
    form |= {"text-return": "通院先を教えてください。"}
    asked = await member.post(path, form)
    assert asked.status_code == 200
    assert "架空直樹さんの引継ぎを差し戻しますか" in text_of(asked)
    assert "追加の情報" in text_of(asked)
    assert (await status_of(world, path))["status"] == "received"
    assert (await member.post(path, filled(asked, step="return"))).status_code == 303
    now = await status_of(world, path)
    assert now["status"] == "returned"
    assert now["reason"] == {"code": "more_information", "text": "通院先を教えてください。"}


async def test_it_can_be_declined(world: World) -> None:
    member, path, page = await opened(world)
    asked = await member.post(path, filled(page, 2, step="ask-decline", reason__decline="capacity"))
    assert "取り消せません" in asked.text
    assert (await status_of(world, path))["status"] == "received"
    again = await member.post(path, filled(asked, step="edit"))
    assert filled(again, 2)["reason-decline"] == "capacity"
    assert filled(again)["from-employment"] == filled(page)["from-employment"]
    assert (await member.post(path, filled(asked, step="decline"))).status_code == 303
    assert (await status_of(world, path))["status"] == "declined"


async def test_days_with_nobody_responsible_are_said_before_it_is_confirmed(world: World) -> None:
    member, path, page = await opened(world)
    fine = await member.post(path, filled(page, step="preview"))
    assert "担当のいない期間があります" not in fine.text
    person = (await status_of(world, path))["personId"]
    end = {"domain": "employment", "role": "primary", "on": "2027-01-01", "reason": {"code": "moved_away"}}
    ended = await world.settlement.post(f"/v1/people/{person}/responsibility/end", end)
    assert ended.status_code == 201, ended.text
    preview = await member.post(path, filled(page, step="preview"))
    assert "就業支援：令和9年1月1日から令和9年3月31日まで、責任を負う機関がありません" in text_of(preview)
    assert "担当のいない期間を残して受諾を確定する" in preview.text
    assert "今日から先" not in preview.text


async def test_of_two_one_wins_and_the_other_sees_what_happened(world: World) -> None:
    offered = await world.offered()
    path = PATH.format(offered["id"])
    first, second = await visitor(world.center), await visitor(world.center)
    pages = [await one.get(path) for one in (first, second)]
    form = filled(pages[0], step="accept", person__name="先 花子", person__role="支援員")
    assert (await first.post(path, form)).status_code == 303
    late = await second.post(path, filled(pages[1], 2, step="ask-decline", reason__decline="capacity"))
    assert late.status_code == 409
    late = await second.post(path, filled(pages[1], 2, step="decline", reason__decline="capacity"))
    assert late.status_code == 409
    said = text_of(late)
    assert "その間に、この引継ぎは変わりました" in said
    assert "いまの状態受諾" in said
    assert "先花子" in said
    assert (await status_of(world, path))["status"] == "accepted"


async def test_what_was_amended_meanwhile_is_not_accepted_unseen(world: World) -> None:
    member, path, page = await opened(world)
    api = "/v1" + path.removesuffix("/take-over")
    seen = await world.settlement.get(api)
    record = {name: value for name, value in seen.json()["record"].items() if name != "personId"}
    record["sections"]["support_plan"]["policy"] = "別の方針。"
    answer = await world.settlement.put(api, record, If_Match=seen.headers["etag"])
    assert answer.status_code == 200, answer.text
    late = await member.post(path, filled(page, step="accept"))
    assert late.status_code == 409
    assert "もう一度回答する" in late.text


async def test_sent_twice_it_is_taken_once(world: World) -> None:
    member, path, page = await opened(world)
    form = filled(page, step="accept")
    assert [(await member.post(path, form)).status_code for _ in range(2)] == [303, 303]
    accepted = [one for one in await kept(world.services.db) if one.body["action"] == "handovers:accept"]
    assert [one.body["outcome"] for one in accepted] == ["permit"]


async def test_it_needs_a_sign_in_that_is_minutes_old(world: World) -> None:
    member, path, page = await opened(world)
    long_ago = datetime.now(UTC) - timedelta(minutes=11)
    async with world.services.db.platform() as tx:
        await tx.execute(text("UPDATE staff_sessions SET confirmed_at = :at"), {"at": long_ago})
    assert (await member.get(path)).headers["location"].startswith("/confirm?next=")
    late = await member.post(path, filled(page, step="accept", person__name="受入 花子"))
    assert late.status_code == 403
    assert filled(late)["person-name"] == "受入 花子"
    assert (await status_of(world, path))["status"] == "received"


@pytest.mark.parametrize("step", ["preview", "accept", "ask-return", "return", "ask-decline", "decline"])
async def test_strangers_and_the_sender_answer_nothing(world: World, step: str) -> None:
    _, path, page = await opened(world)
    form = filled(page, step=step) | dict.fromkeys(["reason-return", "reason-decline"], "other")
    form |= dict.fromkeys(["text-return", "text-decline"], "理由")
    assert (await (await visitor(world.other)).post(path, form)).status_code == 404
    assert (await (await visitor(world.settlement)).post(path, form)).status_code == 409
    assert (await (await visitor(world.center, "auditor")).post(path, form)).status_code == 403
    assert (await status_of(world, path))["status"] == "received"


async def test_what_is_over_cannot_be_answered(world: World) -> None:
    accepted = await world.accepted()
    page = await (await visitor(world.center)).get(PATH.format(accepted["id"]))
    assert page.status_code == 200
    assert "いまは回答できません" in page.text
