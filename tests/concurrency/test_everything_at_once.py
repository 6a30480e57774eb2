"""Everybody does everything at once, the clock strikes, and nobody is told that the platform failed."""

import asyncio
import random
from collections import Counter
from typing import Any

from sqlalchemy import text

from tests.concurrency.test_sixteen_writers import holes_or_overlaps, not_as_accepted, register
from tests.crowd import record_of, whole_feed
from tests.ledger.entries import kept
from tests.ledger.test_streams import check_streams
from tests.world import Organization, World
from tsunagi.handovers.steps import advance

ACTORS, STEPS, PEOPLE = 12, 6, 3
REASONS = {
    "decline": "capacity",
    "return": "dates_unclear",
    "withdraw": "plan_changed",
}


class Actor:
    """Takes steps at random; keeps the statuses it was answered with."""

    def __init__(self, world: World, seed: int, people: list[str], consents: list[str]) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.people = people
        self.consents = consents
        self.answers: Counter[tuple[str, int]] = Counter()

    async def run(self) -> None:
        steps = [self.offer, self.act, self.act, self.act, self.look, self.look, self.amend, self.strike]
        await self.offer()
        for _ in range(STEPS):
            await self.chance.choice(steps)()

    async def ask(self, who: Organization, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = await who.call(method, path, body, headers=headers)
        operation = path.rpartition("/")[2] if method == "POST" else method
        self.answers[operation, answer.status_code] += 1
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        return answer

    async def one(self) -> tuple[Organization, str]:
        """A receiver, and a handover that it was once offered."""
        receiver = self.chance.choice([self.world.center, self.world.other, self.world.transition])
        listed = await self.ask(receiver, "GET", "/v1/handovers?limit=200")
        found = [one["id"] for one in listed.json()["items"]]
        return receiver, self.chance.choice(found) if found else ""

    async def offer(self) -> None:
        number = self.chance.randrange(PEOPLE)
        receiver = self.chance.choice([self.world.center, self.world.other, self.world.transition])
        record = record_of(self.world, number, receiver=receiver, personId=self.people[number])
        record["domains"] = self.chance.sample(record["domains"], self.chance.randrange(1, 4))
        record["plannedDate"] = f"2027-0{self.chance.randrange(1, 5)}-01"
        del record["serviceEndsOn"]
        created = await self.ask(self.world.settlement, "POST", "/v1/handovers", record)
        await self.ask(self.world.settlement, "POST", f"/v1/handovers/{created.json()['id']}/offer")

    async def act(self) -> None:
        receiver, handover_id = await self.one()
        if not handover_id:
            return
        path = f"/v1/handovers/{handover_id}"
        seen = (await self.ask(receiver, "GET", path)).json()
        action = self.chance.choice(
            ["accept", "accept", "decline", "return", "receive", "withdraw", "open", "offer"]
        )
        body: Any = None
        if action == "accept":
            domains = [one["domain"] if isinstance(one, dict) else one for one in seen["domains"]]
            body = {"domains": [{"domain": one, "decision": "accept"} for one in domains]}
        elif action in REASONS:
            body = {"reason": {"code": REASONS[action]} | ({"text": "?"} if action == "return" else {})}
        who = self.world.settlement if action in ("withdraw", "open", "offer") else receiver
        await self.ask(who, "POST", f"{path}/{action}", body)

    async def amend(self) -> None:
        _, handover_id = await self.one()
        if not handover_id:
            return
        path = f"/v1/handovers/{handover_id}"
        record = (await self.ask(self.world.settlement, "GET", path)).json()["record"]
        await self.ask(self.world.settlement, "PUT", path, record, **{"If-Match": "*"})

    async def look(self) -> None:
        who = self.chance.choice(
            [self.world.settlement, self.world.center, self.world.other, self.world.auditor]
        )
        person = self.chance.choice(self.people)
        where = self.chance.choice(
            [
                f"/v1/people/{person}/responsibility",
                "/v1/findings",
                "/v1/events?limit=200",
                "/v1/handovers/export",
            ]
        )
        await self.ask(who, "GET", where)
        if self.chance.random() < 0.2:
            consent = f"/v1/consents/{self.chance.choice(self.consents)}"
            body = {"withdrawnBy": {"kind": "person"}, "sections": ["medical"]}
            await self.ask(self.world.settlement, "POST", f"{consent}/withdraw", body)

    async def strike(self) -> None:
        await advance(self.world.services.db, self.world.services.clock.now())


async def consents_of(world: World) -> list[str]:
    async with world.services.db.platform() as tx:
        return [str(one) for one in await tx.scalars(text("SELECT id FROM consents"))]


async def test_nobody_meets_a_failure_and_nothing_is_torn(world: World) -> None:
    people = [await register(world, number) for number in range(PEOPLE)]
    consents = await consents_of(world)
    actors = [Actor(world, seed, people, consents) for seed in range(ACTORS)]
    for day in ("2026-11-20", "2026-12-15", "2027-01-01"):
        world.on(day)
        await asyncio.gather(*(actor.run() for actor in actors))
    check_streams(await kept(world.services.db))
    async with world.services.db.platform() as tx:
        assert await tx.scalar(holes_or_overlaps) == 0
        assert await tx.scalar(not_as_accepted) == 0
    for organization in (world.settlement, world.center, world.other):
        positions = [one["position"] for one in await whole_feed(organization)]
        assert positions == list(range(1, len(positions) + 1))
    taken = sum((actor.answers for actor in actors), Counter())
    assert taken["accept", 200]
    assert taken["withdraw", 200]
    assert taken["accept", 409]
