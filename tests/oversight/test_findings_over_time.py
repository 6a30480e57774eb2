"""Findings as they were known, with what is behind them; and those that need more than one row to be seen."""

from typing import Any

from sqlalchemy import text

from tests.crowd import accept, offer, record_of
from tests.oversight.test_findings import findings, kinds
from tests.world import World, consent_for


def of_record(world: World, **contacts: Any) -> dict[str, Any]:
    record = record_of(world, 0)
    record["sections"]["employer_contacts"] |= contacts
    return record["sections"]  # type: ignore[no-any-return]


async def test_silence_is_known_from_the_day_it_became_one(world: World) -> None:
    offered = await offer(world)
    world.on("2027-01-10")
    await world.settlement.get(f"/v1/handovers/{offered['id']}")
    for who in (world.settlement, world.auditor):
        assert await kinds(who, "&knownAt=2026-12-10T00:00:00Z") == []
        assert await kinds(who, "&knownAt=2026-12-21T00:00:00Z") == ["no_answer"]
        assert await kinds(who, "&knownAt=2020-01-01T00:00:00Z") == []
        assert await kinds(who) == ["no_answer"]


async def test_what_was_mended_since_is_a_finding_of_then(world: World) -> None:
    record = record_of(world, 0)
    del record["sections"]["employer_contacts"]["singlePointOfContact"]
    offered = await offer(world, 0, sections=record["sections"])
    world.on("2026-12-01")
    whole = record_of(world, 0)
    amended = await world.settlement.put(f"/v1/handovers/{offered['id']}", whole, If_Match="*")
    assert amended.status_code == 200, amended.text
    assert await kinds(world.auditor) == []
    (then,) = await findings(world.auditor, "&knownAt=2026-11-25T00:00:00Z")
    assert then["kind"] == "employer_window_undefined"
    assert [one["action"] for one in then["evidence"]] == ["handovers:create", "handovers:offer"]


async def test_milestones_are_known_as_they_were(world: World) -> None:
    offered = await offer(world)
    world.on("2026-12-01")
    later = record_of(world, 0, plannedDate="2027-05-01", serviceEndsOn="2027-04-30")
    later["sections"]["handover_plan"].pop("overlap", None)
    amended = await world.settlement.put(f"/v1/handovers/{offered['id']}", later, If_Match="*")
    assert amended.status_code == 200, amended.text
    path = f"/v1/people/{offered['personId']}/milestones"
    for query, day in (("", "2027-05-01"), ("?knownAt=2026-11-25T00:00:00Z", "2027-04-01")):
        found = (await world.settlement.get(path + query)).json()["milestones"]
        assert [one["date"] for one in found if one["kind"] == "planned_date"] == [day]
    assert (await world.settlement.get(f"{path}?knownAt=2020-01-01T00:00:00Z")).json()["milestones"] == []


async def test_a_draft_that_was_not_on_offer_is_nobody_elses_past(world: World) -> None:
    record = record_of(world, 0)
    del record["sections"]["employer_contacts"]["singlePointOfContact"]
    drafted = (await world.settlement.post("/v1/handovers", record)).json()
    world.on("2026-12-01")
    await offer(world, 1)
    assert await kinds(world.settlement, "&knownAt=2026-11-25T00:00:00Z") == ["employer_window_undefined"]
    assert await kinds(world.auditor, "&knownAt=2026-11-25T00:00:00Z") == []
    assert drafted["status"] == "draft"


async def withdrawn(world: World, consent_id: str, **said: Any) -> None:
    body = {"withdrawnBy": {"kind": "person"}} | said
    answer = await world.settlement.post(f"/v1/consents/{consent_id}/withdraw", body)
    assert answer.status_code == 200, answer.text


async def test_a_consent_that_ends_after_the_receiver_read_is_a_finding(world: World) -> None:
    offered = await offer(world)
    await world.center.get(f"/v1/handovers/{offered['id']}")
    world.on("2026-11-25")
    await withdrawn(world, offered["consentId"], sections=["medical"])
    assert await kinds(world.auditor) == []
    await withdrawn(world, offered["consentId"])
    for who in (world.settlement, world.center, world.auditor):
        (ended,) = await findings(who)
        assert (ended["kind"], ended["severity"], ended["since"]) == ("consent_ended", "error", "2026-11-25")
        assert ended["handoverId"] == offered["id"]
    actions = {one["action"] for one in (await findings(world.auditor))[0]["evidence"]}
    assert actions >= {"handovers:receive", "consents:withdraw"}
    assert await kinds(world.auditor, "&knownAt=2026-11-24T00:00:00Z") == []
    reason = {"reason": {"code": "person_wish"}}
    await world.settlement.post(f"/v1/handovers/{offered['id']}/withdraw", reason)
    assert await kinds(world.auditor) == []


