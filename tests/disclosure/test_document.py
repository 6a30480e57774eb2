"""A handover read on paper: what the reader may see, who printed it, and the same for machines inside."""

import io
import json
import re
from typing import Any

import pytest
from pypdf import PdfReader

from tests.ledger.entries import kept
from tests.world import Organization, World


async def printed(who: Organization, path: str, **headers: str) -> PdfReader:
    answer = await who.get(path, Accept="application/pdf", **headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    return PdfReader(io.BytesIO(answer.content))


def text_of(reader: PdfReader) -> str:
    return re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))


def attached(reader: PdfReader) -> dict[str, Any]:
    (content,) = reader.attachments["handover.json"]
    found: dict[str, Any] = json.loads(content)
    return found


async def test_the_receiver_gets_on_paper_what_it_gets_as_json(world: World) -> None:
    offered = await world.offered(sections=["identity", "handover_plan"])
    path = f"/v1/handovers/{offered['id']}"
    reader = await printed(world.center, path)
    as_json = (await world.center.get(path)).json()
    assert as_json["status"] == "received"
    assert attached(reader) == as_json
    text = text_of(reader)
    sections = as_json["record"]["sections"]
    assert sections["identity"]["familyName"] in text
    assert re.sub(r"\s", "", sections["handover_plan"]["request"]["whyReceiver"]) in text
    assert "示されない項目群とその理由" in text
    assert "医療同意がない" in text


async def test_once_it_is_answered_the_paper_says_from_when_each_domain_is_taken(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    assert "回答期限" in text_of(await printed(world.center, path))
    domains = [
        {"domain": one["domain"], "decision": "accept", "from": "2027-03-01"} for one in received["domains"]
    ]
    answer = await world.center.post(f"{path}/accept", {"domains": domains})
    assert answer.status_code == 200, answer.text
    text = text_of(await printed(world.center, path))
    assert "回答期限" not in text
    assert "受けた開始日" in text
    assert "令和9年3月1日（2027-03-01）" in text


async def test_every_page_names_the_person_and_neither_title_nor_file_do(world: World) -> None:
    received = await world.received()
    answer = await world.center.get(f"/v1/handovers/{received['id']}", Accept="application/pdf")
    reader = PdfReader(io.BytesIO(answer.content))
    for page in reader.pages:
        assert "架空直樹平成6年7月21日（1994-07-21）生番号" in re.sub(r"\s", "", page.extract_text())
    assert reader.metadata
    assert reader.metadata.title == "引継ぎ記録"
    name = f'attachment; filename="handover-{received["id"][-6:].upper()}-2026-11-20.pdf"'
    assert answer.headers["content-disposition"] == name


async def test_a_reader_who_may_not_know_the_person_finds_no_name_on_any_page(world: World) -> None:
    offered = await world.offered(sections=["handover_plan", "assessment"])
    text = text_of(await printed(world.center, f"/v1/handovers/{offered['id']}"))
    assert "架空直樹" not in text
    assert "5領域のまとめ健康管理" in text


async def test_nothing_withheld_is_in_the_file_at_all(world: World) -> None:
    offered = await world.offered(sections=["identity", "handover_plan"])
    own = (await world.settlement.get(f"/v1/handovers/{offered['id']}")).json()["record"]["sections"]
    reader = await printed(world.center, f"/v1/handovers/{offered['id']}")
    assert set(attached(reader)["record"]["sections"]) == {"identity", "handover_plan"}
    assert re.sub(r"\s", "", own["medical"]["warningSigns"]) not in text_of(reader)


async def test_it_says_who_printed_it_and_when(world: World) -> None:
    received = await world.received()
    text = text_of(await printed(world.center, f"/v1/handovers/{received['id']}"))
    assert "印刷した人障害者就業・生活支援センターみほん（架空）test-software" in text
    assert "印刷日時令和8年11月20日（2026-11-20）9:00" in text


async def test_a_print_is_on_the_ledger_as_a_reading(world: World) -> None:
    received = await world.received()
    before = [one for one in await kept(world.services.db) if one.body["action"] == "handovers:read"]
    await printed(world.center, f"/v1/handovers/{received['id']}")
    after = [one for one in await kept(world.services.db) if one.body["action"] == "handovers:read"]
    assert len(after) == len(before) + 1
    assert after[-1].body["sections"] == before[-1].body["sections"]


async def test_before_the_window_opens_only_the_notice_is_printed(world: World) -> None:
    world.on("2026-06-01")
    offered = await world.offered()
    reader = await printed(world.center, f"/v1/handovers/{offered['id']}")
    assert "引継ぎの予告" in text_of(reader)
    assert attached(reader)["notice"] is True
    assert "personId" not in attached(reader)


async def test_one_version_is_printed_and_in_english_too(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}/versions/1"
    text = text_of(await printed(world.center, path, Accept_Language="en"))
    assert "Handoverrecord" in text
    assert "Supportplan" in text


async def test_strangers_print_nothing(world: World) -> None:
    received = await world.received()
    answer = await world.other.get(f"/v1/handovers/{received['id']}", Accept="application/pdf")
    assert answer.status_code == 404


@pytest.mark.parametrize("accept", ["application/json, application/pdf", "*/*"])
async def test_json_is_what_others_get(world: World, accept: str) -> None:
    received = await world.received()
    answer = await world.center.get(f"/v1/handovers/{received['id']}", Accept=accept)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Accept"


async def test_the_file_is_tagged_for_screen_readers_and_fit_for_keeping(world: World) -> None:
    received = await world.received()
    reader = await printed(world.center, f"/v1/handovers/{received['id']}")
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "ja-JP"
    assert root["/MarkInfo"]["/Marked"]
    (file,) = root["/AF"]
    assert file.get_object()["/AFRelationship"] == "/Source"
    about = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in about
    assert "<pdfaid:part>3</pdfaid:part>" in about
