"""What a settlement provider can show, from the first record to the end of the service."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.crowd import record_of
from tests.ledger.entries import kept
from tests.owner import owner
from tests.provisions.records import listed
from tests.world import Organization, World, consent_for
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import OrganizationProfile

PERIOD = "from=2027-03-01&to=2027-04-01"
GUIDELINE = {
    "title": "要継続支援利用者関係情報の共有に関する指針",
    "documentHash": "ab" * 32,
    "officer": {"name": "見本 花子", "role": "サービス管理責任者"},
    "effectiveFrom": "2026-04-01",
}


async def adopt(world: World, **changes: Any) -> dict[str, Any]:
    answer = await world.settlement.post("/v1/sharing-guidelines", GUIDELINE | changes)
    assert answer.status_code == 201, answer.text
    adopted: dict[str, Any] = answer.json()
    return adopted


async def collected(who: Organization, period: str = PERIOD) -> dict[str, Any]:
    answer = await who.get(f"/v1/fee-reduction-evidence?{period}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def statuses(found: dict[str, Any]) -> dict[str, str]:
    (person,) = found["people"]
    return {one["condition"]: one["status"] for one in person["conditions"]}


async def test_evidence_grows_until_it_is_complete(world: World) -> None:
    drafted = await world.draft()
    found = await collected(world.settlement)
    assert statuses(found) == dict.fromkeys(("guideline", "consent", "sharing", "records"), "missing")
    (person,) = found["people"]
    assert (person["serviceEndsOn"], person["dueOn"]) == ("2027-03-31", "2026-12-31")
    assert {one["dueOn"] for one in person["conditions"]} == {"2026-12-31"}
    (month,) = found["months"]
    assert (month["month"], month["reductionThreatened"], month["mendableUntil"]) == (
        "2027-03",
        True,
        "2026-12-31",
    )
    await adopt(world)
    consent = await world.settlement.post("/v1/consents", consent_for(drafted["personId"], world.center.id))
    found = await collected(world.settlement)
    assert statuses(found) == {
        "guideline": "met",
        "consent": "met",
        "sharing": "missing",
        "records": "missing",
    }
    world.on("2026-12-30")
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    world.on("2026-12-31")
    assert (await world.center.get(f"/v1/handovers/{drafted['id']}")).json()["status"] == "received"
    found = await collected(world.settlement)
    assert set(statuses(found).values()) == {"met"}
    (person,) = found["people"]
    assert person["complete"]
    assert found["months"][0]["reductionThreatened"] is False
    (record,) = await listed(world.settlement)
    sharing = next(one for one in person["conditions"] if one["condition"] == "sharing")
    assert sharing == {
        "condition": "sharing",
        "status": "met",
        "dueOn": "2026-12-31",
        "doneOn": "2026-12-31",
        "provisionIds": [record["id"]],
        "ledgerEntryIds": [record["ledgerEntryId"]],
        "consentIds": [consent.json()["id"]],
    }


async def test_a_day_too_late_is_late(world: World) -> None:
    world.on("2026-12-30")
    await adopt(world)
    offered = await world.offered()
    world.on("2027-01-01")
    await world.center.get(f"/v1/handovers/{offered['id']}")
    found = await collected(world.settlement)
    assert statuses(found) == {"guideline": "met", "consent": "met", "sharing": "late", "records": "met"}
    (month,) = found["months"]
    assert (month["reductionThreatened"], "mendableUntil" in month) == (True, False)


async def test_half_open_periods_divide_the_ends_of_months(world: World) -> None:
    await world.draft()
    for period, number in (
        ("from=2027-03-31&to=2027-04-01", 1),
        ("from=2027-03-01&to=2027-03-31", 0),
        ("from=2027-04-01&to=2027-05-01", 0),
    ):
        assert len((await collected(world.settlement, period))["people"]) == number


@pytest.mark.parametrize(
    ("determination", "judged"),
    [("undetermined", "undetermined"), ("not_needed", "not_needed"), (None, "undetermined")],
)
async def test_those_not_judged_yet_are_listed_as_such(
    world: World, determination: str | None, judged: str
) -> None:
    record = record_of(world, 7)
    if determination is None:
        del record["sections"]["continuing_needs"]
    else:
        record["sections"]["continuing_needs"] = {"determination": determination}
    assert (await world.settlement.post("/v1/handovers", record)).status_code == 201
    found = await collected(world.settlement)
    (person,) = found["people"]
    assert (person["determination"], person["conditions"], person["complete"]) == (judged, [], False)
    assert found["months"][0]["undetermined"] == (1 if judged == "undetermined" else 0)


async def test_who_was_taken_over_and_not_handed_on_yet_is_not_judged_yet(world: World) -> None:
    record = record_of(
        world, 8, receiver=world.settlement, handoverType="transition_to_settlement", plannedDate="2027-05-01"
    )
    record["serviceEndsOn"] = "2027-04-30"
    record["sections"]["employment"]["episodes"] = [
        record["sections"]["employment"]["episodes"][0] | {"hiredOn": "2026-11-01"}
    ]
    record["sections"]["employment"]["episodes"][0].pop("endedOn", None)
    record["sections"]["handover_plan"].pop("overlap", None)
    drafted = await world.transition.post("/v1/handovers", record)
    assert drafted.status_code == 201, drafted.text
    consent = consent_for(drafted.json()["personId"], world.settlement.id)
    await world.transition.post("/v1/consents", consent)
    path = f"/v1/handovers/{drafted.json()['id']}"
    await world.transition.post(f"{path}/offer")
    await world.transition.post(f"{path}/open")
    received = (await world.settlement.get(path)).json()
    answers = [{"domain": one["domain"], "decision": "accept"} for one in received["domains"]]
    accepted = await world.settlement.post(f"{path}/accept", {"domains": answers})
    assert accepted.status_code == 200, accepted.text
    found = await collected(world.settlement, "from=2030-04-01&to=2030-05-01")
    (person,) = found["people"]
    assert (person["serviceEndsOn"], person["determination"]) == ("2030-04-30", "undetermined")
    assert (await collected(world.settlement, "from=2030-05-01&to=2031-05-01"))["people"] == []


async def test_a_withdrawn_handover_ends_no_service(world: World) -> None:
    drafted = await world.draft()
    reason = {"reason": {"code": "entered_in_error"}}
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/withdraw", reason)
    assert (await collected(world.settlement))["people"] == []


async def test_only_settlement_providers_are_concerned(world: World) -> None:
    found = await collected(world.center)
    assert (found["applicable"], found["people"], found["months"]) == (False, [], [])


async def test_an_auditor_sees_a_provider_of_its_remit_and_no_other(world: World, db: Database) -> None:
    await adopt(world)
    offered = await world.offered()
    await world.center.get(f"/v1/handovers/{offered['id']}")
    of = f"&organizationId={world.settlement.id}"
    found = await collected(world.auditor, PERIOD + of)
    assert statuses(found) == dict.fromkeys(("guideline", "consent", "sharing", "records"), "met")
    assert (await world.auditor.get(f"/v1/sharing-guidelines?{of[1:]}")).json()["items"]
    for who in (world.center, world.other):
        for path in (f"/v1/fee-reduction-evidence?{PERIOD}{of}", f"/v1/sharing-guidelines?{of[1:]}"):
            assert (await who.get(path)).status_code == 404
    async with db.platform() as tx:
        profile = OrganizationProfile(kind="settlement", name="よその圏域（架空）")
        elsewhere = await directory.add_organization(tx, profile, at=world.services.clock.now())
    answer = await world.auditor.get(f"/v1/fee-reduction-evidence?{PERIOD}&organizationId={elsewhere}")
    assert answer.status_code == 404


async def test_a_draft_is_not_the_auditor_s_to_see(world: World) -> None:
    await world.offered()
    drafted = await world.settlement.post("/v1/handovers", record_of(world, 9))
    assert drafted.status_code == 201
    of = f"&organizationId={world.settlement.id}"
    assert len((await collected(world.settlement))["people"]) == 2
    assert len((await collected(world.auditor, PERIOD + of))["people"]) == 1


async def test_new_versions_of_a_guideline_never_change_old_ones(world: World, db: Database) -> None:
    first = await adopt(world)
    second = await adopt(world, officer={"name": "見本 次郎", "role": "管理者"}, effectiveFrom="2027-04-01")
    assert (first["version"], second["version"]) == (1, 2)
    listed_ = (await world.settlement.get("/v1/sharing-guidelines")).json()["items"]
    assert listed_ == [second, first]
    for statement in ("UPDATE sharing_guidelines SET title = 'x'", "DELETE FROM sharing_guidelines"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with owner(db) as tx, tx.begin_nested():
                await tx.execute(text(statement))


async def test_adopting_and_looking_are_on_the_ledger(world: World) -> None:
    await adopt(world)
    await collected(world.settlement)
    await world.settlement.get(f"/v1/fee-reduction-evidence?{PERIOD}&format=csv")
    await world.settlement.get("/v1/sharing-guidelines")
    found = [entry.body for entry in await kept(world.services.db)][-4:]
    assert [one["action"] for one in found] == [
        "guidelines:adopt",
        "evidence:read",
        "evidence:export",
        "guidelines:read",
    ]
    assert found[0]["record"] == {"kind": "guideline", "id": str(world.settlement.id), "version": 1}
    assert found[1]["asked"] == {"from": "2027-03-01", "to": "2027-04-01"}


async def test_a_sheet_has_a_row_for_each_person(world: World) -> None:
    await adopt(world)
    offered = await world.offered()
    await world.center.get(f"/v1/handovers/{offered['id']}")
    answer = await world.settlement.get(f"/v1/fee-reduction-evidence?{PERIOD}", Accept="text/csv")
    assert answer.content.startswith("\ufeff支援の最終日,".encode())
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert (row["支援の最終日"], row["要継続支援"], row["証拠がそろっている"]) == ("2027-03-31", "要", "はい")
    assert (row["指針と責任者"], row["指針の版"]) == ("満たしている", "1")


@pytest.mark.parametrize(
    "query", ["from=2027-03-01", "to=2027-03-01", "from=x&to=2027-03-01", f"{PERIOD}&format=xml"]
)
async def test_what_cannot_be_asked_is_refused(world: World, query: str) -> None:
    assert (await world.settlement.get(f"/v1/fee-reduction-evidence?{query}")).status_code == 400
