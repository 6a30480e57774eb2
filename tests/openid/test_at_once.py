"""Many at once, with commits that are real: nobody is two, nobody waits crosswise, who is shut out is out."""

import asyncio

import pytest
from sqlalchemy import text

from tests.openid.going import approved, forward, linked, registered, through
from tests.openid.provider import OpenIdProvider
from tests.web.visitors import visitor
from tests.world import World
from tsunagi.db import Database

ROUNDS = 4


@pytest.fixture
def db(own_database: Database) -> Database:
    return own_database


async def test_of_many_who_claim_to_be_the_same_one_is(world: World, provider: OpenIdProvider) -> None:
    await registered(world.center, provider)
    for number in range(ROUNDS):
        members = [await visitor(world.center) for _ in range(4)]
        pages = [await one.post("/settings/openid/link", {"do": "link"}) for one in members]
        backs = [await approved(forward(page), f"u-{number}") for page in pages]
        answers = await asyncio.gather(*(one.get(back) for one, back in zip(members, backs, strict=True)))
        told = sorted(one.headers["location"].rpartition("/")[2] for one in answers)
        assert told == ["link", *["refused?why=taken"] * 3]


async def test_a_way_that_is_ended_many_times_at_once_is_ended_once(
    world: World, provider: OpenIdProvider
) -> None:
    await registered(world.center, provider)
    member = await linked(world.center, "u-1")
    for _ in range(ROUNDS):
        begun = await member.get(f"/sign-in/with/{world.center.id}")
        back = await approved(begun.headers["location"], "u-1")
        answers = await asyncio.gather(*(member.get(back) for _ in range(4)))
        assert sorted(one.headers["location"] == "/" for one in answers) == [False, False, False, True]
        member.http.cookies.delete("session")


async def test_who_arrives_while_the_provider_is_removed_is_not_in_afterwards(
    world: World, provider: OpenIdProvider
) -> None:
    for number in range(ROUNDS):
        administrator = await registered(world.center, provider)
        members = [await linked(world.center, f"u-{number}-{one}") for one in range(3)]
        backs = []
        for place, one in enumerate(members):
            begun = await one.get(f"/sign-in/with/{world.center.id}")
            backs.append(await approved(begun.headers["location"], f"u-{number}-{place}"))
        removing = administrator.post("/settings/openid", {"do": "remove"})
        arriving = [one.get(back) for one, back in zip(members, backs, strict=True)]
        calls = [*arriving, removing] if number % 2 else [removing, *arriving]
        answers = await asyncio.gather(*calls)
        assert {one.status_code for one in answers} == {303}
        for one in members:
            assert (await one.get("/settings")).headers["location"].startswith("/sign-in")
        async with world.services.db.platform() as tx:
            still = await tx.execute(
                text("SELECT count(*) FROM staff_members WHERE openid_subject IS NOT NULL")
            )
            assert still.scalar_one() == 0


async def test_who_arrives_while_being_invited_anew_is_not_in_afterwards(
    world: World, provider: OpenIdProvider
) -> None:
    administrator = await registered(world.center, provider)
    for number in range(ROUNDS):
        member = await linked(world.center, f"u-{number}")
        begun = await member.get(f"/sign-in/with/{world.center.id}")
        back = await approved(begun.headers["location"], f"u-{number}")
        data = {"do": "invite-again", "member": str(member.added.member.id)}
        calls = [member.get(back), administrator.post("/settings/staff", data)]
        answers = await asyncio.gather(*(calls if number % 2 else reversed(calls)))
        assert {one.status_code for one in answers} == {200, 303}
        assert (await member.get("/settings")).headers["location"].startswith("/sign-in")
        assert "why=unknown" in (await through(member, world.center, f"u-{number}")).headers["location"]
