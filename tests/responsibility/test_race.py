"""Sixteen writers, eight people, real commits: no gap, no overlap, and nothing that was accepted is lost."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import text

from tests.responsibility.conftest import accept, add_organizations, add_people, claim
from tsunagi.clock import JAPAN
from tsunagi.db import Database, WriteTx
from tsunagi.errors import Refusal
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.responsibility import actions, rules, store
from tsunagi.responsibility.rules import Acceptance, Domain, Picture

WRITERS, PEOPLE, STEPS = 16, 8, 25
TODAY = date(2026, 7, 1)
AT = datetime(2026, 7, 1, 9, tzinfo=JAPAN)
DOMAINS: tuple[Domain, ...] = ("employment", "daily_life")

Key = tuple[PersonId, Domain]


@dataclass(frozen=True)
class Accepted:
    """What a receiver was told had been recorded."""

    version: int
    acceptance: Acceptance
    handover_id: HandoverId


class Writer:
    """Offers and accepts at random, and keeps what it was told."""

    def __init__(
        self,
        database: Database,
        seed: int,
        people: Sequence[PersonId],
        organizations: Sequence[OrganizationId],
    ) -> None:
        self.database = database
        self.chance = random.Random(seed)
        self.people = people
        self.organizations = organizations
        self.accepted: dict[Key, list[Accepted]] = defaultdict(list)
        self.withdrawn: dict[Key, list[HandoverId]] = defaultdict(list)
        self.refused = 0

    async def run(self) -> None:
        for _ in range(STEPS):
            key = self.chance.choice(self.people), self.chance.choice(DOMAINS)
            try:
                async with self.database.platform() as tx:
                    told = await self.step(tx, *key)
                if told is None:
                    continue
                self.accepted[key].append(told)
                if self.chance.random() < 0.3:
                    async with self.database.platform() as tx:
                        await actions.undo(
                            tx, AT, key[0], told.handover_id, recorded_by=told.acceptance.sender
                        )
                    self.withdrawn[key].append(told.handover_id)
            except Refusal:
                self.refused += 1

    def acceptance(self, sender: OrganizationId | None) -> Acceptance:
        return Acceptance(
            sender=sender or self.chance.choice(self.organizations),
            receiver=self.chance.choice(self.organizations),
            role=self.chance.choice(("primary", "primary", "co_support", "backup")),
            effective_on=TODAY + timedelta(days=self.chance.randrange(60)),
            sender_role_after=self.chance.choice(("none", "co_support", "backup")),
            overlap_from=TODAY + timedelta(days=self.chance.randrange(60)),
            basis="agreement",
        )

    async def step(self, tx: WriteTx, person: PersonId, domain: Domain) -> Accepted | None:
        """A handover from whoever was the last holder a moment ago, offered and accepted at once."""
        known = await store.find(tx, person, domain)
        await asyncio.sleep(self.chance.random() / 500)  # long enough for somebody else to be faster
        acceptance = self.acceptance(known.picture.chain.segments[-1].holder if known else None)
        handover_id = HandoverId(uuid4())
        await claim(
            tx,
            AT,
            person,
            acceptance.sender,
            domain,
            since=TODAY,
            role=acceptance.role,
            effective_on=acceptance.effective_on,
            basis="agreement",
            handover_id=handover_id,
            recorded_by=acceptance.sender,
        )
        change = await accept(
            tx,
            AT,
            person,
            domain,
            receiver=acceptance.receiver,
            role=acceptance.role,
            effective_on=acceptance.effective_on,
            sender=acceptance.sender,
            sender_role_after=acceptance.sender_role_after,
            overlap_from=acceptance.overlap_from,
            follow_up_until=acceptance.follow_up_until,
            basis=acceptance.basis,
            handover_id=handover_id,
        )
        return Accepted(change.version, acceptance, handover_id) if change else None


_holes_or_overlaps = text("""
    SELECT count(*) FROM responsibility_versions v WHERE
        (SELECT range_agg(daterange(s.valid_from, s.valid_to)) FROM responsibility_segments s
         WHERE (s.person_id, s.domain, s.version) = (v.person_id, v.domain, v.version))
        IS DISTINCT FROM
        (SELECT datemultirange(daterange(min(s.valid_from), 'infinity')) FROM responsibility_segments s
         WHERE (s.person_id, s.domain, s.version) = (v.person_id, v.domain, v.version))
      OR EXISTS
        (SELECT FROM responsibility_segments s JOIN responsibility_segments o
         ON (s.person_id, s.domain, s.version) = (o.person_id, o.domain, o.version)
         AND s.valid_from < o.valid_from AND o.valid_from < s.valid_to
         WHERE (s.person_id, s.domain, s.version) = (v.person_id, v.domain, v.version))
