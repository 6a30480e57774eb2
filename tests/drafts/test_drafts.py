"""Drafts: kept as typed, one organization's alone, never overwritten unseen, and gone with the person or with time."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import tsunagi.erasure as erasure_room
from tests.owner import owner
from tests.world import Organization, World
from tsunagi.db import Acting, fetch
from tsunagi.drafts import actions
from tsunagi.drafts.rules import KEPT, Draft
from tsunagi.erasure import actions as erasure
from tsunagi.erasure.rules import rules_in
from tsunagi.errors import NotFound, PreconditionFailed
from tsunagi.ids import PersonId

AT = datetime(2026, 11, 20, tzinfo=UTC)
IDENTITY = {
    "familyName": "相川",
    "givenName": "みなと",
    "familyNameKana": "アイカワ",
    "givenNameKana": "ミナト",
    "birthDate": "1999-05-14",
}
CERTIFICATE = {"municipalityCode": "13101", "number": "0000001234"}
RULES = rules_in((Path(erasure_room.__file__).parent / "retention.csv").read_text())


def acting(who: Organization) -> Acting:
    return Acting(who.id, date(2026, 11, 20))


async def begun(who: Organization, **parts: Any) -> Draft:
    services = who.services
    async with services.db.write(acting(who)) as tx:
        return await actions.begin(tx, AT, who.id, services.match_secret, by="試験 太郎", **parts)


async def saved(who: Organization, draft: Draft, **parts: Any) -> Draft:
    services = who.services
    async with services.db.write(acting(who)) as tx:
        return await actions.save(tx, AT, draft, services.match_secret, by="試験 花子", **parts)


async def read(who: Organization, draft: Draft) -> Draft:
    async with who.services.db.read(acting(who)) as tx:
        return await actions.present(tx, who.id, draft.id)


async def there(world: World, draft: Draft) -> bool:
    async with world.services.db.platform() as tx:
        return bool(await fetch(tx, "SELECT 1 FROM handover_drafts WHERE id = $1", draft.id))


async def test_what_was_typed_is_there_again(world: World) -> None:
    draft = await begun(world.settlement, overview={"plannedDate": "2027-04-"})
    changed = await saved(world.settlement, draft, sections={"identity": {"familyName": "𠮷田"}})
    found = await read(world.settlement, draft)
    assert found == changed
    assert (found.revision, found.changed_by, found.person_name) == (2, "試験 花子", "𠮷田")
    assert found.planned_date is None


async def test_two_who_change_one_revision_do_not_overwrite_each_other(world: World) -> None:
    draft = await begun(world.settlement)
    first = await saved(world.settlement, draft, overview={"plannedDate": "2027-04-01"})
    with pytest.raises(PreconditionFailed):
        await saved(world.settlement, draft, overview={"plannedDate": "2027-05-01"})
    assert await read(world.settlement, draft) == first


async def test_nobody_else_sees_changes_or_removes_it(world: World) -> None:
    draft = await begun(world.settlement, sections={"identity": IDENTITY})
    with pytest.raises(NotFound):
        await read(world.center, draft)
    with pytest.raises(NotFound):
        await saved(world.center, draft, sections={})
    async with world.services.db.write(acting(world.center)) as tx:
        assert await actions.listed(tx, world.center.id) == []
        assert await actions.listed(tx, world.settlement.id) == [], "row security stands behind the statement"
        await actions.discard(tx, draft)
    assert await read(world.settlement, draft) == draft


async def test_what_was_typed_is_sealed(world: World) -> None:
    draft = await begun(world.settlement, sections={"identity": IDENTITY}, receiver_name="見本センター")
    async with owner(world.services.db) as tx:
        (row,) = await fetch(tx, "SELECT * FROM handover_drafts WHERE id = $1", draft.id)
    kept = b"".join(value for value in row.values() if isinstance(value, bytes))
    for typed in ("相川", "アイカワ", "1999", "見本", "試験"):
        assert typed.encode() not in kept
    assert "相川" not in str(list(row.values()))


async def test_a_sent_draft_leads_to_its_handover_and_says_nothing_more(world: World) -> None:
    made = await world.draft()
    draft = await begun(world.settlement, sections={"identity": IDENTITY})
    held = await saved(
        world.settlement, draft, person_id=UUID(made["personId"]), handover_id=UUID(made["id"])
    )
    async with world.services.db.write(acting(world.settlement)) as tx:
        await actions.close(tx, AT, held, world.services.match_secret)
    found = await read(world.settlement, draft)
    assert (found.sent, found.handover_id, found.sections) == (True, UUID(made["id"]), {})
    async with world.services.db.read(acting(world.settlement)) as tx:
        assert await actions.listed(tx, world.settlement.id) == []


async def test_a_draft_that_nobody_touches_is_gone_after_half_a_year(world: World) -> None:
    draft = await begun(world.settlement)
    async with world.services.db.platform() as tx:
        assert await actions.forget_drafts(tx, AT + KEPT) == 0
        assert await actions.forget_drafts(tx, AT + KEPT + timedelta(seconds=1)) == 1
    assert not await there(world, draft)


async def test_erasing_somebody_reaches_drafts_wherever_they_are_written_of(world: World) -> None:
    made = await world.draft()
    async with world.services.db.platform() as tx:
        (known,) = await fetch(
            tx, "SELECT * FROM person_identities WHERE person_id = $1", UUID(made["personId"])
        )
    assert known["certificate_key"] is not None
    identity = (await world.settlement.get(f"/v1/handovers/{made['id']}")).json()["record"]["sections"][
        "identity"
    ]
    by_name = {name: value for name, value in identity.items() if name != "certificate"}
    another = {**identity, "certificate": {**identity["certificate"], "number": "9999999999"}}
    reached = [
        await begun(world.settlement, person_id=UUID(made["personId"])),
        await begun(world.settlement, handover_id=UUID(made["id"])),
        await begun(world.center, sections={"identity": by_name}),
        await begun(world.other, sections={"identity": identity}),
    ]
    others = [
        await begun(
            world.settlement, sections={"identity": {**identity, "certificate": CERTIFICATE} | IDENTITY}
        ),
        await begun(world.center, sections={"identity": another}),
        await begun(world.center, sections={"identity": {"familyName": identity["familyName"]}}),
    ]
    await erasure.erase(
        world.services.db,
        datetime(2033, 1, 1, tzinfo=UTC),
        RULES,
        PersonId(UUID(made["personId"])),
        ground="request",
        by="運用 担当",
    )
    assert [await there(world, draft) for draft in reached] == [False] * len(reached)
    assert [await there(world, draft) for draft in others] == [True] * len(others)


@pytest.mark.parametrize(
    "identity", [{}, {"birthDate": 5}, IDENTITY, {**IDENTITY, "certificate": {"number": "1"}}]
)
async def test_whatever_is_typed_of_a_person_is_kept(world: World, identity: dict[str, Any]) -> None:
    draft = await begun(world.settlement, sections={"identity": identity})
    assert (await read(world.settlement, draft)).sections["identity"] == identity
