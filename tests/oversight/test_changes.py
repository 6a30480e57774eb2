"""Corrections and ends through the API, and what has changed between two instants."""

import json
from typing import Any

from sqlalchemy import text

from tests.crowd import accept, offer
from tests.world import Organization, World
from tsunagi.auth.rules import Scope


async def corrected(
    who: Organization, person: str, query: str = "", **said: Any
) -> tuple[int, dict[str, Any]]:
    body = {
        "domain": "employment",
        "role": "primary",
        "from": "2024-04-01",
        "to": "2024-05-01",
        "held": False,
        "reason": {"code": "date_wrong"},
    } | said
    answer = await who.post(f"/v1/people/{person}/responsibility/corrections{query}", body)
    return answer.status_code, answer.json()


async def ended(who: Organization, person: str, **said: Any) -> tuple[int, dict[str, Any]]:
    body = {"domain": "employment", "role": "primary", "on": "2027-01-01", "reason": {"code": "moved_away"}}
    answer = await who.post(f"/v1/people/{person}/responsibility/end", body | said)
    return answer.status_code, answer.json()


async def employment(who: Organization, person: str, query: str = "") -> list[tuple[str | None, str]]:
    answer = (await who.get(f"/v1/people/{person}/responsibility{query}")).json()
    chain = next(one for one in answer["domains"] if one["domain"] == "employment")
    return [(one["organization"] and one["organization"]["id"], one["from"]) for one in chain["segments"]]


