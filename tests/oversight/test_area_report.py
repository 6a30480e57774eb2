"""Who holds what in a whole area: of ten thousand people, too."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.crowd import accept, offer
from tests.owner import owner
from tests.plans.explained import faults
from tests.world import Organization, World
from tests.world_fixtures import AREA
from tsunagi.db import Acting, driver
from tsunagi.oversight import area_report

MANY = 10_000

# Every person has two versions of three domains: first all held by A, then handed to B from 2027-04-01 on. Of every
# hundredth, daily life is nobody's.
FILL = (
    """
    INSERT INTO people (id, stream, registered_by, registered_at)
    SELECT md5('{area}' || n)::uuid, gen_random_uuid(), {a}, now() FROM generate_series(1, {many}) n
    """,
    """
    INSERT INTO person_relations (person_id, organization_id, through, since)
    SELECT md5('{area}' || n)::uuid, {a}, md5('{area}' || n)::uuid, now() FROM generate_series(1, {many}) n
    """,
    """
    INSERT INTO handovers (id, person_id, stream, sender_id, receiver_id, handover_type, status, version,
        offered_versions, revision, same_corporation, area_code, planned_date, continuing_need,
        employer_window_missing, window_opens_on, window_announced, due_on, recorded_at, offered_at, domains)
    SELECT gen_random_uuid(), md5('{area}' || n)::uuid, gen_random_uuid(), {a}, {b}, 'other', 'accepted', 1,
        '{{1}}', 1, false, {code}, '2027-04-01', false, false, '2026-10-01', true, '2027-04-01',
        '2026-05-01', '2026-05-01', '[]'
    FROM generate_series(1, {many}) n
    """,
    """
    INSERT INTO responsibility_versions (person_id, domain, version, previous_version, recorded_at, recorded_by,
        reason, effective_on, open_end)
    SELECT md5('{area}' || n)::uuid, domain, version, nullif(version - 1, 0),
        CASE version WHEN 1 THEN timestamptz '2026-05-01' ELSE '2026-06-01' END, {a}, 'opened', '2024-04-01',
        'infinity'
    FROM generate_series(1, {many}) n, generate_series(1, 2) version,
        unnest(ARRAY['employment', 'daily_life', 'employer_liaison']) domain
    """,
    """
    INSERT INTO responsibility_segments (person_id, domain, version, valid_from, valid_to, organization_id)
    SELECT md5('{area}' || n)::uuid, domain, version, '2024-04-01',
        CASE version WHEN 1 THEN date 'infinity' ELSE '2027-04-01' END,
        CASE WHEN n % 100 > 0 OR domain <> 'daily_life' THEN {a} END
    FROM generate_series(1, {many}) n, generate_series(1, 2) version,
        unnest(ARRAY['employment', 'daily_life', 'employer_liaison']) domain
    """,
    """
    INSERT INTO responsibility_segments (
        person_id, domain, version, valid_from, valid_to, previous_to, organization_id)
    SELECT md5('{area}' || n)::uuid, domain, 2, '2027-04-01', 'infinity', '2027-04-01', {b}
    FROM generate_series(1, {many}) n, unnest(ARRAY['employment', 'daily_life', 'employer_liaison']) domain
    """,
)


async def fill(world: World, many: int, *, a: str, b: str, area: str, code: str) -> None:
    """So many people, handed over from `a` to `b` in the area `code`: expressions of SQL."""
    async with owner(world.services.db) as tx:
        server = await driver(tx)
        await server.execute("SET LOCAL session_replication_role = replica")
        for statement in FILL:
            await server.execute(statement.format(area=area, many=many, a=a, b=b, code=code))
        await server.execute("SET LOCAL session_replication_role = origin")
        await server.execute("ANALYZE")


async def fill_area(world: World, many: int) -> None:
    a, b = (f"uuid '{one.id}'" for one in (world.settlement, world.center))
    await fill(world, many, a=a, b=b, area=AREA, code=f"'{AREA}'")


async def report(who: Organization, query: str = "", area: str = AREA) -> dict[str, Any]:
    answer = await who.get(f"/v1/areas/{area}/responsibility{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def counted(found: dict[str, Any]) -> dict[tuple[str, str | None], int]:
    return {
        (one["domain"], one["organization"] and one["organization"]["id"]): one["people"]
        for one in found["totals"]
    }


async def test_everybodys_holder_gaps_first(world: World) -> None:
    held, gap = await offer(world, 0), await offer(world, 1)
    body = {"domain": "daily_life", "role": "primary", "on": "2026-11-20", "reason": {"code": "person_wish"}}
    await world.settlement.post(f"/v1/people/{gap['personId']}/responsibility/end", body)
    found = await report(world.auditor)
    assert [one["personId"] for one in found["items"]] == [gap["personId"], held["personId"]]
    mine = str(world.settlement.id)
    assert counted(found) == {
        ("daily_life", None): 1,
        ("daily_life", mine): 1,
        ("employer_liaison", mine): 2,
        ("employment", mine): 2,
    }
    first = found["items"][0]["domains"][0]
    assert (first["domain"], first["holder"], first["from"], first["to"]) == (
        "daily_life", None, "2026-11-20", None,
    )  # fmt: skip
    assert found["people"] == 2


async def test_the_report_is_of_a_day_and_of_what_was_known(world: World) -> None:
    offered = await offer(world)
    world.on("2026-12-01")
    await accept(world, offered)
    of = {
        query: set(counted(await report(world.auditor, query)))
        for query in ("", "?asOf=2027-04-01", "?asOf=2027-04-01&knownAt=2026-11-25T00:00:00Z")
    }
    settlement, center = (
        {(domain, str(who.id)) for domain in ("employment", "daily_life", "employer_liaison")}
        for who in (world.settlement, world.center)
    )
    assert list(of.values()) == [settlement, center, settlement]
    assert (await report(world.auditor, "?asOf=2020-01-01"))["items"] == []
    assert (await report(world.auditor, "?knownAt=2020-01-01T00:00:00Z"))["people"] == 0


async def test_others_see_their_own_people_and_an_auditor_its_remit(world: World) -> None:
    await offer(world, 0)
    mine = await offer(world, 1, sender=world.transition, handoverType="sender_to_center")
    everybody = await report(world.auditor)
    assert everybody["people"] == 2
    assert [one["personId"] for one in (await report(world.transition))["items"]] == [mine["personId"]]
    assert (await report(world.other))["people"] == 0
    assert (await report(world.center))["people"] == 0
    answer = await world.auditor.get("/v1/areas/99-99/responsibility")
    assert answer.status_code == 404


async def test_the_look_is_on_the_ledger_with_what_was_asked_for(world: World) -> None:
    await report(world.auditor, "?asOf=2026-10-01")
    async with world.services.db.platform() as tx:
        found = await tx.execute(
            text("SELECT body FROM ledger_contents WHERE action = 'responsibility:report'")
        )
        (body,) = found.scalars()
    assert f'"asked":{{"area":"{AREA}","asOf":"2026-10-01"}}' in body


@pytest.mark.parametrize("cursor", ["e30", "x", "WzEsIDFd"])
async def test_a_cursor_that_is_none_is_refused(world: World, cursor: str) -> None:
    answer = await world.auditor.get(f"/v1/areas/{AREA}/responsibility?cursor={cursor}")
    assert answer.status_code == 400


async def test_ten_thousand_people_are_counted_and_each_is_on_one_page(world: World) -> None:
    await fill_area(world, MANY)
    found = await report(world.auditor, "?asOf=2026-12-01&limit=1000")
    assert found["people"] == MANY
    of = counted(found)
    assert of["daily_life", None] == MANY // 100
    assert of["employment", str(world.settlement.id)] == MANY
    gaps = [one["personId"] for one in found["items"] if one["domains"][0]["holder"] is None]
    assert [one["personId"] for one in found["items"][: MANY // 100]] == gaps
    seen = [one["personId"] for one in found["items"]]
    while found["nextCursor"]:
        found = await report(world.auditor, f"?asOf=2026-12-01&limit=1000&cursor={found['nextCursor']}")
        seen += [one["personId"] for one in found["items"]]
    assert len(seen) == len(set(seen)) == MANY
    later = counted(await report(world.auditor, "?asOf=2027-04-01&limit=1"))
    assert later["daily_life", str(world.center.id)] == MANY
    before = "?asOf=2027-04-01&knownAt=2026-05-15T00:00:00Z&limit=1"
    assert (
        counted(await report(world.auditor, before))["daily_life", str(world.settlement.id)]
        == MANY * 99 // 100
    )


async def test_its_plan_reads_an_areas_people_and_nobody_elses(world: World) -> None:
    await fill_area(world, 100)
    anybody = "gen_random_uuid()"
    await fill(world, MANY, a=anybody, b=anybody, area="elsewhere", code="'far-' || n % 100")
    acting = Acting(world.auditor.id, world.services.clock.now().date(), overseeing=True, of_many=True)
    asked = f"'{world.auditor.id}', '{AREA}', '2026-12-01', now(), 10, NULL, NULL, NULL"
    async with world.services.db.read(acting) as tx:
        server = await driver(tx)
        await server.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await server.execute(
            f"PREPARE one (uuid, text, date, timestamptz, int, uuid, bool, text) AS {area_report._REPORT}"
        )
        (plan,) = await server.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE one ({asked})")
        await server.execute("DEALLOCATE one")
    read = [one for one in faults(plan["Plan"]) if one.startswith("reads")]
    assert not read, "\n".join(read)


async def of_number(who: Organization, number: str) -> list[str]:
    answer = await who.get(f"/v1/areas/{AREA}/responsibility?number={number}")
    assert answer.status_code == 200, answer.text
    return [one["personId"] for one in answer.json()["items"]]


async def test_a_handovers_number_finds_its_person_for_those_who_may_know_of_both(world: World) -> None:
    coming, other = await offer(world), await offer(world, 2)
    number = coming["id"][-6:]
    for named in (coming["id"], number, number.upper(), coming["id"].upper()):
        for who in (world.auditor, world.settlement):
            assert await of_number(who, named) == [coming["personId"]]
    assert await of_number(world.auditor, other["id"]) == [other["personId"]]
    assert await of_number(world.auditor, "000000") == []
    for stranger in (world.other, world.transition, world.center):
        assert await of_number(stranger, number) == []


async def test_a_persons_number_finds_those_whom_the_caller_may_see_anyway(world: World) -> None:
    coming, _ = await offer(world), await offer(world, 2)
    for named in (coming["personId"], coming["personId"][-6:].upper()):
        for who in (world.auditor, world.settlement):
            assert await of_number(who, named) == [coming["personId"]]
        for stranger in (world.other, world.center):
            assert await of_number(stranger, named) == []


async def test_a_receiver_learns_nothing_of_a_handover_that_it_has_not_received(world: World) -> None:
    """It knows the person from another one, and the number from the notice."""
    first = await offer(world)
    world.on("2026-12-01")
    await accept(world, first)
    assert await of_number(world.center, first["id"]) == [first["personId"]]
    async with owner(world.services.db) as connection:
        await connection.execute(
            text("UPDATE handovers SET received_at = NULL WHERE id = :id"), {"id": first["id"]}
        )
    assert await of_number(world.center, first["id"]) == []
    assert await of_number(world.auditor, first["id"]) == [first["personId"]]


@pytest.mark.parametrize(
    "bad", ["", "12345", "1234567", "0000zz", "%25", "00000000-0000-4000-8000-00000000000"]
)
async def test_what_is_no_number_is_refused(world: World, bad: str) -> None:
    answer = await world.auditor.get(f"/v1/areas/{AREA}/responsibility?number={bad}")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "number")
