"""What a reading leaves for giver and receiver: a record when something is given, and none when nothing new is."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.ledger.entries import kept
from tests.owner import owner
from tests.provisions.records import both, export, listed, read
from tests.world import SECTIONS, World, consent_for, settlement_record
from tsunagi.db import Database
from tsunagi.directory import store as directory
from tsunagi.directory.rules import Address, CorporateBody, OrganizationProfile
from tsunagi.ids import OrganizationId


async def test_the_first_reading_is_recorded_for_giver_and_receiver_alike(world: World) -> None:
    offered = await world.offered()
    assert await both(world) == []
    await read(world, offered)
    (record,) = await both(world)
    sides = [record[side]["id"] for side in ("giver", "receiver")]
    assert sides == [str(world.settlement.id), str(world.center.id)]
    assert (record["giver"]["name"], record["receiver"]["kind"]) == (
        "就労定着支援事業所 みほん（架空）",
        "center",
    )
    assert (record["handoverId"], record["version"], record["personId"]) == (
        offered["id"],
        1,
        offered["personId"],
    )
    assert (record["providedOn"], record["means"], record["ground"]) == ("2026-11-20", "read", "consent")
    assert record["consents"] == [{"id": offered["consentId"], "version": 1}]
    assert sorted(record["sections"]) == sorted(SECTIONS)
    assert (record["sameCorporation"], record["statutory"], record["recordedBy"]) == (False, True, "platform")
    assert record["retainUntil"] == "2032-11-20"  # five years, from the end of the year that it stands for
    assert "withheldFromPerson" not in record


async def test_the_record_names_its_entry_on_the_ledger(world: World) -> None:
    offered = await world.offered()
    await read(world, offered)
    (record,) = await both(world)
    entries = {entry.body["id"]: entry.body for entry in await kept(world.services.db)}
    entry = entries[record["ledgerEntryId"]]
    assert (entry["action"], entry["record"]["id"]) == ("handovers:read", offered["id"])
    assert sorted(entry["sections"]) == sorted(record["sections"])
    assert entry["consents"] == [one["id"] for one in record["consents"]]


async def test_reading_the_same_again_is_no_other_provision(world: World) -> None:
    offered = await world.offered()
    for _ in range(3):
        await read(world, offered)
    await read(world, offered, version=1)
    await export(world)
    assert len(await both(world)) == 1
    actions = [entry.body["action"] for entry in await kept(world.services.db)]
    assert actions.count("handovers:read") == 4
    assert actions.count("handovers:export") == 1


async def test_a_receiver_that_has_what_it_asks_for_is_given_nothing(world: World) -> None:
    offered = await world.offered()
    answer = await read(world, offered)
    again = await world.center.get(f"/v1/handovers/{offered['id']}", If_None_Match=answer.headers["etag"])
    assert again.status_code == 304
    assert len(await both(world)) == 1


async def test_neither_a_notice_nor_the_giver_s_own_reading_is_a_provision(world: World) -> None:
    world.on("2026-03-02")
    offered = await world.offered()
    assert (await read(world, offered)).json()["notice"]
    await world.settlement.get(f"/v1/handovers/{offered['id']}")
    await world.settlement.get("/v1/handovers/export")
    assert await both(world) == []


async def test_an_export_is_a_provision_of_each_handover_in_it(world: World) -> None:
    first = await world.offered()
    await export(world)
    second = await another(world)
    await export(world)
    records = await both(world)
    assert [one["handoverId"] for one in records] == [first["id"], second["id"]]
    assert {one["means"] for one in records} == {"export"}
    entries = {entry.body["id"]: entry.body for entry in await kept(world.services.db)}
    for one in records:
        assert entries[one["ledgerEntryId"]]["record"]["id"] == one["handoverId"]


async def another(world: World) -> dict[str, Any]:
    """Of somebody else."""
    record = settlement_record(world.center.id)
    record["sections"]["identity"] |= {"givenNameKana": "ベツ", "birthDate": "1990-02-03"}
    record["sections"]["identity"].pop("certificate", None)
    drafted = (await world.settlement.post("/v1/handovers", record)).json()
    await world.settlement.post("/v1/consents", consent_for(drafted["personId"], world.center.id))
    offered = await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    assert offered.status_code == 200, offered.text
    return drafted  # type: ignore[no-any-return]


async def test_a_new_version_is_a_new_provision(world: World) -> None:
    received = await world.received()
    record = settlement_record(world.center.id)
    amended = await world.settlement.put(f"/v1/handovers/{received['id']}", record, If_Match="*")
    assert amended.status_code == 200, amended.text
    await read(world, received, version=1)
    assert len(await both(world)) == 1
    await read(world, received)
    assert [one["version"] for one in await both(world)] == [1, 2]


async def test_a_wider_consent_makes_a_record_and_a_narrower_one_none(world: World) -> None:
    received = await world.received(sections=["identity", "assessment", "support_plan"])
    await consent(world, received, sections=["medical"])
    await read(world, received)
    first, second = await both(world)
    assert set(second["sections"]) - set(first["sections"]) == {"medical"}
    withdrawal = {"withdrawnBy": {"kind": "person"}, "sections": ["assessment"]}
    await world.settlement.post(f"/v1/consents/{received['consentId']}/withdraw", withdrawal)
    await read(world, received)
    assert len(await both(world)) == 2


async def test_a_second_consent_to_the_same_makes_none_while_the_first_one_holds(world: World) -> None:
    received = await world.received()
    other = await consent(world, received)
    await read(world, received)
    assert len(await both(world)) == 1
    await withdraw(world, received["consentId"])
    await read(world, received)
    assert [one["consents"][0]["id"] for one in await both(world)] == [received["consentId"], other]


async def test_after_the_consent_was_withdrawn_nothing_is_given_and_nothing_recorded(world: World) -> None:
    offered = await world.offered()
    await withdraw(world, offered["consentId"])
    await read(world, offered)
    await export(world)
    assert await both(world) == []


async def test_a_record_stands_for_a_year_of_reading_the_same(world: World) -> None:
    received = await world.accepted()
    world.on("2027-11-19")
    await read(world, received)
    assert len(await both(world)) == 1
    world.on("2027-11-20")
    await read(world, received)
    assert [one["providedOn"] for one in await both(world)] == ["2026-11-20", "2027-11-20"]


async def test_the_family_s_section_is_given_on_both_consents(world: World) -> None:
    offered = await world.offered(sections=[*SECTIONS, "family"])
    family = await consent(
        world,
        offered,
        subject="family",
        sections=["family"],
        givenBy={"kind": "family_member", "name": "見本 母"},
    )
    await read(world, offered)
    (record,) = await both(world)
    assert "family" in record["sections"]
    assert [one["id"] for one in record["consents"]] == sorted([offered["consentId"], family])


@pytest.mark.parametrize(
    ("code", "withheld"),
    [("life_protection", None), ("law", None), ("abuse_report", "order_11_1")],
)
async def test_what_is_given_without_consent_says_so(world: World, code: str, withheld: str | None) -> None:
    offered = await world.offered(sections=["assessment", "support_plan"])
    exception = await excepted(world, offered, code, ["identity", "medical", "assessment"])
    await read(world, offered)
    by_ground = {one["ground"]: one for one in await both(world)}
    assert by_ground.keys() == {"consent", code}
    consented, without = by_ground["consent"], by_ground[code]
    # What was consented to is not also given on the exception; nothing of it shows in the other record.
    assert (sorted(consented["sections"]), consented["consents"]) == (
        ["assessment", "support_plan"],
        [{"id": offered["consentId"], "version": 1}],
    )
    assert (sorted(without["sections"]), without["consents"]) == (
        ["identity", "medical"],
        [{"id": exception, "version": 1}],
    )
    assert (consented["statutory"], without["statutory"]) == (True, False)
    assert "withheldFromPerson" not in consented
    assert without.get("withheldFromPerson") == withheld


async def test_what_was_given_without_consent_is_given_anew_once_consented_to(world: World) -> None:
    offered = await world.offered(sections=["assessment", "support_plan"])
    await excepted(world, offered, "life_protection", ["medical"])
    await read(world, offered)
    await consent(world, offered, sections=["medical"])
    await read(world, offered)
    records = await both(world)
    assert [(one["ground"], "medical" in one["sections"]) for one in records[2:]] == [("consent", True)]


async def test_names_and_addresses_are_those_of_the_day(world: World, db: Database) -> None:
    body = CorporateBody(
        "社会福祉法人 架空会", "5999900000004", representative="見本 一郎", address="千葉県架空市1"
    )
    address = Address("12", "12101", "千葉市中央区", "見本町1-2", "みほんビル3階", "000-0000")
    profile = OrganizationProfile(
        kind="center", name="旧センター（架空）", corporate_body=body, address=address
    )
    async with db.platform() as tx:
        center = await directory.add_organization(tx, profile, at=world.services.clock.now())
    await given_to(world, center)
    async with owner(db) as tx:
        await tx.execute(text("UPDATE organizations SET name = '新センター', address_rest = '9-9'"))
        await tx.execute(text("UPDATE corporate_bodies SET representative = '見本 二郎'"))
    (record,) = await listed(world.settlement)
    assert record["receiver"] == {
        "id": str(center),
        "kind": "center",
        "name": "旧センター（架空）",
        "address": "千葉県千葉市中央区見本町1-2みほんビル3階",
        "corporateBody": {
            "name": "社会福祉法人 架空会",
            "corporateNumber": "5999900000004",
            "address": "千葉県架空市1",
            "representative": "見本 一郎",
        },
    }
    assert record["unknown"] == ["/giver/address", "/giver/representative"]


async def given_to(world: World, receiver: OrganizationId) -> None:
    """The settlement provider's person is handed over to the receiver, which reads the record."""
    drafted = (await world.settlement.post("/v1/handovers", settlement_record(receiver))).json()
    await world.settlement.post("/v1/consents", consent_for(drafted["personId"], receiver))
    offered = await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    assert offered.status_code == 200, offered.text
    voice = type(world.center)(receiver, world.http, world.services)
    answer = await voice.get(f"/v1/handovers/{drafted['id']}")
    assert answer.json()["status"] == "received", answer.text


