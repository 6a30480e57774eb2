"""Registering and recognizing people, without telling anybody that somebody exists."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from tests.world import Organization, World, consent_for, settlement_record
from tsunagi.db import Database

IDENTITY: dict[str, Any] = {
    "familyName": "髙𠮷",
    "givenName": "みほん",
    "familyNameKana": "タカヨシ",
    "givenNameKana": "ミホン",
    "birthDate": "1996-02-29",
    "sex": "undisclosed",
    "certificate": {"municipalityCode": "12199", "number": "0000012345"},
}
ABSENT = "01930000-0000-7000-8000-00000000dead"


async def register(who: Organization, *, distinct_from: list[str] | None = None, **changes: Any) -> Any:
    identity = {name: value for name, value in (IDENTITY | changes).items() if value is not None}
    body: dict[str, Any] = {"identity": identity}
    return await who.post("/v1/people", body | ({"distinctFrom": distinct_from} if distinct_from else {}))


async def match(who: Organization, **changes: str) -> Any:
    kana = {name: IDENTITY[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
    return await who.post("/v1/people/match", {"kana": kana | changes})


async def match_certificate(who: Organization, **changes: str) -> Any:
    return await who.post("/v1/people/match", {"certificate": IDENTITY["certificate"] | changes})


async def test_a_registered_person_is_recognized_by_kana_and_by_certificate(world: World) -> None:
    person_id = (await register(world.settlement)).json()["personId"]
    for answer in (await match(world.settlement), await match_certificate(world.settlement)):
        assert answer.json() == {"personId": person_id, "confirmationRequired": True}


@pytest.mark.parametrize(
    ("family", "given"),
    [("タカ ヨシ", "ミホン"), (" タカヨシ", "ミ　ホン "), ("タ　カ　ヨ　シ", "ミホン")],
)
async def test_spaces_in_a_name_do_not_matter(world: World, family: str, given: str) -> None:
    person_id = (await register(world.settlement)).json()["personId"]
    answer = await match(world.settlement, familyNameKana=family, givenNameKana=given)
    assert answer.json()["personId"] == person_id


@pytest.mark.parametrize(
    "changes",
    [
        {"familyNameKana": "タカヨ", "givenNameKana": "シミホン"},
        {"familyNameKana": "ミホン", "givenNameKana": "タカヨシ"},
        {"familyNameKana": "タガヨシ"},
        {"birthDate": "1996-02-28"},
    ],
)
async def test_another_name_or_birthday_is_another_person(world: World, changes: dict[str, str]) -> None:
    await register(world.settlement)
    assert (await match(world.settlement, **changes)).status_code == 404


@pytest.mark.parametrize("changes", [{"municipalityCode": "12299"}, {"number": "0000012346"}])
async def test_a_number_means_something_only_in_its_municipality(
    world: World, changes: dict[str, str]
) -> None:
    await register(world.settlement)
    assert (await match_certificate(world.settlement, **changes)).status_code == 404


@pytest.mark.parametrize("kana", ["たかよし", "ﾀｶﾖｼ", "高吉", "タカヨシ\u200b", "Takayoshi"])
async def test_kana_is_full_width_katakana(world: World, kana: str) -> None:
    for answer in (
        await match(world.settlement, familyNameKana=kana),
        await register(world.settlement, familyNameKana=kana),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "schema_invalid")
        assert kana not in answer.text


async def test_somebody_known_is_not_registered_twice(world: World) -> None:
    person_id = (await register(world.settlement)).json()["personId"]
    for changes in ({}, {"certificate": None}, {"familyNameKana": "ベツ"}):
        answer = await register(world.settlement, **changes)
        assert (answer.status_code, answer.json()["code"]) == (409, "person_already_known")
        assert answer.json()["personId"] == person_id
        assert "distinctFrom" in answer.json()["detail"]


async def test_a_handover_without_a_person_finds_the_known_one(world: World) -> None:
    drafted = await world.draft()
    record = settlement_record(world.other.id)
    answer = await world.settlement.post("/v1/handovers", record)
    assert (answer.status_code, answer.json()["personId"]) == (409, drafted["personId"])
    again = await world.settlement.post("/v1/handovers", record | {"personId": drafted["personId"]})
    assert (again.status_code, again.json()["personId"]) == (201, drafted["personId"])


async def test_a_namesake_is_registered_when_a_human_has_told_them_apart(world: World) -> None:
    first = (await register(world.settlement)).json()["personId"]
    second = await register(world.settlement, distinct_from=[first], certificate=None)
    assert second.status_code == 201
    assert second.json()["personId"] != first
    for answer in (await match(world.settlement), await register(world.settlement, certificate=None)):
        assert (answer.status_code, answer.json()["code"]) == (409, "match_ambiguous")
        assert first not in answer.text
    assert (await match_certificate(world.settlement)).json()["personId"] == first
    third = await register(
        world.settlement, distinct_from=[first, second.json()["personId"]], certificate=None
    )
    assert third.status_code == 201


async def test_kana_of_one_and_certificate_of_another_are_ambiguous(world: World) -> None:
    await register(world.settlement, certificate=None)
    await register(world.settlement, familyNameKana="ベツ")
    answer = await register(world.settlement)
    assert (answer.status_code, answer.json()["code"]) == (409, "match_ambiguous")


async def test_telling_apart_from_somebody_unknown_says_nothing_about_them(world: World) -> None:
    theirs = (await register(world.transition)).json()["personId"]
    for distinct_from in ([theirs], [ABSENT]):
        answer = await register(world.settlement, distinct_from=distinct_from, certificate=None)
        assert answer.status_code in (201, 409)
        assert theirs not in answer.text


async def test_nobody_is_found_by_those_who_have_no_relation(world: World) -> None:
    await register(world.settlement)
    for who in (world.center, world.other, world.auditor, world.transition):
        found, absent = await match(who), await match(who, familyNameKana="ダレモ")
        assert (found.status_code, absent.status_code) == (404, 404)
        assert {**found.json(), "requestId": 0} == {**absent.json(), "requestId": 0}
        assert (await register(who)).status_code == 201


async def test_the_relation_comes_with_the_record_and_goes_with_the_decline(world: World) -> None:
    offered = await world.offered()
    identity = settlement_record(world.center.id)["sections"]["identity"]
    kana = {name: identity[name] for name in ("familyNameKana", "givenNameKana", "birthDate")}
    assert (await world.center.post("/v1/people/match", {"kana": kana})).status_code == 404
    await world.center.get(f"/v1/handovers/{offered['id']}")
    found = await world.center.post("/v1/people/match", {"kana": kana})
    assert found.json()["personId"] == offered["personId"]
    decline = {"reason": {"code": "capacity"}}
    await world.center.post(f"/v1/handovers/{offered['id']}/decline", decline)
    assert (await world.center.post("/v1/people/match", {"kana": kana})).status_code == 404
    consent = consent_for(offered["personId"], world.other.id)
    assert (await world.center.post("/v1/consents", consent)).status_code == 404


async def test_asking_too_often_is_refused_with_the_time_to_wait(world: World) -> None:
    limit = world.services.settings.matches_per_minute
    await register(world.settlement)
    answers = [await match(world.settlement, birthDate="1990-01-01") for _ in range(limit)]
    assert {answer.status_code for answer in answers} == {404}
    refused = await match(world.settlement)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    wait = refused.json()["retryAfterSeconds"]
    assert refused.headers["retry-after"] == str(wait)
    assert 0 < wait <= 60
    assert (await match(world.other)).status_code == 404
    world.on("2026-11-21")
    assert (await match(world.settlement)).status_code == 200


async def test_the_tables_of_people_hold_nothing_to_be_read(world: World, db: Database) -> None:
    await register(world.settlement)
    await match(world.settlement)
    names = ("people", "person_identities", "person_relations", "match_attempts")
    async with db.platform() as tx:
        kept = "".join(
            [str(await tx.scalar(text(f"SELECT json_agg(t)::text FROM {table} t"))) for table in names]
        )
        sizes = await tx.execute(
            text("SELECT length(kana_birth_key), length(certificate_key) FROM person_identities")
        )
        assert [tuple(row) for row in sizes] == [(32, 32)]
    told = [IDENTITY[name] for name in ("familyName", "givenName", "familyNameKana", "givenNameKana")]
    for plain in (*told, IDENTITY["birthDate"], IDENTITY["certificate"]["number"]):
        assert plain not in kept
        assert plain.encode().hex() not in kept


async def test_a_refusal_is_on_the_ledger_without_the_callers_words(world: World, db: Database) -> None:
    await register(world.settlement, certificate=None)
    await register(world.settlement, familyNameKana="ベツ")
    record = settlement_record(world.center.id)
    record["sections"]["identity"] |= IDENTITY
    for changes, code in (({}, "match_ambiguous"), ({"personId": ABSENT}, "not_found")):
        answer = await world.settlement.post("/v1/handovers", record | changes, X_Request_Id="its-own-id")
        assert answer.json()["code"] == code
    async with db.platform() as tx:
        query = text("SELECT record_id, body FROM ledger_contents WHERE outcome = 'deny' ORDER BY id")
        found = [(row.record_id, json.loads(row.body)["code"]) for row in await tx.execute(query)]
    assert found == [(None, "match_ambiguous"), (None, "not_found")]


async def test_the_ledger_knows_the_person_by_a_pseudonym_alone(world: World, db: Database) -> None:
    person_id = (await register(world.settlement)).json()["personId"]
    await match(world.settlement)
    async with db.platform() as tx:
        bodies = list(await tx.scalars(text("SELECT body FROM ledger_contents WHERE action LIKE 'people:%'")))
    assert len(bodies) == 2
    assert all('"stream"' in body and person_id not in body for body in bodies)
