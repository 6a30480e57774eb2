"""Handing over by forms alone, as an office without software does it."""

import hashlib
import re
from typing import Any

import pytest

from tests.owner import owner
from tests.web.browsing import Controls, controls
from tests.web.test_forms import same
from tests.web.visitors import Visitor, visitor
from tests.world import World, consent_for, settlement_record
from tsunagi.db import fetch
from tsunagi.web import sending
from tsunagi.web.draft_parts import forms_of
from tsunagi.web.forms import Field
from tsunagi.web.forms_posted import inputs
from tsunagi.web.handing_over_workbook import XLSX
from tsunagi.web.workbook import read, write

SCAN = b"%PDF-1.7 a signed form"


async def begun(member: Visitor, world: World, **more: str) -> str:
    """The path of a new draft to the center."""
    page = await member.get("/hand-over?q=センター")
    assert str(world.center.id) in page.text
    answer = await member.post(
        "/hand-over",
        {
            "receiver": str(world.center.id),
            "/plannedDate:year": "令和9",
            "/plannedDate:month": "4",
            "/plannedDate:day": "1",
            **more,
        },
    )
    assert answer.status_code == 303, answer.text
    path, _, part = answer.headers["location"].rpartition("/")
    assert part == "overview"
    return path


async def fill(member: Visitor, path: str, wanted: Controls, *, go: str = "here", **more: Any) -> Any:
    """Adds items until the lists are long enough, then fills in and saves."""
    shown = controls((await member.get(path)).text, path)
    for name, values in sorted(wanted.items(), key=lambda one: one[0].count("/")):
        if name.endswith(":items"):
            while int(shown[name][0]) < int(values[0]):
                answer = await member.post(path, shown | {"add": name.removesuffix(":items")})
                assert answer.status_code == 303, answer.text
                shown = controls((await member.get(path)).text, path)
    assert {name for name in wanted if not name.endswith(":none")} <= shown.keys() | _ticked(wanted)
    return await member.post(path, shown | wanted | {"go": go}, **more)


def _ticked(wanted: Controls) -> set[str]:
    """Boxes and buttons that are not sent while nothing is ticked."""
    return {
        name for name in wanted if re.search(r"/(roles|primary|livesTogether|sections|service|none)$", name)
    }


def asked(field: Field, whole: dict[str, Any]) -> Controls:
    return inputs(field, {one.name: whole[one.name] for one in field.fields if one.name in whole})


async def written(member: Visitor, world: World, record: dict[str, Any]) -> str:
    """A draft in which everything is filled in, by forms alone."""
    forms, path = forms_of(world.services.contract), await begun(member, world)
    assert (await fill(member, f"{path}/overview", asked(forms.overview, record))).status_code == 303
    for name, section in record["sections"].items():
        answer = await fill(member, f"{path}/{name}", inputs(forms.sections[name], section), go="next")
        assert answer.status_code == 303, answer.text
    consent = consent_for("", world.center.id)
    consent.pop("evidenceHash")
    scan = {"/evidenceHash:file": ("同意書.pdf", SCAN, "application/pdf")}
    of_person = asked(forms.consents["person"], consent | {"sections": list(record["sections"])})
    await fill(member, f"{path}/consent", of_person, files=scan)
    if "family" in record["sections"]:
        sister = {"givenBy": {"kind": "family_member", "name": "例原 早苗"}, "sections": ["family"]}
        of_family = asked(forms.consents["family"], consent | sister)
        await fill(member, f"{path}/family_consent", of_family, files=scan)
    return path


async def test_a_whole_handover_is_written_by_forms_and_offered_once(world: World) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    path = await written(member, world, record)
    page = await member.get(path)
    assert "直すところ" not in re.sub(r"<p>.*?</p>", "", page.text), page.text
    sent = controls(page.text, path)
    answers = [await member.post(path, sent) for _ in range(3)]
    assert {one.status_code for one in answers} == {303}, answers[0].text
    (where,) = {one.headers["location"] for one in answers}
    (made,) = (await world.settlement.get("/v1/handovers?direction=outgoing")).json()["items"]
    assert where == f"/handovers/{made['id']}"
    assert made["status"] == "offered"
    read = (await world.center.get(f"/v1/handovers/{made['id']}")).json()
    assert read["record"]["sections"] == same(record["sections"])
    consents = [(await world.settlement.get(f"/v1/consents/{one['id']}")).json() for one in read["consents"]]
    assert {one["subject"] for one in consents} == {"person", "family"}
    assert {one["evidenceHash"] for one in consents} == {hashlib.sha256(SCAN).hexdigest()}