@pytest.mark.parametrize(
    ("kind", "same", "statutory"),
    [("center", True, False), ("center", False, True), ("municipality", False, False)],
)
async def test_within_a_corporation_and_with_public_bodies_the_record_is_an_internal_one(
    world: World, db: Database, kind: Any, same: bool, statutory: bool
) -> None:
    body = CorporateBody("社会福祉法人 架空会", "5999900000004")
    async with db.platform() as tx:
        profile = OrganizationProfile(kind=kind, name="別（架空）", corporate_body=body)
        receiver = await directory.add_organization(tx, profile, at=world.services.clock.now())
    if same:
        async with owner(db) as tx:
            await tx.execute(
                text(
                    "UPDATE organizations SET corporate_body_id = ("
                    "SELECT corporate_body_id FROM organizations WHERE id = :of) WHERE id = :id"
                ),
                {"of": receiver, "id": world.settlement.id},
            )
    await given_to(world, receiver)
    (record,) = await listed(world.settlement)
    assert (record["sameCorporation"], record["statutory"]) == (same, statutory)


async def test_an_ordinance_prolongs_and_nothing_shortens(world: World, db: Database) -> None:
    async with db.platform() as tx:
        await tx.execute(
            text("""
                INSERT INTO provision_retention (id, organization_kind, prefecture_code, years, source) VALUES
                    (gen_random_uuid(), 'center', NULL, 7, '架空県条例'),
                    (gen_random_uuid(), 'settlement', '47', 9, 'よその県の条例'),
                    (gen_random_uuid(), 'transition', NULL, 10, 'よその種別')
            """)
        )
    await read(world, await world.offered())
    (record,) = await both(world)
    assert record["retainUntil"] == "2034-11-20"


