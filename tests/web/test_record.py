"""One handover on a page: read in order, compared between versions, taken along as files."""

import io
import json
import re
from urllib.parse import quote

from openpyxl import load_workbook
from sqlalchemy import text

from tests.ledger.entries import kept
from tests.web.test_coming import text_of
from tests.web.visitors import unconfirmed, visitor
from tests.world import World, settlement_record
from tests.world_fixtures import AREA
from tsunagi.layout.rules import Fact, Grid, Group
from tsunagi.web.plan_sheet import plan_sheet


async def test_the_record_is_read_in_order_with_what_is_withheld_and_why(world: World) -> None:
    offered = await world.offered(sections=["identity", "handover_plan", "support_plan"])
    page = await (await visitor(world.center)).get(f"/handovers/{offered['id']}")
    assert page.status_code == 200
    assert re.findall(r'<h2 id="(\w+)"', page.text) == [
        "withheld",
        "request",
        "standing",
        "together",
        "contents",
        "handover_plan",
        "identity",
        "support_plan",
        "about",
    ]
    text = text_of(page)
    assert "架空直樹さんの引継ぎ" in text
    assert "医療：同意がない" in text
    assert "なぜこの機関に引き継ぐのか" in text
    title = page.text.partition("<title>")[2].partition("</title>")[0]
    assert "架空" not in title


async def test_who_may_not_see_a_section_is_told_what_to_do_about_it(world: World) -> None:
    offered = await world.offered(sections=["identity", "handover_plan", "support_plan"])
    page = await (await visitor(world.center)).get(f"/handovers/{offered['id']}")
    assert f'href="/handovers/{offered["id"]}/take-over#return"' in page.text
    assert "提供元の電話番号は名簿にありません" in page.text
    async with world.services.db.platform() as tx:
        phone = "UPDATE organizations SET phone = '013-000-0001' WHERE id = :id"
        await tx.execute(text(phone), {"id": world.settlement.id})
    page = await (await visitor(world.center)).get(f"/handovers/{offered['id']}")
    assert "就労定着支援事業所みほん（架空）013-000-0001" in text_of(page)


async def test_the_day_from_which_it_was_taken_stands_beside_the_one_that_was_planned(world: World) -> None:
    received = await world.received()
    member, path = await visitor(world.settlement), f"/handovers/{received['id']}"
    assert "回答期限" in text_of(await member.get(path))
    answers = [{"domain": one["domain"], "decision": "accept"} for one in received["domains"]]
    early = {"domains": [answers[0] | {"from": "2026-12-01"}, *answers[1:]]}
    assert (await world.center.post(f"/v1{path}/accept", early)).status_code == 200
    said = text_of(await member.get(path))
    planned = "令和9年4月1日（2027-04-01）"
    taken = f"就業支援令和8年12月1日（2026-12-01）生活支援{planned}企業窓口{planned}"
    assert f"引継ぎ予定日{planned}受けた開始日{taken}支援の最終日" in said
    assert "回答期限" not in said
    assert "申込みのときの予定です。提供先が別の開始日で受けたため" in said


async def test_why_it_was_sent_back_stands_above_everything_in_words(world: World) -> None:
    received = await world.received()
    reason = {"code": "more_information", "text": "服薬の状況を教えてください。"}
    answer = await world.center.post(f"/v1/handovers/{received['id']}/return", {"reason": reason})
    assert answer.status_code == 200, answer.text
    page = await (await visitor(world.settlement)).get(f"/handovers/{received['id']}")
    (first, *_) = re.findall(r"<h2[^>]*>([^<]*)</h2>", page.text)
    assert first == "差戻しの理由：追加の情報"
    assert "服薬の状況を教えてください。" in page.text
    assert "more_information" not in text_of(page)


async def test_that_opening_it_was_receiving_it_is_said(world: World) -> None:
    offered = await world.offered()
    text = text_of(await (await visitor(world.center)).get(f"/handovers/{offered['id']}"))
    assert "「受領済み」として提供元に伝わっています" in text
    assert "受領する" not in text


async def test_what_was_declined_before_it_could_be_read_promises_nothing(world: World) -> None:
    world.on("2026-06-01")
    offered = await world.offered()
    member, path = await visitor(world.center), f"/handovers/{offered['id']}"
    assert "引継ぎの予告へ戻る" in (await member.get(f"{path}/take-over")).text
    declined = await world.center.post(f"/v1{path}/decline", {"reason": {"code": "capacity"}})
    assert declined.status_code == 200, declined.text
    text = text_of(await member.get(path))
    assert "この引継ぎは辞退されました" in text
    assert "から読めます" not in text
    assert "早い開示" not in text


async def test_looking_at_the_page_is_a_reading_by_the_member_of_staff(world: World) -> None:
    offered = await world.offered()
    member = await visitor(world.center)
    await member.get(f"/handovers/{offered['id']}")
    (entry,) = [one.body for one in await kept(world.services.db) if one.body["action"] == "handovers:read"]
    assert entry["actor"]["staff"] == str(member.added.member.id)
    assert "受領済み" in text_of(await member.get("/coming"))


async def test_before_the_window_opens_there_is_a_notice(world: World) -> None:
    world.on("2026-06-01")
    offered = await world.offered()
    text = text_of(await (await visitor(world.center)).get(f"/handovers/{offered['id']}"))
    assert "令和8年10月1日（2026-10-01）から読めます" in text
    assert "架空直樹" not in text


async def test_strangers_and_auditors_find_nothing(world: World) -> None:
    offered = await world.offered()
    for who in (world.other, world.auditor):
        page = await (await visitor(who)).get(f"/handovers/{offered['id']}")
        assert page.status_code == 404
    page = await (await visitor(world.center, "auditor")).get(f"/handovers/{offered['id']}")
    assert page.status_code == 403