""")


async def history(database: Database, person: PersonId, domain: Domain) -> list[store.Version]:
    async with database.platform() as tx:
        newest = await store.find(tx, person, domain)
        versions = [
            await store.find(tx, person, domain, version=number)
            for number in range(1, (newest.version if newest else 0) + 1)
        ]
    return [version for version in versions if version is not None]


async def test_racing_writers_leave_no_gap_and_lose_nothing(own_database: Database) -> None:
    async with own_database.platform() as tx:
        organizations = await add_organizations(tx, 5)
        people = await add_people(tx, PEOPLE, organizations[0])
    writers = [Writer(own_database, seed, people, organizations) for seed in range(WRITERS)]
    await asyncio.gather(*(writer.run() for writer in writers))

    async with own_database.platform() as tx:
        assert await tx.scalar(_holes_or_overlaps) == 0
    for person in people:
        for domain in DOMAINS:
            told = [one for writer in writers for one in writer.accepted[person, domain]]
            versions = await history(own_database, person, domain)
            check_history(versions, sorted(told, key=lambda one: one.version))
            withdrawn = {one for writer in writers for one in writer.withdrawn[person, domain]}
            assert withdrawn == {one.handover_id for one in versions if one.reason == "handover_withdrawn"}
    assert sum(len(told) for writer in writers for told in writer.accepted.values()) > 50
    assert any(writer.withdrawn for writer in writers)
    assert any(writer.refused for writer in writers)


def check_history(versions: list[store.Version], told: list[Accepted]) -> None:
    """Every acceptance is the version that its receiver was told, made of the version before it: one after the
    other, the steps give exactly what the database holds."""
    kept = [(one.version, one.handover_id) for one in versions if one.reason == "handover_accepted"]
    assert kept == [(one.version, one.handover_id) for one in told]
    by_handover: dict[HandoverId | None, Accepted] = {one.handover_id: one for one in told}
    pictures: list[Picture] = []
    for number, version in enumerate(versions, start=1):
        assert version.version == number
        assert not rules.gaps(version.picture.chain, from_day=TODAY)
        made_by = by_handover.get(version.handover_id)
        if made_by and version.reason == "handover_accepted":
            assert version.picture == rules.accept(pictures[-1], made_by.acceptance, today=TODAY)
        if made_by and version.reason == "handover_withdrawn":
            assert version.picture == rules.withdraw(
                pictures[-1],
                before=pictures[made_by.version - 2],
                accepted=pictures[made_by.version - 1],
                effective_on=made_by.acceptance.effective_on,
                today=TODAY,
            )
        pictures.append(version.picture)


async def test_a_writer_waits_for_the_one_before_it_and_neither_is_refused(own_database: Database) -> None:
    async with own_database.platform() as tx:
        sender, *receivers = await add_organizations(tx, 1 + WRITERS)
        person = (await add_people(tx, 1, sender))[0]
        opened = rules.open_chain(TODAY, sender)
        await store.insert(
            tx,
            store.Version(person, "employment", 1, AT, None, "opened", None, TODAY, Picture(opened)),
        )

    async def accepted_by(receiver: OrganizationId) -> int:
        async with own_database.platform() as tx:
            change = await accept(
                tx,
                AT,
                person,
                "employment",
                receiver=receiver,
                role="backup",
                effective_on=TODAY,
                sender=sender,
                sender_role_after="none",
                overlap_from=None,
                follow_up_until=None,
                basis=None,
                handover_id=HandoverId(uuid4()),
            )
        assert change is not None
        return change.version

    written = await asyncio.gather(*(accepted_by(receiver) for receiver in receivers))
    assert sorted(written) == list(range(2, WRITERS + 2))
    newest = (await history(own_database, person, "employment"))[-1]
    assert {one.organization for one in newest.picture.support} == set(receivers)
