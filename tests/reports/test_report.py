"""The report that an organization makes for the person: everything they may know, in plain words, on paper too."""

import io
import json
import re
from typing import Any, get_args

import pytest
from pypdf import PdfReader

from tests.ledger.entries import kept
from tests.reports.test_disclosures import EMERGENCY, city, reported, without_consent
from tests.world import SECTIONS, Organization, World, consent_for
from tsunagi.reports import words
from tsunagi.responsibility.rules import Domain, Role


async def report(who: Organization, person_id: str, query: str = "") -> dict[str, Any]:
    answer = await who.get(f"/v1/people/{person_id}/report{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


async def printed(who: Organization, person_id: str, query: str = "") -> PdfReader:
    answer = await who.get(f"/v1/people/{person_id}/report{query}", Accept="application/pdf")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return PdfReader(io.BytesIO(answer.content))


def text_of(reader: PdfReader) -> str:
    return re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))


async def phoned(world: World, organization: Organization, phone: str) -> None:
    async with world.services.db.platform() as tx:
        await (await tx.get_raw_connection()).driver_connection.execute(  # type: ignore[union-attr]
            "UPDATE organizations SET phone = $1 WHERE id = $2", phone, organization.id
        )


async def test_it_says_who_received_what_when_and_why(world: World) -> None:
    handover = await world.received(sections=["identity", "employment"])
    await world.center.get(f"/v1/handovers/{handover['id']}")
    found = await report(world.settlement, handover["personId"])
    (one,) = found["disclosures"]
    assert (one["organization"]["id"], one["giver"]["id"]) == (str(world.center.id), str(world.settlement.id))
    assert one["times"] == 2
    assert one["at"] < one["lastAt"]
    assert set(one["sectionLabels"]) == {"名前・住所・電話など", "仕事のこと"}
    assert one["groundLabel"] == "あなたの同意"
    assert one["purposes"] == ["就労定着支援の終了に伴う引継ぎのため"]


async def test_it_says_who_is_responsible_today_and_whom_to_call(world: World) -> None:
    received = await world.received()
    body = {
        "domains": [{"domain": one["domain"], "decision": "accept"} for one in received["domains"]],
        "personInCharge": {"name": "見本 直子", "role": "支援員"},
    }
    await world.center.post(f"/v1/handovers/{received['id']}/accept", body)
    await phoned(world, world.settlement, "03-0000-0001")
    await phoned(world, world.center, "03-0000-0002")
    before = await report(world.settlement, received["personId"])
    assert {one["organization"]["phone"] for one in before["responsible"]} == {"03-0000-0001"}
    assert not any("personInCharge" in one for one in before["responsible"])
    world.on("2027-04-01")
    after = await report(world.settlement, received["personId"])
    held = {one["domain"]: one for one in after["responsible"]}
    assert held["employment"]["organization"]["phone"] == "03-0000-0002"
    assert held["employment"]["personInCharge"] == "見本 直子"
    assert held["employment"]["label"] == "仕事の相談"


async def test_it_says_what_is_coming_and_how_to_withdraw(world: World) -> None:
    handover = await world.received()
    found = await report(world.settlement, handover["personId"])
    dates = {one["kind"]: one["date"] for one in found["coming"]}
    assert dates["planned_date"] == "2027-04-01"
    assert all(one["date"] >= "2026-11-20" for one in found["coming"])
    (consent,) = found["consents"]
    assert (consent["id"], consent["status"]) == (handover["consentId"], "active")
    assert consent["giver"]["id"] == str(world.settlement.id)
    assert [one["id"] for one in consent["recipients"]] == [str(world.center.id)]
    assert "やめる" in found["texts"]["howToWithdraw"]
    await world.settlement.post(
        f"/v1/consents/{handover['consentId']}/withdraw", {"withdrawnBy": {"kind": "person"}}
    )
    assert (await report(world.settlement, handover["personId"]))["consents"][0]["status"] == "withdrawn"


async def test_a_draft_is_nobodys_plan_yet(world: World) -> None:
    drafted = await world.consented()
    assert (await report(world.settlement, drafted["personId"]))["coming"] == []


async def test_it_is_made_only_by_who_knows_the_person(world: World) -> None:
    handover = await world.received()
    for who in (world.other, world.auditor):
        assert (await who.get(f"/v1/people/{handover['personId']}/report")).status_code == 404
    denied = [one.body for one in await kept(world.services.db)][-1]
    assert (denied["action"], denied["outcome"]) == ("people:report", "deny")
    assert denied["actor"]["organization"] == str(world.auditor.id)


