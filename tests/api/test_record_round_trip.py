"""A record comes back whole and equal, and every section to the letter."""

import hashlib
import json
from typing import Any

import httpx2
import pytest
import rfc8785

from tests.api.states import take
from tests.world import EXAMPLES, World, consent_for, settlement_record
from tsunagi.strict_json import split

ODD = """ {
  "weeklyHours" :\t20.0 ,"hiredOn":"2023-10-01", "employerName": "\\u9ad9島屋\\/\\u5409野家 𠮷野 髙橋 \\ud842\\udfb7",
  "jobDescription":"絵文字 🧑‍🦽\\n改行\\t\\"引用\\" \\u0041 <&> \u2028", "employmentType":"contract",
  "disclosure" : "disability_quota","accommodations" :[ ]
} """
"""An employment episode in odd spacing, order, escapes and number forms."""


def with_episode(world: World, episode: str, **changes: Any) -> bytes:
    """A record whose one employment episode is written exactly so."""
    record = settlement_record(world.center.id, **changes)
    record["sections"]["employment"] = {"episodes": ["@@"]}
    return json.dumps(record, ensure_ascii=False, indent=1).replace('"@@"', episode).encode()


def raw_sections(answer: httpx2.Response) -> dict[str, str]:
    """The sections of the answer's record, as text."""
    return split(split(split(answer.text).texts["record"]).texts["sections"]).texts