async def test_nothing_of_a_sent_handover_stays_in_its_draft(world: World) -> None:
    member = await visitor(world.settlement)
    path = await written(member, world, settlement_record(world.center.id))
    answer = await member.post(path, controls((await member.get(path)).text, path))
    assert (await member.get(path)).headers["location"] == answer.headers["location"]
    assert (await member.get(f"{path}/identity")).status_code == 303
    assert path not in (await member.get("/hand-over")).text
    async with owner(world.services.db) as tx:
        (row,) = await fetch(tx, "SELECT length(document) AS size FROM handover_drafts")
    assert row["size"] < 500


async def test_what_was_typed_survives_whatever_it_is(world: World) -> None:
    member = await visitor(world.settlement)
    path = await begun(member, world)
    typed = {
        "/familyName": ["<b>𠮷田</b>"],
        "/birthDate:year": ["昭和六"],
        "/birthDate:month": ["13"],
        "/phone": ["三の三"],
    }
    await fill(member, f"{path}/identity", typed)
    page = (await (await visitor(world.settlement)).get(f"{path}/identity")).text
    shown = controls(page, f"{path}/identity")
    assert {name: shown[name] for name in typed} == typed
    assert "<b>𠮷田" not in page
    assert '<input id="in/familyName"' in page
    for at in ("/givenName", "/birthDate", "/phone"):
        assert f'href="#at{at}"' in page
        assert f'id="told{at}">\n<p class="field-error">' in page


async def test_two_staff_who_write_at_once_do_not_overwrite_each_other(world: World) -> None:
    one, two = await visitor(world.settlement), await visitor(world.settlement)
    path = f"{await begun(one, world)}/medical"
    first, second = [controls((await who.get(path)).text, path) for who in (one, two)]
    assert (await one.post(path, first | {"/coping": ["散歩をする"], "go": "here"})).status_code == 303
    lost = await two.post(path, second | {"/coping": ["音楽を聴く"], "go": "here"})
    assert lost.status_code == 409
    assert "散歩をする" in lost.text
    again = controls(lost.text, path)
    assert again["/coping"] == ["音楽を聴く"]
    assert controls((await one.get(path)).text, path)["/coping"] == ["散歩をする"]
    assert (await two.post(path, again | {"go": "here"})).status_code == 303
    assert controls((await one.get(path)).text, path)["/coping"] == ["音楽を聴く"]


async def test_who_looked_at_an_earlier_draft_does_not_send_it(world: World) -> None:
    one, two = await visitor(world.settlement), await visitor(world.settlement)
    path = await written(one, world, settlement_record(world.center.id))
    seen = controls((await one.get(path)).text, path)
    await fill(two, f"{path}/medical", {"/coping": ["散歩をする"]})
    assert (await one.post(path, seen)).status_code == 409
    assert (await world.settlement.get("/v1/handovers")).json()["items"] == []


async def test_an_incomplete_draft_says_what_is_missing_and_is_not_sent(world: World) -> None:
    member = await visitor(world.settlement)
    path = await begun(member, world)
    page = (await member.get(path)).text
    assert "まだ（必須）" in page
    assert 'name="revision"' not in page
    answer = await member.post(path, {"revision": "1"})
    assert answer.status_code == 422
    assert "このままでは申し込めません" in answer.text
    assert (await world.settlement.get("/v1/handovers")).json()["items"] == []


async def test_what_a_rule_refuses_leads_to_its_field_and_can_be_mended(world: World) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    overlap = record["sections"]["handover_plan"]["overlap"]
    record["sections"]["handover_plan"]["overlap"] = {"from": overlap["to"], "to": overlap["from"]}
    path = await written(member, world, record)
    assert re.search(r"直すところ：1か所", (await member.get(path)).text)
    assert 'href="#at/overlap/to"' in (await member.get(f"{path}/handover_plan")).text
    mended = inputs(forms_of(world.services.contract).sections["handover_plan"], {"overlap": overlap})
    await fill(member, f"{path}/handover_plan", mended)
    page = (await member.get(path)).text
    assert (await member.post(path, controls(page, path))).status_code == 303


