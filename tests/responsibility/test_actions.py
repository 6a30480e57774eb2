"""Claims, acceptances and withdrawals as they are recorded, and who held what as known when."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.responsibility.conftest import accept, add_people, claim
from tsunagi.clock import JAPAN
from tsunagi.db import Database, WriteTx
from tsunagi.errors import ResponsibilityNotHeld, RuleViolated
from tsunagi.ids import HandoverId, OrganizationId, PersonId
from tsunagi.responsibility import actions, store
from tsunagi.responsibility.actions import Change, DomainTimeline
from tsunagi.responsibility.rules import FOREVER, Domain, Interval, Move, Segment, Support

APRIL, JULY, SEPTEMBER, OCTOBER = (date(2026, month, 1) for month in (4, 7, 9, 10))


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=JAPAN)


class Exchange:
    """One handover of one person from A to B, step by step."""

    def __init__(self, tx: WriteTx, person: PersonId, organizations: Sequence[OrganizationId]) -> None:
        self.tx = tx
        self.person = person
        self.a, self.b, self.c, _ = organizations
        self.handover = HandoverId(uuid4())

    async def claim(self, day: date, domain: Domain = "employment", **given: Any) -> Change | None:
        said = {"since": APRIL, "role": "primary", "effective_on": OCTOBER, "basis": "service_contract"}
        said |= {"handover_id": self.handover, "recorded_by": self.a}
        sender = given.pop("sender", self.a)
        return await claim(self.tx, morning(day), self.person, sender, domain, **(said | given))

    async def accept(self, day: date, domain: Domain = "employment", **given: Any) -> Change | None:
        said = {"receiver": self.b, "role": "primary", "effective_on": OCTOBER, "sender": self.a}
        said |= {"sender_role_after": "backup", "overlap_from": SEPTEMBER, "follow_up_until": None}
        said |= {"basis": "settlement_contract", "handover_id": self.handover}
        return await accept(self.tx, morning(day), self.person, domain, **(said | given))

    async def undo(self, day: date) -> tuple[Change, ...]:
        return await actions.undo(self.tx, morning(day), self.person, self.handover, recorded_by=self.a)

    async def employment(self, as_of: date, known_at: datetime | None = None) -> DomainTimeline:
        timeline = await actions.timeline(self.tx, self.person, as_of=as_of, known_at=known_at)
        return next(one for one in timeline.domains if one.domain == "employment")


@pytest.fixture
def exchange(tx: WriteTx, person: PersonId, organizations: Sequence[OrganizationId]) -> Exchange:
    return Exchange(tx, person, organizations)


async def test_each_change_is_one_more_version_that_says_what_moved(exchange: Exchange) -> None:
    opened = await exchange.claim(JULY)
    accepted = await exchange.accept(JULY)
    assert opened == Change("employment", 1, morning(JULY), (Move(APRIL, FOREVER, None, exchange.a),))
    assert accepted == Change(
        "employment", 2, morning(JULY), (Move(OCTOBER, FOREVER, exchange.a, exchange.b),)
    )
    recorded = await store.find(exchange.tx, exchange.person, "employment")
    assert recorded is not None
    assert recorded.reason == "handover_accepted"
    assert (recorded.recorded_by, recorded.handover_id) == (exchange.b, exchange.handover)
    assert recorded.effective_on == OCTOBER


async def test_what_says_nothing_new_is_not_recorded(exchange: Exchange) -> None:
    await exchange.claim(JULY)
    assert await exchange.claim(JULY) is None
    assert await exchange.claim(JULY, since=None) is None
    assert (await exchange.employment(JULY)).version == 1


async def test_the_timeline_shows_the_whole_picture(exchange: Exchange) -> None:
    await exchange.claim(JULY)
    await exchange.accept(JULY)
    shown = await exchange.employment(date(2026, 9, 30))
    assert shown.holder == exchange.a
    assert shown.segments == (
        Segment(APRIL, OCTOBER, exchange.a, "service_contract"),
        Segment(OCTOBER, FOREVER, exchange.b, "settlement_contract"),
    )
    assert shown.support == (
        Support(SEPTEMBER, OCTOBER, exchange.b, "co_support"),
        Support(OCTOBER, FOREVER, exchange.a, "backup"),
    )
    assert [segment.to for segment in shown.segments] == [OCTOBER, None]
    assert (await exchange.employment(OCTOBER)).holder == exchange.b
    assert (await exchange.employment(date.max)).holder == exchange.b
    assert (await exchange.employment(date(2026, 3, 31))).holder is None


async def test_a_later_change_leaves_what_was_known_before_it(exchange: Exchange) -> None:
    await exchange.claim(JULY)
    await exchange.accept(JULY + timedelta(days=10))
    await exchange.undo(JULY + timedelta(days=20))

    async def holder(known_at: datetime | None) -> OrganizationId | None:
        return (await exchange.employment(OCTOBER, known_at)).holder

    assert await holder(morning(JULY)) == exchange.a
    assert await holder(morning(JULY + timedelta(days=10)) - timedelta(microseconds=1)) == exchange.a
    assert await holder(morning(JULY + timedelta(days=10))) == exchange.b
    assert await holder(morning(JULY + timedelta(days=19))) == exchange.b
    assert await holder(morning(JULY + timedelta(days=20))) == exchange.a
    assert await holder(None) == exchange.a
    before = morning(JULY) - timedelta(seconds=1)
    assert (
        await actions.timeline(exchange.tx, exchange.person, as_of=OCTOBER, known_at=before)
    ).domains == ()


async def test_recording_never_runs_backward_when_clocks_differ(exchange: Exchange) -> None:
    await exchange.claim(JULY + timedelta(days=1))
    change = await exchange.accept(JULY)
    assert change is not None
    assert change.recorded_at == morning(JULY + timedelta(days=1))
    assert (await exchange.employment(OCTOBER, morning(JULY + timedelta(days=1)))).version == 2


async def test_domains_go_their_own_ways_in_the_order_of_the_list(exchange: Exchange) -> None:
    for domain in ("employer_liaison", "daily_life", "employment"):
        await exchange.claim(JULY, domain)
    await exchange.accept(JULY)
    await exchange.accept(JULY, "daily_life", role="backup")
    timeline = await actions.timeline(exchange.tx, exchange.person, as_of=OCTOBER, known_at=None)
    assert [(one.domain, one.version, one.holder) for one in timeline.domains] == [
        ("employment", 2, exchange.b),
        ("daily_life", 2, exchange.a),
        ("employer_liaison", 1, exchange.a),
    ]
    assert timeline.organizations == {exchange.a, exchange.b}


async def test_withdrawing_before_the_effective_date_undoes_every_domain(exchange: Exchange) -> None:
    await exchange.claim(JULY)
    await exchange.claim(JULY, "daily_life")
    before = [one.picture for one in await store.load(exchange.tx, [exchange.person])]
    await exchange.accept(JULY)
    await exchange.accept(JULY, "daily_life", role="co_support")
    changes = await exchange.undo(SEPTEMBER)
    assert [(one.domain, one.version) for one in changes] == [("daily_life", 3), ("employment", 3)]
    assert [one.picture for one in await store.load(exchange.tx, [exchange.person])] == before
    assert await exchange.undo(SEPTEMBER) == ()


async def test_withdrawing_an_unanswered_handover_changes_nothing(exchange: Exchange) -> None:
    await exchange.claim(JULY)
    assert await exchange.undo(JULY) == ()
    assert (await exchange.employment(JULY)).version == 1


async def test_nothing_is_withdrawn_once_responsibility_has_moved(exchange: Exchange) -> None:
    await exchange.claim(JULY)
    await exchange.accept(JULY)
    with pytest.raises(RuleViolated):
        await exchange.undo(OCTOBER)
    assert (await exchange.employment(OCTOBER)).holder == exchange.b


async def test_the_effective_date_is_a_date_in_japan(exchange: Exchange) -> None:
    await exchange.claim(JULY)
    just_past_midnight = datetime(2026, 9, 30, 15, 30, tzinfo=UTC)
    offered = {"receiver": exchange.b, "role": "primary", "sender": exchange.a, "sender_role_after": "none"}
    offered |= {
        "overlap_from": None,
        "follow_up_until": None,
        "basis": None,
        "handover_id": exchange.handover,
    }
    with pytest.raises(RuleViolated):
        await accept(
            exchange.tx,
            just_past_midnight,
            exchange.person,
            "employment",
            effective_on=date(2026, 9, 30),
            **offered,  # type: ignore[arg-type]
        )


async def test_two_receivers_do_not_get_the_same_domain(exchange: Exchange) -> None:
    await exchange.claim(JULY)
    await exchange.accept(JULY)
    exchange.handover = HandoverId(uuid4())
    with pytest.raises(ResponsibilityNotHeld):
        await exchange.accept(JULY, receiver=exchange.c)
    with pytest.raises(ResponsibilityNotHeld):
        await exchange.claim(JULY)


async def test_nothing_is_accepted_without_an_offer(exchange: Exchange) -> None:
    with pytest.raises(ResponsibilityNotHeld):
        await exchange.accept(JULY)


async def test_gaps_are_found_over_many_people(db: Database, organizations: Sequence[OrganizationId]) -> None:
    async with db.platform() as tx:
        people = await add_people(tx, 3, organizations[0])
        for person, since in zip(people, (APRIL, None, None), strict=True):
            await Exchange(tx, person, organizations).claim(JULY, since=since)
        await Exchange(tx, people[1], organizations).accept(JULY)
        found = await actions.gaps(tx, people, from_day=APRIL, until=date(2027, 1, 1))
    assert {(gap.person_id, gap.domain, gap.days) for gap in found} == {
        (people[1], "employment", Interval(JULY, OCTOBER)),
        (people[2], "employment", Interval(JULY, date(2027, 1, 1))),
    }
    assert all(gap.recorded_at == morning(JULY) for gap in found)


async def test_a_gap_that_was_closed_later_is_still_what_was_known(exchange: Exchange) -> None:
    await exchange.claim(JULY, since=None)
    await exchange.claim(SEPTEMBER, since=JULY)
    known_then = await actions.gaps(
        exchange.tx, [exchange.person], from_day=APRIL, known_at=morning(SEPTEMBER) - timedelta(seconds=1)
    )
    assert [gap.days for gap in known_then] == [Interval(JULY, FOREVER)]
    assert await actions.gaps(exchange.tx, [exchange.person], from_day=APRIL) == ()