async def stored(world: World, body: bytes) -> str:
    answer = await world.settlement.post("/v1/handovers", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_the_sender_reads_back_what_it_sent_to_the_letter(world: World) -> None:
    body = with_episode(world, ODD, extensions={"jp.example.vendor": {"n": 1.50, "k": ["髙", None, True]}})
    read = await world.settlement.get(f"/v1/handovers/{await stored(world, body)}")
    assert read.json()["record"] == json.loads(body)
    sent = split(split(body.decode()).texts["sections"]).texts
    assert raw_sections(read) == sent
    assert list(raw_sections(read)) == list(sent)
    assert ODD.strip() in read.text


@pytest.mark.parametrize("number", ["20", "20.0", "1.50", "2E1", "20.00000000000000000001", "0.1e2", "20e-0"])
async def test_a_number_keeps_its_form_and_has_one_hash(world: World, number: str) -> None:
    body = with_episode(world, ODD.replace("20.0", number))
    read = await world.settlement.get(f"/v1/handovers/{await stored(world, body)}")
    assert f":\t{number} ," in read.text
    section = read.json()["record"]["sections"]["employment"]
    assert read.json()["sectionHashes"]["employment"] == hashlib.sha256(rfc8785.dumps(section)).hexdigest()


async def test_members_and_sections_keep_their_order(world: World) -> None:
    record = settlement_record(world.center.id)
    turned = dict(reversed(record.items())) | {"sections": dict(reversed(record["sections"].items()))}
    turned["sections"]["identity"] = dict(reversed(record["sections"]["identity"].items()))
    read = await world.settlement.get(f"/v1/handovers/{await stored(world, json.dumps(turned).encode())}")
    kept = read.json()["record"]
    assert kept == record
    assert list(kept["sections"]) == list(turned["sections"])
    assert list(kept["sections"]["identity"]) == list(turned["sections"]["identity"])
    assert [name for name in kept if name != "sections"] == [name for name in turned if name != "sections"]


@pytest.mark.parametrize(
    "path", sorted((EXAMPLES / "handover-record" / "valid").glob("*.json")), ids=lambda p: p.stem
)
async def test_every_example_comes_back_equal_with_true_hashes(world: World, path: Any) -> None:
    record = json.loads(path.read_text()) | {"receiverId": str(world.center.id)}
    record.pop("personId", None)
    read = await world.settlement.get(f"/v1/handovers/{await stored(world, json.dumps(record).encode())}")
    assert read.json()["record"] == record
    assert read.json()["sectionHashes"] == {
        name: hashlib.sha256(rfc8785.dumps(section)).hexdigest()
        for name, section in record["sections"].items()
    }


async def test_both_sides_see_the_same_letters_and_the_same_hashes(world: World) -> None:
    handover_id = await stored(world, with_episode(world, ODD))
    sender = await world.settlement.get(f"/v1/handovers/{handover_id}")
    consent = consent_for(sender.json()["personId"], world.center.id)
    await world.settlement.post("/v1/consents", consent)
    assert (await world.settlement.post(f"/v1/handovers/{handover_id}/offer")).status_code == 200
    receiver = await world.center.get(f"/v1/handovers/{handover_id}")
    theirs, ours = raw_sections(receiver), raw_sections(sender)
    assert set(ours) - set(theirs) == {"family"}
    assert theirs == {name: ours[name] for name in theirs}
    hashes = receiver.json()["sectionHashes"]
    assert hashes == {name: sender.json()["sectionHashes"][name] for name in theirs}
    for name, section in receiver.json()["record"]["sections"].items():
        assert hashes[name] == hashlib.sha256(rfc8785.dumps(section)).hexdigest()


async def test_extensions_go_back_to_the_sender_alone(world: World) -> None:
    extensions = {"jp.example.vendor": {"internalNote": "社内メモ"}}
    drafted = await world.draft(extensions=extensions)
    await world.settlement.post("/v1/consents", consent_for(drafted["personId"], world.center.id))
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    path = f"/v1/handovers/{drafted['id']}"
    assert (await world.settlement.get(path)).json()["record"]["extensions"] == extensions
    for told in (await world.center.get(path), await world.center.get(f"{path}/versions/1")):
        assert "extensions" not in told.json()["record"]
        assert "社内メモ" not in told.text
    assert "社内メモ" not in (await world.center.get("/v1/handovers/export")).text


async def test_every_version_stays_readable_as_it_was(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    texts = [received["record"]["sections"]["support_plan"]]
    for number in (2, 3):
        record = settlement_record(world.center.id)
        record["sections"]["support_plan"]["policy"] = f"方針 その{number}"
        texts.append(record["sections"]["support_plan"])
        world.on(f"2026-11-2{number}")
        answer = await world.settlement.put(path, record, If_Match="*")
        assert (answer.status_code, answer.json()["version"]) == (200, number)
    for who in (world.settlement, world.center):
        versions = [(await who.get(f"{path}/versions/{number}")).json() for number in (1, 2, 3)]
        assert [one["version"] for one in versions] == [1, 2, 3]
        assert [one["record"]["sections"]["support_plan"] for one in versions] == texts
        assert len({one["recordedAt"] for one in versions}) == 3
        assert (await who.get(path)).json()["record"] == versions[2]["record"]
        assert (await who.get(f"{path}/versions/4")).status_code == 404


async def test_a_version_has_its_own_warnings(world: World) -> None:
    late = settlement_record(world.center.id)
    late["sections"]["continuing_needs"]["sharedOn"] = "2027-03-01"
    handover_id = await stored(world, json.dumps(late).encode())
    path = f"/v1/handovers/{handover_id}"
    await world.settlement.put(path, settlement_record(world.center.id), If_Match="*")
    found = {
        number: [
            one["code"]
            for one in (await world.settlement.get(f"{path}/versions/{number}")).json()["warnings"]
        ]
        for number in (1, 2)
    }
    assert found == {1: ["sharing.too_late"], 2: []}


async def test_reading_an_old_version_does_not_receive_the_new_one(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    await take(world.settlement, world, received["id"], "amend")
    assert (await world.center.get(f"{path}/versions/1")).json()["status"] == "offered"
    assert (await world.center.get(f"{path}/versions/2")).json()["status"] == "received"


async def test_what_was_never_on_offer_is_the_senders_alone(world: World) -> None:
    drafted = await world.consented()
    path = f"/v1/handovers/{drafted['id']}"
    await take(world.settlement, world, drafted["id"], "amend")
    await world.settlement.post(f"{path}/offer")
    assert (await world.center.get(f"{path}/versions/1")).status_code == 404
    assert (await world.center.get(path)).json()["version"] == 2
    assert (await take(world.center, world, drafted["id"], "return")).status_code == 200
    record = settlement_record(world.center.id, acquisitionContext="まだ見せない")
    assert (await world.settlement.put(path, record, If_Match="*")).json()["status"] == "returned"
    told = await world.center.get(path)
    assert (told.status_code, told.json()["version"]) == (200, 2)
    export = await world.center.get("/v1/handovers/export")
    assert "まだ見せない" not in told.text + export.text
    assert (await world.center.get(f"{path}/versions/3")).status_code == 404
    await world.settlement.post(f"{path}/offer")
    assert (await world.center.get(path)).json()["record"]["acquisitionContext"] == "まだ見せない"
