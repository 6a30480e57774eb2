"""The ledger, the directory, the person's report and the check of a receipt, as pages."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crowd import offer
from tests.ledger.entries import kept
from tests.web.test_receipt_js import by_the_browser
from tests.web.visitors import visitor
from tests.world import World
from tsunagi.transparency.actions import Sequencer
from tsunagi.transparency.keys import FileKeys
from tsunagi.web.dates import Dates

ORIGIN = "127.0.0.1:8080/ledger"


@pytest.fixture
def sequenced(world: World, tmp_path: Path) -> Callable[[], Awaitable[int]]:
    sequencer = Sequencer(world.services.db, FileKeys(tmp_path / "ledger-keys", ORIGIN), ORIGIN)
    return lambda: sequencer.sequence(datetime.now(UTC))


Sequenced = Callable[[], Awaitable[int]]


async def test_the_ledger_is_shown_and_filtered(world: World, sequenced: Sequenced) -> None:
    auditor = await visitor(world.auditor, "auditor")
    assert "検証点はまだありません" in (await auditor.get("/audit/ledger")).text
    received = await world.received()
    await sequenced()
    page = await auditor.get(f"/audit/ledger?personId={received['personId']}")
    assert page.status_code == 200, page.text
    assert "引継ぎの受領" in page.text.partition("<tbody>")[2]
    assert "就労定着支援事業所 みほん（架空）" in page.text
    assert ORIGIN in page.text
    assert "秒前" in page.text
    some = (await auditor.get(f"/audit/ledger?personId={received['personId']}&action=handovers:offer")).text
    assert "引継ぎの申込み" in some.partition("<tbody>")[2]
    assert "引継ぎの受領" not in some.partition("<tbody>")[2]
    none = await auditor.get(f"/audit/ledger?personId={received['personId']}&to=2026-11-19")
    assert "この条件の記載は" in none.text


@pytest.mark.parametrize(
    "asked",
    ["personId=x", "from=yesterday", "action=steal", "to=2026-02-30", "to=2026-11-01&from=2026-12-01"],
)
async def test_what_no_filter_takes_is_said_beside_the_form(world: World, asked: str) -> None:
    auditor = await visitor(world.auditor, "auditor")
    page = await auditor.get(f"/audit/ledger?{asked}")
    assert page.status_code == 400
    name = asked.partition("=")[0]
    assert f'aria-invalid="true" aria-describedby="{name}-error"' in page.text
    assert f'<p class="field-error" id="{name}-error">' in page.text
    assert '<form class="filters"' in page.text


async def test_the_ledger_goes_on_where_a_page_ends(world: World) -> None:
    for number in range(51):
        await offer(world, number)
    auditor = await visitor(world.auditor, "auditor")
    path, seen = "/audit/ledger?action=handovers:offer", 0
    while path:
        page = (await auditor.get(path)).text
        seen += page.count("<td>引継ぎの申込み</td>")
        onward = page.partition('<a class="button-secondary" href="')[2].partition('"')[0]
        path = onward.replace("&amp;", "&")
    assert seen == 51


async def test_another_organizations_acts_are_not_shown(world: World) -> None:
    await world.received()
    member = await visitor(world.other, "administrator", signed_in=False)
    await member.sign_in()
    page = (await member.get("/audit/ledger")).text
    assert "引継ぎの受領" not in page.partition("<tbody>")[2]
    assert "職員のサインイン" in page.partition("<tbody>")[2]


async def test_the_directory_is_searched(world: World) -> None:
    member = await visitor(world.center)
    page = (await member.get("/directory?q=定着")).text
    assert "就労定着支援事業所 みほん（架空）" in page
    assert "1219900428" in page
    assert "就労移行支援事業所 みほん（架空）" not in page
    assert "架空圏域" in page
    assert (await member.get("/directory?kind=center")).text.count('<th scope="row">障害者') == 2
    assert (await member.get("/directory?kind=castle")).status_code == 400


async def test_the_persons_report_is_shown_with_readings_and_printed(world: World) -> None:
    received = await world.received()
    member = await visitor(world.settlement)
    path = f"/people/{received['personId']}/report"
    page = (await member.get(path)).text
    assert "<ruby>" not in page
    assert "障害者就業・生活支援センター みほん（架空）" in page
    shown = (await member.get(f"{path}?ruby=true&large=true")).text
    assert "<ruby>情報<rp>（</rp><rt>じょうほう</rt><rp>）</rp></ruby>" in shown
    assert "stack large" in shown
    pdf = await member.get(f"{path}.pdf?ruby=true")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    actions = [one.body["action"] for one in await kept(world.services.db)]
    assert actions.count("people:report") == 3


async def test_a_report_about_somebody_unknown_is_not_found(world: World) -> None:
    received = await world.received()
    member = await visitor(world.other)
    assert (await member.get(f"/people/{received['personId']}/report")).status_code == 404


async def test_a_receipt_is_checked_in_the_browser_and_by_the_server(
    world: World, sequenced: Sequenced
) -> None:
    accepted = await world.accepted()
    world.on("2027-04-01")  # the clock has taken the last steps
    assert (await world.center.get(f"/v1/handovers/{accepted['id']}")).json()["status"] == "completed"
    await sequenced()
    receipt = await world.center.get(f"/v1/handovers/{accepted['id']}/receipt")
    member = await visitor(world.auditor, "auditor")
    page = await member.get("/verify")
    keys = receipt.json()["keys"][0]
    assert keys in page.text
    assert 'type="module"' in page.text
    wrong = receipt.content.replace(b"handovers:accept", b"handovers:refuse", 1)
    *proven, last = receipt.json()["steps"]
    waiting = json.dumps(receipt.json() | {"steps": [*proven, {**last, "proof": None}]}).encode()
    cases = [(receipt.content, "good"), (wrong, "wrong"), (waiting, "unchecked"), (b"\xff", "unchecked")]
    said = by_the_browser([(content, keys) for content, _ in cases])
    assert [one["result"] for one in said] == [result for _, result in cases]
    titles = {"good": "確かめられました", "wrong": "誤りがあります", "unchecked": "確かめられませんでした"}
    for content, result in cases:
        answer = await member.post("/verify", {"keys": keys}, files={"receipt": ("r.json", content)})
        assert answer.status_code == 200, answer.text
        assert f"<h2>{titles[result]}</h2>" in answer.text
        at = Dates("ja").moment(last["at"])
        reached = f"最後の手続は{at}の「引継ぎの完了」で、そのときの引継ぎの状態は「完了」です。"
        assert (reached in answer.text) == (result == "good")
    unkeyed = await member.post("/verify", {"keys": "x"}, files={"receipt": ("r.json", receipt.content)})
    assert titles["unchecked"] in unkeyed.text


async def test_what_is_hidden_is_counted_and_staff_is_named_to_their_own_organization_alone(
    world: World, sequenced: Sequenced
) -> None:
    received = await world.received()
    await (await visitor(world.center)).get(f"/handovers/{received['id']}")
    await sequenced()
    own = (await (await visitor(world.center, "administrator")).get("/audit/ledger")).text
    rows = own.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "試験 太郎" in rows
    size = int((await world.center.get("/ledger/checkpoint")).text.split("\n")[1])
    shown = rows.count('<tr id="entry-') - rows.count("未登録")
    hidden = int(own.partition("ほかの機関やほかの圏域の記載")[2].partition("件")[0])
    assert 0 < hidden == size - shown
    above = (await (await visitor(world.auditor, "auditor")).get("/audit/ledger")).text
    rows = above.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "職員（他機関）" in rows
    assert "試験 太郎" not in rows
    some = (await (await visitor(world.auditor, "auditor")).get("/audit/ledger?outcome=permit")).text
    assert "絞り込みに合わない記載と" in some
