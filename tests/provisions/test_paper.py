"""What is printed of provisions and of the evidence against the fee reduction: read back from the PDF."""

import io

import pytest
from pypdf import PdfReader

from tests.provisions.records import listed, read
from tests.world import World, settlement_record

EVIDENCE = "/v1/fee-reduction-evidence?from=2027-03-01&to=2027-04-01"


def text_of(pdf: bytes) -> str:
    """Without the breaks that columns bring about."""
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    return "".join("".join(pages).split())


async def test_records_are_printed_with_all_that_the_law_asks_for(world: World) -> None:
    await read(world, await world.offered())
    (record,) = await listed(world.settlement)
    answer = await world.settlement.get("/v1/provisions", Accept="application/pdf")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    printed = text_of(answer.content)
    who = settlement_record(world.center.id)["sections"]["identity"]
    for part in (
        "第三者提供記録（個人情報保護法第29条・第30条）",
        "2026-11-20",
        f"{who['familyName']}{who['givenName']}",
        record["personId"],
        "就労定着支援事業所みほん（架空）",
        "障害者就業・生活支援センターみほん（架空）",
        "代表者：不明",
        "本人の同意",
        record["consents"][0]["id"],
        "アセスメント",
        "2032-11-20",
        "提供元・提供先に代わり作成",
    ):
        assert "".join(part.split()) in printed, part


async def test_an_auditor_s_print_names_nobody(world: World) -> None:
    await read(world, await world.offered())
    answer = await world.auditor.get("/v1/provisions?format=pdf")
    who = settlement_record(world.center.id)["sections"]["identity"]
    printed = text_of(answer.content)
    assert who["givenName"] not in printed
    assert "障害者就業・生活支援センターみほん（架空）" in printed


async def test_the_evidence_is_printed_month_by_month_and_person_by_person(world: World) -> None:
    offered = await world.offered()
    answer = await world.settlement.get(EVIDENCE, Accept="application/pdf")
    assert answer.status_code == 200, answer.text
    printed = text_of(answer.content)
    for part in (
        "就労定着支援事業所みほん（架空）",
        "支援体制構築未実施減算の確認書",
        "登録されていません",
        "2027-03",
        "あり",
        "2026-12-31",
        "欠けている",
    ):
        assert part in printed, part
    assert offered["personId"] in printed


@pytest.mark.parametrize("who", ["center", "other"])
async def test_what_there_is_nothing_of_is_printed_too(world: World, who: str) -> None:
    for path in ("/v1/provisions?format=pdf", f"{EVIDENCE}&format=pdf"):
        assert (await getattr(world, who).get(path)).content.startswith(b"%PDF")
