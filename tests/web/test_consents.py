"""A consent on a page: read by both sides, taken back through its giver."""

from tests.web.test_coming import text_of
from tests.web.visitors import unconfirmed, visitor
from tests.world import World

IN_PART = {"/withdrawnBy/kind": "person", "/sections": "disability"}


async def test_what_is_withdrawn_in_a_browser_is_not_shown_from_the_next_reading_on(world: World) -> None:
    received = await world.received()
    page = f"/consents/{received['consentId']}"
    giver, recipient = await visitor(world.settlement), await visitor(world.center)
    listed = f"/people/{received['personId']}/consents"
    assert f'href="{listed}"' in (await giver.get(f"/handovers/{received['id']}")).text
    assert f'href="{page}"' in (await giver.get(listed)).text
    before = text_of(await recipient.get(f"/handovers/{received['id']}"))
    assert "障害・手帳：同意が撤回された" not in before

    answer = await giver.post(page, IN_PART)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    shown = text_of(await giver.get(page))
    assert "撤回された項目群障害・手帳" in shown
    after = text_of(await recipient.get(f"/handovers/{received['id']}"))
    assert "障害・手帳：同意が撤回された" in after


async def test_the_recipient_reads_the_consent_and_cannot_withdraw_it(world: World) -> None:
    received = await world.received()
    page = f"/consents/{received['consentId']}"
    recipient = await visitor(world.center)
    shown = await recipient.get(page)
    assert shown.status_code == 200
    assert "撤回を記録する" not in shown.text
    assert (await recipient.post(page, IN_PART)).status_code == 404
    assert (await (await visitor(world.other)).get(page)).status_code == 404


async def test_a_withdrawal_asks_who_it_comes_from_and_who_is_there(world: World) -> None:
    offered = await world.offered()
    page = f"/consents/{offered['consentId']}"
    giver = await visitor(world.settlement)
    nobody = await giver.post(page, {"/sections": "disability"})
    assert nobody.status_code == 422
    assert "撤回した人" in text_of(nobody)
    await unconfirmed(world)
    assert (await giver.post(page, IN_PART)).headers["location"].startswith("/confirm")
    assert "撤回された項目群" not in (await giver.get(page)).text


async def test_without_a_choice_of_sections_all_is_withdrawn(world: World) -> None:
    offered = await world.offered()
    page = f"/consents/{offered['consentId']}"
    giver = await visitor(world.settlement)
    await giver.post(page, {"/withdrawnBy/kind": "person"})
    shown = await giver.get(page)
    assert "全部撤回" in shown.text
    assert "撤回を記録する" not in shown.text