async def test_how_the_giver_came_by_the_data_is_as_its_record_says_or_by_its_support(world: World) -> None:
    stated = "令和5年4月の利用契約に基づき、本人及び移行支援事業所から取得"
    record = settlement_record(world.center.id, acquisitionContext=stated)
    drafted = (await world.settlement.post("/v1/handovers", record)).json()
    await consent(world, drafted)
    await world.settlement.post(f"/v1/handovers/{drafted['id']}/offer")
    await read(world, drafted)
    del record["acquisitionContext"]
    await world.settlement.put(f"/v1/handovers/{drafted['id']}", record, If_Match="*")
    await read(world, drafted)
    first, second = await both(world)
    assert (first["acquisition"], first["acquisitionStatement"]) == ("stated", stated)
    assert (second["acquisition"], "acquisitionStatement" in second) == ("in_support", False)


async def test_records_are_never_changed(world: World, db: Database) -> None:
    await read(world, await world.offered())
    for statement in ("UPDATE provisions SET version = 9", "TRUNCATE provisions"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with owner(db) as tx, tx.begin_nested():
                await tx.execute(text(statement))


async def consent(world: World, drafted: dict[str, Any], **changes: Any) -> str:
    answer = await world.settlement.post(
        "/v1/consents", consent_for(drafted["personId"], world.center.id, **changes)
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def excepted(world: World, drafted: dict[str, Any], code: str, sections: list[str]) -> str:
    whole = consent_for(drafted["personId"], world.center.id, sections=sections)
    without = {
        name: whole[name] for name in ("personId", "subject", "recipientIds", "sections", "from", "to")
    }
    exception = {"purpose": "安全の確保", "legalException": {"code": code, "reason": "架空の理由"}}
    answer = await world.settlement.post("/v1/consents", without | exception)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def withdraw(world: World, consent_id: str) -> None:
    answer = await world.settlement.post(
        f"/v1/consents/{consent_id}/withdraw", {"withdrawnBy": {"kind": "person"}}
    )
    assert answer.status_code == 200, answer.text