async def test_what_was_written_after_a_sending_died_is_an_amendment_of_the_same_handover(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await visitor(world.settlement)
    path = await written(member, world, settlement_record(world.center.id))
    page = (await member.get(path)).text

    async def dying(*_: Any) -> Any:
        raise RuntimeError("the process has died")

    with monkeypatch.context() as patched:
        patched.setattr(sending, "_consented", dying)
        assert (await member.post(path, controls(page, path))).status_code == 500
    (made,) = (await world.settlement.get("/v1/handovers")).json()["items"]
    assert made["status"] == "draft"
    await fill(member, f"{path}/medical", {"/coping": ["散歩をする"]})
    page = (await member.get(path)).text
    answer = await member.post(path, controls(page, path))
    assert answer.headers["location"] == f"/handovers/{made['id']}"
    (there,) = (await world.settlement.get("/v1/handovers")).json()["items"]
    assert (there["status"], there["version"]) == ("offered", 2)


async def test_somebody_who_is_known_already_is_confirmed_by_a_human(world: World) -> None:
    made = await world.draft()
    member = await visitor(world.settlement)
    path = await written(member, world, settlement_record(world.center.id))
    page = (await member.get(path)).text
    assert f'name="same_person" value="{made["personId"]}"' in page
    sent = controls(page, path)
    assert (await member.post(path, sent)).status_code == 422
    assert (await member.post(path, sent | {"same_person": "x"})).status_code == 404
    told = await member.post(path, sent | {"same_person": made["personId"]})
    assert "ほかにも開いています" in told.text
    answer = await member.post(path, controls(told.text, path))
    assert answer.status_code == 303, answer.text


async def test_two_staff_who_write_different_parts_do_not_meet(world: World) -> None:
    one, two = await visitor(world.settlement), await visitor(world.settlement)
    path = await begun(one, world)
    here, there = f"{path}/medical", f"{path}/identity"
    first, second = [controls((await one.get(where)).text, where) for where in (here, there)]
    assert (await two.post(here, first | {"/coping": ["散歩をする"], "go": "here"})).status_code == 303
    assert (await one.post(there, second | {"/familyName": "相川", "go": "here"})).status_code == 303
    assert controls((await one.get(here)).text, here)["/coping"] == ["散歩をする"]
    assert controls((await one.get(there)).text, there)["/familyName"] == ["相川"]


async def test_nobody_of_another_organization_sees_or_changes_a_draft(world: World) -> None:
    member, stranger = await visitor(world.settlement), await visitor(world.center)
    path = await begun(member, world)
    await fill(member, f"{path}/identity", {"/familyName": ["相川"]})
    for where in (path, f"{path}/identity"):
        assert (await stranger.get(where)).status_code == 404
        assert (await stranger.post(where, {"revision": "2", "press": "discard"})).status_code == 404
    assert path not in (await stranger.get("/hand-over")).text
    assert "相川" in (await member.get("/hand-over")).text


async def test_a_field_is_checked_and_nothing_is_kept(world: World) -> None:
    member = await visitor(world.settlement)
    path = f"{await begun(member, world)}/identity"
    shown = controls((await member.get(path)).text, path)
    typed = shown | {"/familyName": "相川", "/phone": "三の三"}
    checked = await member.post(f"{path}/check?at=/phone", typed)
    assert (checked.status_code, '<p class="field-error">' in checked.text) == (200, True)
    good = await member.post(f"{path}/check?at=/familyName", typed)
    assert (good.status_code, '<p class="field-error">' in good.text) == (200, False)
    assert controls((await member.get(path)).text, path) == shown
    assert (await member.post(f"{path}/check?at=/nothing", typed)).status_code == 404


async def test_an_auditor_writes_no_drafts(world: World) -> None:
    path = await begun(await visitor(world.settlement), world)
    auditor = await visitor(world.settlement, "auditor")
    for where in ("/hand-over", path, f"{path}/identity"):
        assert (await auditor.get(where)).status_code == 403
        assert (await auditor.post(where, {})).status_code == 403


async def test_a_draft_is_discarded(world: World) -> None:
    member = await visitor(world.settlement)
    path = await begun(member, world)
    assert (await member.post(path, {"press": "discard"})).headers["location"] == "/hand-over"
    assert (await member.get(path)).status_code == 404


@pytest.mark.parametrize("where", ["/hand-over/x", "/hand-over/x/identity", "/hand-over/{}/nothing"])
async def test_what_is_not_there_is_not_found(world: World, where: str) -> None:
    member = await visitor(world.settlement)
    path = await begun(member, world)
    assert (await member.get(where.format(path.rpartition("/")[2]))).status_code == 404


async def test_a_draft_is_filled_in_in_excel(world: World) -> None:
    member, record = await visitor(world.settlement), settlement_record(world.center.id)
    forms = forms_of(world.services.contract)
    path = await begun(member, world)
    book = f"{path}/workbook/tsunagi.xlsx"
    empty = await member.get(book)
    assert empty.headers["content-type"] == XLSX
    begins = read(empty.content, {"overview": forms.overview})["overview"].inputs
    assert begins["/plannedDate:year"] == ["2027-04-01"], "what the draft began with"
    typed = {
        name: (forms.sections[name], inputs(forms.sections[name], one))
        for name, one in record["sections"].items()
    }
    typed["disability"][1]["/types/0/code"] = ["まちがい"]
    answer = await member.post(book, files={"workbook": ("様式.xlsx", write(typed), XLSX)})
    assert answer.status_code == 200
    assert re.search(r"障害・手帳![A-Z]+[0-9]+ 「種別」", answer.text)
    shown = controls((await member.get(f"{path}/employment")).text, f"{path}/employment")
    assert shown["/episodes/0/employerName"] == [
        record["sections"]["employment"]["episodes"][0]["employerName"]
    ]
    wrong = await member.post(book, files={"workbook": ("x.xlsx", b"PK", XLSX)})
    assert wrong.status_code == 422
    stranger = await visitor(world.center)
    assert (await stranger.get(book)).status_code == 404
    assert (await stranger.post(book, files={"workbook": ("x.xlsx", b"PK", XLSX)})).status_code == 404


async def test_an_assessment_is_chosen_from_the_instruments_that_the_contract_lists(world: World) -> None:
    member = await visitor(world.settlement)
    path = f"{await begun(member, world)}/assessment"
    rated = {
        "instrument": "settlement_monitoring_sheet",
        "version": "1",
        "itemCode": "punctual_attendance",
        "scale": "three_level",
        "selfValue": "2",
    }
    field = forms_of(world.services.contract).sections["assessment"]
    await fill(member, path, inputs(field, {"items": [rated]}))
    page = (await member.get(path)).text
    for said in ("遅刻・早退・欠勤しない（就労定着支援モニタリングシート(20項目)）", "2 おおむねできている"):
        assert re.search(rf"<option [^>]*selected>[^<]*{re.escape(said)}", page)


async def test_what_no_list_has_stays_to_be_chosen(world: World) -> None:
    member = await visitor(world.settlement)
    path = f"{await begun(member, world)}/assessment"
    field = forms_of(world.services.contract).sections["assessment"]
    await fill(member, path, inputs(field, {"instruments": [{"instrument": "own_sheet", "version": "3"}]}))
    shown = controls((await member.get(path)).text, path)
    assert (shown["/instruments/0/instrument"], shown["/instruments/0/version"]) == (["own_sheet"], ["3"])


async def test_a_consent_is_proposed_for_what_is_to_be_passed_on(world: World) -> None:
    member = await visitor(world.settlement)
    path = await begun(member, world)
    await fill(member, f"{path}/medical", {"/coping": ["散歩をする"]})
    shown = controls((await member.get(f"{path}/consent")).text, f"{path}/consent")
    assert shown["/sections"] == ["medical"]
    assert [shown[f"/from:{part}"] for part in ("year", "month", "day")] == [["2026"], ["11"], ["20"]]
    assert "まだ（必須）" in (await member.get(path)).text, "nothing is consented to by looking"
