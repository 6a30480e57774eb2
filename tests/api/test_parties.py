"""Who may hand over to whom, and what is said about them."""

from uuid import uuid4

import pytest

from tests.world import World, consent_for, example, settlement_record
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import CorporateBody, OrganizationProfile
from tsunagi.ids import OrganizationId


async def of_one_corporation(world: World, db: Database, kind: str) -> OrganizationId:
    body = CorporateBody("社会福祉法人 架空会", "5999900000004", None)
    profile = OrganizationProfile(kind=kind, name=f"架空会 {kind}（架空）", corporate_body=body)  # type: ignore[arg-type]
    async with db.platform() as tx:
        return await directory.add_organization(tx, profile, at=world.services.clock.now())


async def test_two_offices_of_one_corporation_are_flagged(world: World, db: Database) -> None:
    world.settlement.id = await of_one_corporation(world, db, "settlement")
    ours = await of_one_corporation(world, db, "center")
    same = await world.settlement.post("/v1/handovers", settlement_record(ours))
    assert (same.status_code, same.json()["sameCorporation"]) == (201, True)
    read = await world.settlement.get(f"/v1/handovers/{same.json()['id']}")
    assert read.json()["sameCorporation"] is True
    other = await world.settlement.post(
        "/v1/handovers", settlement_record(world.center.id, personId=same.json()["personId"])
    )
    assert other.json()["sameCorporation"] is False


@pytest.mark.parametrize("which", ["itself", "nobody"])
async def test_a_handover_needs_another_known_organization(world: World, which: str) -> None:
    receiver, code = {
        "itself": (world.settlement.id, "handover.same_organization"),
        "nobody": (OrganizationId(uuid4()), "organization.unknown"),
    }[which]
    answer = await world.settlement.post("/v1/handovers", settlement_record(receiver))
    assert answer.status_code == 422
    assert [(one["code"], one["pointer"]) for one in answer.json()["errors"]] == [(code, "/receiverId")]


async def test_both_sides_are_named_to_both_sides(world: World) -> None:
    offered = await world.offered()
    told = []
    for who in (world.settlement, world.center):
        read = (await who.get(f"/v1/handovers/{offered['id']}")).json()
        told.append((read["sender"], read["receiver"]))
    assert told[0] == told[1]
    assert (told[0][0]["id"], told[0][1]["id"]) == (str(world.settlement.id), str(world.center.id))
    assert (told[0][0]["kind"], told[0][1]["kind"]) == ("settlement", "center")


@pytest.mark.parametrize(
    "kind", ["transition-to-settlement", "center-to-center", "selection-to-service", "sender-to-center"]
)
async def test_every_kind_of_handover_is_carried_to_its_end(world: World, kind: str) -> None:
    record = example(f"handover-record/valid/{kind}.json") | {"receiverId": str(world.center.id)}
    record.pop("personId", None)

    world.on(record["plannedDate"])
    drafted = (await world.transition.post("/v1/handovers", record)).json()
    consent = consent_for(drafted["personId"], world.center.id)
    assert (await world.transition.post("/v1/consents", consent)).status_code == 201
    path = f"/v1/handovers/{drafted['id']}"
    assert (await world.transition.post(f"{path}/offer")).status_code == 200
    assert (await world.center.get(path)).json()["status"] == "received"
    answers = [{"domain": one["domain"], "decision": "accept"} for one in drafted["domains"]]
    accepted = await world.center.post(f"{path}/accept", {"domains": answers})
    assert accepted.json()["status"] == "completed"
