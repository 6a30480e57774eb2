"""A consent on a page: read by both sides, taken back through its giver."""

import re
from typing import Any

import httpx2

from tests.web.test_coming import text_of
from tests.web.test_handing_over import asked, fill
from tests.web.test_sender_steps import mending, send
from tests.web.visitors import has_to_confirm, unconfirmed, visitor
from tests.world import World, consent_for
from tsunagi.ids import number
from tsunagi.web.draft_parts import forms_of

IN_PART = {"/withdrawnBy/kind": "person", "/sections": "disability"}
SURE = {"step": "confirm"}


def whose(page: httpx2.Response, handover: dict[str, Any]) -> str:
    """The other side, from the link by which one tells whose consent it is."""
    assert f"<dt>本人</dt><dd>番号 {number(handover['personId'])}</dd>" in page.text
    link = re.search(
        rf'<a href="/handovers/{handover["id"]}">(.+?) <span class="nowrap">(.+?)</span></a>', page.text
    )
    assert link, page.text
    assert link[2] == f"番号 {number(handover['id'])}"
    assert "引継ぎ予定日令和9年4月1日" in text_of(page)
    return link[1]


async def test_what_is_withdrawn_in_a_browser_is_not_shown_from_the_next_reading_on(world: World) -> None:
    received = await world.received()
    page = f"/consents/{received['consentId']}"
    giver, recipient = await visitor(world.settlement), await visitor(world.center)
    listed = f"/people/{received['personId']}/consents"
    assert f'href="{listed}"' in (await giver.get(f"/handovers/{received['id']}")).text
    assert f'href="{page}"' in (await giver.get(listed)).text
    for path in (listed, page):
        assert whose(await giver.get(path), received) == f"{received['receiver']['name']}へ"
    assert whose(await recipient.get(page), received) == f"{received['sender']['name']}から"
    before = text_of(await recipient.get(f"/handovers/{received['id']}"))
    assert "障害・手帳：同意が撤回された" not in before

    asked = await giver.post(page, IN_PART)
    assert "この撤回を記録しますか" in asked.text
    assert whose(asked, received) == f"{received['receiver']['name']}へ"
    assert "障害・手帳" in text_of(asked)
    assert "撤回された項目群" not in (await giver.get(page)).text
    answer = await giver.post(page, IN_PART | SURE)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    shown = text_of(await giver.get(page))
    assert "撤回された項目群障害・手帳（令和8年11月20日" in shown
    after = text_of(await recipient.get(f"/handovers/{received['id']}"))
    assert "障害・手帳：同意が撤回された" in after


async def test_the_sender_sees_on_the_handover_what_was_withdrawn_until_a_consent_opens_it_again(
    world: World,
) -> None:
    received = await world.received()
    page, giver = f"/handovers/{received['id']}", await visitor(world.settlement)
    assert "同意が撤回されています" not in (await giver.get(page)).text
    for sections in ("medical", "disability"):
        body = {"withdrawnBy": {"kind": "person"}, "sections": [sections]}
        path = f"/v1/consents/{received['consentId']}/withdraw"
        assert (await world.settlement.post(path, body)).status_code == 200
        world.on("2026-11-21")
    shown = await giver.get(page)
    text = text_of(shown)
    assert "障害・手帳：令和8年11月21日" in text
    assert "医療：令和8年11月20日" in text
    assert "「記録を直す」を開き" in text
    assert f'href="/consents/{received["consentId"]}"' in shown.text
    assert "同意が撤回されています" not in (await (await visitor(world.center)).get(page)).text
    again = consent_for("", world.center.id, sections=["medical"])
    draft = await mending(giver, received)
    await fill(giver, f"{draft}/consent", asked(forms_of(world.services.contract).consents["person"], again))
    assert (await send(giver, draft)).headers["location"] == page
    answers = [{"domain": one["domain"], "decision": "accept"} for one in received["domains"]]
    accepted = await world.center.post(f"/v1{page}/accept", {"domains": answers})
    assert accepted.status_code == 200, accepted.text
    text = text_of(await giver.get(page))
    assert "医療：令和8年11月20日" not in text
    assert "障害・手帳：令和8年11月21日" in text
    assert "回答の後は、この画面から新しい同意を加えられません" in text


async def test_the_recipient_reads_the_consent_and_cannot_withdraw_it(world: World) -> None:
    received = await world.received()
    page = f"/consents/{received['consentId']}"
    recipient = await visitor(world.center)
    shown = await recipient.get(page)
    assert shown.status_code == 200
    assert "撤回を記録する" not in shown.text
    assert (await recipient.post(page, IN_PART | SURE)).status_code == 404
    assert (await (await visitor(world.other)).get(page)).status_code == 404


async def test_a_withdrawal_asks_who_it_comes_from_and_who_is_there(world: World) -> None:
    offered = await world.offered()
    page = f"/consents/{offered['consentId']}"
    giver = await visitor(world.settlement)
    nobody = await giver.post(page, {"/sections": "disability"})
    assert nobody.status_code == 422
    assert "撤回した人" in text_of(nobody)
    await unconfirmed(world)
    assert has_to_confirm(await giver.post(page, IN_PART))
    assert "撤回された項目群" not in (await giver.get(page)).text


async def test_all_is_withdrawn_by_whoever_says_so_and_not_by_leaving_out(world: World) -> None:
    offered = await world.offered()
    page = f"/consents/{offered['consentId']}"
    giver = await visitor(world.settlement)
    for wrong in ({"/withdrawnBy/kind": "person"} | SURE, IN_PART | SURE | {"whole": "yes"}):
        refused = await giver.post(page, wrong)
        assert (refused.status_code, "両方は選べません" in refused.text) == (422, True)
    await giver.post(page, {"/withdrawnBy/kind": "person", "whole": "yes"} | SURE)
    shown = await giver.get(page)
    assert "全部撤回" in shown.text
    assert "撤回を記録する" not in shown.text
