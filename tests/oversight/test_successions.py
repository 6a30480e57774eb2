"""Organizations that merge, change hands or close: what they hold is a finding until it has passed on."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from tests.crowd import accept, offer
from tests.oversight.test_findings import findings, kinds
from tests.world import Organization, World
from tsunagi.directory import actions as directory
from tsunagi.directory.rules import Succession, SuccessionKind
from tsunagi.errors import NotFound
from tsunagi.responsibility.corrections import pass_on_all

DAY = date(2027, 1, 1)


async def succeeded(world: World, to: Organization | None, kind: SuccessionKind) -> Succession:
    """The settlement provider is followed on New Year's Day."""
    async with world.services.db.platform() as tx:
        return await directory.succeed(
            tx, world.settlement.id, to.id if to else None, kind=kind, on=DAY, at=world.services.clock.now()
        )


async def passed_on(world: World, followed: Succession) -> int:
    return await pass_on_all(world.services.db, world.services.clock.now(), followed)


async def employment(who: Organization, person: str) -> list[tuple[str | None, str]]:
    answer = (await who.get(f"/v1/people/{person}/responsibility")).json()
    chain = next(one for one in answer["domains"] if one["domain"] == "employment")
    return [(one["organization"] and one["organization"]["id"], one["from"]) for one in chain["segments"]]


async def test_what_a_closed_organization_holds_is_a_finding_from_its_day_on(world: World) -> None:
    await accept(world, await offer(world))
    await succeeded(world, None, "closed")
    world.on("2026-12-31")
    assert await kinds(world.auditor) == []
    world.on("2027-01-01")
    found = await findings(world.auditor)
    assert {(one["kind"], one["from"], one["to"], one["since"]) for one in found} == {
        ("holder_closed", "2027-01-01", "2027-04-01", "2027-01-01")
    }
    assert len(found) == 3
    assert await kinds(world.auditor, "&knownAt=2026-12-30T00:00:00Z") == []


async def test_a_successor_by_merger_enters_into_everything(world: World) -> None:
    person = (await accept(world, await offer(world)))["personId"]
    followed = await succeeded(world, world.transition, "merged")
    world.on("2027-01-05")
    assert (await world.transition.get(f"/v1/people/{person}/responsibility")).status_code == 404
    assert await passed_on(world, followed) == 1
    assert await kinds(world.auditor) == []
    assert await employment(world.transition, person) == [
        (str(world.settlement.id), "2024-04-01"),
        (str(world.transition.id), "2027-01-01"),
        (str(world.center.id), "2027-04-01"),
    ]
    changes = (await world.auditor.get(f"/v1/people/{person}/responsibility/changes")).json()["changes"]
    last = [one for one in changes if one["reason"] == "succeeded"]
    assert len(last) == 3
    assert all("recordedBy" not in one and one["effectiveOn"] == "2027-01-01" for one in last)
    (taken,) = (one for one in last[0]["supportBegun"])
    assert (taken["organization"]["id"], taken["role"]) == (str(world.transition.id), "backup")
    async with world.services.db.platform() as tx:
        entry = (
            await tx.execute(
                text("SELECT id, body FROM ledger_contents WHERE action = 'responsibility:succeed'")
            )
        ).one()
    assert {one["entryId"] for one in last} == {str(entry.id)}
    assert '"code":"merged"' in entry.body
    assert await passed_on(world, followed) == 0
    told = (await world.center.get("/v1/events?limit=200")).json()["items"][-1]
    assert (told["type"], told["personId"]) == ("responsibility.changed", person)


async def took(who: Organization, person: str, domain: str) -> Any:
    body = {
        "domain": domain, "role": "primary", "from": "2027-01-01", "to": "2027-04-01", "held": True,
        "reason": {"code": "not_recorded"},
    }  # fmt: skip
    return await who.post(f"/v1/people/{person}/responsibility/corrections", body)


async def test_a_successor_by_transfer_takes_over_person_by_person(world: World) -> None:
    person = (await accept(world, await offer(world)))["personId"]
    followed = await succeeded(world, world.transition, "transferred")
    world.on("2027-01-05")
    assert await passed_on(world, followed) == 1
    assert await kinds(world.auditor) == ["gap"] * 3
    assert await kinds(world.transition) == ["gap"] * 3
    for domain in ("employment", "daily_life", "employer_liaison"):
        assert (await took(world.transition, person, domain)).status_code == 201
    assert await kinds(world.auditor) == []
    assert (await took(world.other, person, "employment")).status_code == 404


async def test_what_nobody_follows_is_stated_as_nobodys(world: World) -> None:
    person = (await offer(world))["personId"]
    followed = await succeeded(world, None, "closed")
    world.on("2027-01-05")
    assert await passed_on(world, followed) == 1
    assert "holder_closed" not in await kinds(world.auditor)
    changes = (await world.auditor.get(f"/v1/people/{person}/responsibility/changes")).json()["changes"]
    assert {(one["reason"], one.get("code")) for one in changes[-3:]} == {("ended", "organization_closed")}


async def test_what_was_split_off_goes_on(world: World) -> None:
    person = (await offer(world))["personId"]
    followed = await succeeded(world, world.transition, "split")
    world.on("2027-01-05")
    assert await passed_on(world, followed) == 0
    assert "holder_closed" not in await kinds(world.auditor)
    assert (await took(world.transition, person, "employment")).status_code == 409
    give_up = {
        "domain": "employment", "role": "primary", "from": "2027-01-01", "to": "2027-04-01", "held": False,
        "reason": {"code": "organization_wrong"},
    }  # fmt: skip
    await world.settlement.post(f"/v1/people/{person}/responsibility/corrections", give_up)
    assert (await took(world.transition, person, "employment")).status_code == 201


async def test_the_directory_says_what_became_of_an_organization(world: World) -> None:
    await succeeded(world, world.transition, "renumbered")
    answer = (await world.center.get(f"/v1/organizations/{world.settlement.id}")).json()
    assert (answer["closedOn"], answer["successorId"]) == ("2027-01-01", str(world.transition.id))
    assert answer["successions"] == [
        {"kind": "renumbered", "successorId": str(world.transition.id), "effectiveOn": "2027-01-01"}
    ]
    assert "successions" not in (await world.center.get(f"/v1/organizations/{world.center.id}")).json()


async def test_an_organization_closes_once(world: World) -> None:
    await succeeded(world, None, "closed")
    with pytest.raises(NotFound):
        await succeeded(world, world.transition, "merged")