async def changes(who: Organization, person: str, query: str = "") -> dict[str, Any]:
    answer = await who.get(f"/v1/people/{person}/responsibility/changes{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_correction_adds_a_version_and_leaves_the_earlier_one(world: World) -> None:
    person = (await offer(world))["personId"]
    world.on("2026-11-25")
    status, change = await corrected(world.settlement, person)
    assert status == 201
    me = {"id": str(world.settlement.id), "name": "就労定着支援事業所 みほん（架空）"}
    assert change["holders"] == [{"from": "2024-04-01", "to": "2024-05-01", "before": me, "after": None}]
    assert (change["reason"], change["code"], change["version"]) == ("corrected", "date_wrong", 2)
    assert change["recordedBy"] == me
    mine = str(world.settlement.id)
    assert await employment(world.settlement, person) == [(None, "2024-04-01"), (mine, "2024-05-01")]
    known_then = await employment(world.settlement, person, "?knownAt=2026-11-24T00:00:00Z")
    assert known_then == [(mine, "2024-04-01")]


async def test_the_entry_behind_a_change_is_on_the_ledger_without_a_word_about_the_person(
    world: World,
) -> None:
    person = (await offer(world))["personId"]
    _, change = await corrected(world.settlement, person)
    async with world.services.db.platform() as tx:
        row = (
            await tx.execute(
                text("SELECT action, body FROM ledger_contents WHERE id = :id"), {"id": change["entryId"]}
            )
        ).one()
        stream = await tx.scalar(text("SELECT stream FROM people WHERE id = :id"), {"id": person})
    entry = json.loads(row.body)
    assert (row.action, entry["code"]) == ("responsibility:correct", "date_wrong")
    assert entry["record"] == {"kind": "responsibility", "id": f"{stream}/employment", "version": 2}
    assert entry["actor"]["organization"] == str(world.settlement.id)
    assert person not in row.body


async def test_every_version_names_the_entry_of_the_step_that_made_it(world: World) -> None:
    accepted = await accept(world, await offer(world))
    world.on("2026-12-10")
    path = f"/v1/handovers/{accepted['id']}/withdraw"
    await world.settlement.post(path, {"reason": {"code": "plan_changed"}})
    found = (await changes(world.settlement, accepted["personId"]))["changes"]
    async with world.services.db.platform() as tx:
        rows = await tx.execute(text("SELECT CAST(id AS text), action, record_id FROM ledger_contents"))
        entries = {row.id: (row.action, row.record_id) for row in rows}
    of = {one["reason"]: entries[one["entryId"]] for one in found}
    assert of == {
        "opened": ("handovers:offer", accepted["id"]),
        "handover_accepted": ("handovers:accept", accepted["id"]),
        "handover_withdrawn": ("handovers:withdraw", accepted["id"]),
    }
    assert len(found) == 9
    assert all(one["handoverId"] == accepted["id"] for one in found)


async def test_trying_changes_nothing(world: World) -> None:
    person = (await offer(world))["personId"]
    status, change = await corrected(world.settlement, person, "?dryRun=true")
    assert (status, change["version"], "entryId" in change) == (200, 2, False)
    assert len(await employment(world.settlement, person)) == 1


async def test_a_correction_that_is_sent_again_is_recorded_once(world: World) -> None:
    person = (await offer(world))["personId"]
    body = {
        "domain": "employment", "role": "primary", "from": "2024-04-01", "to": "2024-05-01",
        "held": False, "reason": {"code": "date_wrong"},
    }  # fmt: skip
    path = f"/v1/people/{person}/responsibility/corrections"
    answers = [await world.settlement.post(path, body, Idempotency_Key="the-same-one") for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len((await changes(world.settlement, person))["changes"]) == 4


async def test_who_never_took_part_says_nothing(world: World) -> None:
    received = await world.received()
    person = received["personId"]
    status, problem = await corrected(
        world.center, person, held=True, to="2024-04-01", **{"from": "2024-01-01"}
    )
    assert (status, problem["code"]) == (409, "responsibility_not_held")
    assert (await corrected(world.other, person))[0] == 404
    assert (await corrected(world.auditor, person))[0] == 404
    assert (await ended(world.other, person))[0] == 404


async def test_a_receiver_cannot_take_the_senders_days_and_the_sender_cannot_push_them(world: World) -> None:
    person = (await accept(world, await offer(world)))["personId"]
    world.on("2027-04-15")
    period = {"from": "2027-03-01", "to": "2027-04-01"}
    status, problem = await corrected(world.center, person, held=True, **period)
    assert (status, problem["errors"][0]["pointer"]) == (409, "/from")
    assert (await corrected(world.center, person, held=False, **period))[0] == 409
    assert (await corrected(world.settlement, person, held=False, **period))[0] == 201
    answer = await world.center.get("/v1/findings?kind=gap")
    assert [(one["from"], one["to"]) for one in answer.json()["items"]] == [("2027-03-01", "2027-04-01")]
    assert (await corrected(world.center, person, held=True, **period))[0] == 201
    assert (await world.center.get("/v1/findings?kind=gap")).json()["items"] == []
    assert (await employment(world.auditor, person))[-1] == (str(world.center.id), "2027-03-01")


async def test_both_sides_are_told_of_a_correction(world: World) -> None:
    person = (await accept(world, await offer(world)))["personId"]
    await corrected(world.settlement, person)
    for who in (world.settlement, world.center):
        last = (await who.get("/v1/events?limit=200")).json()["items"][-1]
        assert (last["type"], last["personId"]) == ("responsibility.changed", person)
        assert "handoverId" not in last
    assert (await world.other.get("/v1/events")).json()["items"] == []


async def test_an_end_without_a_successor_is_a_stated_gap_with_its_reason(world: World) -> None:
    person = (await offer(world))["personId"]
    status, change = await ended(world.settlement, person)
    assert (status, change["reason"], change["code"]) == (201, "ended", "moved_away")
    assert change["holders"][0]["after"] is None
    mine = str(world.settlement.id)
    assert await employment(world.settlement, person) == [(mine, "2024-04-01"), (None, "2027-01-01")]
    (gap,) = (await world.auditor.get("/v1/findings?kind=gap")).json()["items"]
    assert (gap["from"], gap["to"]) == ("2027-01-01", None)
    assert (await ended(world.settlement, person))[0] == 409


async def test_support_ends_early(world: World) -> None:
    person = (await accept(world, await offer(world)))["personId"]
    world.on("2027-05-01")
    status, change = await ended(
        world.settlement, person, role="backup", on="2027-06-01", reason={"code": "service_ended"}
    )
    assert status == 201
    assert [(one["from"], one["to"]) for one in change["supportBegun"]] == [("2027-04-01", "2027-06-01")]
    assert [(one["from"], one["to"]) for one in change["supportEnded"]] == [("2027-04-01", "2027-10-01")]
    assert change["holders"] == []


async def test_an_acceptance_is_still_withdrawn_after_a_correction(world: World) -> None:
    accepted = await accept(world, await offer(world))
    person = accepted["personId"]
    await corrected(world.settlement, person)
    answer = await world.settlement.post(
        f"/v1/handovers/{accepted['id']}/withdraw", {"reason": {"code": "plan_changed"}}
    )
    assert answer.status_code == 200, answer.text
    mine = str(world.settlement.id)
    assert await employment(world.settlement, person) == [(None, "2024-04-01"), (mine, "2024-05-01")]


async def test_what_changed_between_two_instants(world: World) -> None:
    offered = await offer(world)
    person = offered["personId"]
    world.on("2026-12-01")
    await accept(world, offered)
    world.on("2026-12-05")
    await corrected(world.settlement, person)
    audits = "?from=2026-11-30T00:00:00Z&to=2026-12-03T00:00:00Z"
    found = await changes(world.auditor, person, audits)
    assert {one["reason"] for one in found["changes"]} == {"handover_accepted"}
    (employment_,) = (one for one in found["difference"] if one["domain"] == "employment")
    (move,) = employment_["holders"]
    assert (move["from"], move["before"]["id"], move["after"]["id"]) == (
        "2027-04-01",
        str(world.settlement.id),
        str(world.center.id),
    )
    assert (await changes(world.auditor, person, "?from=2026-12-06T00:00:00Z"))["difference"] == []
    whole = await changes(world.auditor, person)
    assert [one["reason"] for one in whole["changes"]] == ["opened"] * 3 + ["handover_accepted"] * 3 + [
        "corrected"
    ]
    assert len(whole["difference"]) == 3


async def test_what_was_changed_and_changed_back_is_no_difference(world: World) -> None:
    accepted = await accept(world, await offer(world))
    since = "2026-11-25T00:00:00Z"
    world.on("2026-12-01")
    path = f"/v1/people/{accepted['personId']}/responsibility/"
    await corrected(world.settlement, accepted["personId"])
    await corrected(world.settlement, accepted["personId"], held=True)
    found = (await world.settlement.get(f"{path}changes?from={since}")).json()
    assert (len(found["changes"]), found["difference"]) == (2, [])


async def all_changes(who: Organization, query: str) -> list[dict[str, Any]]:
    path, items = f"/v1/responsibility/changes?{query}", []
    for _ in range(50):
        answer = await who.get(path)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if answer.json()["nextCursor"] is None:
            return items
        path = answer.headers["Link"].partition(">")[0][1:]
    raise AssertionError("it has no end")


async def test_what_changed_since_the_last_audit_is_of_the_remit(world: World) -> None:
    first, second = await offer(world, 0), await offer(world, 1)
    world.on("2026-12-01")
    await accept(world, first)
    since = "since=2026-11-25T00:00:00Z"
    for who in (world.auditor, world.settlement, world.center):
        found = await all_changes(who, since)
        assert {(one["personId"], one["reason"]) for one in found} == {
            (first["personId"], "handover_accepted")
        }
    assert await all_changes(world.other, since) == []
    every = await all_changes(world.auditor, "since=2020-01-01T00:00:00Z")
    assert {one["personId"] for one in every} == {first["personId"], second["personId"]}
    assert len(every) == 9
    assert await all_changes(world.auditor, "since=2020-01-01T00:00:00Z&limit=2") == every
    of_area = await all_changes(world.auditor, f"{since}&area=12-91")
    assert of_area == await all_changes(world.auditor, since)
    assert await all_changes(world.auditor, f"{since}&area=13-92") == []
    of_center = await all_changes(world.auditor, f"since=2020-01-01T00:00:00Z&organization={world.center.id}")
    assert {one["reason"] for one in of_center} == {"handover_accepted"}


async def test_looking_is_on_the_ledger(world: World) -> None:
    person = (await offer(world))["personId"]
    await changes(world.auditor, person)
    await all_changes(world.auditor, "since=2020-01-01T00:00:00Z")
    await corrected(world.other, person)
    async with world.services.db.platform() as tx:
        rows = await tx.execute(
            text("SELECT action, outcome FROM ledger_contents WHERE organization_id IN (:a, :b) ORDER BY id"),
            {"a": world.auditor.id, "b": world.other.id},
        )
        found = [tuple(row) for row in rows]
    assert found == [
        ("responsibility:read", "permit"),
        ("responsibility:report", "permit"),
        ("responsibility:correct", "deny"),
    ]


async def test_reading_is_not_writing(world: World) -> None:
    person = (await offer(world))["personId"]
    reader = Organization(
        world.settlement.id, world.http, world.services, frozenset({Scope.RESPONSIBILITY_READ})
    )
    assert (await corrected(reader, person))[0] == 403
    assert (await ended(reader, person))[0] == 403
