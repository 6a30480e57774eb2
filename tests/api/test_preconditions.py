"""Entity tags: what the caller has seen still holds, or it does not."""

import pytest
from sqlalchemy import text

from tests.api.states import everything, take
from tests.world import World, consent_for, settlement_record
from tsunagi.db import Database


async def entries(db: Database) -> int:
    async with db.platform() as tx:
        return int(await tx.scalar(text("SELECT count(*) FROM ledger_entries")) or 0)


async def test_what_is_unchanged_is_neither_sent_nor_recorded_again(world: World, db: Database) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    for who in (world.settlement, world.center):
        tag = (await who.get(path)).headers["etag"]
        before = await entries(db)
        for header in (tag, f'"x", {tag}', f"W/{tag}", f'"x",W/{tag} ,"y"', "*"):
            again = await who.get(path, If_None_Match=header)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert await entries(db) == before
        assert (await who.get(path, If_None_Match='"x"')).status_code == 200


async def test_reading_conditionally_for_the_first_time_still_receives(world: World) -> None:
    offered = await world.offered()
    answer = await world.center.get(f"/v1/handovers/{offered['id']}", If_None_Match='"1.2-0123456789ab"')
    assert (answer.status_code, answer.json()["status"]) == (200, "received")


async def test_the_two_sides_have_different_tags(world: World) -> None:
    received = await world.received()
    await world.settlement.post(
        "/v1/consents", consent_for(received["personId"], world.center.id, sections=["family"])
    )
    family = {"subject": "family", "sections": ["family"], "givenBy": {"kind": "family_member", "name": "例"}}
    await world.settlement.post("/v1/consents", consent_for(received["personId"], world.center.id, **family))
    path = f"/v1/handovers/{received['id']}"
    ours, theirs = await world.settlement.get(path), await world.center.get(path)
    assert theirs.json()["withheld"] == []
    assert ours.headers["etag"] != theirs.headers["etag"]


async def test_the_tag_changes_with_every_change_of_consent(world: World) -> None:
    received = await world.received(sections=["identity"])
    path, person = f"/v1/handovers/{received['id']}", received["personId"]
    tags = [(await world.center.get(path)).headers["etag"]]
    for changes in (
        {"sections": ["medical"], "from": "2027-01-01", "to": "2028-01-01"},
        {"sections": ["medical"]},
        {"sections": ["identity"]},
    ):
        await world.settlement.post("/v1/consents", consent_for(person, world.center.id, **changes))
        tags.append((await world.center.get(path)).headers["etag"])
    withdrawal = {"withdrawnBy": {"kind": "person"}}
    await world.settlement.post(f"/v1/consents/{received['consentId']}/withdraw", withdrawal)
    tags.append((await world.center.get(path)).headers["etag"])
    assert len(set(tags)) == 5


async def test_the_tag_changes_when_the_calendar_shows_something_else(world: World) -> None:
    world.on("2026-09-30")
    drafted = await world.consented()
    path = f"/v1/handovers/{drafted['id']}"
    closed = await world.settlement.get(path)
    world.on("2026-10-01")
    opened = await world.settlement.get(path, If_None_Match=closed.headers["etag"])
    assert (opened.status_code, opened.json()["windowOpen"]) == (200, True)


async def test_an_answer_has_the_tag_that_reading_would_have(world: World) -> None:
    drafted = await world.consented()
    path = f"/v1/handovers/{drafted['id']}"
    steps = (
        (world.settlement, "amend"),
        (world.settlement, "offer"),
        (world.settlement, "open"),
        (world.center, "receive"),
        (world.center, "return"),
        (world.settlement, "amend"),
        (world.settlement, "offer"),
        (world.center, "receive"),
        (world.center, "accept"),
        (world.settlement, "withdraw"),
    )
    for who, action in steps:
        answer = await take(who, world, drafted["id"], action)
        assert answer.status_code == 200, (action, answer.text)
        assert (await who.get(path)).headers["etag"] == answer.headers["etag"], action


async def test_creating_answers_with_the_tag_to_amend_with(world: World) -> None:
    record = settlement_record(world.center.id)
    created = await world.settlement.post("/v1/handovers", record)
    path = created.headers["location"]
    amended = await world.settlement.put(path, record, If_Match=created.headers["etag"])
    assert amended.status_code == 200
    stale = await world.settlement.put(path, record, If_Match=created.headers["etag"])
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    fresh = await world.settlement.put(path, record, If_Match=f'"x", {amended.headers["etag"]}')
    assert fresh.json()["version"] == 3


async def test_amending_without_having_looked_is_refused(world: World) -> None:
    drafted = await world.draft()
    answer = await world.settlement.put(f"/v1/handovers/{drafted['id']}", settlement_record(world.center.id))
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")


@pytest.mark.parametrize("action", ["offer", "open", "withdraw", "receive", "accept", "decline", "return"])
async def test_a_step_on_what_has_changed_meanwhile_is_refused(world: World, action: str) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    who = world.settlement if action in ("offer", "open", "withdraw") else world.center
    tag = (await who.get(path)).headers["etag"]
    await take(world.settlement, world, received["id"], "amend")
    body = everything() if action == "accept" else {"reason": {"code": "other", "text": "理由"}}
    sent = body if action in ("withdraw", "accept", "decline", "return") else None
    answer = await who.post(f"{path}/{action}", sent, If_Match=tag)
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")


async def test_a_stranger_learns_nothing_from_a_precondition(world: World) -> None:
    received = await world.received()
    path = f"/v1/handovers/{received['id']}"
    tag = (await world.settlement.get(path)).headers["etag"]
    for headers in ({"If_None_Match": tag}, {"If_None_Match": "*"}):
        assert (await world.other.get(path, **headers)).status_code == 404
    assert (await world.other.post(f"{path}/open", If_Match='"x"')).status_code == 404
    assert (
        await world.other.put(path, settlement_record(world.center.id), If_Match='"x"')
    ).status_code == 404