async def test_what_was_written_is_text_and_never_markup(world: World) -> None:
    record = settlement_record(world.center.id)
    record["sections"]["handover_plan"]["request"]["whyReceiver"] = "<script>alert(1)</script>"
    drafted = await world.draft(sections=record["sections"])
    page = await (await visitor(world.settlement)).get(f"/handovers/{drafted['id']}")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


async def test_a_plan_of_which_all_stands_above_has_no_heading_of_its_own(world: World) -> None:
    record = settlement_record(world.center.id)
    plan = record["sections"]["handover_plan"]
    drafted = await world.draft(
        sections={**record["sections"], "handover_plan": {"request": plan["request"]}}
    )
    page = await (await visitor(world.settlement)).get(f"/handovers/{drafted['id']}")
    assert 'id="request"' in page.text
    assert "handover_plan" not in re.findall(r'<h2 id="(\w+)"', page.text)


async def amended(world: World, policy: str) -> str:
    """The id of a handover on offer, whose second version has another policy."""
    offered = await world.offered()
    path = f"/v1/handovers/{offered['id']}"
    record = settlement_record(world.center.id)
    record["sections"]["support_plan"]["policy"] = policy
    record["sections"]["identity"]["residenceAreaCode"] = AREA
    etag = (await world.settlement.get(path)).headers["etag"]
    answer = await world.settlement.put(path, record, **{"If_Match": etag})
    assert answer.status_code == 200, answer.text
    return str(offered["id"])


async def test_versions_stand_side_by_side_with_their_differences_marked(world: World) -> None:
    old = settlement_record(world.center.id)["sections"]["support_plan"]["policy"]
    found = await amended(world, f"{old}月に一度、三者で話す。")
    page = await (await visitor(world.center)).get(f"/handovers/{found}/versions")
    assert "2か所が違います" in text_of(page)
    assert f"架空圏域（{AREA}）" in page.text
    assert "支援計画 › 総合的な援助の方針" in page.text
    assert "<ins>月に一度、三者で話す。</ins>" in page.text
    assert re.findall("<del>(.*)</del>", page.text) == ["13-91"]
    other = await (await visitor(world.center)).get(f"/handovers/{found}/versions?from=2&to=1")
    assert "<del>月に一度、三者で話す。</del>" in other.text


async def test_a_version_that_is_not_there_is_said_to_be_so(world: World) -> None:
    offered = await world.offered()
    page = await (await visitor(world.center)).get(f"/handovers/{offered['id']}/versions?from=1&to=7")
    assert page.status_code == 200
    assert "第7版はないか" in text_of(page)


async def test_what_becomes_a_file_asks_who_is_there_first(world: World) -> None:
    received = await world.offered()
    member, page = await visitor(world.center), f"/handovers/{received['id']}"
    await unconfirmed(world)
    for path, back in (
        (f"{page}/record.pdf?version=1", f"{page}/record.pdf?version=1"),
        (f"{page}/support-plan.xlsx", page),
        (f"/people/{received['personId']}/report.pdf", f"/people/{received['personId']}/report.pdf"),
    ):
        answer = await member.get(path)
        assert answer.headers["location"] == f"/confirm?next={quote(back, safe='')}"


async def test_the_pdf_is_the_one_of_the_contract_and_names_the_member_of_staff(world: World) -> None:
    received = await world.received()
    answer = await (await visitor(world.center)).get(f"/handovers/{received['id']}/record.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


async def test_the_receipt_is_a_file(world: World) -> None:
    received = await world.received()
    answer = await (await visitor(world.center)).get(f"/handovers/{received['id']}/receipt.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert json.loads(answer.content)["handoverId"] == received["id"]


async def test_the_support_plan_is_an_excel_file(world: World) -> None:
    received = await world.received()
    answer = await (await visitor(world.center)).get(f"/handovers/{received['id']}/support-plan.xlsx")
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["支援計画", "長期目標", "短期目標", "支援の内容"]
    assert ("本人", "架空 直樹　平成6年7月21日（1994-07-21）生") in list(book["支援計画"].values)
    assert f"support-plan-{received['id'][-6:].upper()}-" in answer.headers["content-disposition"]
    items = list(book["支援の内容"].values)
    assert items[0][:3] == ("番号", "課題・ニーズ", "到達目標")
    plan = received["record"]["sections"]["support_plan"]
    assert [row[1] for row in items[1:]] == [one["need"] for one in plan["items"]]


async def test_where_the_plan_is_withheld_there_is_no_file(world: World) -> None:
    offered = await world.offered(sections=["identity", "handover_plan"])
    answer = await (await visitor(world.center)).get(f"/handovers/{offered['id']}/support-plan.xlsx")
    assert answer.status_code == 404


def test_no_cell_is_ever_a_formula() -> None:
    texts = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        '=HYPERLINK("http://evil.example")',
        "\t=1",
        "＝1",
        "=cmd|' /C calc'!A0",
    ]
    facts = tuple(Fact(text, text, "") for text in texts)
    grid = Grid("=1", tuple(texts), (1,) * len(texts), (tuple(texts),), "")
    items = Group("-1+1", tuple(Group("", facts, "") for _ in range(2)), "")
    book = load_workbook(io.BytesIO(plan_sheet(Group("=A1", (*facts, grid, items), ""), "ja")))
    cells = [cell for sheet in book for row in sheet for cell in row if cell.value is not None]
    assert {cell.value for cell in cells} >= {*texts}
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells)