async def test_a_consent_that_ends_before_anybody_read_is_none(world: World) -> None:
    offered = await offer(world)
    await withdrawn(world, offered["consentId"])
    assert await kinds(world.auditor) == []


async def test_a_consent_that_runs_out_is_a_finding_until_there_is_another(world: World) -> None:
    offered = await offer(world, consent={"to": "2026-12-01"})
    await accept(world, offered)
    world.on("2026-12-01")
    (ended,) = await findings(world.auditor)
    assert (ended["kind"], ended["since"]) == ("consent_ended", "2026-12-01")
    world.on("2027-04-01")
    assert await kinds(world.auditor) == [], "it is over, and the receiver's own"


async def test_two_employer_windows_at_one_time_are_a_finding(world: World) -> None:
    first = {"singlePointOfContact": {"organizationName": "甲", "organizationId": str(world.center.id)}}
    offered = await offer(world, 0, sections=of_record(world, **first))
    record = record_of(world, 0, receiver=world.other)
    record |= {"personId": offered["personId"], "sections": of_record(world)}
    record["sections"]["employer_contacts"]["singlePointOfContact"] = {
        "organizationName": "乙",
        "organizationId": str(world.other.id),
    }
    record["areaCode"] = "12-91"
    second = (await world.settlement.post("/v1/handovers", record)).json()
    assert await kinds(world.settlement) == []
    await world.settlement.post("/v1/consents", consent_for(offered["personId"], world.other.id))
    answer = await world.settlement.post(f"/v1/handovers/{second['id']}/offer")
    assert answer.status_code == 200, answer.text
    for who in (world.settlement, world.auditor):
        (double,) = await findings(who)
        assert (double["kind"], double["handoverId"]) == ("employer_window_double", second["id"])
        assert {one["action"] for one in double["evidence"]} == {"handovers:create", "handovers:offer"}
    assert await kinds(world.center) == []


async def test_findings_are_found_by_organization_and_by_the_day_they_became_one(world: World) -> None:
    await offer(world)
    world.on("2027-01-10")
    for query, found in {
        f"&organization={world.center.id}": True,
        f"&organization={world.settlement.id}": True,
        f"&organization={world.other.id}": False,
        "&from=2026-12-21": True,
        "&from=2026-12-22": False,
        "&to=2026-12-21": False,
        "&to=2026-12-22": True,
        "&from=2026-12-01&to=2027-01-01&area=12-91&kind=no_answer": True,
    }.items():
        assert await kinds(world.auditor, query) == (["no_answer"] if found else []), query


async def test_a_gap_names_the_entry_that_stated_it(world: World) -> None:
    person = (await offer(world))["personId"]
    body = {"domain": "employment", "role": "primary", "on": "2026-11-20", "reason": {"code": "person_wish"}}
    change = (await world.settlement.post(f"/v1/people/{person}/responsibility/end", body)).json()
    (gap,) = await findings(world.auditor)
    (entry,) = gap["evidence"]
    assert (entry["entryId"], entry["action"]) == (change["entryId"], "responsibility:end")
    timeline = (await world.auditor.get(f"/v1/people/{person}/responsibility")).json()
    assert timeline["findings"] == [gap]


async def test_a_side_is_shown_its_own_entries_and_an_auditor_all(world: World) -> None:
    await accept(world, await offer(world), daily_life={"from": "2027-07-01"})
    world.on("2027-04-01")
    of = {}
    for name in ("settlement", "center", "auditor"):
        (longer,) = await findings(getattr(world, name), "&kind=overlap_too_long")
        of[name] = [one["action"] for one in longer["evidence"]]
    assert of == {"settlement": [], "center": ["handovers:accept"], "auditor": ["handovers:accept"]}


async def test_every_revision_is_kept_and_none_is_changed(world: World) -> None:
    offered = await offer(world)
    await accept(world, offered)
    async with world.services.db.platform() as tx:
        rows = await tx.execute(
            text("SELECT revision, status FROM handover_revisions WHERE id = :id ORDER BY revision"),
            {"id": offered["id"]},
        )
        kept = [tuple(row) for row in rows]
        now = await tx.scalar(text("SELECT revision FROM handovers WHERE id = :id"), {"id": offered["id"]})
    assert [status for _, status in kept] == ["draft", "offered", "received", "accepted"]
    assert kept[-1][0] == now