async def test_that_it_was_made_is_on_the_ledger_under_its_own_id(world: World) -> None:
    handover = await world.received()
    found = await report(world.center, handover["personId"])
    made, withheld = [one.body for one in await kept(world.services.db)][-2:]
    assert (made["action"], made["id"]) == ("people:report", found["id"])
    assert made["actor"]["organization"] == str(world.center.id)
    assert (withheld["action"], withheld["withheld"]) == ("people:withhold", {})


async def test_a_report_of_abuse_is_withheld_and_that_it_is_shows_only_on_the_ledger(world: World) -> None:
    handover = await world.received()
    before = await report(world.settlement, handover["personId"])
    office = await city(world)
    abuse = await reported(world, handover["personId"], office)
    found = await report(world.settlement, handover["personId"])
    told = json.dumps(found, ensure_ascii=False)
    for secret in (abuse["id"], str(office.id), "架空市", "虐待", "abuse", "order_11"):
        assert secret not in told
    paper = text_of(await printed(world.settlement, handover["personId"], "?ruby=true"))
    for secret in ("架空市", "虐待", "abuse", "order_11"):
        assert secret not in paper
    changing = ("id", "madeAt")
    assert {k: v for k, v in found.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    withheld = [one.body for one in await kept(world.services.db)][-1]
    assert withheld["withheld"] == {"order_11_1": 1}


async def test_an_emergency_is_told_but_is_no_consent(world: World) -> None:
    handover = await world.offered(sections=["identity"])
    await without_consent(world, handover["personId"], world.center, EMERGENCY, "medical")
    await world.center.get(f"/v1/handovers/{handover['id']}")
    found = await report(world.settlement, handover["personId"])
    assert {one["groundLabel"] for one in found["disclosures"]} == {"あなたの同意", "命や体を守るため"}
    assert [one["id"] for one in found["consents"]] == [handover["consentId"]]


async def test_the_paper_says_the_same_in_large_type(world: World) -> None:
    handover = await world.received(sections=["identity", "employment"])
    await world.other.get(f"/v1/handovers/{handover['id']}")
    reader = await printed(world.settlement, handover["personId"])
    assert reader.metadata is not None
    assert reader.metadata.title == "あなたの情報の報告"
    text = text_of(reader)
    for said in (
        "就労定着支援事業所みほん（架空）",
        "障害者就業・生活支援センターみほん（架空）",
        "障害者就業・生活支援センターべつ（架空）",
        "名前・住所・電話など、仕事のこと",
        "令和8年11月20日（2026-11-20）",
        "令和12年12月31日（2030-12-31）まで",
        "同意をやめたいとき",
    ):
        assert said in text, said
    assert "例原" not in text  # the name of the person in the record


async def test_furigana_and_english_are_there_to_choose(world: World) -> None:
    handover = await world.received()
    assert "じょうほう" in text_of(await printed(world.settlement, handover["personId"], "?ruby=true"))
    assert "じょうほう" not in text_of(await printed(world.settlement, handover["personId"]))
    english = text_of(await printed(world.settlement, handover["personId"], "?language=en"))
    assert "Whoreceivedyourinformation" in english
    assert (await report(world.settlement, handover["personId"], "?language=en"))["disclosures"][0][
        "groundLabel"
    ] == "You agreed"


async def test_many_consents_and_long_names_go_on_over_pages(world: World) -> None:
    handover = await world.received()
    for n in range(40):
        more = consent_for(handover["personId"], world.center.id, purpose=f"目的{n}" * 20)
        assert (await world.settlement.post("/v1/consents", more)).status_code == 201
    reader = await printed(world.settlement, handover["personId"], "?ruby=true")
    assert len(reader.pages) > 5
    assert len((await report(world.settlement, handover["personId"]))["consents"]) == 41


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_code_that_is_told_has_plain_words(language: str) -> None:
    assert set(words.SECTIONS) == {*SECTIONS, "family"}
    assert set(words.DOMAINS) == set(get_args(Domain))
    assert set(words.ROLES) == set(get_args(Role))
    for table in (words.SECTIONS, words.DOMAINS, words.ROLES, words.GROUNDS, words.STATUSES, words.COMING):
        assert all(getattr(text, language) for text in table.values())


def test_kanji_in_the_fixed_texts_have_readings() -> None:
    tables = (
        words.SECTIONS,
        words.DOMAINS,
        words.ROLES,
        words.GROUNDS,
        words.STATUSES,
        words.COMING,
        words.TEXTS,
    )
    bare = {
        text.ja
        for table in tables
        for text in table.values()
        if re.search(r"[\u4e00-\u9fff]", re.sub(r"\{[^{}|]+\|[ぁ-ん]+\}", "", text.ja))
    }
    assert not bare
