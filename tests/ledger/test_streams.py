"""Each person's stream: numbered without a hole, chained, canonical, also when eight write to it at once."""

import asyncio
import hashlib
import json
from collections import defaultdict
from itertools import pairwise
from uuid import UUID

import pytest
import rfc8785

from tests.crowd import offer
from tests.ledger.entries import Kept, kept
from tests.world import World
from tsunagi.db import Database

ROUNDS = 6


@pytest.fixture
def db(own_database: Database) -> Database:
    return own_database


def by_stream(entries: list[Kept]) -> dict[UUID, list[Kept]]:
    found: dict[UUID, list[Kept]] = defaultdict(list)
    for entry in entries:
        if entry.stream is not None:
            found[entry.stream].append(entry)
    return {stream: sorted(mine, key=lambda one: one.number or 0) for stream, mine in found.items()}


def check_streams(entries: list[Kept]) -> None:
    for mine in by_stream(entries).values():
        assert [entry.number for entry in mine] == list(range(1, len(mine) + 1))
        assert [entry.body["number"] for entry in mine] == list(range(1, len(mine) + 1))
        assert "previous" not in mine[0].body
        for before, after in pairwise(mine):
            assert after.body["previous"] == before.commitment.hex()


async def test_a_stream_has_neither_hole_nor_fork_after_eight_wrote_to_it_at_once(world: World) -> None:
    offered = await offer(world)
    path, person = f"/v1/handovers/{offered['id']}", f"/v1/people/{offered['personId']}"
    asks = [
        (world.center, path),
        (world.settlement, path),
        (world.center, f"{path}/versions/1"),
        (world.settlement, f"{person}/responsibility"),
        (world.auditor, f"{person}/responsibility"),
        (world.settlement, f"{person}/milestones"),
        (world.center, f"/v1/consents/{offered['consentId']}"),
        (world.center, "/v1/handovers/export"),
    ]

    async def ask(number: int) -> None:
        who, what = asks[number]
        for _ in range(ROUNDS):
            assert (await who.get(what)).status_code == 200

    await world.center.get(path)
    already = len(await kept(world.services.db))
    await asyncio.gather(*(ask(number) for number in range(len(asks))))
    entries = await kept(world.services.db)
    assert len(entries) == already + len(asks) * ROUNDS
    assert len(by_stream(entries)) == 1
    check_streams(entries)


async def test_several_people_in_one_export_each_keep_their_own_stream(world: World) -> None:
    for number in range(4):
        await offer(world, number)
    exports = [world.center.get("/v1/handovers/export") for _ in range(4)]
    for answer in await asyncio.gather(*exports):
        assert len(answer.text.splitlines()) == 4
    entries = await kept(world.services.db)
    assert len(by_stream(entries)) == 4
    check_streams(entries)


async def test_what_a_commitment_commits_to_is_the_salted_canonical_entry(world: World) -> None:
    offered = await offer(world)
    await world.center.get(f"/v1/handovers/{offered['id']}")
    await world.other.get(f"/v1/handovers/{offered['id']}")
    entries = await kept(world.services.db)
    assert len(entries) == 7
    for entry in entries:
        assert entry.text.encode() == rfc8785.dumps(json.loads(entry.text))
        assert len(entry.salt) == 32
        assert entry.commitment == hashlib.sha256(entry.salt + entry.text.encode()).digest()
    assert len({entry.salt for entry in entries}) == len(entries)
