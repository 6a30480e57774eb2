"""Sixteen writers offer, answer and withdraw over the same few people, through HTTP and with real commits."""

import asyncio
import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import httpx2
from sqlalchemy import text

from tests.crowd import record_of
from tests.world import Organization, World, consent_for

WRITERS, PEOPLE, STEPS = 16, 3, 4
TODAY = date(2026, 11, 20)
DOMAINS = ("employment", "daily_life", "employer_liaison")
EXPECTED = {200, 201, 409, 412, 422}

holes_or_overlaps = text("""
    WITH newest AS (
        SELECT person_id, domain, max(version) AS version FROM responsibility_versions GROUP BY person_id, domain
    ), held AS (
        SELECT s.*, lead(s.valid_from) OVER (PARTITION BY s.person_id, s.domain ORDER BY s.valid_from) AS next_from
        FROM responsibility_segments s JOIN newest USING (person_id, domain, version)
    )
    SELECT count(*) FROM held WHERE valid_to <> coalesce(next_from, 'infinity')
""")
stated = text("SELECT count(DISTINCT (person_id, domain)) FROM responsibility_versions")
nobodys = text("""
    SELECT count(*) FROM responsibility_segments s WHERE organization_id IS NULL
""")
not_as_accepted = text("""
    WITH newest AS (
        SELECT person_id, domain, max(version) AS version FROM responsibility_versions GROUP BY person_id, domain
    )
    SELECT count(*) FROM handovers h
    JOIN json_to_recordset(CAST(h.domains AS json)) AS d (domain text, accepted_role text, accepted_from date) ON true
    JOIN newest n ON n.person_id = h.person_id AND n.domain = d.domain
    WHERE h.status IN ('accepted', 'overlapping') AND d.accepted_role = 'primary' AND NOT EXISTS (
        SELECT FROM responsibility_segments s
        WHERE (s.person_id, s.domain, s.version) = (n.person_id, n.domain, n.version)
          AND s.valid_from = d.accepted_from AND s.organization_id = h.receiver_id)
""")
primaries = text("""
    SELECT count(*) FROM handovers h
    JOIN json_to_recordset(CAST(h.domains AS json)) AS d (accepted_role text) ON true
    WHERE h.status IN ('accepted', 'overlapping') AND d.accepted_role = 'primary'
""")


class Writer:
    def __init__(self, world: World, seed: int, people: list[str]) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.people = people
        self.answers: Counter[tuple[str, int]] = Counter()

    async def run(self) -> None:
        for _ in range(STEPS):
            person = self.chance.randrange(PEOPLE)
            receiver = self.chance.choice([self.world.center, self.world.other, self.world.transition])
            handover = await self.offered(person, receiver)
            if handover is not None:
                await self.answered(handover, receiver)

    def seen(self, what: str, answer: httpx2.Response) -> bool:
        assert answer.status_code in EXPECTED, answer.text
        self.answers[what, answer.status_code] += 1
        return answer.is_success

    async def offered(self, person: int, receiver: Organization) -> dict[str, Any] | None:
        planned = TODAY + timedelta(days=self.chance.randrange(40, 130))
        domains = [
            {
                "domain": domain,
                "receiverRole": self.chance.choice(["primary", "primary", "co_support"]),
                "senderRoleAfter": self.chance.choice(["none", "co_support", "backup"]),
                "senderPrimarySince": "2024-04-01",
            }
            for domain in self.chance.sample(DOMAINS, self.chance.randrange(1, 4))
        ]
        record = record_of(
            self.world,
            person,
            receiver=receiver,
            personId=self.people[person],
            domains=domains,
            plannedDate=planned.isoformat(),
        )
        del record["serviceEndsOn"]
        created = await self.world.settlement.post("/v1/handovers", record)
        if not self.seen("create", created):
            return None
        handover: dict[str, Any] = created.json()
        offered = await self.world.settlement.post(f"/v1/handovers/{handover['id']}/offer")
        return handover if self.seen("offer", offered) else None

    async def answered(self, handover: dict[str, Any], receiver: Organization) -> None:
        path = f"/v1/handovers/{handover['id']}"
        self.seen("read", await receiver.get(path))
        answers = [{"domain": one["domain"], "decision": "accept"} for one in handover["domains"]]
        action = self.chance.choice(["accept", "accept", "accept", "decline"])
        body = {"domains": answers} if action == "accept" else {"reason": {"code": "capacity"}}
        self.seen(action, await receiver.post(f"{path}/{action}", body))
        if self.chance.random() < 0.4:
            reason = {"reason": {"code": "plan_changed"}}
            self.seen("withdraw", await self.world.settlement.post(f"{path}/withdraw", reason))


async def register(world: World, number: int) -> str:
    identity = record_of(world, number)["sections"]["identity"]
    registered = await world.settlement.post("/v1/people", {"identity": identity})
    person: str = registered.json()["personId"]
    consent = consent_for(person, world.center.id, world.other.id, world.transition.id)
    assert (await world.settlement.post("/v1/consents", consent)).status_code == 201
    return person


async def test_sixteen_writers_leave_neither_gap_nor_overlap(world: World) -> None:
    people = [await register(world, number) for number in range(PEOPLE)]
    writers = [Writer(world, seed, people) for seed in range(WRITERS)]
    await asyncio.gather(*(writer.run() for writer in writers))
    answers = sum((writer.answers for writer in writers), Counter())
    async with world.services.db.platform() as tx:
        assert await tx.scalar(stated) == PEOPLE * len(DOMAINS)
        assert await tx.scalar(holes_or_overlaps) == 0
        assert await tx.scalar(nobodys) == 0
        assert await tx.scalar(not_as_accepted) == 0
        assert 0 < (await tx.scalar(primaries) or 0) <= PEOPLE * len(DOMAINS)
    assert answers["accept", 200] >= PEOPLE
    assert answers["withdraw", 200] >= PEOPLE
    assert answers["offer", 409] + answers["accept", 409] > 0
